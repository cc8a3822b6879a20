"""Mails go out once, over few connections, later where the server says so, never unwanted (E11-E13, E16, E19)."""

from datetime import timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import Comment
from comments.services import delete_comment, withdraw
from newsroom import handover
from newsroom.models import Outbox, Suppression
from readers.models import Reader
from subscriptions.models import Delivery, Subscription
from subscriptions.outbox import send_due
from subscriptions.services import end
from subscriptions.tasks import announce, look_for_due_mails, wake
from tests import factories
from tests.subscriptions.outbox.owing import (
    DROPPED,
    FAILED,
    SENT,
    SUPPRESSED,
    WAITING,
    address,
    addresses,
    later,
    owe,
    states,
)
from tests.subscriptions.scripted import EVERYBODY, HANG_UP, SILENCE
from tests.together import at_once

# --- connections -----------------------------------------------------------------------------------------------------


def test_one_connection_carries_many_mails_longest_due_first(article, server):
    owe(article, "anton berta carla dora emil")
    assert send_due() is False
    assert server.recipients == addresses("anton berta carla dora emil")
    assert server.connections == 1
    assert set(states().values()) == {SENT}


def test_nothing_due_opens_no_connection(article, server):
    owe(article, "anton")
    Delivery.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    send_due()
    assert (server.connections, states()) == (0, {"anton": WAITING})


def test_connection_is_opened_anew_after_so_many_mails(article, server, monkeypatch):
    monkeypatch.setattr(handover, "MAILS_PER_CONNECTION", 2)
    owe(article, "anton berta carla dora emil")
    send_due()
    assert server.recipients == addresses("anton berta carla dora emil")
    assert server.connections == 3


def test_server_that_takes_few_mails_a_connection_is_asked_on_another(article, server):
    """421 at a used connection means: not on this one. No alarm, and nobody waits."""
    server.most_per_connection = 2
    owe(article, "anton berta carla dora emil")
    send_due()
    assert server.recipients == addresses("anton berta carla dora emil")
    assert (server.connections, Outbox.now().failures) == (3, 0)


def test_time_is_up_and_the_rest_is_left_for_the_next(article, server):
    owe(article, "anton berta")
    assert send_due(seconds=0) is True
    assert (server.recipients, states()) == ([], {"anton": WAITING, "berta": WAITING})


@pytest.mark.django_db(transaction=True)
def test_four_workers_share_the_work_without_a_word(server):
    """E12."""
    article, count = factories.article(), 240
    emails = [address(f"a{number:03}") for number in range(count)]
    readers = Reader.objects.bulk_create(Reader(email=email) for email in emails)
    Subscription.objects.bulk_create(
        Subscription(article=article, reader=reader, email=reader.email, confirmed_at=timezone.now(), kind="article")
        for reader in readers
    )
    announce(comment_id=factories.comment(article).pk)
    at_once(4, lambda number: send_due())
    assert sorted(server.recipients) == emails
    assert len({mail.message_id for mail in server.taken}) == count
    assert server.connections == 4
    assert Delivery.objects.filter(state=SENT).count() == count


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_split_no_digest(server):
    """Each gathers what is due for one reader, and leaves nothing of it to the others."""
    article, emails = factories.article(), [address(f"a{number:02}") for number in range(40)]
    for email in emails:
        factories.subscription(article, email, rhythm="hourly")
    for body in ("EINS", "ZWEI", "DREI"):
        announce(comment_id=factories.comment(article, body).pk)
    later(hours=1)
    at_once(4, lambda number: send_due())
    assert sorted(server.recipients) == emails
    told = {tuple(word for word in mail.text.split() if word in {"EINS", "ZWEI", "DREI"}) for mail in server.taken}
    assert told == {("EINS", "ZWEI", "DREI")}
    assert set(Delivery.objects.values_list("state", flat=True)) == {SENT}


# --- later (E13, E16) ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["451 4.3.0 Spaeter bitte", "450 Spaeter bitte"])
def test_not_now_for_five_minutes_then_each_is_told_once(article, server, answer):
    server.to_recipient[EVERYBODY] = answer
    owe(article, "anton berta")
    for _half_minute in range(10):
        send_due()
        later(seconds=30)
    assert server.asked == dict.fromkeys(addresses("anton berta"), 3)  # at once, after 30 s, after 2 minutes more
    assert states() == {"anton": WAITING, "berta": WAITING}
    assert {row.error for row in Delivery.objects.all()} == {answer}
    server.to_recipient.clear()
    later(minutes=8)
    send_due()
    later(days=1)
    send_due()
    assert server.recipients == addresses("anton berta")
    assert (Suppression.objects.count(), set(states().values())) == (0, {SENT})


def test_server_going_down_for_five_minutes_pauses_all_and_then_each_is_told_once(article, server):
    server.to_recipient[EVERYBODY] = "421 4.3.2 Wartung"
    owe(article, "anton berta")
    for _half_minute in range(10):
        send_due()
        later(seconds=30)
    assert server.asked == dict.fromkeys(addresses("anton berta"), 2)  # one for all: at 0, 30, 90 and 210 seconds
    server.to_recipient.clear()
    later(minutes=4)
    send_due()
    send_due()
    assert sorted(server.recipients) == addresses("anton berta")
    assert (Outbox.now().failures, Outbox.now().paused_until) == (0, None)


def test_waiting_grows_to_two_hours_and_ends_after_two_days(article, server):
    server.to_recipient[EVERYBODY] = "451 4.3.0 Spaeter"
    owe(article, "anton")
    waited = []
    while states() == {"anton": WAITING}:
        send_due()
        waited.append(Delivery.objects.get().due_at - timezone.now())
        later(seconds=waited[-1].total_seconds())
    assert [round(wait.total_seconds()) for wait in waited[:6]] == [30, 120, 480, 1920, 7200, 7200]
    assert timedelta(days=1.5) < sum(waited, timedelta()) < timedelta(days=3)
    assert (states(), Suppression.objects.count()) == ({"anton": FAILED}, 0)


@pytest.mark.parametrize("what", [SILENCE, HANG_UP])
def test_no_answer_after_the_mail(article, server, settings, what):
    """The server may have taken it, and here it did: so the same mail again, and only to that one (E16)."""
    settings.EMAIL_TIMEOUT = 0.3
    server.to_mail[address("berta")] = what
    owe(article, "anton berta carla")
    send_due()
    assert states() == {"anton": SENT, "berta": WAITING, "carla": SENT}
    server.to_mail.clear()
    later(seconds=30)
    send_due()
    assert server.recipients == addresses("anton berta carla berta")
    first, second = (mail for mail in server.taken if mail.recipient == address("berta"))
    assert first.message_id == second.message_id
    assert set(states().values()) == {SENT}


def test_mail_that_a_dying_worker_had_handed_over_has_the_same_id_again(article, server, monkeypatch):
    """E11: between the server's "250" and the row that says so."""
    owe(article, "anton")

    def die(*_args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr("subscriptions.outbox._mark", die)
        with pytest.raises(SystemExit):
            send_due()
    assert states() == {"anton": WAITING}
    send_due()
    send_due()
    first, second = server.taken
    assert first.message_id == second.message_id


def test_mail_too_big_for_the_server_is_that_mails_trouble(article, server):
    server.most_bytes = 12_000
    owe(article, "anton", body="x " * 2500)
    owe(factories.article(), "berta")
    send_due()
    assert (server.recipients, states()) == ([address("berta")], {"anton": WAITING, "berta": SENT})
    assert Delivery.objects.get(email=address("anton")).error == "552 5.3.4 Message too big"
    assert Outbox.now().paused_until is None


# --- no longer wanted (E19) ------------------------------------------------------------------------------------------


def unsubscribe(row: Subscription, comment: Comment) -> None:
    end(row)


def suppress(row: Subscription, comment: Comment) -> None:
    Suppression.objects.suppress(row.email, Suppression.Reason.BY_HAND)


def hide(row: Subscription, comment: Comment) -> None:
    withdraw(comment, Comment.State.REMOVED)


def take_back(row: Subscription, comment: Comment) -> None:
    delete_comment(comment=comment, reader=comment.reader)


def draft_again(row: Subscription, comment: Comment) -> None:
    Article.objects.update(state=Article.State.DRAFT)


@pytest.mark.parametrize(
    "meanwhile, state",
    [(unsubscribe, DROPPED), (suppress, SUPPRESSED), (hide, DROPPED), (take_back, DROPPED), (draft_again, DROPPED)],
)
@pytest.mark.parametrize("tried_before", [False, True])
def test_what_changed_while_the_mail_waited_stops_it(article, server, meanwhile, state, tried_before):
    comment = owe(article, "berta")
    if tried_before:
        server.to_recipient[EVERYBODY] = "451 4.3.0 Spaeter"
        send_due()
        server.to_recipient.clear()
    meanwhile(Subscription.objects.get(), comment)
    later(days=1)
    send_due()
    assert (server.recipients, states()) == ([], {"berta": state})


# --- jobs only wake --------------------------------------------------------------------------------------------------


def waking() -> int:
    return ProcrastinateJob.objects.filter(task_name="subscriptions.tasks.hand_over_due", status="todo").count()


def test_jobs_never_pile_up(article, settings):
    settings.MAIL_CONNECTIONS = 3
    for _comment in range(5):
        owe(article, "anton berta")
    for _time in range(5):
        wake()
        look_for_due_mails(timestamp=0)
        wake(1)
    assert waking() == 3


def test_nobody_is_woken_for_nothing_or_in_a_pause(article, server):
    look_for_due_mails(timestamp=0)
    assert waking() == 0
    server.to_sender = "451 4.3.0 Keine Lust"
    owe(article, "anton")
    send_due()
    ProcrastinateJob.objects.filter(task_name="subscriptions.tasks.hand_over_due").delete()
    look_for_due_mails(timestamp=0)
    assert waking() == 0
    later(seconds=30)
    look_for_due_mails(timestamp=0)
    assert waking() == 2
