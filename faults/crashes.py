"""Kills and crashes under load: what was acknowledged is there afterwards, and with it what is owed because of it."""

import itertools
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from faults.crowd import Crowd
from faults.scenario import Scenario, Stage
from faults.site import Site

BETWEEN = 8  # comments that must be acknowledged between two faults, or the site was not back
LONGEST_WAIT = 0.6  # seconds more before the next fault
WINDOW = 1.5  # seconds that a comment waits between its rows and its job, or its job and the commit


def kill_web_workers(stage: Stage, loops: int) -> None:
    """E1."""
    _under_load(stage, loops, stage.site.kill_web_worker)


def crash_database(stage: Stage, loops: int) -> None:
    """E2."""
    stage.site.follow(stage.article, stage.mails)
    _under_load(stage, loops, stage.site.crash_database)


def crash_careless_database(stage: Stage, loops: int) -> None:
    """E3, the control: the same, with a database that acknowledges before it has written."""
    careless = {"synchronous_commit": "off", "wal_writer_delay": "10s", "wal_writer_flush_after": "2GB"}
    _configure(stage.site, careless)
    try:
        _under_load(stage, loops, stage.site.crash_database)
    finally:
        stage.site.wait_for_database()
        _configure(stage.site, dict.fromkeys(careless))


def between_comment_and_job(stage: Stage, loops: int) -> None:
    """E10. Two comments wait where nobody else would ever be hit, and something dies: a web worker, the database, their
    connections to it. Then each is sent again."""
    site = stage.site
    site.follow(stage.article, stage.mails)
    deaths = itertools.cycle([site.kill_web_workers, site.crash_database, lambda: _cut_waiting(site)])
    stored = 0
    with _slow_places(site):
        for _, death in zip(stage.loops(loops), deaths, strict=False):
            devices = [site.device() for _ in range(2)]
            forms = [device.fill_in(stage.article) for device in devices]
            _slow(site, stage.chance.choice(["job", "commit"]))
            with ThreadPoolExecutor(2) as pool:
                sending = [pool.submit(device.try_to_send, form) for device, form in zip(devices, forms, strict=True)]
                site.wait_until(lambda: _waiting(site), "Kein Kommentar war zwischen Zeile und Auftrag")
                time.sleep(stage.chance.uniform(0, WINDOW / 2))
                death()
                answers = [one.result() for one in sending]
            site.wait_for_database()
            _slow(site, "nowhere")
            site.wait_until(lambda: not _waiting(site), "Ein Kommentar wartet noch immer")
            for form, answer in zip(forms, answers, strict=True):
                if answer is not None:
                    stage.acknowledge(form, answer)
            findings = stage.compare()  # before anybody sends again
            stage.wrong += findings.wrong
            keys = [form.key for form in forms]
            stored += site.query("SELECT count(*) FROM comments_comment WHERE form_key = ANY(%s)", keys)[0][0]
            for device, form, answer in zip(devices, forms, answers, strict=True):
                if answer is None or not answer.acknowledges:
                    site.wait_until(
                        lambda d=device, f=form: stage.send(d, f),
                        "Der zweite Versuch wird nicht angenommen",
                    )
    stage.note = f"danach {stored} von {2 * loops} gespeichert, beim nächsten Versuch alle"


def _under_load(stage: Stage, loops: int, fault: Callable[[], None]) -> None:
    with Crowd(stage) as crowd:
        crowd.wait_for_more(BETWEEN)
        for _ in stage.loops(loops):
            time.sleep(stage.chance.uniform(0, LONGEST_WAIT))
            fault()
            crowd.wait_for_more(BETWEEN)
    stage.site.wait_for_database()
    stage.wrong += [f"{count}× einem Leser gezeigt: {trace}" for trace, count in crowd.traces.items()]
    stage.note = f"Antworten: {crowd}; {crowd.stored_unheard()}× gespeichert, ohne dass der Leser es erfuhr"


def _configure(site: Site, settings: dict[str, str | None]) -> None:
    """Through ALTER SYSTEM, which outlives crashes; None is the default again."""
    for name, value in settings.items():
        site.query(f"ALTER SYSTEM SET {name} = '{value}'" if value else f"ALTER SYSTEM RESET {name}")
    site.query("SELECT pg_reload_conf()")
    expected = settings.get("synchronous_commit") or "on"
    site.wait_until(lambda: site.query("SHOW synchronous_commit") == [(expected,)], "Einstellung greift nicht")


@contextmanager
def _slow_places(site: Site) -> Iterator[None]:
    """Makes comments wait before their job is stored, or before the commit, while _slow() says so."""
    only = "FOR EACH ROW WHEN (NEW.args ? 'comment_id') EXECUTE FUNCTION"
    site.query("CREATE TABLE faults_slow (place text)")
    site.query(
        "CREATE FUNCTION faults_wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" PERFORM pg_sleep({WINDOW}) FROM faults_slow WHERE place = TG_ARGV[0]; RETURN NEW; END $$"
    )
    site.query(f"CREATE TRIGGER faults_job BEFORE INSERT ON procrastinate_jobs {only} faults_wait('job')")
    site.query(
        "CREATE CONSTRAINT TRIGGER faults_commit AFTER INSERT ON procrastinate_jobs"
        f" DEFERRABLE INITIALLY DEFERRED {only} faults_wait('commit')"
    )
    try:
        yield
    finally:
        site.wait_for_database()
        site.query("DROP FUNCTION faults_wait CASCADE")
        site.query("DROP TABLE faults_slow")


def _slow(site: Site, place: str) -> None:
    site.query("WITH cleared AS (DELETE FROM faults_slow) INSERT INTO faults_slow VALUES (%s)", place)


def _waiting(site: Site) -> list[tuple]:
    return site.query("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'")


def _cut_waiting(site: Site) -> None:
    for (pid,) in _waiting(site):
        site.query("SELECT pg_terminate_backend(%s)", pid)


SCENARIOS = [
    Scenario("E1", "kill -9 eines Webworkers unter Last", kill_web_workers, long=200, short=4),
    Scenario("E10", "Absturz zwischen Kommentar und Auftrag", between_comment_and_job, long=60, short=3),
    Scenario("E2", "Absturz der Datenbank unter Last", crash_database, long=50, short=3),
    # The last one: what it loses might be missed by others.
    Scenario("E3", "Kontrolle: Datenbank, die zu früh bestätigt", crash_careless_database, long=5, short=1, loses=True),
]
