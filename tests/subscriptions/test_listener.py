"""Mail that comes in over real sockets: answered with 250 when it is stored, and not before (B17)."""

import logging
import os
import smtplib
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as site
from django.db import connection, connections
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import Comment
from newsroom.answers import MAX_BYTES
from newsroom.models import Suppression
from subscriptions import listener as module
from subscriptions.inbound import MOST_RECIPIENTS
from subscriptions.listener import Listener
from subscriptions.models import Delivery
from tests import factories

BERTA = "berta@example.org"
DOMAIN = "antwort.example"


@pytest.fixture(autouse=True)
def reply_domain(settings, transactional_db) -> None:
    settings.REPLY_DOMAIN = DOMAIN


@pytest.fixture
def told(article) -> Delivery:
    return told_of(factories.comment(article))


@pytest.fixture
def smtp() -> Iterator[smtplib.SMTP]:
    with listening("smtp") as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        yield client


@pytest.fixture
def lmtp() -> Iterator[smtplib.LMTP]:
    with listening("lmtp") as port, smtplib.LMTP("127.0.0.1", port) as client:
        yield client


@contextmanager
def listening(scheme: str) -> Iterator[int]:
    listener = Listener(f"{scheme}://127.0.0.1:0")
    listener.start()
    try:
        yield listener.port
    finally:
        listener.stop()
        connections.close_all()


def told_of(comment: Comment, email: str = BERTA) -> Delivery:
    row = factories.subscription(comment.article, email)
    return Delivery.objects.create(comment=comment, subscription=row, email=email, state="sent", sent_at=timezone.now())


def address(told: Delivery, purpose: str = "antwort") -> str:
    return f"{told.mail_token(purpose)}@{DOMAIN}"


def mail(sender: str = BERTA, text: str = "Das überzeugt mich nicht.") -> bytes:
    head = f"From: <{sender}>\r\nMessage-ID: <{uuid.uuid4()}@example.org>\r\nSubject: Re: Kommentare\r\n"
    return f"{head}Content-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n".encode()


def replies(told: Delivery) -> int:
    return Comment.objects.filter(parent=told.comment).count()


def begin(client: smtplib.SMTP, *recipients: str, sender: str = BERTA) -> list[int]:
    """The answers to RCPT, in order."""
    client.ehlo_or_helo_if_needed()
    client.docmd("RSET")
    assert client.docmd(f"MAIL FROM:<{sender}>")[0] == 250
    return [client.docmd(f"RCPT TO:<{recipient}>")[0] for recipient in recipients]


def finish(client: smtplib.SMTP, raw: bytes, answers: int = 1) -> list[int]:
    assert client.docmd("DATA")[0] == 354
    client.send(raw + b".\r\n")
    return [client.getreply()[0] for _ in range(answers)]


# --- the whole way ---------------------------------------------------------------------------------------------------


def test_answered_in_the_local_mailbox_it_stands_at_the_article(settings, article, letters, run_jobs, tmp_path: Path):
    settings.MAILBOX = str(tmp_path / "mailbox")
    factories.subscription(article)
    Client().post(f"/artikel/{article.slug}/kommentieren/", factories.words("Stimmt das?"))
    run_jobs()
    (letter,) = letters()
    with listening("smtp") as port:
        settings.INBOUND_LISTEN = f"smtp://127.0.0.1:{port}"
        browser = Client()
        assert "Antworten, wie es ein Mailprogramm täte" in browser.get(f"/postfach/{letter.key}/").text
        words = {"text": "Ja, das stimmt.\n\nUnd zwar *sehr*."}
        page = browser.post(f"/postfach/{letter.key}/antworten/", words, follow=True)
        assert "Gesendet." in page.text
    comment = Comment.objects.get(parent=Comment.objects.get(body="Stimmt das?"))
    assert comment.html == "<p>Ja, das stimmt.</p><p>Und zwar <em>sehr</em>.</p>"
    run_jobs()
    assert len(letters()) == 1  # it appeared: no mail about it, least of all to who wrote it

    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    with listening("smtp") as port:
        settings.INBOUND_LISTEN = f"smtp://127.0.0.1:{port}"
        browser.post(f"/postfach/{letter.key}/antworten/", {"text": "Noch etwas."})
    run_jobs()
    assert [(one.recipient, "wird noch angesehen" in one.html) for one in letters()] == [(BERTA, False), (BERTA, True)]
    assert browser.get(f"/postfach/{letters()[1].key}/").text.count("<textarea") == 0  # that one has no such address
    assert browser.post(f"/postfach/{letters()[1].key}/antworten/", {"text": "Hallo"}).status_code == 404
    page = browser.post(f"/postfach/{letter.key}/antworten/", {"text": "Hallo"}, follow=True)
    assert "Die Antwort ist nicht angekommen" in page.text  # nobody listens there now


# --- to whom ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme, kind", [("smtp", smtplib.SMTP), ("lmtp", smtplib.LMTP)])
def test_known_addresses_are_taken_and_no_others(told, scheme, kind):
    own = told.mail_token("antwort")
    unknown = [f"redaktion@{DOMAIN}", f"{own}x@{DOMAIN}", f"{own}@example.org", "somebody@example.org", own]
    unknown += [f"somebody%example.org@{DOMAIN}", f"@{DOMAIN}:somebody@example.org", f"{own}@{DOMAIN}@example.org"]
    unknown += [f"postmaster@{DOMAIN}", f"antwört-1-x@{DOMAIN}", f"{own}\udcff@{DOMAIN}"]
    with listening(scheme) as port, kind("127.0.0.1", port) as client:
        client.ehlo_or_helo_if_needed()
        client.command_encoding = "utf-8"
        assert client.docmd(f"MAIL FROM:<{BERTA}>")[0] == 250
        for recipient in unknown:
            client.send(f"RCPT TO:<{recipient}>\r\n".encode("utf-8", "surrogateescape"))
            assert client.getreply()[0] in {501, 550, 553}, recipient
        assert client.docmd("DATA")[0] == 503  # nobody to give it to
        assert begin(client, f"{own.upper()}@{DOMAIN}") == [250]
        assert finish(client, mail()) == [250]
    assert replies(told) == 1


def test_too_many_recipients_are_put_off(told, smtp):
    answers = begin(smtp, *[address(told)] * (MOST_RECIPIENTS + 1))
    assert answers == [250] * MOST_RECIPIENTS + [452]
    assert (finish(smtp, mail()), replies(told)) == ([250], 1)


def test_lmtp_answers_for_each_recipient(article, told, lmtp):
    carl, gone = (told_of(factories.comment(article), f"{name}@example.org") for name in ("carl", "dora"))
    recipients = [address(told), address(gone), f"x@{DOMAIN}", address(carl, "rueck"), address(carl)]
    assert begin(lmtp, *recipients) == [250, 250, 550, 250, 250]
    gone.delete()
    assert finish(lmtp, mail(), answers=4) == [250, 550, 250, 250]
    assert (replies(told), replies(carl)) == (1, 0)  # not hers: Carl is told
    assert lmtp.noop()[0] == 250  # and nothing was said twice


def test_smtp_has_one_answer_for_all(article, told, smtp):
    gone = told_of(factories.comment(article), "dora@example.org")
    assert begin(smtp, address(gone), address(told)) == [250, 250]
    gone.delete()
    assert (finish(smtp, mail()), replies(told)) == ([250], 1)
    assert begin(smtp, address(told)) == [250]
    Delivery.objects.all().delete()
    assert finish(smtp, mail()) == [550]


def test_returned_mail_comes_with_an_empty_sender(told, lmtp):
    report = b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n"
    assert begin(lmtp, address(told, "rueck"), address(told), sender="") == [250, 250]
    assert finish(lmtp, report, answers=2) == [250, 250]
    assert list(Suppression.objects.values_list("email", "reason")) == [(BERTA, "bounced")]
    assert ProcrastinateJob.objects.filter(task_name__contains="send_answer").count() == 0


# --- how much, how many, how slow ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme, kind", [("smtp", smtplib.SMTP), ("lmtp", smtplib.LMTP)])
def test_size_is_announced_and_kept(told, scheme, kind):
    with listening(scheme) as port, kind("127.0.0.1", port) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == str(MAX_BYTES)
        assert client.docmd(f"MAIL FROM:<{BERTA}> SIZE={MAX_BYTES + 1}")[0] == 552
        assert begin(client, address(told)) == [250]
        assert finish(client, mail(text="Wort\r\n" * (MAX_BYTES // 5))) == [552]
        assert begin(client, address(told)) == [250]
        assert finish(client, mail()) == [250]
    assert replies(told) == 1


def test_fifty_at_once(article):
    root = factories.comment(article)
    told = [told_of(root, f"a{number}@example.org") for number in range(50)]
    sent = [(row.email, [address(row)], mail(row.email, f"Von {row.email}.")) for row in told]
    with listening("smtp") as port:
        clients = [smtplib.SMTP("127.0.0.1", port, timeout=60) for _ in sent]  # all are open before one speaks
        with ThreadPoolExecutor(50) as pool:
            list(pool.map(lambda client, one: client.sendmail(*one), clients, sent))
        for client in clients:
            client.quit()
    found = Comment.objects.filter(parent=root)
    assert sorted(found.values_list("email", flat=True)) == sorted(row.email for row in told)
    assert sorted(found.values_list("number", flat=True)) == list(range(2, 52))


def test_who_says_nothing_is_cut_off_and_others_are_served_meanwhile(told, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 2)
    with listening("smtp") as port:
        slow = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(20)]
        for number, client in enumerate(slow):
            begun = [
                b"",
                b"EH",
                b"EHLO x\r\nMAIL FROM:<a@b>\r\n",
                f"EHLO x\r\nMAIL FROM:<a@b>\r\nRCPT TO:<{address(told)}>",
            ]
            client.sendall(begun[number % 3] if number % 4 else f"{begun[3]}\r\nDATA\r\nSubject: x\r\n".encode())
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as client:
            assert client.sendmail(BERTA, [address(told)], mail()) == {}
        for client in slow:
            while client.recv(1000):  # what it was answered, then the end
                pass
            client.close()
    assert replies(told) == 1


def test_a_drop_now_and_then_keeps_no_mail_open(told, monkeypatch):
    """The time runs from the command: who sends its mail by the letter does not stay for ever."""
    monkeypatch.setattr(module, "TIMEOUT", 0.5)
    with listening("smtp") as port, socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(f"EHLO x\r\nMAIL FROM:<{BERTA}>\r\nRCPT TO:<{address(told)}>\r\nDATA\r\n".encode())
        with pytest.raises(OSError):
            drip(client, seconds=10)
    assert replies(told) == 0


def drip(client: socket.socket, seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        client.sendall(b"X-Slow: x\r\n")
        time.sleep(0.05)


# --- what is not stored is not acknowledged ---------------------------------------------------------------------------


@contextmanager
def database_away() -> Iterator[None]:
    """Nobody in this process reaches the database while the block runs."""
    there, pool = connection.settings_dict["HOST"], connection.settings_dict["OPTIONS"]["pool"]
    patience = pool["timeout"]
    connections.close_all()
    connection.close_pool()
    connection.settings_dict["HOST"], pool["timeout"] = "/nowhere", 0.2
    try:
        yield
    finally:
        connection.close_pool()
        connection.settings_dict["HOST"], pool["timeout"] = there, patience


@pytest.mark.parametrize("mode, mails", [(Article.CommentMode.OPEN, 0), (Article.CommentMode.ALL_HELD, 1)])
def test_while_the_database_is_away_the_sender_keeps_it(told, lmtp, mode, mails):
    Article.objects.update(comment_mode=mode)
    raw, recipients = mail(), [address(told), address(told, "rueck")]
    with database_away():
        assert begin(lmtp, *recipients) == [451, 451]
    assert begin(lmtp, *recipients) == [250, 250]
    with database_away():
        assert finish(lmtp, raw, answers=2) == [451, 451]
    assert replies(told) == 0
    for _ in range(2):
        assert begin(lmtp, *recipients) == [250, 250]
        assert finish(lmtp, raw, answers=2) == [250, 250]
    assert replies(told) == 1
    assert ProcrastinateJob.objects.filter(task_name__contains="send_answer").count() == mails


# --- what is kept of it -----------------------------------------------------------------------------------------------


@pytest.fixture
def conversation(told) -> Callable[[], None]:
    def have() -> None:
        with listening("smtp") as port, smtplib.SMTP("127.0.0.1", port) as client:
            begin(client, f"eve@{DOMAIN}", "eve@example.org", address(told))
            finish(client, mail())
            begin(client, address(told), sender="eve@example.org")
            finish(client, mail("eve@example.org"))
            client.docmd("VRFY", "eve@example.org")
            client.docmd("EVIL eve@example.org")

    return have


def test_log_names_no_addresses(told, conversation, caplog):
    caplog.set_level(logging.INFO)
    conversation()
    assert replies(told) == 1
    assert [line for line in caplog.messages if "@" in line or told.mail_token("antwort") in line] == []
    caplog.set_level(logging.INFO, "mail.log")
    conversation()
    assert any("eve@example.org" in line for line in caplog.messages)  # else this test is blind


# --- where ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8024", "127.0.0.1:8024", "smtp://127.0.0.1", "lmtp://:8024", "lmtp:"]
)
def test_what_is_no_address_to_listen_at_is_said(url):
    with pytest.raises(ValueError, match="wanted is lmtp://HOST:PORT or smtp://HOST:PORT"):
        Listener(url)


def test_a_taken_port_is_known_at_once():
    with listening("smtp") as port, pytest.raises(OSError, match="Address already in use"):
        Listener(f"smtp://127.0.0.1:{port}")


# --- the other programs ----------------------------------------------------------------------------------------------


def program(*arguments: str, **environment: str) -> subprocess.Popen:
    """manage.py on the tests' database."""
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    known = {"DATABASE_URL": database, "REPLY_DOMAIN": DOMAIN}
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=site.BASE_DIR,
        env=os.environ | known | {name: value.format(database) for name, value in environment.items()},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_pipe_and_worker_take_mail_in(article, told):
    """Exit status as sysexits.h has it: Postfix returns the mail, or tries again."""
    carl = told_of(factories.comment(article), "carl@example.org")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    worker = program("work", INBOUND_LISTEN=f"lmtp://127.0.0.1:{port}")
    taken = program("receive_mail", "--sender", BERTA, address(told))
    unknown = program("receive_mail", f"--sender={BERTA}", f"x@{DOMAIN}")
    read_only = "{}?options=-c%20default_transaction_read_only%3Don"  # as a standby is
    later = program("receive_mail", f"--sender={BERTA}", address(told), DATABASE_URL=read_only)
    pipes = [taken, unknown, later]
    try:
        said = [pipe.communicate(mail(text=f"Nummer {number}."), timeout=60)[1] for number, pipe in enumerate(pipes)]
        assert [pipe.returncode for pipe in pipes] == [os.EX_OK, os.EX_NOUSER, os.EX_TEMPFAIL], said
        assert [comment.body for comment in Comment.objects.filter(parent=told.comment)] == ["Nummer 0."]
        with connect(port) as client:
            assert client.sendmail("carl@example.org", [address(carl)], mail("carl@example.org")) == {}
        assert replies(carl) == 1
    finally:
        worker.terminate()
        worker.communicate(timeout=30)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_workers")
    assert worker.returncode == 0


def connect(port: int) -> smtplib.LMTP:
    """Waits until somebody listens there."""
    until = time.monotonic() + 30
    while True:
        try:
            return smtplib.LMTP("127.0.0.1", port)
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
