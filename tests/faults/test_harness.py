"""That the harness sees a loss, and says what it saw, against a whole site. The faults themselves are `make test`'s
second half: `python -m faults --short`."""

import json
import smtplib
from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.__main__ import SCENARIOS
from faults.ledger import Ledger
from faults.report import show, table
from faults.scenario import Scenario, Stage
from faults.smtp import (
    ACCEPTED,
    CLOSES,
    HANGS_UP,
    NO_LOGIN,
    REFUSED,
    REFUSES_ALL,
    SILENT,
    TAKES_ALL,
    TRY_LATER,
    UNANSWERED,
    MailServer,
    Script,
    refuses,
)


def test_what_passed_is_said_in_a_table_and_for_programs(played, capsys):
    results = [played(SCENARIOS[name]) for name in ["E8", "E9"]]
    assert [result.wrong for result in results] == [[], []]
    assert table(results)[1:] == [
        "E8   derselbe Schlüssel mit anderem Text               4         8        0  bestanden",
        "E9   Leser weg, sendet noch einmal                    10        10        0  bestanden",
    ]
    show(results, seed=1, short=True)
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["passed"] is True
    assert [(name, row["missing"]) for name, row in said["scenarios"].items()] == [("E8", 0), ("E9", 0)]


def post_one(stage: Stage, loops: int) -> None:
    device = stage.site.device()
    form = device.fill_in(stage.article)
    assert stage.acknowledge(form, device.send(form))


def test_a_control_that_loses_nothing_fails(played):
    result = played(Scenario("blind", "", post_one, long=1, short=1, loses=True))
    assert result.wrong == ["Die Prüfung ist blind: Sie hat den Verlust nicht bemerkt"]


def test_what_is_acknowledged_and_gone_or_changed_is_seen(played, running):
    def post_and_delete(stage: Stage, loops: int) -> None:
        for _ in range(2):
            post_one(stage, loops)
        (first,), (second,) = stage.site.query("SELECT id FROM comments_comment ORDER BY id DESC LIMIT 2")[::-1]
        stage.site.query("DELETE FROM comments_comment WHERE id = %s", first)
        stage.site.query("UPDATE comments_comment SET body = 'Nein.' WHERE id = %s", second)

    result = played(Scenario("tampering", "", post_and_delete, long=1, short=1))
    assert (result.acknowledged, result.missing, result.passed) == (2, 1, False)
    [gone, changed] = [entry["key"] for entry in Ledger(running[0].folder / "ledger-tampering.jsonl").entries()]
    assert set(result.wrong) > {f"Bestätigt und verloren: {gone}", f"Anders gespeichert als bestätigt: {changed}"}


@pytest.fixture
def mails(tmp_path: Path) -> Iterator[MailServer]:
    with MailServer(tmp_path / "mails.jsonl") as mails:
        yield mails


def send(mails: MailServer, to: str = "lea@example.org") -> int:
    """The code that ends it; 0 for none."""
    try:
        with smtplib.SMTP("127.0.0.1", mails.port, timeout=0.3) as smtp:
            smtp.login("newsroom", "geheim")
            smtp.sendmail("redaktion@example.org", [to], b"Message-ID: <eins@example.org>\r\n\r\nGuten Tag\r\n")
    except smtplib.SMTPRecipientsRefused as refusal:
        return refusal.recipients[to][0]
    except smtplib.SMTPResponseException as refusal:
        return max(refusal.smtp_code, 0)
    except OSError:
        return 0
    return 250


@pytest.mark.parametrize(
    "script, code, became",
    [
        (TAKES_ALL, 250, ACCEPTED),
        (CLOSES, 421, REFUSED),
        (TRY_LATER, 451, REFUSED),
        (REFUSES_ALL, 550, None),
        (refuses("lea@example.org"), 550, None),
        (refuses("max@example.org"), 250, ACCEPTED),
        (NO_LOGIN, 535, None),
        (SILENT, 0, UNANSWERED),
        (HANGS_UP, 0, UNANSWERED),
    ],
)
def test_the_mail_server_does_as_it_is_told(mails, script: Script, code: int, became: str | None):
    mails.script = script
    assert send(mails) == code
    logged = [what for what in (ACCEPTED, REFUSED, UNANSWERED) for id, _to in mails.logged(what) if id]
    assert logged == [became] * (became is not None)
    mails.script = TAKES_ALL
    assert send(mails) == 250
    assert mails.logged()[-1] == ("<eins@example.org>", "lea@example.org")
