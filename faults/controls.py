"""Controls of the mail half: the harness itself loses a mail, and sends one twice. Who does not notice is blind."""

import copy
import smtplib

from faults.owed import MailStage
from faults.scenario import Scenario
from faults.workers import Workers
from newsroom.trial.__main__ import HOST

READERS = 5
HOUR = 3600  # seconds


def lose_one(stage: MailStage, loops: int) -> None:
    """K1. One of the rows that wait is gone."""
    stage.subscribe(READERS)
    with Workers(stage.site) as workers:
        workers.start()
        for _ in stage.loops(loops):
            stage.pause(HOUR)
            stage.post()
            stage.wait_until_announced()
            stage.site.query(
                "DELETE FROM subscriptions_delivery WHERE id = (SELECT max(id) FROM subscriptions_delivery"
                " WHERE state = 'waiting' AND email = ANY(%s))",
                stage.readers,
            )
            stage.catch_up()


def send_one_twice(stage: MailStage, loops: int) -> None:
    """K2. Under another Message-ID, as if there were two."""
    stage.subscribe(READERS)
    with Workers(stage.site) as workers:
        workers.start()
        for number in stage.loops(loops):
            stage.post()
            stage.wait_until_sent()
            sent = send_again(stage, f"<noch-einmal-{number}@localhost>")
            found, expected = stage.compare().wrong, [f"1× eine Mail, die niemand schuldet: {' an '.join(sent)}"]
            stage.check(found == expected, f"Die Prüfung ist blind: Sie fand {found}")
            stage.owed.add(sent)  # it was noticed
    stage.note = f"{loops}× bemerkt"


def send_again(stage: MailStage, message_id: str) -> tuple[str, str]:
    """The latest mail to one of the readers. Returns Message-ID and recipient."""
    to = stage.chance.choice(stage.readers)
    message = copy.deepcopy(stage.mails.last[to])
    message.replace_header("Message-ID", message_id)
    with smtplib.SMTP(HOST, stage.mails.port) as server:
        server.login("newsroom", "geheim")
        server.send_message(message)
    return message_id, to


SCENARIOS = [
    Scenario("K1", "Kontrolle: eine wartende Mail ist weg", lose_one, long=3, short=1, loses=True, stage=MailStage),
    Scenario("K2", "Kontrolle: eine Mail als zwei", send_one_twice, long=3, short=1, stage=MailStage),
]
