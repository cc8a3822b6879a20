"""Which replies a thread begins with: those that are still there, and links to any of them arrive."""

import random
import re

import pytest

from comments.models import Comment
from comments.services import delete_comment
from comments.threads import LOOKED_AT, REPLIES_PER_THREAD, THREADS_PER_PAGE, TOMBSTONES
from moderation.services import remove
from tests import factories


def shown(page) -> list[int]:
    return [int(number) for number in re.findall(r'<article id="kommentar-(\d+)"', page.text)]


def test_what_is_gone_takes_no_others_place(article, client):
    root = factories.comment(article)
    replies = [factories.comment(article, parent=root) for _ in range(REPLIES_PER_THREAD + 2)]
    for reply in replies[:REPLIES_PER_THREAD]:
        remove(reply, moderator=None, reason="Regel 1")
    page = client.get(article.get_absolute_url())
    assert shown(page) == [root.number, *[reply.number for reply in replies[REPLIES_PER_THREAD:]]]
    assert "anzeigen</a>" not in page.text


def test_nor_on_a_crowded_page(article, client):
    for _ in range(THREADS_PER_PAGE // 2):
        root = factories.comment(article)
        gone, reply, _further = [factories.comment(article, parent=root) for _ in range(3)]
        remove(gone, moderator=None, reason="Regel 1")
    page = client.get(article.get_absolute_url())
    assert {root.number, reply.number} <= set(shown(page))
    assert gone.number not in shown(page)
    assert "1 weitere Antwort anzeigen" in page.text


def test_of_a_thread_whose_beginning_is_all_gone_only_so_many_are_looked_at(article, client):
    root = factories.comment(article)
    replies = [factories.comment(article, parent=root) for _ in range(LOOKED_AT + 1)]
    Comment.objects.filter(root=root, number__lte=replies[LOOKED_AT - 1].number).update(state=Comment.State.REMOVED)
    Comment.objects.filter(pk=root.pk).update(reply_count=1)
    page = client.get(article.get_absolute_url())
    assert shown(page) == [root.number]
    assert "1 Antwort anzeigen" in page.text
    there = client.get(replies[-1].get_absolute_url(), follow=True)
    assert replies[-1].number in shown(there)


def delete(comment: Comment) -> None:
    delete_comment(comment=comment, reader=comment.reader)


def test_deleted_ones_leave_tombstones_that_take_no_others_place(article, client):
    root = factories.comment(article)
    replies = [factories.comment(article, parent=root) for _ in range(TOMBSTONES + REPLIES_PER_THREAD + 4)]
    tombstones, rest = replies[: TOMBSTONES + 1], replies[TOMBSTONES + 1 :]
    for reply in tombstones:
        delete(reply)
    first = rest[:REPLIES_PER_THREAD]
    page = client.get(article.get_absolute_url())
    assert shown(page) == [comment.number for comment in [root, *tombstones[:TOMBSTONES], *first]]
    assert f"{len(rest) - len(first)} weitere Antworten anzeigen" in page.text
    delete(rest[-1])  # further back than those shown
    assert shown(client.get(article.get_absolute_url())) == shown(page)
    for reply in (tombstones[-1], rest[-1]):
        conversation = client.get(reply.get_absolute_url(), follow=True)
        assert reply.number in shown(conversation)


@pytest.mark.parametrize("living", range(REPLIES_PER_THREAD + 2))
def test_deleted_last_it_leaves_a_tombstone_where_all_are_shown(article, client, living):
    root = factories.comment(article)
    replies = [factories.comment(article, parent=root) for _ in range(living + 1)]
    delete(replies[-1])
    page = client.get(article.get_absolute_url())
    assert shown(page) == [comment.number for comment in [root, *replies]]
    assert page.text.count("<details") == page.text.count("</details>")


@pytest.mark.parametrize("view", ["", "?ansicht=flach", "?ansicht=eingeklappt", "?sortierung=meistbewertet"])
def test_tombstone_of_a_thread_stands_in_every_view(article, client, view):
    before, deleted, after = (factories.comment(article) for _ in range(3))
    delete(deleted)
    assert sorted(shown(client.get(f"{article.get_absolute_url()}{view}"))) == [1, 2, 3]


def test_it_is_not_listed_among_what_is_new(article, client):
    for comment in [factories.comment(article) for _ in range(2)]:
        delete(comment)
    page = client.get(f"{article.get_absolute_url()}?ansicht=flach&seit=1")
    assert (shown(page), "Seitdem ist nichts dazugekommen." in page.text) == ([], True)


@pytest.mark.parametrize("go", [lambda comment: remove(comment, moderator=None, reason="Regel 1"), delete])
@pytest.mark.parametrize("seed", range(3))
def test_links_arrive_whatever_is_gone(article, client, seed, go):
    chance = random.Random(seed)
    for _ in range(6):
        thread = [factories.comment(article)]
        for _ in range(chance.choice([0, 2, 5, 5, 24])):
            thread.append(factories.comment(article, parent=chance.choice(thread)))
    for comment in Comment.objects.published().order_by("pk"):
        if chance.random() < 0.4:
            go(comment)
    places = set()
    for comment in Comment.objects.exclude(state=Comment.State.REMOVED):
        page = client.get(comment.get_absolute_url(), follow=True)
        places.add("gespraech" in page.redirect_chain[-1][0])
        assert comment.number in shown(page)
    assert places == {True, False}
