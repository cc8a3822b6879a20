"""What a mail provider tells us: believed with the secret alone, and each event once (B15, B17, C6, E18)."""

import hashlib
import hmac
import json
import random
import sys
import time
from base64 import b64encode
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from comments.models import Comment
from newsroom.models import Suppression
from subscriptions.inbound import take_in
from subscriptions.models import Bounce, Delivery
from tests import factories
from tests.comments.test_hostile_input import NASTY

BERTA = "berta@example.org"
SECRET, KEY = "anbieter:geheim", "mailgun-key"
Say = Callable[..., HttpResponse]


@pytest.fixture
def site_with(settings) -> Callable[[dict], None]:
    """The site map as it is read at the start of a site with these settings for anymail."""

    def read_anew(anymail: dict) -> None:
        settings.ANYMAIL = anymail
        spec = spec_from_file_location("tests.site_with_a_provider", settings.BASE_DIR / "newsroom" / "urls.py")
        sys.modules[spec.name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[spec.name])
        settings.ROOT_URLCONF = spec.name

    yield read_anew
    sys.modules.pop("tests.site_with_a_provider", None)


@pytest.fixture
def say(db, site_with, settings) -> Say:
    """Posts to a provider's address of ours, as the provider would."""
    settings.REPLY_DOMAIN = "antwort.example"
    site_with({"WEBHOOK_SECRET": SECRET, "MAILGUN_WEBHOOK_SIGNING_KEY": KEY})
    return post


def post(what: str, body: Any, *, secret: str = SECRET) -> HttpResponse:
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"Basic {b64encode(secret.encode()).decode()}"} if secret else {}
    browser = Client(headers=headers, enforce_csrf_checks=True)
    return browser.post(f"/anymail/{what}/", body, content_type="application/json")


def postmark(kind: str, details: str = "", *, number: int = 1, email: str = BERTA) -> dict:
    record = "SpamComplaint" if kind == "SpamComplaint" else "Bounce"
    told = {"RecordType": record, "Type": kind, "ID": number, "Email": email, "MessageID": "883953f4"}
    return told | {"Details": details, "Description": "What it means.", "BouncedAt": "2024-05-01T12:30:00Z"}


def brevo(event: str, reason: str = "") -> dict:
    told = {"event": event, "email": BERTA, "message-id": "<1@localhost>", "reason": reason, "ts_epoch": 1714559400000}
    return told | {"id": 7, "date": "2024-05-01 12:30:00"}


def mailgun(severity: str, message: str, *, event: str = "failed", token: str = "a1", key: str = KEY) -> dict:
    signature = hmac.new(key.encode(), f"1714559400{token}".encode(), hashlib.sha256).hexdigest()
    data = {"event": event, "severity": severity, "reason": "bounce", "recipient": BERTA, "timestamp": 1714559400.1}
    return {
        "signature": {"timestamp": "1714559400", "token": token, "signature": signature},
        "event-data": data | {"delivery-status": {"message": message}, "message": {"headers": {"message-id": "1@a"}}},
    }


def suppressed() -> list[tuple[str, str]]:
    return list(Suppression.objects.standing().order_by("pk").values_list("email", "reason"))


def bounces() -> list[tuple[str, str]]:
    return list(Bounce.objects.order_by("pk").values_list("email", "kind"))


# --- bounces and complaints ------------------------------------------------------------------------------------------

EVENTS = {
    "hard": ("postmark/tracking", postmark("HardBounce", "smtp;550 5.1.1 unknown"), "hard"),
    "hard without a code": ("postmark/tracking", postmark("HardBounce"), "hard"),
    "no such address": ("postmark/tracking", postmark("BadEmailAddress"), "hard"),
    "called soft": ("postmark/tracking", postmark("SoftBounce", "smtp;452 full"), "soft"),
    "called hard, but full": ("postmark/tracking", postmark("HardBounce", "smtp;552 5.2.2 full"), "soft"),
    "blocked": ("postmark/tracking", postmark("Blocked", "smtp;554 5.7.1 spam"), "soft"),
    "delayed": ("postmark/tracking", postmark("Transient"), None),
    "out of office": ("postmark/tracking", postmark("AutoResponder"), None),
    "complaint": ("postmark/tracking", postmark("SpamComplaint"), "complaint"),
    "opened": ("postmark/tracking", {"RecordType": "Open", "Recipient": BERTA}, None),
    "Brevo, hard": ("brevo/tracking", brevo("hard_bounce", "550 5.1.1 unknown"), "hard"),
    "Brevo, soft": ("brevo/tracking", brevo("soft_bounce", "mailbox full"), "soft"),
    "Brevo, delayed": ("brevo/tracking", brevo("deferred"), None),
    "Brevo, complaint": ("brevo/tracking", brevo("spam"), "complaint"),
    "Mailgun, hard": ("mailgun/tracking", mailgun("permanent", "5.1.1 unknown"), "hard"),
    "Mailgun, delayed": ("mailgun/tracking", mailgun("temporary", "4.2.2 full"), None),
    "Mailgun, complaint": ("mailgun/tracking", mailgun("", "", event="complained"), "complaint"),
}
REASONS = {"hard": [(BERTA, "bounced")], "complaint": [(BERTA, "complained")]}


@pytest.mark.parametrize("what, event, kind", EVENTS.values(), ids=EVENTS)
def test_what_a_provider_says_again_changes_nothing_more(say, article, what, event, kind):
    row = factories.subscription(article)
    times = 10 if event in (EVENTS["called soft"][1], EVENTS["complaint"][1]) else 2
    assert {say(what, event).status_code for _ in range(times)} == {200}
    row.refresh_from_db()
    assert (bounces(), suppressed()) == ([(BERTA, kind)] if kind else [], REASONS.get(kind, []))
    assert row.is_active is (kind != "complaint")


def test_order_does_not_matter(say, article):
    rows = [factories.subscription(article, f"{name}@example.org") for name in ("a", "b", "c")]
    events = [postmark("SpamComplaint", number=1, email="a@example.org")]
    events += [postmark("HardBounce", number=2 + number, email=row.email) for number, row in enumerate(rows[:2])]
    events += [postmark("SoftBounce", number=10 + number, email="c@example.org") for number in range(5)]
    told = events * 3
    random.Random(3).shuffle(told)
    for event in told:
        assert say("postmark/tracking", event).status_code == 200
    assert Bounce.objects.count() == len(events)
    reasons = dict(suppressed())
    assert reasons.pop("a@example.org") in {"bounced", "complained"}
    assert reasons == {"b@example.org": "bounced", "c@example.org": "bounced_often"}
    for row in rows:
        row.refresh_from_db()
    assert [row.is_active for row in rows] == [False, True, True]


def test_address_is_compared_in_its_one_spelling(say):
    say("postmark/tracking", postmark("HardBounce", email="Berta@Example.ORG"))
    assert suppressed() == [(BERTA, "bounced")]


# --- without the secret ----------------------------------------------------------------------------------------------

ONE_EACH = {what: event for what, event, kind in EVENTS.values() if kind == "hard"}
WRONG = {"none": "", "another": "anbieter:falsch", "another name": "x:geheim", "a part": "anbieter:gehei", "empty": ":"}


@pytest.mark.parametrize("secret", WRONG.values(), ids=WRONG)
def test_without_the_secret_nothing_changes(say, article, secret):
    row = factories.subscription(article)
    told = delivery(article)
    for what, event in ONE_EACH.items():
        assert say(what, event, secret=secret).status_code == 400
    assert say("postmark/inbound", inbound(told, mail()), secret=secret).status_code == 400
    row.refresh_from_db()
    assert (row.is_active, suppressed(), bounces(), Comment.objects.count()) == (True, [], [], 1)


def test_with_the_secret_and_a_forged_signature_nothing_changes(say):
    assert say("mailgun/tracking", mailgun("permanent", "5.1.1", key="falsch")).status_code == 400
    assert (suppressed(), bounces()) == ([], [])


@pytest.mark.parametrize(
    "anymail", [{}, {"POSTMARK_SERVER_TOKEN": "x"}, {"WEBHOOK_SECRET": ""}, {"WEBHOOK_SECRET": []}]
)
def test_without_a_secret_in_the_settings_there_is_no_such_address(db, site_with, anymail):
    site_with(anymail)
    for what, event in ONE_EACH.items():
        assert post(what, event).status_code == 404
    assert bounces() == []


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_other_methods_change_nothing(say, method):
    answer = getattr(Client(), method)("/anymail/postmark/tracking/", postmark("HardBounce"))
    assert (answer.status_code, bounces()) == (200 if method == "head" else 405, [])


# --- whatever it holds (C6) ------------------------------------------------------------------------------------------


def test_whatever_a_provider_passes_on_is_never_an_error(say):
    """What a stranger's mail server said, or what address somebody once typed: after a 500 it comes again and again."""
    for number, value in enumerate([*NASTY.values(), "x" * 300, "a b\t"]):
        for event in (
            postmark("HardBounce", value, email=f"a{number}@example.org") | {"ID": value},
            postmark("HardBounce", number=2000 + number, email=f"{value}@example.org"),
            postmark("HardBounce", number=4000 + number, email=f"c{number}@{value}"),
        ):
            assert say("postmark/tracking", event).status_code == 200, value[:50]
    assert Suppression.objects.filter(email="a0@example.org", reason="bounced").exists()
    assert Suppression.objects.filter(email__contains="\n").count() == 0


# --- replies ---------------------------------------------------------------------------------------------------------


def delivery(article) -> Delivery:
    row = factories.subscription(article, "carl@example.org")
    comment = factories.comment(article)
    return Delivery.objects.create(
        comment=comment, subscription=row, email=row.email, state="sent", sent_at=timezone.now()
    )


def mail(text: str = "Schöne Grüße.") -> bytes:
    head = "From: Carl <carl@example.org>\r\nTo: a@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: Re: x\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


def address(told: Delivery, purpose: str = "antwort") -> str:
    return f"{told.mail_token(purpose)}@antwort.example"


def inbound(told: Delivery, raw: bytes, *, sender: str | None = "carl@example.org", recipient: str = "") -> dict:
    path = [] if sender is None else [{"Name": "Return-Path", "Value": f"<{sender}>"}]
    return {
        "RawEmail": raw.decode(),
        "FromFull": {"Email": "carl@example.org"},
        "OriginalRecipient": recipient or address(told),
        "Headers": path,
    }


def replies() -> list[tuple[str, str]]:
    return list(Comment.objects.exclude(parent=None).values_list("name", "body"))


@pytest.mark.parametrize("sender", ["carl@example.org", "somebody@forwarder.example", None])
def test_reply_becomes_a_comment_once(say, article, sender):
    told = delivery(article)
    for _ in range(2):
        assert say("postmark/inbound", inbound(told, mail(), sender=sender)).status_code == 200
    take_in(b"Received: by us\r\n" + mail(), recipient=address(told), sender="carl@example.org")  # and by another way
    assert replies() == [("Carl", "Schöne Grüße.")]
    assert ProcrastinateJob.objects.filter(task_name__contains="send_answer").count() == 0


def test_reply_that_the_provider_took_apart(say, article):
    told = delivery(article)
    event = inbound(told, b"") | {"TextBody": "Schöne Grüße.", "HtmlBody": "<p>Schöne Grüße.</p>", "Subject": "Re: x"}
    event |= {"FromFull": {"Email": "carl@example.org", "Name": "Carl Ä."}, "ToFull": [{"Email": address(told)}]}
    event["Headers"].append({"Name": "Message-ID", "Value": "<1@example.org>"})
    del event["RawEmail"], event["OriginalRecipient"]
    say("postmark/inbound", event)
    say("postmark/inbound", event)
    assert replies() == [("Carl Ä.", "Schöne Grüße.")]


def test_from_an_empty_envelope_nothing_is_taken(say, article):
    told = delivery(article)
    assert say("postmark/inbound", inbound(told, mail(), sender="")).status_code == 200
    assert replies() == []


def test_returned_mail_suppresses(say, article):
    told = delivery(article)
    report = b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    raw = b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n" + report + b"\r\n--x--\r\n"
    say("postmark/inbound", inbound(told, raw, sender="", recipient=address(told, "rueck")))
    assert suppressed() == [("carl@example.org", "bounced")]


@pytest.mark.parametrize(
    "recipient", ["redaktion@antwort.example", "antwort-1-x@antwort.example", "x@example.org", "\0"]
)
def test_mail_to_anybody_else_is_taken_and_forgotten(say, article, recipient):
    told = delivery(article)
    assert say("postmark/inbound", inbound(told, mail(), recipient=recipient)).status_code == 200
    assert replies() == []


@pytest.mark.parametrize("to", [b"undisclosed recipients", b'"a', b"", b"a@example.org, " * 200, b"\xff\0"])
def test_provider_who_names_no_recipient_is_never_an_error(say, article, to):
    told = delivery(article)
    for known, expected in [(b"", []), (b"Cc: Newsroom <%s>\r\n" % address(told).encode(), [("Carl", "Hallo")])]:
        raw = b"From: Carl <carl@example.org>\r\nTo: " + to + b"\r\n" + known + b"\r\nHallo\r\n"
        event = inbound(told, b"") | {"OriginalRecipient": None, "RawEmail": raw.decode("latin-1")}
        assert say("postmark/inbound", event).status_code == 200
        assert replies() == expected


HEAD = "From: carl@example.org\r\nMessage-ID: <1@example.org>\r\nSubject: Re: x\r\n"


def layers(count: int, name: str = "boundary") -> str:
    """Boundaries that are never closed."""
    return "".join(f"Content-Type: multipart/mixed; {name}=b{at}\r\n\r\n--b{at}\r\n" for at in range(count))


# Each kept Python's own parser busy for 2 to 54 seconds, or was a RecursionError.
SLOW = {
    "layers": layers(100) + "\r\n" * 200_000,
    "LAYERS": layers(100, "BOUNDARY") + "\r\n" * 200_000,
    "parameters": "Content-Type: multipart/mixed; " + "; ".join(f"a{at}=b" for at in range(40_000)),
    "pieces": "Content-Type: text/plain; " + "; ".join(f"a*{at}=b" for at in range(30_000)),
    "parts": "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + "--b\n\n" * 120_000,
    "digest": "Content-Type: multipart/digest; boundary=b\r\n\r\n" + "--b\nA: b\n\n" * 50_000,
    "mails in mails": "Content-Type: message/rfc822\r\n\r\n" * 300,
    "addresses": "To: " + "a@example.org, " * 5_000,
}


@pytest.mark.parametrize("name", SLOW)
def test_no_mail_holds_a_process(say, article, name):
    told, begin = delivery(article), time.process_time()
    assert say("postmark/inbound", inbound(told, f"{HEAD}{SLOW[name]}\r\n\r\nHallo".encode())).status_code == 200
    field, _colon, value = SLOW[name].partition(": ")
    taken_apart = inbound(told, b"") | {"TextBody": "Hallo", "Headers": [{"Name": field, "Value": value}]}
    del taken_apart["RawEmail"]
    assert say("postmark/inbound", taken_apart).status_code == 200
    mailjet = {"Headers": {}, "Text-part": "Hallo", "Recipient": address(told), "Attachment1": "AAAA"}
    mailjet["Parts"] = [{"ContentRef": "Attachment1", "Headers": {field: value}}]
    assert say("mailjet/inbound", mailjet).status_code == 200
    assert time.process_time() - begin < 3  # three mails


@pytest.mark.parametrize("value", ["a@example.org, " * 20_000, "=?utf-8?q?a?= " * 20_000, "(" * 3_000, "a\nb: c"])
def test_no_header_that_a_provider_took_out_holds_a_process(say, article, value):
    told, begin = delivery(article), time.process_time()
    event = inbound(told, b"") | {"TextBody": "Hallo", "ReplyTo": value, "Subject": value, "Date": value}
    del event["RawEmail"]
    assert say("postmark/inbound", event).status_code == 200
    assert time.process_time() - begin < 1


def test_returned_mail_that_the_provider_took_apart_suppresses(say, article):
    told = delivery(article)
    report = b"Action: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 unknown\r\n"
    event = inbound(told, b"", sender="", recipient=address(told, "rueck")) | {"TextBody": "Leider nicht."}
    event["Attachments"] = [
        {"ContentType": "message/delivery-status", "Content": b64encode(report).decode(), "Name": "report"},
        {"ContentType": "image/png", "Content": "AAAA", "Name": "logo.png"},
    ]
    del event["RawEmail"]
    assert say("postmark/inbound", event).status_code == 200
    assert suppressed() == [("carl@example.org", "bounced")]


FORMS = ["multipart", "urlencoded"]


@pytest.fixture
def form(say) -> Callable[..., HttpResponse]:
    """Posts a form as the provider would, in either shape."""

    def form(what: str, fields: dict, shape: str) -> HttpResponse:
        headers = {"Authorization": f"Basic {b64encode(SECRET.encode()).decode()}"}
        browser = Client(headers=headers, enforce_csrf_checks=True)
        if shape == "multipart":
            return browser.post(f"/anymail/{what}/", fields)
        return browser.post(f"/anymail/{what}/", urlencode(fields), content_type="application/x-www-form-urlencoded")

    return form


def signed(fields: dict) -> dict:
    signature = hmac.new(KEY.encode(), b"1714559400a1", hashlib.sha256).hexdigest()
    return fields | {"timestamp": "1714559400", "token": "a1", "signature": signature}


@pytest.mark.parametrize("shape", FORMS)
@pytest.mark.parametrize("text, body", [("Hallo.", "Hallo."), ("Hal\0lo.", "Hallo.")])
def test_mailgun_brings_a_mail(form, article, shape, text, body):
    told = delivery(article)
    fields = {"body-mime": mail(text).decode(), "recipient": address(told), "sender": "carl@example.org"}
    assert form("mailgun/inbound_mime", signed(fields), shape).status_code == 200
    assert replies() == [("Carl", body)]


def test_mailgun_brings_a_mail_with_a_picture_taken_apart(form, article):
    told = delivery(article)
    picture = SimpleUploadedFile("bild.png", bytes(90_000), content_type="image/png; " + "a=b; " * 100)
    headers = [["From", "Carl <carl@example.org>"], ["Message-Id", "<1@example.org>"], ["Content-Type", "text/x-odd"]]
    fields = {"recipient": address(told), "sender": "carl@example.org", "message-headers": json.dumps(headers)}
    fields |= {"body-plain": "Mit Bild.", "attachment-1": picture, "content-id-map": "{}"}
    assert form("mailgun/inbound", signed(fields), "multipart").status_code == 200
    assert replies() == [("Carl", "Mit Bild.")]


@pytest.mark.parametrize("is_raw", [True, False], ids=["raw", "taken apart"])
def test_sendgrid_brings_a_mail(form, article, is_raw):
    told = delivery(article)
    envelope = json.dumps({"to": [address(told)], "from": "carl@example.org"})
    head = mail().decode().partition("Content-Type")[0]
    fields = (
        {"email": mail().decode()}
        if is_raw
        else {"headers": head, "text": "Schöne Grüße.", "html": "", "attachments": "0"}
    )
    assert form("sendgrid/inbound", fields | {"envelope": envelope, "charsets": "{}"}, "multipart").status_code == 200
    assert replies() == [("Carl", "Schöne Grüße.")]


CHARSETS = {"windows-1252": "windows-1252", "utf-8": "utf-8", "punycode": "utf-8", "no such": "utf-8", "hex": "utf-8"}


@pytest.mark.parametrize("named, really", CHARSETS.items())
def test_sendgrid_brings_words_in_the_bytes_they_came_in(say, article, named, really):
    told = delivery(article)
    fields = {
        "headers": mail().partition(b"Content-Type")[0],
        "text": "Schöne „Grüße“.".encode(really),
        "envelope": json.dumps({"to": [address(told)], "from": "carl@example.org"}).encode(),
        "charsets": json.dumps({"text": named}).encode(),
    }
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + fields[name] for name in fields]
    secret = b64encode(SECRET.encode()).decode()
    answer = Client(headers={"Authorization": f"Basic {secret}"}).post(
        "/anymail/sendgrid/inbound/",
        b"\r\n".join([*parts, b"--b--\r\n"]),
        content_type="multipart/form-data; boundary=b",
    )
    assert answer.status_code == 200
    assert replies() == [("Carl", "Schöne „Grüße“.")]


@pytest.mark.parametrize("charsets", ['{"text": "windows-1252"}', '{"text": "punycode"}', "[1]", "{"])
@pytest.mark.parametrize("name", SLOW)
def test_no_mail_that_sendgrid_took_apart_holds_a_process(form, article, name, charsets):
    told, begin = delivery(article), time.process_time()
    fields = {"headers": f"{HEAD}{SLOW[name]}", "text": "--b\n\n" * 60_000, "charsets": charsets, "html": ""}
    fields["envelope"] = json.dumps({"to": [address(told)], "from": "carl@example.org"})
    assert form("sendgrid/inbound", fields, "multipart").status_code == 200
    assert time.process_time() - begin < 1


def test_mail_that_is_too_large_is_answered(say, article):
    told = delivery(article)
    assert say("postmark/inbound", inbound(told, mail("Sehr viel. " * 30_000))).status_code == 200
    assert replies() == []
    assert ProcrastinateJob.objects.filter(task_name__contains="send_answer_refused").count() == 1


def test_mail_with_a_picture_is_taken(say, article):
    told = delivery(article)
    text = b"Content-Type: text/plain; charset=utf-8\r\n\r\nMit Bild.\r\n"
    picture = b"Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b64encode(bytes(90_000))
    raw = b"".join([mail().partition(b"Content-Type")[0], b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"])
    raw += b"--b\r\n" + text + b"--b\r\n" + picture + b"\r\n--b--\r\n"
    assert say("postmark/inbound", inbound(told, raw)).status_code == 200
    assert replies() == [("Carl", "Mit Bild.")]
