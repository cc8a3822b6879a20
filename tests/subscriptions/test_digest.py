"""What is gathered by the hour, the day or a night's quiet: one mail, and each item in exactly one (B16, E20)."""

from datetime import UTC, datetime, time, timedelta
from itertools import permutations
from zoneinfo import ZoneInfo

import pytest
from django.db.models import F
from django.utils import timezone

from articles.models import Article
from comments.models import Comment
from comments.services import publish, withdraw
from newsroom.models import Suppression
from subscriptions.models import Delivery, Recipient, Subscription
from subscriptions.outbox import send_due
from subscriptions.services import choose_rhythm, end, keep_recipient
from subscriptions.tasks import announce
from tests import factories
from tests.subscriptions.scripted import EVERYBODY, HANG_UP, MailServer, Taken, mail_server

BERTA = "berta@example.org"
WAITING, SENT, DROPPED = Delivery.State.WAITING, Delivery.State.SENT, Delivery.State.DROPPED


@pytest.fixture
def server(settings) -> MailServer:
    return mail_server(settings)


@pytest.fixture
def row(article) -> Subscription:
    return factories.subscription(article, rhythm="hourly")


def say(article: Article, *bodies: str, **fields) -> list[Comment]:
    """Published comments, announced one after the other."""
    comments = [factories.comment(article, body, **fields) for body in bodies]
    for comment in comments:
        announce(comment_id=comment.pk)
    return comments


def later(**by: float) -> None:
    Delivery.objects.update(due_at=F("due_at") - timedelta(**by))


def an_hour_later() -> None:
    later(hours=1)
    send_due()


def states() -> dict[str, str]:
    return {row.comment.body: row.state for row in Delivery.objects.select_related("comment")}


def told(mail: Taken) -> list[str]:
    """The comments in a mail, in its order: in these tests each is one word in capitals."""
    return [word for word in mail.text.split() if word.isupper() and word.isalpha()]


def quiet_now(zone: str = "Europe/Berlin", **fields) -> Recipient:
    """Berta sleeps since an hour ago and for eight hours more."""
    now = datetime.now(UTC)  # the hours are real ones, also in a night in which the clock is put forward
    start, until = ((now + timedelta(hours=hours)).astimezone(ZoneInfo(zone)) for hours in (-1, 8))
    return Recipient.objects.create(
        email=BERTA,
        time_zone=zone,
        quiet_from=time(start.hour, start.minute),
        quiet_until=time(until.hour, until.minute),
        **fields,
    )


# --- one mail --------------------------------------------------------------------------------------------------------


def test_three_comments_in_the_hour_are_one_mail_under_the_article(article, row, server):
    first, second, third = say(article, "EINS", "ZWEI", "DREI")
    send_due()
    assert server.taken == []
    an_hour_later()
    (mail,) = server.taken
    assert told(mail) == ["EINS", "ZWEI", "DREI"]
    assert mail.text.startswith("3 neue Kommentare zu „Brücke gesperrt“.")
    assert mail.header("In-Reply-To") == mail.header("References") != mail.message_id
    assert mail.header("Subject") == "Kommentare zu „Brücke gesperrt“"
    assert states() == {"EINS": SENT, "ZWEI": SENT, "DREI": SENT}
    links = [f"http://localhost:8000/kommentar/{comment.pk}/" for comment in (first, second, third)]
    assert [line.removeprefix("Lesen: ") for line in mail.text.splitlines() if line.startswith("Lesen: ")] == links
    an_hour_later()
    assert len(server.taken) == 1


def test_all_mails_of_an_article_hang_below_one_root(article, row, server):
    say(article, "EINS", "ZWEI")
    an_hour_later()
    choose_rhythm(row, "at_once")
    say(article, "DREI")
    send_due()
    digest, single = server.taken
    assert digest.header("In-Reply-To") == single.header("In-Reply-To")
    assert digest.header("List-Id") == single.header("List-Id")
    assert digest.header("Subject") == single.header("Subject")
    assert digest.message_id != single.message_id


def test_digest_ends_everything_like_any_mail(article, row, server, client):
    say(article, "EINS", "ZWEI")
    an_hour_later()
    (mail,) = server.taken
    path = f"/abo/nein/{row.token('end')}/"
    assert mail.header("List-Unsubscribe") == f"<http://localhost:8000{path}>"
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    assert mail.header("Auto-Submitted") == "auto-generated"
    assert f"http://localhost:8000{path}" in mail.text


def test_items_stand_in_the_order_of_the_conversation(article, row, server):
    comments = [factories.comment(article, body) for body in ("EINS", "ZWEI", "DREI")]
    for comment in reversed(comments):
        announce(comment_id=comment.pk)
    an_hour_later()
    assert [told(mail) for mail in server.taken] == [["EINS", "ZWEI", "DREI"]]


def test_an_hour_with_one_comment_is_that_comments_mail(article, row, server):
    say(article, "EINS")
    an_hour_later()
    (mail,) = server.taken
    assert mail.text.startswith("Anna hat einen Kommentar zu „Brücke gesperrt“ geschrieben.")


def test_two_articles_are_two_mails_and_two_readers_too(article, row, server):
    other = factories.article("Anderswo")
    factories.subscription(other, rhythm="hourly")
    factories.subscription(other, "carla@example.org", rhythm="hourly")
    for body in ("EINS", "ZWEI"):
        say(article, body)
        say(other, f"{body}B")
    an_hour_later()
    assert sorted((mail.recipient, *told(mail)) for mail in server.taken) == [
        (BERTA, "EINS", "ZWEI"),
        (BERTA, "EINSB", "ZWEIB"),
        ("carla@example.org", "EINSB", "ZWEIB"),
    ]


def test_replies_to_me_and_comments_share_a_mail(article, row, server):
    mine = factories.comment(article, "MEINS", reader=row.reader)
    factories.subscription(article, kind="replies", reader=row.reader, rhythm="hourly")
    say(article, "EINS")
    say(article, "ZWEI", parent=mine, name="Dora")
    an_hour_later()
    (mail,) = server.taken
    assert told(mail) == ["EINS", "MEINS", "ZWEI"]
    assert "Dora antwortet Ihnen:" in mail.text
    assert "Anna antwortet" not in mail.text


def test_daily_is_one_mail_at_the_readers_hour(article, server):
    row = factories.subscription(article, rhythm="daily")
    in_six_hours = timezone.now().astimezone(ZoneInfo("Asia/Kolkata")) + timedelta(hours=6)
    wall = time(in_six_hours.hour, in_six_hours.minute)
    Recipient.objects.create(email=row.email, time_zone="Asia/Kolkata", daily_at=wall)
    say(article, "EINS", "ZWEI")
    later(hours=5, minutes=58)
    send_due()
    assert server.taken == []
    later(minutes=2)
    send_due()
    assert [told(mail) for mail in server.taken] == [["EINS", "ZWEI"]]


def test_very_busy_day_is_several_mails_that_no_program_cuts_off(article, server):
    """Gmail shows 102 kB of a mail; the link that ends it stands last (B10)."""
    factories.subscription(article, rhythm="daily")
    words = [f"{letter}{letter}" for letter in "ABCDEFGH"]
    say(article, *(f"{word} {'&' * 4900}" for word in words), parent=factories.comment(article, "<" * 4900))
    later(days=1)
    send_due()
    assert sorted(word for mail in server.taken for word in told(mail)) == words
    assert [told(mail) for mail in server.taken] == [sorted(told(mail)) for mail in server.taken]
    assert max(len(mail.html.encode()) for mail in server.taken) < 100_000
    assert [len(told(mail)) for mail in server.taken] == [3, 3, 2]
    assert len({mail.message_id for mail in server.taken}) == 3


# --- quiet -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kolkata"])
def test_a_quiet_night_gathers_what_is_told_at_once(article, server, zone):
    row = factories.subscription(article)
    say(article, "VORHER")
    quiet_now(zone)
    say(article, "EINS", "ZWEI")
    send_due()
    assert [told(mail) for mail in server.taken] == [["VORHER"]]
    later(hours=7, minutes=58)
    send_due()
    assert len(server.taken) == 1
    later(minutes=2)
    send_due()
    assert [told(mail) for mail in server.taken] == [["VORHER"], ["EINS", "ZWEI"]]
    assert {mail.recipient for mail in server.taken} == {row.email}


def test_who_asks_for_quiet_has_it_for_what_is_waiting_too(article, row, server):
    say(article, "EINS", "ZWEI")
    sleeper = quiet_now()
    keep_recipient(sleeper)
    an_hour_later()
    assert server.taken == []
    later(hours=7)
    send_due()
    assert [told(mail) for mail in server.taken] == [["EINS", "ZWEI"]]


# --- what changed meanwhile ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gone", [0, 1])
def test_comment_removed_meanwhile_is_left_out(article, row, server, gone):
    comments = say(article, "EINS", "ZWEI", "DREI")
    withdraw(comments[gone], Comment.State.REMOVED)
    left = [comment.body for comment in comments if comment is not comments[gone]]
    an_hour_later()
    assert [told(mail) for mail in server.taken] == [left]
    assert states() == dict.fromkeys(left, SENT) | {comments[gone].body: DROPPED}


def test_nothing_left_is_no_mail(article, row, server):
    for comment in say(article, "EINS", "ZWEI"):
        withdraw(comment, Comment.State.REMOVED)
    an_hour_later()
    assert (server.connections, states()) == (0, {"EINS": DROPPED, "ZWEI": DROPPED})


def test_ended_or_suppressed_meanwhile_is_no_mail(article, row, server):
    say(article, "EINS", "ZWEI")
    other = factories.subscription(article, "carla@example.org", rhythm="hourly")
    say(article, "DREI")
    end(row)
    Suppression.objects.suppress(other.email, Suppression.Reason.BY_HAND)
    an_hour_later()
    assert server.taken == []
    assert set(Delivery.objects.filter(email=BERTA).values_list("state", flat=True)) == {DROPPED}
    assert Delivery.objects.get(email=other.email).state == Delivery.State.SUPPRESSED


def test_removed_between_two_tries_is_left_out_of_the_second(article, row, server):
    comments = say(article, "EINS", "ZWEI", "DREI")
    server.to_recipient[EVERYBODY] = "451 4.3.0 Spaeter"
    an_hour_later()
    server.to_recipient.clear()
    withdraw(comments[0], Comment.State.REMOVED)
    an_hour_later()
    assert [told(mail) for mail in server.taken] == [["ZWEI", "DREI"]]


@pytest.mark.parametrize("held", [0, 1])
def test_held_again_and_approved_after_the_digest_is_told_after_all(article, row, server, held):
    """Under an id of its own: mail programs hide a second mail with the id of one that they have."""
    comments = say(article, "EINS", "ZWEI", "DREI")
    withdraw(comments[held], Comment.State.HELD)
    left = [comment.body for comment in comments if comment is not comments[held]]
    an_hour_later()
    publish(comments[held])
    announce(comment_id=comments[held].pk)
    an_hour_later()
    assert [told(mail) for mail in server.taken] == [left, [comments[held].body]]
    assert len({mail.message_id for mail in server.taken}) == 2


# --- each item once, whatever happens between ------------------------------------------------------------------------


@pytest.mark.parametrize("before, after", list(permutations(["at_once", "hourly", "daily"], 2)))
def test_nothing_is_lost_or_doubled_when_the_rhythm_changes(article, server, before, after):
    row = factories.subscription(article, rhythm=before)
    say(article, "EINS", "ZWEI")
    choose_rhythm(row, after)
    say(article, "DREI")
    for _time in range(3):
        later(hours=12)
        send_due()
    assert sorted(word for mail in server.taken for word in told(mail)) == ["DREI", "EINS", "ZWEI"]
    if before != "at_once":  # what was due already goes as it was to go
        assert len(server.taken) == (3 if after == "at_once" else 1)


@pytest.mark.parametrize("first, second", [("daily", "at_once"), ("at_once", "daily")])
def test_back_and_forth(article, server, first, second):
    row = factories.subscription(article, rhythm=first)
    for body, rhythm in [("EINS", second), ("ZWEI", first), ("DREI", second), ("VIER", first)]:
        say(article, body)
        row.refresh_from_db()
        choose_rhythm(row, rhythm)
    later(days=1)
    send_due()
    later(days=1)
    send_due()
    assert sorted(word for mail in server.taken for word in told(mail)) == ["DREI", "EINS", "VIER", "ZWEI"]


def dies(name: str, monkeypatch) -> None:
    """The worker's process ends where it would have called this; what it had not committed is gone."""

    def die(*_args: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(f"subscriptions.outbox.{name}", die)
        with pytest.raises(SystemExit):
            send_due()


BEFORE_SENDING, AFTER_THE_SERVER_TOOK_IT = "letter", "_mark"


@pytest.mark.parametrize("where, mails", [(BEFORE_SENDING, 1), (AFTER_THE_SERVER_TOOK_IT, 2)])
@pytest.mark.parametrize("after", ["at_once", "daily"])
def test_worker_that_dies_over_a_digest(article, row, server, monkeypatch, where, mails, after):
    """What was settled before it went out stays: the second mail is the first once more, with the same id."""
    say(article, "EINS", "ZWEI", "DREI")
    later(hours=1)
    dies(where, monkeypatch)
    assert set(states().values()) == {WAITING}
    choose_rhythm(row, after)
    say(article, "VIER")
    for _time in range(3):
        later(hours=12)
        send_due()
    digests, rest = server.taken[:-1], server.taken[-1]
    assert [told(mail) for mail in digests] == [["EINS", "ZWEI", "DREI"]] * mails
    assert len({mail.message_id for mail in digests}) == 1
    assert told(rest) == ["VIER"]
    assert set(states().values()) == {SENT}


def test_worker_that_dies_while_it_gathers_has_settled_nothing(article, row, server, monkeypatch):
    say(article, "EINS", "ZWEI")
    later(hours=1)
    dies("_gather", monkeypatch)
    say(article, "DREI")
    later(hours=1)
    send_due()
    assert [told(mail) for mail in server.taken] == [["EINS", "ZWEI", "DREI"]]


def test_no_answer_after_a_digest(article, row, server):
    server.to_mail[BERTA] = HANG_UP
    say(article, "EINS", "ZWEI")
    an_hour_later()
    server.to_mail.clear()
    say(article, "DREI")
    an_hour_later()
    first, *rest = server.taken
    # At the end of an hour the next mail is due before the second try.
    again, other = sorted(rest, key=told, reverse=True)
    assert (told(first), told(again), told(other)) == (["EINS", "ZWEI"], ["EINS", "ZWEI"], ["DREI"])
    assert first.message_id == again.message_id != other.message_id


def test_digest_to_an_address_that_does_not_exist_fails_as_a_whole(article, row, server):
    server.to_recipient[BERTA] = "550 5.1.1 Unbekannt"
    say(article, "EINS", "ZWEI")
    factories.subscription(article, "carla@example.org")
    later(hours=1)
    say(article, "DREI")
    send_due()
    assert Suppression.objects.get().email == BERTA
    failed = Delivery.objects.filter(state=Delivery.State.FAILED)
    assert sorted(failed.values_list("comment__body", flat=True)) == ["EINS", "ZWEI"]


# --- threads ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answered", [0, 1])
def test_reply_to_what_a_digest_told_answers_the_digest(article, row, server, answered):
    comments = say(article, "EINS", "ZWEI", "DREI")
    an_hour_later()
    choose_rhythm(row, "at_once")
    say(article, "VIER", parent=comments[answered])
    send_due()
    digest, reply = server.taken
    assert reply.header("In-Reply-To") == digest.message_id
    assert reply.header("References").split() == [digest.header("References"), digest.message_id]
