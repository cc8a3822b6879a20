"""Workers that die while they send, and workers that are many."""

import re
import time
from collections import Counter
from email.message import EmailMessage

from faults.owed import TWO_DAYS, MailStage, message_id
from faults.scenario import Scenario
from faults.workers import Workers

READERS = 100
CONNECTIONS = 2  # of one worker, at most
ANNOUNCING = 25  # every so many deaths happen while a comment is announced; the next worker learns of it after 20 s
MOMENT = 0.02  # seconds; a mail takes a fifth
_COMMENT = re.compile(r"/kommentar/(\d+)/")
_MANAGE = re.compile(r"/abos/[^\s/]+/")


def kill_mail_workers(stage: MailStage, loops: int) -> None:
    """E11. A connection that is cut may cost one mail twice, and no more."""
    stage.subscribe(READERS)
    with Workers(stage.site) as workers:
        for number in stage.loops(loops):
            waiting = stage.in_state("waiting")
            if not waiting:
                stage.post()
            connections = stage.chance.randint(1, CONNECTIONS)
            # Not the last ones: it must have mails left when it dies.
            wanted = stage.mails.count + stage.chance.randint(1, max((waiting or READERS) - 20, 1))
            worker = workers.start(MAIL_CONNECTIONS=str(connections))
            if number % ANNOUNCING == 0:
                # It may be over before we look: then this is a death like the others.
                begun = [stage.announcing("doing"), stage.announcing("succeeded")]
                stage.post()
                stage.site.wait_until(
                    lambda n=begun: stage.announcing("doing") > n[0] or stage.announcing("succeeded") > n[1],
                    "Nichts wird angekündigt",
                )
            else:
                stage.site.wait_until(lambda n=wanted: stage.mails.count >= n, "Der Worker sendet nicht")
            time.sleep(stage.chance.uniform(0, MOMENT))
            workers.kill(worker)
            stage.may_repeat += connections
        workers.start()
        stage.wait_until_sent()
    stage.note = f"{len(stage.repeated())} Mails kamen zweimal, mit derselben Message-ID"


def four_workers(stage: MailStage, mails: int) -> None:
    """E12. Its size is how many mails."""
    stage.subscribe(mails)
    with Workers(stage.site) as workers:
        stage.pause(3600)
        ((newest,),) = stage.site.query("SELECT coalesce(max(id), 0) FROM procrastinate_workers")
        for _ in range(4):
            workers.start()
        there = "SELECT id FROM procrastinate_workers WHERE id > %s"
        stage.site.wait_until(lambda: len(stage.site.query(there, newest)) == 4, "Vier Worker starten nicht")
        stage.post()
        stage.wait_until_announced()
        stage.pass_time(3600)
        begin = time.monotonic()
        for lane in range(16):  # as many as four workers can do at once
            stage.defer("hand_over_due", lane=lane)
        stage.wait_until_sent(seconds=1200)
        seconds = time.monotonic() - begin
        sending = (
            "SELECT count(DISTINCT worker_id) FROM procrastinate_jobs WHERE worker_id > %s AND task_name LIKE '%%due'"
        )
        ((took_part,),) = stage.site.query(sending, newest)
        stage.check(took_part == 4, f"Nur {took_part} von vier Workern haben gesendet")
    stage.done = mails
    stage.note = f"{mails / seconds:.0f} Mails in der Sekunde"


def within_a_digest(stage: MailStage, loops: int) -> None:
    """E20a. Killed again and again while digests go out; and each time somebody wants to be told at other times."""
    site = stage.site
    stage.subscribe(READERS // 2, rhythm="daily")
    with stage.mails.keeping() as kept, Workers(site) as workers:
        worker = workers.start()
        posted = [stage.post().pk]
        stage.catch_up()  # everybody has a link now
        for _ in stage.loops(loops):
            posted += [stage.post().pk for _comment in range(stage.chance.randint(2, 3))]
            stage.wait_until_announced()
            _choose(stage, stage.chance.choice(stage.readers))
            wanted = stage.mails.count + stage.chance.randint(1, READERS // 4)
            stage.pass_time(TWO_DAYS)
            stage.look()
            site.wait_until(lambda n=wanted: stage.mails.count >= n, "Der Worker sendet keine Digests")
            workers.kill(worker)
            stage.may_repeat += CONNECTIONS
            _choose(stage, stage.chance.choice(stage.readers))
            worker = workers.start()
        stage.catch_up()
    heads = site.query(
        "SELECT comment_id, email FROM subscriptions_delivery WHERE state = 'sent' AND digest_id IS NULL"
        " AND email = ANY(%s)",
        stage.readers,
    )
    stage.owed = {(message_id(comment, email), email) for comment, email in heads}
    told = {(message["Message-ID"], message["To"], _comments_in(message)) for message in kept}
    stage.check(len(told) == len(stage.owed), "Dieselbe Message-ID, nicht dieselben Kommentare")
    found = Counter((to, comment) for _, to, comments in told for comment in comments)
    expected = Counter((email, comment) for email in stage.readers for comment in posted)
    stage.check(found == expected, f"{found.total()} statt {expected.total()} Kommentare in den Mails")
    stage.note = f"{expected.total()} Kommentare in {len(told)} Mails, {len(stage.repeated())} davon kamen zweimal"


def _choose(stage: MailStage, email: str) -> None:
    """On the page behind the link in every mail."""
    ((pk,),) = stage.site.query("SELECT id FROM subscriptions_subscription WHERE email = %s", email)
    text = stage.mails.last[email].get_body(("plain",)).get_content()
    chosen = {"save": "1", "daily_at": "07:00", f"{pk}-rhythm": stage.chance.choice(["at_once", "hourly", "daily"])}
    answer = stage.site.device().submit(_MANAGE.search(text)[0], chosen)
    stage.check(answer.acknowledges, f"Der Rhythmus lässt sich nicht ändern: Status {answer.status}")


def _comments_in(message: EmailMessage) -> tuple[int, ...]:
    return tuple(sorted({int(pk) for pk in _COMMENT.findall(message.get_body(("plain",)).get_content())}))


SCENARIOS = [
    Scenario("E11", "kill -9 des Workers, während er sendet", kill_mail_workers, long=200, short=12, stage=MailStage),
    Scenario("E12", "vier Worker zugleich", four_workers, long=10_000, short=500, stage=MailStage),
    Scenario(
        "E20a", "kill -9 mitten in Digests, Rhythmus geändert", within_a_digest, long=40, short=2, stage=MailStage
    ),
]
