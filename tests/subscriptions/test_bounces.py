"""Mails that come back: who cannot be reached is not written to again, and an editor can undo it (B15, E18)."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import Comment
from newsroom.models import Suppression
from readers.models import User
from subscriptions.bounces import SOFT_BOUNCES, SOFT_WINDOW, note_bounce
from subscriptions.inbound import UnknownAddressError, take_in
from subscriptions.models import Bounce, Consent, Delivery, Subscription
from subscriptions.outbox import send_due
from subscriptions.tasks import announce
from tests import factories
from tests.together import at_once

BERTA = "berta@example.org"


@pytest.fixture(autouse=True)
def reply_domain(settings) -> None:
    settings.REPLY_DOMAIN = "antwort.example"


@pytest.fixture
def told(article) -> Delivery:
    return another_mail(article)


def another_mail(article: Article, email: str = BERTA) -> Delivery:
    row = Subscription.objects.filter(article=article, email=email).first() or factories.subscription(article, email)
    return Delivery.objects.create(
        comment=factories.comment(article), subscription=row, email=email, state="sent", sent_at=timezone.now()
    )


def comes_back(delivery: Delivery, raw: bytes | str, *, sender: str = "") -> None:
    raw = raw if isinstance(raw, bytes) else raw.replace("\n", "\r\n").encode()
    take_in(raw, recipient=f"{delivery.mail_token('rueck')}@antwort.example", sender=sender)


def suppressed() -> list[tuple[str, str]]:
    return list(Suppression.objects.standing().values_list("email", "reason"))


def bounces() -> list[tuple[str, str]]:
    return list(Bounce.objects.order_by("pk").values_list("email", "kind"))


# --- how servers say it ----------------------------------------------------------------------------------------------


def postfix(status: str, said: str, action: str = "failed") -> str:
    return f"""\
Return-Path: <>
From: MAILER-DAEMON@mx.example.com (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4Xk1b.1700000000/mx.example.com"

This is a MIME-encapsulated message.

--4Xk1b.1700000000/mx.example.com
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. Status: 5.1.1

--4Xk1b.1700000000/mx.example.com
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.com
X-Postfix-Queue-ID: 4Xk1b
X-Postfix-Sender: rfc822; rueck-1-abc@antwort.example
Arrival-Date: Wed,  1 May 2024 12:30:00 +0200 (CEST)

Final-Recipient: rfc822; berta@example.org
Original-Recipient: rfc822;berta@example.org
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: {said}

--4Xk1b.1700000000/mx.example.com
Content-Description: Undelivered Message
Content-Type: message/rfc822

From: Anna =?utf-8?q?=C3=BCber?= Newsroom <newsroom@localhost>
Subject: Kommentare
Action: delayed
Status: RO

Hallo
--4Xk1b.1700000000/mx.example.com--
"""


def exim(said: str) -> str:
    return f"""\
X-Failed-Recipients: berta@example.org
Auto-Submitted: auto-replied
From: Mail Delivery System <Mailer-Daemon@mx.example.com>
Content-Type: multipart/report; report-type=delivery-status; boundary=1714559400-eximdsn-1
MIME-Version: 1.0
Subject: Mail delivery failed: returning message to sender

--1714559400-eximdsn-1
Content-type: text/plain; charset=us-ascii

This message was created automatically by mail delivery software.

  berta@example.org
    host mail.example.org [192.0.2.1]
    SMTP error from remote mail server after RCPT TO:<berta@example.org>

--1714559400-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; mx.example.com

Action: failed
Final-Recipient: rfc822;berta@example.org
Status: 5.0.0
Remote-MTA: dns; mail.example.org
Diagnostic-Code: {said}

--1714559400-eximdsn-1
Content-type: message/rfc822

Subject: Kommentare

--1714559400-eximdsn-1--
"""


EXCHANGE = """\
From: <postmaster@example.org>
Subject: Unzustellbar: =?utf-8?Q?Kommentare_zu_=E2=80=9EBr=C3=BCcke?=
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="9B095B5ADSN=_01DA9B2"
X-DSNContext: 7ce717b1 - 1386 - 00000002 - C00402D1

--9B095B5ADSN=_01DA9B2
Content-Type: multipart/related; differences=Content-Type;
\tboundary="0ffe0ba5-6f9c-4b43-8a21"

--0ffe0ba5-6f9c-4b43-8a21
Content-Type: text/html; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

<html><p>Ihre Nachricht an berta@example.org konnte nicht zugestellt werden.</p></html>
--0ffe0ba5-6f9c-4b43-8a21--

--9B095B5ADSN=_01DA9B2
Content-Type:
\tmessage/delivery-status

Reporting-MTA: dns;AM0PR01MB0001.eurprd01.prod.exchangelabs.com
Received-From-MTA: dns;mx.example.com
Arrival-Date: Wed, 1 May 2024 10:30:00 +0000

Final-Recipient: rfc822;berta@example.org
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient berta@example.org not found

--9B095B5ADSN=_01DA9B2
Content-Type: text/rfc822-headers

Subject: Kommentare

--9B095B5ADSN=_01DA9B2--
"""

GMAIL = """\
Return-Path: <>
From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
To: rueck-1-abc@antwort.example
Auto-Submitted: auto-replied
Subject: Delivery Status Notification (Failure)
Content-Type: multipart/report; boundary="000000000000b1"; report-type=delivery-status

--000000000000b1
Content-Type: multipart/related; boundary="000000000000b2"

--000000000000b2
Content-Type: text/plain; charset="UTF-8"

** Address not found **

--000000000000b2--
--000000000000b1
Content-Type: message/delivery-status

Reporting-MTA: dns; googlemail.com
Arrival-Date: Wed, 01 May 2024 03:30:00 -0700 (PDT)
X-Original-Message-ID: <comment-1.0123456789abcdef@localhost>

Final-Recipient: rfc822; berta@example.org
Action: failed
Status: {status}
Remote-MTA: dns; gmail-smtp-in.l.google.com. (192.0.2.27, the server for the domain.)
Diagnostic-Code: smtp; {said}
Last-Attempt-Date: Wed, 01 May 2024 03:30:01 -0700 (PDT)

--000000000000b1
Content-Type: message/rfc822

Subject: Kommentare

--000000000000b1--
"""
GMAIL_UNKNOWN = GMAIL.format(
    status="5.1.1",
    said="550-5.1.1 The email account that you tried to reach does not exist. Please try\n 550-5.1.1 double-checking",
)
GMAIL_FULL = GMAIL.format(status="5.2.2", said="552-5.2.2 The recipient's inbox is out of storage space")
INTERNATIONAL = postfix("5.1.1", "smtp; 550 5.1.1 unknown").replace(
    "message/delivery-status", "message/global-delivery-status"
)

HARD = {
    "Postfix": (postfix("5.1.1", "smtp; 550 5.1.1 <berta@example.org>: Recipient address rejected"), "5.1.1 smtp; 550"),
    "Postfix, no such domain": (postfix("5.1.2", "X-Postfix; Host or domain name not found"), "5.1.2 X-Postfix; Host"),
    "Postfix, mailbox closed": (postfix("5.2.1", "smtp; 550 5.2.1 disabled"), "5.2.1 smtp; 550 5.2.1 disabled"),
    "Exim": (exim("smtp; 550 5.1.1 No such user here"), "5.0.0 smtp; 550 5.1.1 No such user here"),
    "Exchange": (EXCHANGE, "5.1.10 smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;"),
    "Gmail": (GMAIL_UNKNOWN, "5.1.1 smtp; 550-5.1.1 The email account"),
    "internationalised": (INTERNATIONAL, "5.1.1 smtp; 550 5.1.1 unknown"),
}


@pytest.mark.parametrize("raw, detail", HARD.values(), ids=HARD)
def test_no_such_mailbox_suppresses_at_once(told, raw, detail):
    comes_back(told, raw)
    assert (suppressed(), bounces()) == ([(BERTA, "bounced")], [(BERTA, "hard")])
    assert Suppression.objects.get().detail.startswith(detail)


SOFT = {
    "Postfix, gave up": postfix("4.4.1", "X-Postfix; connect to mail.example.org[192.0.2.1]:25: Connection timed out"),
    "Postfix, gave up on a bad code": postfix("4.1.1", "smtp; 450 4.1.1 unverified"),
    "mailbox full": postfix("5.2.2", "smtp; 552 5.2.2 Mailbox full"),
    "Gmail, mailbox full": GMAIL_FULL,
    "taken for spam": postfix("5.7.1", "smtp; 550 5.7.1 Message rejected as spam"),
    "our address blocked": postfix("5.7.1", "smtp; 554 5.7.1 Client host [5.1.1.1] blocked"),
    "Exim, no code": exim("smtp; 550 rejected"),  # perhaps because of the words
    "no code at all": postfix("", ""),
    "a strange code": postfix("unknown", "smtp; no"),
}


@pytest.mark.parametrize("raw", SOFT.values(), ids=SOFT)
def test_what_may_pass_is_noted_and_suppresses_nobody(told, raw):
    comes_back(told, raw)
    assert (suppressed(), bounces()) == ([], [(BERTA, "soft")])


NOTHING = {
    "delayed": postfix("4.4.1", "X-Postfix; Connection timed out", action="delayed"),
    "delivered": postfix("2.0.0", "smtp; 250 2.0.0 Ok", action="delivered"),
    "relayed": postfix("2.0.0", "smtp; 250 2.0.0 Ok", action="relayed"),
    "expanded": postfix("2.0.0", "smtp; 250 2.0.0 Ok", action="expanded"),
    "out of office": "From: berta@example.org\nSubject: Abwesend\nAuto-Submitted: auto-replied\n\nBis Montag.\n",
    "read receipt": "Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/disposition-notification"
    "\n\nDisposition: automatic-action; displayed\n--x--\n",
    "words about a failure": "From: berta@example.org\n\nAction: failed\nStatus: 5.1.1\n",
    "empty": "",
    "report without end": "Content-Type: message/delivery-status",
    "report far behind": "\n" * 250_000 + "Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5.1.1\n",
}


@pytest.mark.parametrize("raw", NOTHING.values(), ids=NOTHING)
def test_what_tells_of_no_failure_changes_nothing(told, raw):
    comes_back(told, raw)
    assert (suppressed(), bounces()) == ([], [])


@pytest.mark.parametrize("said", ["smtp; 550 5.1.1 \0NUL", "smtp; 550 5.1.1 \udcff", "smtp; 550 5.1.1 " + "x" * 10_000])
def test_whatever_a_server_says_can_be_stored(told, said):
    comes_back(told, postfix("5.1.1", said).encode("utf-8", "surrogateescape"))
    assert suppressed() == [(BERTA, "bounced")]
    assert Bounce.objects.get().detail.startswith("5.1.1 smtp; 550 5.1.1")


def test_mail_to_it_is_dropped_then(article, told, letters):
    comes_back(told, HARD["Postfix"][0])
    announce(comment_id=factories.comment(article).pk)
    send_due()
    assert letters() == []
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["sent", "suppressed"]


# --- whose, and once -------------------------------------------------------------------------------------------------


def test_forged_addresses_suppress_nobody(article, told):
    other = another_mail(article, "carl@example.org")
    own, foreign = told.mail_token("rueck"), other.mail_token("rueck")
    forged = [
        f"{own.rpartition('-')[0]}-{foreign.rpartition('-')[2]}",
        f"rueck-{told.mail_token('antwort').partition('-')[2]}",
        own[:-1],
        "rueck-1-",
        "rueck",
    ]
    for local in forged:
        with pytest.raises(UnknownAddressError):
            take_in(HARD["Postfix"][0].encode(), recipient=f"{local}@antwort.example", sender="")
    assert (suppressed(), bounces()) == ([], [])


def test_it_is_the_mails_own_recipient_who_is_suppressed(article, told):
    """Whatever the report says about whom it could not reach."""
    comes_back(told, HARD["Postfix"][0].replace(BERTA, "carl@example.org"))
    assert suppressed() == [(BERTA, "bounced")]


def test_report_at_the_address_for_answers_is_no_comment(article, told):
    raw = HARD["Postfix"][0].replace("\n", "\r\n").encode()
    for sender in ("", "MAILER-DAEMON@mx.example.com"):
        take_in(raw, recipient=f"{told.mail_token('antwort')}@antwort.example", sender=sender)
    assert (Comment.objects.count(), ProcrastinateJob.objects.filter(task_name__contains="send_answer").count()) == (
        1,
        0,
    )


def test_same_report_ten_times_is_one_event(told):
    for _ in range(10):
        comes_back(told, SOFT["mailbox full"])
    assert (suppressed(), bounces()) == ([], [(BERTA, "soft")])


def test_same_event_many_times_at_once_is_one_change(transactional_db):
    def note(number: int) -> bool:
        return note_bounce(email=BERTA, kind=Bounce.Kind.HARD, event_id="a", detail=f"{number}")

    assert sorted(at_once(8, note)) == [False] * 7 + [True]
    assert (suppressed(), bounces()) == ([(BERTA, "bounced")], [(BERTA, "hard")])


# --- several soft ones -----------------------------------------------------------------------------------------------


def soft(email: str = BERTA) -> None:
    note_bounce(email=email, kind=Bounce.Kind.SOFT, event_id=str(uuid.uuid4()))


def pass_time(by: timedelta) -> None:
    Bounce.objects.update(at=F("at") - by)
    Suppression.objects.update(created_at=F("created_at") - by, lifted_at=F("lifted_at") - by)


def test_fifth_soft_bounce_suppresses(article):
    soft("carl@example.org")
    for _ in range(SOFT_BOUNCES):
        assert suppressed() == []
        comes_back(another_mail(article), SOFT["mailbox full"])
    assert suppressed() == [(BERTA, "bounced_often")]


def test_soft_ones_longer_ago_do_not_count(db):
    for _ in range(SOFT_BOUNCES - 1):
        soft()
    pass_time(SOFT_WINDOW + timedelta(minutes=1))
    for _ in range(SOFT_BOUNCES - 1):
        soft()
    assert suppressed() == []
    soft()
    assert suppressed() == [(BERTA, "bounced_often")]


# --- complaints ------------------------------------------------------------------------------------------------------


def test_complaint_ends_consent_everywhere_and_suppresses(article):
    rows = [factories.subscription(article), factories.subscription(factories.article(), kind="replies")]
    pending = factories.subscription(factories.article(), confirmed_at=None)
    other = factories.subscription(article, "carl@example.org")
    for _ in range(2):
        note_bounce(email=BERTA, kind=Bounce.Kind.COMPLAINT, event_id="a", detail="abuse")
    for row in [*rows, pending, other]:
        row.refresh_from_db()
    assert [row.is_active for row in rows] == [False, False]
    assert (pending.is_pending, other.is_active) == (False, True)
    assert suppressed() == [(BERTA, "complained")]
    assert set(Consent.objects.values_list("subscription__email", "event", "how")) == {
        (BERTA, "ended", "als Spam gemeldet")
    }


# --- the way back, and by hand ---------------------------------------------------------------------------------------

LIST = "/redaktion/newsroom/suppression/"


@pytest.fixture
def desk(db) -> Client:
    browser = Client()
    browser.force_login(factories.editor())
    return browser


def lift(desk: Client) -> None:
    chosen = [row.pk for row in Suppression.objects.all()]
    desk.post(LIST, {"action": "lift", "_selected_action": chosen})


def test_list_says_who_why_and_since_when(desk, told):
    comes_back(told, HARD["Postfix"][0])
    page = desk.get(LIST).text
    assert BERTA in page
    assert "Die Adresse nimmt keine Mails an" in page
    assert "5.1.1 smtp; 550 5.1.1" in page
    assert f"{timezone.localtime():%Y}" in page


@pytest.mark.parametrize("again", ["hard", "soft"])
def test_lifted_it_takes_new_bounces_to_suppress_again(desk, article, again):
    told = another_mail(article)
    for _ in range(SOFT_BOUNCES - 1):
        soft()
    comes_back(told, HARD["Postfix"][0])
    lift(desk)
    assert (suppressed(), Suppression.objects.count()) == ([], 1)
    comes_back(told, HARD["Postfix"][0])  # an old one, brought once more
    assert suppressed() == []
    if again == "hard":
        comes_back(another_mail(article), HARD["Exim"][0])
        assert suppressed() == [(BERTA, "bounced")]
        return
    for _ in range(SOFT_BOUNCES):
        assert suppressed() == []
        soft()
    assert suppressed() == [(BERTA, "bounced_often")]


def test_lifted_it_is_written_to_again(desk, article, letters):
    told = another_mail(article)
    comes_back(told, HARD["Postfix"][0])
    lift(desk)
    announce(comment_id=factories.comment(article).pk)
    send_due()
    assert [letter.recipient for letter in letters()] == [BERTA]


def test_added_by_hand_in_its_one_spelling(desk):
    for spelled in ("Berta@Example.ORG", "berta@EXAMPLE.org", " berta@example.org "):
        answer = desk.post(f"{LIST}add/", {"email": spelled, "detail": "bat am Telefon darum"})
        assert answer.status_code == 302
    assert suppressed() == [(BERTA, "by_hand")]
    assert "Diese Adresse ist schon gesperrt." in desk.get(LIST).text


@pytest.mark.parametrize("email", ["", "berta", "a@b@example.org", "jörg@example.org"])
def test_what_is_no_address_is_not_added(desk, email):
    assert (desk.post(f"{LIST}add/", {"email": email}).status_code, suppressed()) == (200, [])


def test_rows_are_neither_rewritten_nor_deleted(desk):
    Suppression.objects.suppress(BERTA, "by_hand")
    row = Suppression.objects.get()
    desk.post(f"{LIST}{row.pk}/change/", {"email": "carl@example.org", "detail": "x"})
    desk.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    desk.post(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert suppressed() == [(BERTA, "by_hand")]


def test_without_the_right_nobody_adds_or_lifts(db):
    Suppression.objects.suppress(BERTA, "by_hand")
    for user in (
        User.objects.create_user("p", "p@example.org", is_staff=True),
        User.objects.create_user("q", "q@x.de"),
    ):
        browser = Client()
        browser.force_login(user)
        lift(browser)
        browser.post(f"{LIST}add/", {"email": "carl@example.org"})
    lift(Client())
    assert suppressed() == [(BERTA, "by_hand")]


# --- and the pages say nothing of it (C7) ----------------------------------------------------------------------------


def without_what_is_theirs(page: str, email: str) -> str:
    return re.sub(r'value="[^"]{30,}"|\d+', "", page.replace(email, "…"))


def do_mails() -> None:
    for job in ProcrastinateJob.objects.filter(task_name__contains=".send_").order_by("pk"):
        app.tasks[job.task_name](**job.args)


def test_suppressed_address_gets_the_same_pages_and_no_mail(article, letters):
    Suppression.objects.suppress(BERTA, "complained")
    Article.objects.update(comment_mode=Article.CommentMode.CONFIRMED)
    pages = {}
    for email in (BERTA, "carl@example.org"):
        browser = Client()
        asked = [
            browser.post(f"/artikel/{article.slug}/abonnieren/", {"kind": "article", "email": email}, follow=True),
            browser.post("/abos/", {"email": email}),
            browser.post(
                f"/artikel/{article.slug}/kommentieren/", factories.words(email=email, notify="on"), follow=True
            ),
        ]
        pages[email] = [(answer.status_code, without_what_is_theirs(answer.text, email)) for answer in asked]
        do_mails()
        Comment.objects.all().delete()  # the next one's page shows the same conversation
    assert pages[BERTA] == pages["carl@example.org"]
    assert {letter.recipient for letter in letters()} == {"carl@example.org"}
