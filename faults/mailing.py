"""What mail servers say, and what readers change while mails wait."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from urllib.parse import urlsplit

from faults.owed import MailStage, message_id
from faults.scenario import Scenario
from faults.smtp import ACCEPTED, CLOSES, NO_LOGIN, REFUSES_ALL, TAKES_ALL, TRY_LATER, UNANSWERED, Script, refuses
from faults.workers import Workers
from newsroom.trial.__main__ import PROJECT

READERS = 12
HALF_MINUTE = 30  # seconds
MOST_ATTEMPTS = 5  # for one mail in five minutes; without backoff there would be hundreds
MOMENT = 0.3  # seconds; after it a worker has done what it had begun
NO_SUCH_MAILBOX = Script(recipient="550 5.1.1 Diese Adresse gibt es nicht")
_REMOVE = """
from comments.models import Comment
from moderation.services import remove
from readers.models import User
remove(Comment.objects.get(pk=%d), moderator=User.objects.get(username="redaktion"), reason="Werbung")
"""


def try_later(stage: MailStage, seconds: int) -> None:
    """E13. Two and a half minutes 451, as many 421. Its size is how long a half minute lasts; what is missing, the
    database skips."""
    stage.subscribe(READERS)
    with Workers(stage.site) as workers:
        stage.mails.script = TRY_LATER
        workers.start()
        stage.post()
        stage.site.wait_until(stage.asked, "Der Worker sendet nicht")
        for number in stage.loops(10):
            stage.mails.script = TRY_LATER if number <= 5 else CLOSES
            stage.pass_time(HALF_MINUTE - seconds)
            stage.look()
            time.sleep(max(seconds, MOMENT))
        attempts = Counter(stage.asked())
        stage.mails.script = TAKES_ALL
        stage.catch_up()
    most = max(attempts.values())
    stage.check(most <= MOST_ATTEMPTS, f"{most} Versuche für eine Mail in fünf Minuten")
    stage.check(stage.suppressed() == [], f"Gesperrt: {stage.suppressed()}")
    stage.note = f"höchstens {most} Versuche für eine Mail, {attempts.total()} für {READERS}"


def refuse_one(stage: MailStage, loops: int) -> None:
    """E14. Another reader each time. That the address is meant shows as soon as another's mail is taken: at the next
    comment, if it was the last one to be tried."""
    stage.subscribe(READERS + loops)
    gone: list[str] = []
    with Workers(stage.site) as workers:
        workers.start()
        for _ in stage.loops(loops):
            refused = stage.chance.choice(stage.readers)
            stage.mails.script = refuses(refused)
            stage.readers.remove(refused)
            gone.append(refused)
            for _comment in range(3):
                if stage.suppressed() != gone:
                    stage.pass_time(HALF_MINUTE)
                    stage.post()
                    stage.wait_until_sent(besides=refused)
                    time.sleep(MOMENT)
            stage.check(stage.suppressed() == gone, f"Gesperrt sind {stage.suppressed()} statt {gone}")
        stage.catch_up()
        stage.post()  # of which only they hear who are left
        stage.wait_until_sent()
    stage.check(
        len(stage.asked()) <= 2 * loops, f"{len(stage.asked())} Versuche für {loops} Adressen, die es nicht gibt"
    )
    stage.note = f"{len(gone)} Adressen gesperrt, {len(stage.readers)} bekommen weiter alles"


def refuse_all(stage: MailStage, loops: int) -> None:
    """E15. So many readers that one of the four jobs that a worker does at once meets five who are refused."""
    stage.subscribe(2 * READERS)
    with Workers(stage.site) as workers:
        workers.start()
        for number in stage.loops(loops):
            stage.mails.script = [NO_LOGIN, NO_SUCH_MAILBOX, REFUSES_ALL][number % 3]
            alarms, taken = len(workers.alarms()), stage.mails.count
            stage.post()
            _wait_until_paused(stage)
            stage.check(len(workers.alarms()) > alarms, "Kein Alarm im Protokoll des Workers")
            time.sleep(MOMENT)
            asked = len(stage.asked())
            stage.look()
            time.sleep(MOMENT)
            stage.check((len(stage.asked()), stage.mails.count) == (asked, taken), "In der Pause wird gesendet")
            stage.check(stage.suppressed() == [], f"Gesperrt: {stage.suppressed()}")
            stage.mails.script = TAKES_ALL
            stage.catch_up()
            stage.check(_mail_state(stage) == "ok", f"/healthz sagt danach {_mail_state(stage)}")
        stage.note = f"{len(workers.alarms())} Alarme, niemand gesperrt"


def fall_silent(stage: MailStage, seconds: int) -> None:
    """E16. Its size is the workers' patience with mail servers. Once the server says nothing after DATA, once it hangs
    up; both times it has the mail, and for all we know has taken it."""
    stage.subscribe(READERS)
    with Workers(stage.site) as workers:
        workers.start(EMAIL_TIMEOUT=str(seconds))
        for number in stage.loops(2):
            unheard, taken = stage.chance.choice(stage.readers), stage.mails.count
            stage.mails.script = Script(silent=number == 1, hangs_up=number == 2, only=unheard)
            id = message_id(stage.post().pk, unheard)
            stage.site.wait_until(lambda n=taken: stage.mails.count == n + READERS - 1, "Andere bekommen keine Mail")
            if number == 1:
                stage.check(_attempts(stage, unheard) == [0], "Andere warten, bis die Geduld zu Ende ist")
            stage.site.wait_until(
                lambda to=unheard: _attempts(stage, to) == [1], "Der Worker wartet weiter", seconds + 20
            )
            stage.mails.script = TAKES_ALL
            stage.catch_up()
            for what in (UNANSWERED, ACCEPTED):
                ids = [found for found, _to in stage.mails.logged(what, to=unheard)]
                stage.check(ids[-1:] == [id], f"Die Message-ID ist {ids[-1:]} statt {id}")
    stage.note = f"{seconds} s Geduld"


def change_minds(stage: MailStage, loops: int) -> None:
    """E19. Somebody unsubscribes, somebody deletes, an editor removes, and the mails about it wait."""
    stage.subscribe(READERS + loops)
    stopped = 0
    with Workers(stage.site) as workers:
        workers.start()
        stage.post()
        stage.wait_until_sent()  # everybody has a link now
        for _ in stage.loops(loops):
            stage.mails.script = NO_LOGIN
            deleted, removed = stage.post(), stage.post()
            _wait_until_paused(stage)
            stage.wait_until_announced()
            stage.owed -= {(message_id(comment.pk, to), to) for comment in (deleted, removed) for to in stage.readers}
            stopped += 2 * len(stage.readers) + 1
            left = stage.chance.choice(stage.readers)
            kept = stage.post()
            stage.owed.remove((message_id(kept.pk, left), left))
            stage.readers.remove(left)
            stage.wait_until_announced()
            link = stage.mails.last[left]["List-Unsubscribe"].strip("<>")
            answers = [
                stage.site.device().submit(urlsplit(link).path, {"List-Unsubscribe": "One-Click"}),
                deleted.author.submit(f"/kommentar/{deleted.pk}/loeschen/", {}),
            ]
            stage.check(all(answer.acknowledges for answer in answers), f"{[answer.status for answer in answers]}")
            _manage(stage, "shell", "-c", _REMOVE % removed.pk)
            stage.mails.script = TAKES_ALL
            stage.catch_up()
    stage.check(stage.in_state("dropped") == stopped, f"{stage.in_state('dropped')} Mails entfallen statt {stopped}")
    stage.note = f"{stopped} Mails entfallen"


def _wait_until_paused(stage: MailStage) -> None:
    def is_paused() -> bool:
        answer = stage.site.device().open("/healthz")
        return json.loads(answer.text)["mail"] == "paused" and answer.status == 200  # readers notice nothing

    stage.site.wait_until(is_paused, "/healthz sagt nicht, dass Mails warten")


def _mail_state(stage: MailStage) -> str:
    return json.loads(stage.site.device().open("/healthz").text)["mail"]


def _attempts(stage: MailStage, email: str) -> list[int]:
    """For each mail that waits."""
    query = "SELECT attempts FROM subscriptions_delivery WHERE state = 'waiting' AND email = %s"
    return [attempts for (attempts,) in stage.site.query(query, email)]


def _manage(stage: MailStage, *command: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *command],
        env=os.environ | stage.site.environment,
        cwd=PROJECT,
        check=True,
        stdout=subprocess.DEVNULL,
    )


SCENARIOS = [
    Scenario("E13", "421 und 451, fünf Minuten lang", try_later, long=30, short=0, stage=MailStage),
    Scenario("E14", "550 für einen Empfänger", refuse_one, long=20, short=2, stage=MailStage),
    Scenario("E15", "535, oder 550 für alle", refuse_all, long=12, short=3, stage=MailStage),
    Scenario("E16", "Schweigen nach DATA", fall_silent, long=20, short=2, stage=MailStage),
    Scenario("E19", "abbestellt, gelöscht, entfernt vor dem Senden", change_minds, long=10, short=1, stage=MailStage),
]
