"""That a mail too few and a mail too many are seen, with really started workers."""

import smtplib
from pathlib import Path

import pytest

from faults.controls import lose_one, send_again
from faults.owed import MailStage
from faults.scenario import Scenario
from faults.smtp import MailServer, Script
from faults.workers import Workers


def test_a_mail_that_is_missing_is_seen(played):
    result = played(Scenario("lost", "", lose_one, long=1, short=1, stage=MailStage))
    assert (result.acknowledged, result.missing, result.passed) == (5, 1, False)
    [sentence] = result.wrong
    assert sentence.startswith("Bestätigt und verloren: <comment-")


def test_a_mail_that_comes_once_more_is_seen(played):
    def again(stage: MailStage, loops: int) -> None:
        stage.subscribe(2)
        with Workers(stage.site) as workers:
            workers.start()
            stage.post()
            stage.wait_until_sent()
        stage.readers = stage.readers[:1]
        send_again(stage, str(stage.mails.last[stage.readers[0]]["Message-ID"]))
        send_again(stage, "<anders@localhost>")

    result = played(Scenario("again", "", again, long=1, short=1, stage=MailStage))
    assert (result.missing, result.wrong[:2]) == (
        0,
        [
            "1× eine Mail, die niemand schuldet: <anders@localhost> an leser0@stoerung-again.example.org",
            "1× dieselbe Mail noch einmal, erlaubt 0×",
        ],
    )


def test_the_starters_worker_comes_back(running):
    site, _mails = running
    with Workers(site):
        assert "Worker" not in site.kinds()
    site.wait_until(lambda: "Worker" in site.kinds(), "Der Worker kommt nicht wieder", 5)


@pytest.mark.parametrize("script", [{"mail": "451 4.3.0 Spaeter"}, {"silent": True}, {"hangs_up": True}])
def test_what_one_is_told_others_are_not(script: dict, tmp_path: Path):
    with MailServer(tmp_path / "mails.jsonl") as mails:
        mails.script = Script(**script, only="max@example.org")
        with smtplib.SMTP("127.0.0.1", mails.port, timeout=0.3) as smtp:
            smtp.sendmail(
                "redaktion@example.org", ["lea@example.org"], b"Message-ID: <eins@example.org>\r\n\r\nHallo\r\n"
            )
            with pytest.raises(OSError):
                smtp.sendmail("redaktion@example.org", ["max@example.org"], b"Message-ID: <zwei@example.org>\r\n\r\n")
        assert [(entry["id"], entry["to"]) for entry in mails.entries()] == [("<eins@example.org>", "lea@example.org")]
