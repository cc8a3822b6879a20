"""Row locks taken in one order: nobody waits for somebody who waits for them."""

import time
from threading import Barrier, Event, local

import pytest
from django.db import connection, transaction

from articles.models import CountersQuerySet
from comments import posting, screening, services
from comments.forms import Draft
from comments.models import BlockedWord, Comment, CommentQuerySet
from comments.posting import post_comment
from comments.screening import Circumstances, Verdict
from comments.services import delete_comment, edit_comment, vote
from moderation.models import Notice
from moderation.services import remove
from readers.merging import merge
from readers.models import Reader
from tests import factories
from tests.together import at_once


def test_removing_a_comment_and_answering_it_at_once_is_no_deadlock(transactional_db, article):
    """Removing locks the comment and then its root; answering the root and then, by its foreign key, the comment."""
    for _round in range(3):
        root = factories.comment(article)
        reply = factories.comment(article, parent=root)
        both = Barrier(2)

        def act(number: int, root=root, reply=reply, both=both) -> None:
            with transaction.atomic():
                if number == 0:
                    Comment.objects.lock(reply.pk)
                    both.wait(10)
                    remove(reply, moderator=None, reason="Regel 1")
                else:
                    Comment.objects.lock(root.pk)
                    both.wait(10)
                    factories.comment(article, parent=reply)
            connection.close()

        at_once(2, act)
        reply.refresh_from_db()
        assert (reply.state, Comment.objects.filter(parent=reply).count()) == ("removed", 1)


def test_deleting_a_comment_and_taking_back_a_vote_for_it_at_once_is_no_deadlock(
    transactional_db, article, monkeypatch
):
    """Deleting locks the comment and then its votes."""
    comment, voter, locked = factories.comment(article), factories.reader("Berta"), Event()
    vote(comment=comment, reader=voter, wanted=True)

    def settle(_comment: Comment) -> None:
        locked.set()
        time.sleep(0.3)  # the other one has come as far as it can

    monkeypatch.setattr(services, "settle_versions", settle)

    def act(number: int) -> None:
        if number == 0:
            delete_comment(comment=comment, reader=comment.reader)
        else:
            locked.wait(10)
            vote(comment=comment, reader=voter, wanted=False)
        connection.close()

    at_once(2, act)
    comment.refresh_from_db()
    assert (comment.state, comment.score, comment.votes.count()) == ("deleted", 0, 0)


def test_two_devices_become_one_while_what_one_reported_is_removed(transactional_db, article, monkeypatch):
    """Both change the article's counters and the notice."""
    one, other = factories.reader("Anna"), factories.reader("Anna")
    twice_voted, reported = factories.comment(article), factories.comment(article)
    for reader in (one, other):
        vote(comment=twice_voted, reader=reader, wanted=True)
    Notice.objects.create(comment=reported, reader=one, kind="abuse", reason="x", good_faith=True)
    both, here, touch = Barrier(2), local(), CountersQuerySet.touch

    def touch_together(*arguments, **changes) -> None:
        both.wait(10)
        time.sleep(0.3 * here.merges)  # whoever removes has the counters first, and wants the notice
        touch(*arguments, **changes)

    monkeypatch.setattr(CountersQuerySet, "touch", touch_together)

    def act(number: int) -> None:
        here.merges = number == 0
        with transaction.atomic():
            if here.merges:
                merge(one, other)
            else:
                remove(reported, moderator=None, reason="Regel 1")
        connection.close()

    at_once(2, act)
    notice = Notice.objects.get()
    assert (notice.reader, notice.state) == (other, "decided")


@pytest.fixture
def dawdling(monkeypatch) -> None:
    """Whoever has locked a comment, and whoever screens one, takes a while."""
    lock, screen = CommentQuerySet.lock, screening.screen

    def lock_and_dawdle(*arguments) -> Comment:
        locked = lock(*arguments)
        time.sleep(0.3)
        return locked

    def screen_and_dawdle(**what) -> Verdict:
        time.sleep(0.3)
        return screen(**what)

    monkeypatch.setattr(CommentQuerySet, "lock", lock_and_dawdle)
    for using in (posting, services):
        monkeypatch.setattr(using, "screen", screen_and_dawdle)


@pytest.mark.usefixtures("dawdling")
def test_changing_a_comment_and_answering_it_from_one_network_at_once_is_no_deadlock(transactional_db, article):
    """Both count an attempt of their network and change the comment."""
    author, other = factories.reader("Anna"), factories.reader("Bert")
    root = factories.comment(article, reader=author)
    factories.comment(article, reader=other)  # no newcomer, whose first would be held
    how = Circumstances(key=None, network="192.0.2.0/24")

    def act(number: int) -> None:
        if number == 0:
            edit_comment(comment=root, reader=author, body="Andere Worte.", how=how)
        else:
            draft = Draft(body="Eine Antwort.", name="Bert")
            post_comment(article=article, parent=root, reader=other, draft=draft, how=how)

    at_once(2, act)
    assert Comment.objects.get(pk=root.pk).body == "Andere Worte."
    assert Comment.objects.filter(parent=root).published().count() == 1


@pytest.mark.usefixtures("dawdling")
def test_changing_a_comment_and_its_answer_from_one_network_at_once_is_no_deadlock(transactional_db, article):
    """Both count an attempt of their network; the answer is held for its new words, and counted off its root."""
    BlockedWord.objects.create(word="pille")
    root, reply_author = factories.comment(article), factories.reader("Bert")
    reply = factories.comment(article, parent=root, reader=reply_author)
    how = Circumstances(key=None, network="192.0.2.0/24")

    def act(number: int) -> None:
        if number == 0:
            edit_comment(comment=root, reader=root.reader, body="Andere Worte.", how=how)
        else:
            edit_comment(comment=reply, reader=reply_author, body="Eine Pille.", how=how)

    at_once(2, act)
    root.refresh_from_db()
    reply.refresh_from_db()
    assert (root.body, root.reply_count, reply.body, reply.state) == ("Andere Worte.", 0, "Eine Pille.", "held")


@pytest.mark.parametrize("notify", [False, True])
def test_whoever_waits_keeps_nobody_of_the_same_network_waiting(transactional_db, article, notify):
    root, elsewhere = factories.comment(article), factories.article()
    how = Circumstances(key=None, network="192.0.2.0/24")
    taken, waits = Event(), Event()
    took = {}

    def act(number: int) -> None:
        if number == 0:
            with transaction.atomic():
                Comment.objects.lock(root.pk)
                taken.set()
                waits.wait(10)
            return
        taken.wait(10)
        time.sleep(0.3 * (number - 1))
        place = {"article": article, "parent": root} if number == 1 else {"article": elsewhere, "parent": None}
        reader = factories.reader("Anna")
        factories.comment(elsewhere, reader=reader)  # no newcomer, whose first would be held
        begin = time.monotonic()
        draft = Draft(body=f"Kommentar {number}.", name="Anna", email=f"anna{number}@example.org", notify=notify)
        comment = post_comment(**place, reader=reader, draft=draft, how=how)
        assert comment.is_published
        took[number] = time.monotonic() - begin
        if number == 2:
            assert 1 not in took
            waits.set()

    at_once(3, act)
    assert took[1] > took[2]


def test_a_device_does_not_speak_as_the_account_that_it_became_meanwhile(article, moderator):
    device, account = factories.reader("Anna"), factories.reader("Anna", user=moderator)
    stale = Reader.objects.get(pk=device.pk)
    merge(device, account)
    draft, how = Draft(body="Ich noch einmal.", name="Anna"), Circumstances(key=None, network="192.0.2.0/24")
    comment = post_comment(article=article, parent=None, reader=stale, draft=draft, how=how)
    assert (comment.reader, comment.badge) == (account, "")


def test_deleting_is_the_authors_even_after_two_devices_became_one(article):
    """The view found the reader before they were merged."""
    old, new = factories.reader("Anna"), factories.reader("Anna")
    comment = factories.comment(article, reader=old)
    Comment.objects.filter(pk=comment.pk).update(reader=new)
    old.merged_into = new
    old.save()
    delete_comment(comment=comment, reader=old)
    comment.refresh_from_db()
    assert comment.state == "deleted"
