"""The local mailbox: what is sent to it over SMTP can be read, whatever it is, and nothing else can."""

import os
import signal
import smtplib
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest

from newsroom.mailbox import Mailbox, receiving


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "postkasten"


def send(folder: Path, raw: bytes, *, to: list[str] | None = None) -> None:
    with receiving(folder) as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("redaktion@example.org", to or ["lea@example.org"], raw)


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = "Die Redaktion <redaktion@example.org>"
    mail["To"] = "Lea <lea@example.org>"
    mail["Subject"] = "Antwort auf Ihren Kommentar: Weißrußland"
    mail["Date"] = datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    mail.set_content("Grüße aus Köln\n")
    mail.add_alternative("<p>Grüße aus Köln</p>\n", subtype="html")
    return mail


def test_a_letter_is_read_as_it_was_sent(folder):
    send(folder, a_mail().as_bytes(policy=a_mail().policy.clone(linesep="\r\n")))

    [letter] = Mailbox(folder).newest()

    assert letter.sender == "Die Redaktion <redaktion@example.org>"
    assert letter.recipient == "lea@example.org"
    assert letter.subject == "Antwort auf Ihren Kommentar: Weißrußland"
    assert letter.date == datetime(2024, 5, 1, 12, 30, tzinfo=UTC)
    assert letter.text == "Grüße aus Köln\n"
    assert letter.html == "<p>Grüße aus Köln</p>\n"
    assert letter.headers[:2] == [("X-Envelope-From", "redaktion@example.org"), ("X-Envelope-To", "lea@example.org")]
    assert ("To", "Lea <lea@example.org>") in letter.headers
    assert Mailbox(folder).get(letter.key) == letter


def test_the_envelope_decides_who_is_the_recipient(folder):
    forged = b"X-Envelope-To: someone@example.org\r\nTo: someone@example.org\r\n\r\nHallo\r\n"
    send(folder, forged, to=["lea@example.org", "max@example.org"])
    assert [letter.recipient for letter in Mailbox(folder).newest()] == ["lea@example.org, max@example.org"]


def test_an_umlaut_in_an_address_arrives(folder):
    with receiving(folder) as port, smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("a@example.org", ["jörg@example.org"], "Subject: Für Jörg\r\n\r\nHallo".encode(), ["SMTPUTF8"])
    assert [(letter.recipient, letter.subject) for letter in Mailbox(folder).newest()] == [
        ("jörg@example.org", "Für Jörg")
    ]


def test_the_newest_letter_comes_first_and_the_limit_holds(folder):
    for number in range(5):
        send(folder, f"Subject: {number}\r\n\r\n".encode())
    assert [letter.subject for letter in Mailbox(folder).newest(limit=3)] == ["4", "3", "2"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no header at all",
        b"Subject: =?utf-8?q?=ff=fe?=\r\n\r\n\xff\xfe\x00",
        b"Content-Type: text/plain; charset=klingonisch\r\n\r\nqo'\r\n",
        b'Content-Type: text/html; charset="\x00"\r\n\r\n<p>?\r\n',
        b"Content-Type: multipart/alternative\r\n\r\n--kein Ende",
        b'Content-Type: multipart/mixed; boundary="x"\r\n\r\n--x\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n',
        b'From: <@>,,;:\r\nTo: "\r\nDate: gestern\r\nMessage-ID: <[\r\n\r\n',
        b"From: \xe4\xf6\xfc\r\nSubject: \xe4\xf6\xfc\r\n\r\n\xe4\xf6\xfc",
        b"Content-Disposition: =?=?;;;==\r\nContent-Type: ;;;/\r\nSubject: [\r\n (\r\n\r\n",
    ],
)
def test_a_malformed_letter_is_shown_and_can_be_put_on_a_page(folder, raw):
    send(folder, raw)

    [letter] = Mailbox(folder).newest()

    assert letter.recipient == "lea@example.org"
    assert letter.date.tzinfo is not None
    everything = [letter.sender, letter.subject, letter.text, letter.html, *(value for _, value in letter.headers)]
    assert "".join(everything).encode()


def test_a_key_is_never_a_path(folder, tmp_path):
    (tmp_path / "secret").write_text("Subject: geheim\n\n")
    send(folder, b"Subject: da\r\n\r\n")
    for key in ["../../secret", "../new", "", ".", "..", str(tmp_path / "secret"), "\x00", "gibtesnicht"]:
        assert Mailbox(folder).get(key) is None


def test_a_mailbox_that_never_got_a_letter_is_empty(folder):
    assert Mailbox(folder).newest() == []
    assert Mailbox(folder).get("1") is None
    assert not folder.exists()


def test_a_letter_that_a_mail_program_has_read_keeps_its_key(folder):
    send(folder, b"Subject: gelesen\r\n\r\n")
    [letter] = Mailbox(folder).newest()
    (folder / "new" / letter.key).rename(folder / "cur" / f"{letter.key}:2,S")
    assert Mailbox(folder).get(letter.key) == letter


def test_only_this_machine_can_deliver(folder):
    with receiving(folder) as port, socket.socket() as other:
        other.bind(("127.0.0.2", port))  # taken if the server listened on every address


def test_the_program_receives_until_it_is_told_to_stop(folder):
    program = subprocess.Popen(
        [sys.executable, "-m", "newsroom.mailbox", str(folder), "0"], stdout=subprocess.PIPE, text=True
    )
    port = int(program.stdout.readline().rstrip(" an.\n").rpartition(":")[2])
    with smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.sendmail("a@example.org", ["b@example.org"], b"Subject: angekommen\r\n\r\n")
        os.kill(program.pid, signal.SIGKILL)  # what was answered with 250 is there
    assert [letter.subject for letter in Mailbox(folder).newest()] == ["angekommen"]
    program.communicate()

    program = subprocess.Popen([sys.executable, "-m", "newsroom.mailbox", str(folder), "0"], stdout=subprocess.PIPE)
    program.stdout.readline()
    started = time.monotonic()
    program.terminate()
    program.communicate(timeout=5)
    assert program.returncode == 0
    assert time.monotonic() - started < 2


def test_a_taken_port_is_one_clear_sentence(folder):
    with receiving(folder) as port:
        second = subprocess.run(
            [sys.executable, "-m", "newsroom.mailbox", str(folder), str(port)], capture_output=True, text=True
        )
    assert second.returncode == 1
    assert second.stderr == f"Der Postkasten kann auf Port {port} nicht empfangen: Address already in use.\n"
