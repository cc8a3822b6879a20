"""Who is told of a new comment, and that everyone is told exactly once (E19; "Telling" in the design)."""

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued

from articles.models import Article
from comments.models import Comment
from comments.services import publish, withdraw
from moderation.services import approve, remove, restore
from readers.services import confirm_address
from subscriptions.models import Delivery, Subscription
from subscriptions.outbox import send_due
from subscriptions.services import end
from subscriptions.tasks import announce, hand_over_due
from tests import factories


def told(comment: Comment) -> list[str]:
    """The addresses to which the announcement of `comment` owes a mail."""
    announce(comment_id=comment.pk)
    return sorted(Delivery.objects.filter(comment=comment).values_list("email", flat=True))


# --- the whole way, with a real worker -------------------------------------------------------------------------------


def test_reply_reaches_the_subscriber_once(transactional_db, article, letters, run_jobs):
    parent = factories.comment(article, "Stimmt das?", name="Berta")
    factories.subscription(article, kind="replies", reader=parent.reader)
    Client().post(f"/kommentar/{parent.pk}/antworten/", factories.words(body="Ja, *sehr*.", name="Anna"))
    run_jobs()
    run_jobs()
    (letter,) = letters()
    assert letter.recipient == "berta@example.org"
    assert "Stimmt das?" in letter.text
    assert "Ja, *sehr*." in letter.text
    assert "<em>sehr</em>" in letter.html
    assert Delivery.objects.get().state == Delivery.State.SENT
    states = ProcrastinateJob.objects.filter(task_name__startswith="subscriptions.").values_list("status", flat=True)
    assert set(states) == {"succeeded"}


def test_comment_without_subscribers_owes_no_job(article):
    factories.subscription(article, confirmed_at=None)
    factories.subscription(article, "berta2@example.org", ended_at=timezone.now())
    factories.subscription(factories.article("Anderswo"))
    comment = factories.comment(article)
    assert ProcrastinateJob.objects.filter(args__comment_id=comment.pk).count() == 0


def test_whoever_ends_it_meanwhile_is_left_in_peace(transactional_db, article, run_jobs):
    row = factories.subscription(article)
    comment = factories.comment(article)
    end(row)
    run_jobs()
    job = ProcrastinateJob.objects.get(args__comment_id=comment.pk)
    assert (job.status, Delivery.objects.count()) == ("succeeded", 0)


def test_jobs_are_owed_when_other_connections_see_what_they_are_about(transactional_db, article, monkeypatch):
    """A worker defers over its own connection, which commits at once: a job before its row's commit finds nothing."""
    for name in ("berta", "carla"):
        factories.subscription(article, f"{name}@example.org")
    comment = factories.comment(article)
    seen = []

    def configure(**options: str) -> None:
        with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": None}) as other:
            seen.append(other.execute("SELECT count(*) FROM subscriptions_delivery").fetchone()[0])
        raise AlreadyEnqueued

    monkeypatch.setattr(hand_over_due, "configure", configure)
    announce(comment_id=comment.pk)
    assert seen == [2] * settings.MAIL_CONNECTIONS


def test_held_again_before_it_went_out_it_is_told_once_approved(transactional_db, article, letters, run_jobs):
    factories.subscription(article)
    comment = factories.comment(article)
    announce(comment_id=comment.pk)
    withdraw(comment, Comment.State.HELD)
    run_jobs()
    assert Delivery.objects.get().state == Delivery.State.DROPPED
    approve(comment, moderator=factories.editor())
    run_jobs()
    run_jobs()
    assert (len(letters()), Delivery.objects.get().state) == (1, Delivery.State.SENT)


# --- who -------------------------------------------------------------------------------------------------------------


def test_subscriber_to_the_article_is_told_of_threads_and_replies(article):
    factories.subscription(article)
    root = factories.comment(article)
    assert told(root) == ["berta@example.org"]
    assert told(factories.comment(article, parent=root)) == ["berta@example.org"]


def test_subscribed_twice_is_told_once_and_as_the_one_who_was_answered(article):
    mine = factories.comment(article)
    factories.subscription(article, reader=mine.reader)
    replies = factories.subscription(article, kind="replies", reader=mine.reader)
    assert told(factories.comment(article, parent=mine)) == ["berta@example.org"]
    assert Delivery.objects.get().subscription == replies


def test_replies_are_answers_to_ones_own_comments_only(article):
    mine = factories.comment(article)
    factories.subscription(article, kind="replies", reader=mine.reader)
    answer = factories.comment(article, parent=mine)
    assert told(answer) == ["berta@example.org"]
    assert told(factories.comment(article)) == []
    assert told(factories.comment(article, parent=factories.comment(article))) == []
    assert told(factories.comment(article, parent=answer)) == []


def test_replies_at_one_article_say_nothing_of_another(article):
    mine = factories.comment(article)
    factories.subscription(factories.article(), kind="replies", reader=mine.reader)
    factories.subscription(factories.article(), reader=mine.reader)
    assert told(factories.comment(article, parent=mine)) == []


def test_author_is_never_told_of_the_own_comment(article):
    author = factories.reader("Anna", "Anna@example.org")
    factories.subscription(article, "anna@example.org")  # asked for on another device
    factories.subscription(article, "other@example.org", reader=author)
    mine = factories.comment(article, reader=author)
    factories.subscription(article, "anna@example.org", kind="replies", reader=author)
    assert told(mine) == []
    assert told(factories.comment(article, parent=mine, reader=author)) == []


@pytest.mark.parametrize("state", [{"confirmed_at": None}, {"ended_at": timezone.now()}])
def test_without_consent_nobody_is_told(article, state):
    factories.subscription(article, **state)
    assert told(factories.comment(article)) == []


def test_held_comment_tells_nobody_until_it_is_approved(article):
    factories.subscription(article)
    held = factories.comment(article, state=Comment.State.HELD)
    assert told(held) == []
    approve(held, moderator=factories.editor())
    assert ProcrastinateJob.objects.filter(args__comment_id=held.pk).count() == 1
    assert told(held) == ["berta@example.org"]


def test_removing_and_restoring_tells_nobody_again(article):
    factories.subscription(article)
    comment = factories.comment(article)
    editor = factories.editor()
    remove(comment, moderator=editor, reason="Regel 1")
    restore(comment, moderator=editor)
    assert ProcrastinateJob.objects.filter(args__comment_id=comment.pk).count() == 1


# --- once ------------------------------------------------------------------------------------------------------------


def test_announcing_and_delivering_twice_is_one_mail(article, letters):
    factories.subscription(article)
    comment = factories.comment(article)
    for _ in range(2):
        announce(comment_id=comment.pk)
        send_due()
        send_due()
    assert [letter.recipient for letter in letters()] == ["berta@example.org"]
    assert Delivery.objects.get().state == Delivery.State.SENT


def test_jobs_about_what_is_gone_do_nothing(article, letters):
    announce(comment_id=2**62)
    assert letters() == []


# --- checked again at sending (E19) ----------------------------------------------------------------------------------


def end_by_link(row: Subscription, comment: Comment) -> None:
    Client(enforce_csrf_checks=True).post(f"/abo/nein/{row.token('end')}/", {"List-Unsubscribe": "One-Click"})


def remove_comment(row: Subscription, comment: Comment) -> None:
    remove(comment, moderator=factories.editor(), reason="Regel 1")


def take_article_back(row: Subscription, comment: Comment) -> None:
    Article.objects.update(state=Article.State.DRAFT)


def delete_subscription(row: Subscription, comment: Comment) -> None:
    row.delete()


@pytest.mark.parametrize("meanwhile", [end_by_link, remove_comment, take_article_back, delete_subscription])
def test_what_changed_while_the_mail_waited_stops_it(article, letters, meanwhile):
    row = factories.subscription(article)
    comment = factories.comment(article)
    assert told(comment) == ["berta@example.org"]
    meanwhile(row, comment)
    send_due()
    assert letters() == []
    assert set(Delivery.objects.values_list("state", flat=True)) <= {Delivery.State.DROPPED}


def test_dropped_delivery_is_not_sent_later(article, letters):
    factories.subscription(article)
    comment = factories.comment(article)
    told(comment)
    remove(comment, moderator=factories.editor(), reason="Regel 1")
    send_due()
    restore(comment, moderator=None)
    send_due()
    assert letters() == []


def test_words_of_a_parent_removed_meanwhile_are_not_mailed(article, letters):
    factories.subscription(article)
    parent = factories.comment(article, "Etwas Verbotenes.")
    reply = factories.comment(article, "Antwort.", parent=parent)
    remove(parent, moderator=factories.editor(), reason="Regel 1")
    told(reply)
    send_due()
    (letter,) = letters()
    assert "Verbotenes" not in letter.text + letter.html


# --- the same person on two devices ----------------------------------------------------------------------------------


def test_consent_survives_when_two_devices_become_one_person(article):
    """A device that only asked must not wipe out, when it joins, what another one had confirmed."""
    now = timezone.now()
    phone = factories.reader("Berta", "berta@example.org", email_confirmed_at=now)
    mine = factories.comment(article, reader=phone)
    confirmed = factories.subscription(article, kind="replies", reader=phone)
    laptop = factories.reader("Berta", "berta@example.org")
    factories.subscription(article, kind="replies", reader=laptop, confirmed_at=None)
    confirm_address(laptop, "berta@example.org")
    assert told(factories.comment(article, parent=mine)) == ["berta@example.org"]
    end_by_link(confirmed, mine)  # out of a mail that was sent before
    assert told(factories.comment(article, parent=mine)) == []


def test_publishing_defers_one_announcement(article):
    factories.subscription(article)
    held = factories.comment(article, state=Comment.State.HELD)
    publish(held)
    jobs = ProcrastinateJob.objects.filter(task_name="subscriptions.tasks.announce", args={"comment_id": held.pk})
    assert jobs.count() == 1
