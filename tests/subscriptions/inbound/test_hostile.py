"""Whatever a mail holds does no harm."""

import random
import uuid
from collections import Counter
from email import policy
from email.message import EmailMessage

from django.test import Client
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from comments.models import Comment
from moderation.models import OnDuty
from newsroom.models import Limit
from readers.models import Reader
from subscriptions.outbox import send_due
from subscriptions.tasks import announce
from tests import factories
from tests.comments.test_hostile_input import NASTY, SCRIPTS, Danger, bytes_of
from tests.subscriptions.inbound.mails import (
    BERTA,
    bring,
    close,
    hold_all,
    owed,
    replies,
    written,
)

HEADERS_OF_OTHERS = {
    "another header": "<a@b>\r\nBcc: eve@example.org",
    "in one line": "<a@b> Bcc: eve@example.org",
    "encoded": "=?utf-8?q?<a@b>=0D=0ABcc:_eve@example.org?=",
    "two": "<a@b> <c@d>",
    "no brackets": "a@b",
    "beyond ASCII": "<ä@b>",
    "NUL": "<a\x00@b>",
    "surrogates": "<a\udcff@b>",
    "long": f"<{'a' * 250}@b>",
    "very long": f"<{'a' * 2000}@b>",
    "brackets within": "<a<b>@c>",
}


def test_their_message_id_writes_no_header_of_ours(article, told, back):
    hold_all(article, told)
    for number, message_id in enumerate(HEADERS_OF_OTHERS.values()):
        raw = written(f"Nummer {number}", Message_ID="")
        bring(told, raw.replace(b"Subject:", b"Message-ID: " + bytes_of(message_id) + b"\r\nSubject:"))
        Limit.objects.all().delete()
    letters = back()
    assert len(letters) == len(HEADERS_OF_OTHERS)
    ours = ["X-Envelope-From", "X-Envelope-To", "Content-Type", "MIME-Version", "Subject", "From", "To", "Date"]
    ours += ["Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "References"]
    for letter in letters:
        assert sorted(name for name, _value in letter.headers if name != "In-Reply-To") == sorted(ours)
        answered = dict(letter.headers).get("In-Reply-To", "")
        assert answered in ("", "<a@b>") or answered.endswith("@without-message-id.invalid>")
        assert "eve@example.org" not in str(letter.headers)


BROKEN = {
    "empty": b"",
    "no head": b"hello",
    "no body": f"From: {BERTA}\r\n\r\n".encode(),
    "head only": f"From: {BERTA}".encode(),
    "binary": bytes(range(256)) * 100,
    "NUL": f"From: {BERTA}\r\nSubject: a\0b\r\n\r\na\0b\0".encode(),
    "only NUL": f"From: {BERTA}\r\n\r\n".encode() + b"\0" * 1000,
    "surrogates": f"From: {BERTA}\r\n\r\n".encode() + b"\xed\xb2\x80\xed\xa0\x80 hallo",
    "utf-7 surrogates": f"From: {BERTA}\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-a+3AA- b".encode(),
    "utf-16": f"From: {BERTA}\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n".encode() + b"\x00\xd8a\x00",
    "unknown charset": f"From: {BERTA}\r\nContent-Type: text/plain; charset=klingonisch\r\n\r\nqo'".encode(),
    "a codec that is no charset": f"From: {BERTA}\r\nContent-Type: text/plain; charset=zlib\r\n\r\nx".encode(),
    "no base64": f"From: {BERTA}\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!".encode(),
    "only a picture": f"From: {BERTA}\r\nContent-Type: image/png\r\n\r\n\x89PNG".encode("latin-1"),
    "multipart without an end": f'From: {BERTA}\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x'.encode(),
    "multipart without a boundary": f"From: {BERTA}\r\nContent-Type: multipart/mixed\r\n\r\nx".encode(),
    "too large": written("x " * 200_000),
    "large headers": f"From: {BERTA}\r\n".encode() + b"X-A: b\r\n" * 30_000 + b"\r\nhallo",
    "an endless line": f"From: {BERTA}\r\n\r\n".encode() + b"a" * 150_000,
    "newlines": f"From: {BERTA}\r\n\r\n".encode() + b"\n" * 150_000,
    "carriage returns": f"From: {BERTA}\r\n\r\n".encode() + b"a\r" * 50_000,
    "10,000 marks": f"From: {BERTA}\r\n\r\na".encode() + "\u0301".encode() * 10_000,
}


def test_broken_mail_is_never_an_error(told):
    """Either it becomes a reply, or the subscriber is told; the server that brought it need not try again."""
    for number, (name, raw) in enumerate(BROKEN.items()):
        Limit.objects.all().delete()
        bring(told, raw)
        assert len(replies(told)) + owed() == number + 1, name


def test_a_mail_damaged_anywhere_is_never_an_error(told):
    rng = random.Random(7)
    whole = written("Schöne Grüße, und zwar viele.", sender=f"=?utf-8?q?Bert=C3=A4?= <{BERTA}>")
    for _ in range(40):
        raw = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.choice([0, 1, 5])] = rng.choice(
                [b"\0", b"\r\n", b"\xff", b"\n\n", b"=?", b"", b'"', b"<"]
            )
        bring(told, bytes(raw))
    assert {state for state, _body in replies(told)} <= {"published", "held"}


def test_whatever_stands_in_any_header_is_never_an_error(told):
    names = [b"Subject", b"Message-ID", b"Content-Type", b"Content-Transfer-Encoding", b"Auto-Submitted"]
    for value in NASTY.values():
        text = bytes_of(value.replace("\r\n", " ")[:5000])
        bring(told, b"From: " + text + b"\r\n\r\nhallo\r\n")
        bring(told, f"From: {BERTA}\r\n".encode() + b"".join(name + b": " + text + b"\r\n" for name in names))
        bring(told, f"From: {BERTA}\r\n\r\n".encode() + text, sender=f"{value}@x")
    assert {state for state, _body in replies(told)} <= {"published", "held"}


def test_script_in_a_reply_runs_nowhere(article, told, letters):
    editor = factories.editor()
    OnDuty.objects.create(user=editor)
    factories.subscription(article, "carl@example.org")
    for payload in SCRIPTS:
        name = payload.replace("\\", "").replace('"', "")
        raw = written(payload).replace(f"From: Berta <{BERTA}>".encode(), f'From: "{name}" <{BERTA}>'.encode())
        bring(told, raw)
        assert Comment.objects.latest("pk").body == payload
        Reader.objects.filter(email_confirmed_at__isnull=False).update(name="")  # the next name is asked again
    all_of_them = "\n\n".join(SCRIPTS)
    html = EmailMessage(policy=policy.SMTP)
    html["From"], html["Message-ID"] = BERTA, f"<{uuid.uuid4()}@x>"
    html.set_content(f"<p>Auch das: {all_of_them}</p>", subtype="html")
    bring(told, html.as_bytes())
    hold_all(article, told)
    bring(told, written(f"Und {all_of_them}"))
    held = Comment.objects.held().get()
    close(article, told)
    bring(told, written(f"Noch {all_of_them}"))

    desk = Client()
    desk.force_login(editor)
    pages = [Client().get(f"/artikel/{article.slug}/"), desk.get(f"/redaktion/comments/comment/{held.pk}/change/")]
    assert [page.status_code for page in pages] == [200, 200]
    assert [Danger(page.text).found for page in pages] == [[], []]
    announce(comment_id=Comment.objects.published().latest("pk").pk)
    announce(comment_id=Comment.objects.filter(parent=told.comment).earliest("pk").pk)
    send_due()
    for job in ProcrastinateJob.objects.filter(task_name__contains=".send_").order_by("pk"):
        app.tasks[job.task_name](**job.args)
    sent = letters()
    assert Counter(letter.recipient for letter in sent) == {"carl@example.org": 2, BERTA: 2, editor.email: 1}
    assert [Danger(letter.html).found for letter in sent] == [[]] * len(sent)
