"""What a mail server refuses for one recipient, for all, or for ever (E14, E15)."""

import logging

from django.db import transaction
from django.utils import timezone

from articles.models import Article
from comments.models import Comment
from newsroom.models import Outbox, Suppression
from subscriptions.models import Delivery
from subscriptions.outbox import resume, send_due
from tests import factories
from tests.subscriptions.outbox.owing import (
    FAILED,
    SENT,
    SUPPRESSED,
    UNKNOWN,
    WAITING,
    address,
    addresses,
    critical,
    later,
    owe,
    states,
)
from tests.subscriptions.scripted import EVERYBODY, MailServer

# --- refused recipients (E14) ----------------------------------------------------------------------------------------


def refuse(server: MailServer, article: Article, answers: list[str]) -> Comment:
    """As many subscribers as answers, and after each of them one who is served."""
    for number, answer in enumerate(answers):
        server.to_recipient[address(f"{number}-refused")] = answer
    return owe(article, " ".join(f"{number}-refused {number}-served" for number in range(len(answers))))


def test_addresses_that_do_not_exist_are_suppressed_and_the_others_served(article, server):
    answers = [UNKNOWN, "550 No such user", "550 5.2.1 Abgeschaltet", "553 5.1.3 Bad address", "550 5.1.10 Null MX"]
    first = refuse(server, article, answers)
    send_due()
    rows = Suppression.objects.order_by("email")
    assert [(row.email, row.reason, row.detail) for row in rows] == [
        (address(f"{number}-refused"), "bounced", answer) for number, answer in enumerate(answers)
    ]
    second = refuse(server, article, answers)
    send_due()
    assert server.recipients == [address(f"{number}-served") for number in range(len(answers))] * 2
    for comment, state in ((first, FAILED), (second, SUPPRESSED)):
        assert {name[2:]: known for name, known in states(comment=comment).items()} == {
            "refused": state,
            "served": SENT,
        }
    assert {server.asked[row.email] for row in rows} == {1}


def test_what_says_nothing_of_the_address_suppresses_nobody(article, server):
    answers = [
        "550 5.7.1 Message refused by policy",
        "552 5.2.2 Mailbox full",
        "450 4.1.1 Greylisted, try again",
        "550 5.1.8 Sender address rejected: Domain not found",  # ours
        "550 5.1.7 Bad sender's mailbox address syntax",
        "554 5.7.1 Service unavailable; client [203.5.1.1] blocked",
        "550 5.7.1 See http://185.1.1.25/",
        "554 Blocked (5.7.1)",
    ]
    refuse(server, article, answers)
    send_due()
    waiting = Delivery.objects.filter(state=WAITING).order_by("email")
    assert list(waiting.values_list("error", flat=True)) == answers
    assert Suppression.objects.count() == 0
    server.to_recipient.clear()
    later(seconds=30)
    send_due()
    assert sorted(server.recipients) == sorted(Delivery.objects.values_list("email", flat=True))


def test_the_only_subscriber_refused_is_asked_again_and_never_suppressed_by_that(article, server):
    """With nobody else's mail taken it could be about us."""
    server.to_recipient[EVERYBODY] = UNKNOWN
    owe(article, "berta")
    for _try in range(4):
        send_due()
        later(hours=2)
    assert (server.asked[address("berta")], Suppression.objects.count()) == (4, 0)
    assert (states(), Outbox.now().paused_until) == ({"berta": WAITING}, None)
    server.to_recipient.clear()
    send_due()
    assert server.recipients == [address("berta")]


def test_refused_again_and_then_another_is_served(article, server):
    server.to_recipient[address("berta")] = UNKNOWN
    owe(article, "berta")
    send_due()
    later(seconds=30)
    owe(factories.article(), "carla")
    send_due()
    assert states() == {"berta": FAILED, "carla": SENT}
    assert Suppression.objects.get().email == address("berta")


def test_many_mails_to_one_dead_address_are_not_taken_for_an_outage(article, server):
    server.to_recipient[address("anton")] = UNKNOWN
    for _comment in range(6):
        owe(article, "anton")
    owe(factories.article(), "berta")
    send_due()
    assert server.recipients == [address("berta")]
    assert Outbox.now().paused_until is None
    assert set(states(email=address("anton")).values()) == {FAILED}


# --- refused by all (E15) --------------------------------------------------------------------------------------------


def test_login_refused_pauses_alarms_and_goes_on_by_itself(article, server, settings, caplog):
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "site", "secret"
    server.lets_in = False
    owe(article, "anton berta")
    send_due()
    (alarm,) = critical(caplog)
    assert alarm == "Mails pause for 30 s, the mail server says: 535 5.7.8 Authentication credentials invalid"
    assert states() == {"anton": WAITING, "berta": WAITING}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {0}
    asked = server.connections
    send_due()
    assert server.connections == asked
    server.lets_in = True
    later(seconds=30)
    send_due()
    assert sorted(server.recipients) == addresses("anton berta")
    assert Suppression.objects.count() == 0


def test_all_refused_pauses_alarms_and_suppresses_nobody(article, server, caplog):
    server.to_recipient[EVERYBODY] = UNKNOWN
    owe(article, "anton berta carla dora emil franz")
    send_due()
    assert critical(caplog) == [f"Mails pause for 30 s, the mail server says: {UNKNOWN}"]
    assert (len(server.asked), Suppression.objects.count()) == (5, 0)
    server.to_recipient.clear()
    later(seconds=31)
    send_due()
    assert sorted(server.recipients) == addresses("anton berta carla dora emil franz")
    assert (Suppression.objects.count(), set(states().values())) == (0, {SENT})


def test_one_mail_that_always_ends_the_connection_does_not_stop_the_others(article, server):
    server.to_recipient[address("anton")] = "421 4.7.0 Nicht schon wieder"
    owe(article, "anton berta")
    for _try in range(3):
        send_due()
        later(minutes=1)
    assert server.recipients == [address("berta")]
    assert (states(), Suppression.objects.count()) == ({"anton": WAITING, "berta": SENT}, 0)


def test_sender_refused_is_about_us(article, server):
    server.to_sender = "553 5.7.1 Sender address rejected: not owned by user"
    owe(article, "anton")
    send_due()
    assert Outbox.now().paused_because == server.to_sender
    assert (states(), Suppression.objects.count()) == ({"anton": WAITING}, 0)


def test_no_mail_server_at_all(article, server, settings):
    settings.EMAIL_PORT = 9  # discard: nobody listens
    owe(article, "anton")
    send_due()
    assert "refused" in Outbox.now().paused_because
    assert states() == {"anton": WAITING}


def test_pauses_grow_to_a_quarter_of_an_hour(article, server):
    server.to_sender = "451 4.3.0 Keine Lust"
    owe(article, "anton")
    waits = []
    for _pause in range(7):
        send_due()
        waits.append(round((Outbox.now().paused_until - timezone.now()).total_seconds()))
        later(minutes=15)
    assert waits == [30, 60, 120, 240, 480, 900, 900]


def test_a_person_ends_the_pause_at_once(article, server):
    server.to_sender = "451 4.3.0 Keine Lust"
    owe(article, "anton")
    for _pause in range(3):
        send_due()
        later(minutes=15)
    send_due()
    server.to_sender = ""
    resume()
    assert (Outbox.now().is_paused, Outbox.now().failures) == (False, 0)
    send_due()
    assert server.recipients == [address("anton")]


# --- what cannot be sent does not stand in the way -------------------------------------------------------------------


def test_mails_that_cannot_be_written_block_nobody(article, server, caplog):
    """More of them than would be taken for an outage."""
    owe(article, "a b c d e f")
    Article.objects.filter(pk=article.pk).update(slug="kein slug")  # so that it has no address
    owe(factories.article(), "gustav")
    send_due()
    assert server.recipients == [address("gustav")]
    assert states() == dict.fromkeys("abcdef", WAITING) | {"gustav": SENT}
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 6
    assert (Outbox.now().paused_until, critical(caplog)) == (None, [])
    with transaction.atomic():  # a version of its own, as from a request
        Article.objects.filter(pk=article.pk).update(slug="ein-slug")
    later(seconds=30)
    send_due()
    assert sorted(server.recipients) == addresses("a b c d e f gustav")


def test_answer_that_no_database_can_store_blocks_nobody(article, server):
    server.to_recipient[address("anton")] = "451 4.3.0 Un\x00sinn " + "x" * 400
    owe(article, "anton berta")
    send_due()
    assert states() == {"anton": WAITING, "berta": SENT}
    error = Delivery.objects.get(email=address("anton")).error
    assert (error[:18], len(error)) == ("451 4.3.0 Un sinn ", 300)
