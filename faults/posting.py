"""Calm faults around one form: sent many times, changed, left alone, and without a database behind it."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

from faults.client import TIMEOUT, Answer, Device, Form
from faults.pages import form_key_in, wrong_without_database
from faults.scenario import Scenario, Stage
from faults.site import Site

TIMES = 50
RANDOM_MOMENT = 0.04  # seconds after sending; a comment takes about half
BACK_WITHIN = 15  # seconds after the database


def fifty_at_once(stage: Stage, loops: int) -> None:
    """E7. Alternately from a device that the site knows and from one that it has never seen."""
    follower = stage.site.follow(stage.article, stage.mails)
    before = len(stage.mails.logged(to=follower))
    for number in stage.loops(loops):
        device = stage.site.device()
        if number % 2:
            stage.send(device, device.fill_in(stage.article))
        form = device.fill_in(stage.article)
        start = Barrier(TIMES)

        def send(_: int, device: Device = device, form: Form = form, start: Barrier = start) -> Answer:
            start.wait()
            return replace(device).send(form)

        with ThreadPoolExecutor(TIMES) as pool:
            answers = list(pool.map(send, range(TIMES)))
        stage.acknowledge(form, answers[0])
        different = {(answer.status, answer.place) for answer in answers}
        stage.check(len(different) == 1, f"Verschiedene Antworten auf dasselbe Formular: {sorted(different)[:3]}")
        _check_stored_once(stage, form.key)
    told = stage.mails.logged
    expected = before + stage.ledger.count
    stage.site.wait_until(
        lambda: len(told(to=follower)) >= expected, "Die Abonnentin hat nicht von allen Kommentaren gehört"
    )
    ids = told(to=follower)
    stage.check(len(ids) == len(set(ids)) == expected, f"{len(ids)} Mails, {expected} erwartet")
    stage.note = f"{TIMES} gleichzeitig, {len(ids) - before} Mails"


def other_body(stage: Stage, loops: int) -> None:
    """E8. The other words come back in the answer, with a form that takes them."""
    for number in stage.loops(loops):
        device = stage.site.device()
        form = device.fill_in(stage.article)
        stage.send(device, form)
        changed = form.with_body(f"Ich sehe das anders & „kurz“, {form.key.hex[:12]}.")
        again = device if number % 2 else stage.site.device()
        answer = again.send(changed)
        stage.check(answer.status == 409, f"Status {answer.status} statt 409")
        stage.check("Ich sehe das anders &amp; „kurz“" in answer.text, "Der neue Text fehlt in der Antwort")
        fresh = form_key_in(answer)
        stage.check(bool(fresh), "Die Antwort bringt kein neues Formular")
        if fresh:
            changed = changed.with_key(fresh)
            stage.check(stage.send(again, changed), "Das neue Formular wird nicht angenommen")


def client_gone(stage: Stage, loops: int) -> None:
    """E9. In turns: gone as soon as the comment is stored; gone at a random moment."""
    begun = stage.site.query("SELECT coalesce(max(id), 0) FROM readers_reader")[0][0]
    after_commit = 0
    for number in stage.loops(loops):
        device = stage.site.device()
        form = device.fill_in(stage.article)
        with device.begin(form):
            if number % 2:
                stage.site.wait_until(lambda form=form: _stored(stage.site, form.key), "Nicht gespeichert")
                after_commit += 1
            else:
                time.sleep(stage.chance.uniform(0, RANDOM_MOMENT))
        answer = device.send(form)  # without a cookie: that was in the answer
        stage.check(stage.acknowledge(form, answer), f"Beim zweiten Mal Status {answer.status}")
        _check_stored_once(stage, form.key)
    stage.site.wait_until(lambda: not _without_comment(stage.site, begun), "Leser ohne Kommentar bleiben zurück", 5)
    stage.note = f"{after_commit}× nach dem Speichern gegangen"


def database_away(stage: Stage, seconds: int) -> None:
    """E6. Its size is how long; its loops are what was asked meanwhile."""
    site = stage.site
    known = site.device()
    stage.send(known, known.fill_in(stage.article))
    site.device().open(f"/artikel/{stage.article}/")  # so that a copy may lie in memory
    workers = set(site.web_workers())
    wrong: dict[str, None] = {}
    sent: list[tuple[Device, Form]] = []
    with site.database_away():
        until = time.monotonic() + seconds
        while not sent or time.monotonic() < until:
            device = known if len(sent) % 2 else site.device()
            form = device.fill_in(stage.article)
            sent.append((device, form))
            # One after the other: how long one reader waits must not depend on what others ask.
            for what, found in (
                ("Lesen", _judge(site.device().try_to_open(f"/artikel/{stage.article}/"))),
                ("Schreiben", _judge(device.try_to_send(form), body=form.body, form_key=form.signed_key)),
            ):
                wrong |= dict.fromkeys(f"{what}: {sentence}" for sentence in found)
            stage.done += 2
    stage.wrong += wrong
    site.wait_for_database()
    begin = time.monotonic()
    for device, form in sent:
        site.wait_until(lambda d=device, f=form: stage.send(d, f), "Schreiben geht nicht wieder")
    took = time.monotonic() - begin
    stage.check(took < BACK_WITHIN, f"Erst {took:.0f} s nach der Datenbank geht Schreiben wieder")
    stage.check(set(site.web_workers()) == workers, "Webworker wurden ersetzt")
    stage.note = f"{seconds} s weg, nach {took:.1f} s ging es wieder"


def _judge(answer: Answer | None, **sent: str) -> list[str]:
    return wrong_without_database(answer, **sent) if answer else [f"keine Antwort in {TIMEOUT} s"]


def _stored(site: Site, key: uuid.UUID) -> list[tuple]:
    return site.query("SELECT id FROM comments_comment WHERE form_key = %s", key)


def _without_comment(site: Site, newer_than: int) -> list[tuple]:
    return site.query(
        "SELECT id FROM readers_reader AS reader WHERE id > %s"
        " AND NOT EXISTS (SELECT FROM comments_comment WHERE reader_id = reader.id)",
        newer_than,
    )


def _check_stored_once(stage: Stage, key: uuid.UUID) -> None:
    stored = len(_stored(stage.site, key))
    stage.check(stored == 1, f"{stored}× gespeichert statt einmal: {key.hex}")


SCENARIOS = [
    Scenario("E6", "Datenbank weg", database_away, long=30, short=4),
    Scenario("E7", "dasselbe Formular fünfzigmal zugleich", fifty_at_once, long=20, short=2),
    Scenario("E8", "derselbe Schlüssel mit anderem Text", other_body, long=50, short=4),
    Scenario("E9", "Leser weg, sendet noch einmal", client_gone, long=200, short=10),
]
