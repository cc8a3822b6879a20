"""Mails go out once, whatever the mail server answers and whoever dies meanwhile (E11-E16, E19, E20)."""

import logging
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import Comment
from comments.services import delete_comment, withdraw
from newsroom import handover
from newsroom.models import Outbox, Suppression
from newsroom.prepared import execute
from newsroom.tasks import send_account_mail
from readers.models import Reader
from subscriptions.models import Delivery, Subscription
from subscriptions.outbox import STANDSTILL, keep_alive, release_set_aside, resume, send_due
from subscriptions.services import end
from subscriptions.tasks import announce, look_for_due_mails, wake
from tests import factories
from tests.subscriptions.scripted import EVERYBODY, HANG_UP, SILENCE, MailServer, mail_server
from tests.together import at_once

WAITING, SENT, DROPPED, SUPPRESSED, FAILED, SET_ASIDE = (
    Delivery.State.WAITING,
    Delivery.State.SENT,
    Delivery.State.DROPPED,
    Delivery.State.SUPPRESSED,
    Delivery.State.FAILED,
    Delivery.State.SET_ASIDE,
)
UNKNOWN = "550 5.1.1 Diesen Empfaenger gibt es nicht"


@pytest.fixture
def server(settings) -> MailServer:
    return mail_server(settings)


def address(name: str) -> str:
    return f"{name}@example.org"


def addresses(names: str) -> list[str]:
    return [address(name) for name in names.split()]


def owe(article: Article, names: str, **fields) -> Comment:
    """A comment, and a mail about it to each of these subscribers, due in this (alphabetical) order."""
    for name in names.split():
        if not Subscription.objects.filter(article=article, email=address(name)).exists():
            factories.subscription(article, address(name))
    comment = factories.comment(article, **fields)
    announce(comment_id=comment.pk)
    return comment


def states(**which) -> dict[str, str]:
    return {row.email.partition("@")[0]: row.state for row in Delivery.objects.filter(**which)}


def later(**by: float) -> None:
    """Time passes, for what waits and for a pause."""
    past = timedelta(**by)
    Delivery.objects.update(due_at=F("due_at") - past)
    Outbox.objects.update(paused_until=F("paused_until") - past)


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


def critical(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]


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


# --- what cannot be sent does not stand in the way --------------------------------------------------------------------


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


# --- after a standstill (E20) ----------------------------------------------------------------------------------------


def a_day_passes_without_a_worker() -> None:
    """Everything that there is became a day older: an outage, or yesterday's dump."""
    day = timedelta(days=1)
    Outbox.now()
    Outbox.objects.update(alive_at=F("alive_at") - day)
    Delivery.objects.update(created_at=F("created_at") - day, due_at=F("due_at") - day)
    Comment.objects.update(published_at=F("published_at") - day)
    execute("UPDATE procrastinate_events SET at = at - make_interval(days => 1)", [])


def letters_owed() -> list[str]:
    """To whom jobs that may run now would send a mail of their own."""
    due = Q(scheduled_at=None) | Q(scheduled_at__lte=timezone.now())
    jobs = ProcrastinateJob.objects.filter(due, status="todo", task_name="newsroom.tasks.send_account_mail")
    return sorted(jobs.values_list("args__to", flat=True))


@pytest.fixture
def restored(article, server) -> None:
    """Two mails and a mail's job of yesterday; and one of each that came in since."""
    owe(article, "anton berta")
    send_account_mail.defer(to="lea@example.org", subject="Code", body="1234")
    a_day_passes_without_a_worker()
    owe(factories.article(), "carla")
    send_account_mail.defer(to="max@example.org", subject="Code", body="1234")


def test_what_was_owed_before_a_standstill_is_set_aside_and_the_rest_goes_out(restored, server, caplog):
    assert letters_owed() == ["lea@example.org", "max@example.org"]
    send_due()
    assert server.recipients == [address("carla")]
    assert states() == {"anton": SET_ASIDE, "berta": SET_ASIDE, "carla": SENT}
    assert letters_owed() == ["max@example.org"]
    (alarm,) = critical(caplog)
    assert alarm.endswith(": 3 mails are set aside (mail_status)")
    later(days=1)
    send_due()
    assert (server.recipients, critical(caplog)) == ([address("carla")], [alarm])


def test_it_was_an_outage_so_they_are_sent(restored, server):
    send_due()
    assert release_set_aside(send=True) == 3
    assert letters_owed() == ["lea@example.org", "max@example.org"]
    send_due()
    send_due()
    assert server.recipients == addresses("carla anton berta")
    assert release_set_aside(send=True) == 0


def test_it_was_an_old_dump_so_they_are_dropped(restored, server):
    send_due()
    assert release_set_aside(send=False) == 3
    later(days=1)
    send_due()
    assert server.recipients == [address("carla")]
    assert states() == {"anton": DROPPED, "berta": DROPPED, "carla": SENT}
    assert letters_owed() == ["max@example.org"]
    assert ProcrastinateJob.objects.get(args__to="lea@example.org").status == "cancelled"
    assert release_set_aside(send=True) == 0


def test_comments_of_before_announced_only_now_are_set_aside_too(article, server):
    """Their job was in the dump; their mails may have gone out."""
    for name in ("anton", "berta"):
        factories.subscription(article, address(name))
    old = factories.comment(article)
    a_day_passes_without_a_worker()
    keep_alive()
    new = factories.comment(article)
    for comment in (old, new):
        announce(comment_id=comment.pk)
    send_due()
    assert server.recipients == addresses("anton berta")
    assert states(comment=old) == {"anton": SET_ASIDE, "berta": SET_ASIDE}
    assert states(comment=new) == {"anton": SENT, "berta": SENT}


@pytest.mark.parametrize("send, expected", [(True, SENT), (False, DROPPED)])
def test_digest_set_aside_is_one_mail_still(article, server, send, expected):
    for _comment in range(3):
        owe(article, "anton")
    Delivery.objects.update(gathered=True)
    server.to_recipient[EVERYBODY] = "451 4.3.0 Spaeter"
    send_due()
    server.to_recipient.clear()
    a_day_passes_without_a_worker()
    send_due()
    assert release_set_aside(send=send) == 1
    send_due()
    assert len(server.taken) == send
    assert set(Delivery.objects.values_list("state", flat=True)) == {expected}


def test_three_hours_without_a_worker_is_not_yet_a_standstill(article, server):
    owe(article, "anton")
    Outbox.now()
    Outbox.objects.update(alive_at=timezone.now() - STANDSTILL + timedelta(seconds=10))
    send_due()
    assert server.recipients == [address("anton")]


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
