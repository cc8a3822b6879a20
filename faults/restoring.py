"""Yesterday's dump, restored: what waited then went out long ago, says a database that is gone."""

import os
import subprocess
from pathlib import Path

import psycopg

from faults.owed import MailStage, message_id
from faults.scenario import Scenario
from faults.site import Site
from faults.smtp import NO_LOGIN, TAKES_ALL
from faults.workers import Workers

READERS = 4  # who are told at once, and as many who are told once a day
_ALL_TIMES = """
    SELECT format('UPDATE %I SET ', table_name)
        || string_agg(format('%1$I = %1$I - interval ''1 day''', column_name), ', ')
    FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND data_type = 'timestamp with time zone'
    GROUP BY table_name
"""


def restore_yesterday(stage: MailStage, loops: int) -> None:
    """E20b. In the dump wait mails, a comment's job, and somebody's opt-in mail."""
    site, dump = stage.site, stage.site.folder / "dump"
    daily = stage.subscribe(READERS, rhythm="daily")
    stage.readers = stage.subscribe(READERS)[-READERS:]
    with Workers(site) as workers:
        for number in stage.loops(loops):
            stage.mails.script = NO_LOGIN
            workers.start()
            stage.post()
            stage.wait_until_announced()
            workers.stop()
            newcomer = _ask_for_mails(stage)
            stage.post()
            _run(site, "pg_dump", "--format=custom", "--file", dump, site.environment["DATABASE_URL"])

            stage.mails.script = TAKES_ALL
            workers.start()
            stage.catch_up()
            site.wait_until(lambda to=newcomer: stage.mails.logged(to=to), "Keine Mail zum Bestätigen")
            workers.stop()
            _owe_digests(stage, daily)

            _restore(site, dump)
            alarms = len(workers.alarms())
            workers.start()
            stage.catch_up()
            aside = stage.in_state("set_aside")
            stage.check(aside == 4 * READERS * number, f"{aside} Mails zurückgestellt")
            stage.check(len(workers.alarms()) > alarms, "Kein Alarm im Protokoll des Workers")
            stage.post()
            stage.catch_up()
            workers.stop()
            _owe_digests(stage, daily)
            asked = len(stage.mails.logged(to=newcomer))
            stage.check(asked == 1, f"{asked}× um Bestätigung gebeten")
    stage.note = f"{aside} Mails zurückgestellt"


def _ask_for_mails(stage: MailStage) -> str:
    email = f"neu{stage.done}@{stage.article}.example"
    form = {"kind": "article", "email": email}
    answer = stage.site.device().submit(f"/artikel/{stage.article}/abonnieren/", form)
    stage.check(answer.acknowledges, f"Abonnieren geht nicht: Status {answer.status}")
    return email


def _owe_digests(stage: MailStage, emails: list[str]) -> None:
    """Which comment a digest begins with, and so its Message-ID, says the database that knows of it."""
    heads = stage.site.query(
        "SELECT comment_id, email FROM subscriptions_delivery WHERE state = 'sent' AND digest_id IS NULL"
        " AND email = ANY(%s)",
        emails,
    )
    stage.owed |= {(message_id(comment, email), email) for comment, email in heads}


def _restore(site: Site, dump: Path) -> None:
    """Under the running web server. And a day has passed since the dump: all that it holds is a day older."""
    server = site.environment["DATABASE_URL"].rpartition("/")[0] + "/postgres"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP DATABASE newsroom WITH (FORCE)")
        connection.execute("CREATE DATABASE newsroom")
    _run(site, "pg_restore", "--exit-on-error", "--dbname", site.environment["DATABASE_URL"], dump)
    for (update,) in site.query(_ALL_TIMES):
        site.query(update)


def _run(site: Site, program: str, *arguments: str | Path) -> None:
    """One of those that came with the running server."""
    with psycopg.connect(site.environment["DATABASE_URL"]) as connection:
        server = os.readlink(f"/proc/{connection.info.backend_pid}/exe")
    subprocess.run([Path(server).with_name(program), *arguments], check=True)


SCENARIOS = [Scenario("E20b", "Sicherung von gestern eingespielt", restore_yesterday, long=5, short=1, stage=MailStage)]
