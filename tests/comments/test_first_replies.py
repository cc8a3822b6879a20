"""Which replies a thread begins with: those that are still there, and links to any of them arrive."""

import random
import re

import pytest

from comments import threads
from comments.models import Comment, Vote
from comments.position import Position
from comments.services import delete_comment, vote
from comments.threads import CROWDED, LOOKED_AT, REPLIES_PER_THREAD, THREADS_PER_PAGE, TOMBSTONES, thread_page
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


def test_what_was_removed_and_answered_leaves_the_place_to_an_answer(article, client):
    for _ in range(THREADS_PER_PAGE // 2):
        root = factories.comment(article)
        gone = factories.comment(article, parent=root)
        answer, _further = factories.comment(article, parent=gone), factories.comment(article, parent=root)
        remove(gone, moderator=None, reason="Regel 1")
    page = client.get(article.get_absolute_url())
    assert shown(page)[-3:] == [root.number, gone.number, answer.number]
    assert page.text.count("1 weitere Antwort anzeigen") == THREADS_PER_PAGE // 2


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


def take_away(comment: Comment) -> None:
    remove(comment, moderator=None, reason="Regel 1")


def take_back(comment: Comment) -> None:
    delete_comment(comment=comment, reader=comment.reader, as_if_never=True)


@pytest.mark.parametrize("ways", [[take_away], [take_away, take_back, delete]], ids=["removed", "mixed"])
@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("crowded", [3, CROWDED])
def test_links_arrive_whatever_is_gone(article, client, seed, ways, crowded, monkeypatch):
    monkeypatch.setattr(threads, "CROWDED", crowded)
    chance = random.Random(seed)
    for _ in range(6):
        thread = [factories.comment(article)]
        for _ in range(chance.choice([0, 2, 5, 5, 24])):
            thread.append(factories.comment(article, parent=chance.choice(thread)))
    for comment in Comment.objects.published().order_by("pk"):
        if chance.random() < 0.4:
            chance.choice(ways)(comment)
    seen = set()
    for comment in Comment.objects.all():
        page = client.get(comment.get_absolute_url(), follow=True)
        seen.add((comment.state, page.status_code))
        assert (comment.number in shown(page)) is (page.status_code == 200)
        assert page.text.count("<details") == page.text.count("</details>")
    assert {status for _state, status in seen} == {200, 404}
    assert ("published", 404) not in seen
    for thread in thread_page(article, Position()).threads:  # of 25 replies some are among the first that are looked at
        assert any(node.comment.is_published for node in thread.nodes[1:]) is bool(thread.root.reply_count)


def test_reply_deleted_beneath_what_was_removed_is_told_to_be_gone(article, client):
    """A thread that the editors took away has no place for it any more."""
    root = factories.comment(article)
    reply = factories.comment(article, parent=root)
    take_away(root)
    delete(reply)
    page = client.get(reply.get_absolute_url(), follow=True)
    assert page.status_code == 404
    assert "von seiner Autorin oder seinem Autor gelöscht" in page.text


def test_removed_reply_with_a_tombstone_beneath_it_is_found(article, client):
    root = factories.comment(article)
    removed = factories.comment(article, parent=root)
    delete(factories.comment(article, parent=removed))
    take_away(removed)
    assert shown(client.get(removed.get_absolute_url(), follow=True)) == [1, 2, 3]


def test_deleted_one_with_answers_takes_no_others_place(article, client):
    root = factories.comment(article)
    deleted = factories.comment(article, parent=root)
    replies = [factories.comment(article, parent=parent) for parent in (deleted, root, root)]
    last = factories.comment(article, parent=replies[-1])
    for comment in (deleted, last):
        delete(comment)
    page = client.get(article.get_absolute_url())
    assert shown(page) == [1, 2, 3, 4, 5, 6]
    assert "anzeigen</a>" not in page.text


def test_what_is_folded_is_counted_as_it_can_be_read(article, client):
    root = factories.comment(article)
    replies = [factories.comment(article, parent=root) for _ in range(2)]
    below = factories.comment(article, parent=replies[0])
    page = client.get(article.get_absolute_url()).text
    assert re.findall("<summary>(.*?)</summary>", page) == ["3 Antworten", "1 Antwort"]
    for comment in (below, replies[1]):
        delete(comment)
    page = client.get(article.get_absolute_url()).text
    assert re.findall("<summary>(.*?)</summary>", page) == ["1 Antwort", "Gelöschte Antworten"]


def test_deleted_it_heads_no_order(article, client):
    first, second = (factories.comment(article) for _ in range(2))
    for comment, votes in ((first, 1), (second, 2)):
        for _ in range(votes):
            vote(comment=comment, reader=factories.reader("Eva"), wanted=True)
    best = f"{article.get_absolute_url()}?sortierung=meistbewertet"
    assert shown(client.get(best)) == [2, 1]
    delete(second)
    assert (shown(client.get(best)), Vote.objects.count()) == ([1, 2], 1)
