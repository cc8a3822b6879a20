"""How long ago a comment was written, said on a page that is kept: for everyone, and for as long as it is true."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from articles import middleware, views
from articles.models import Article
from comments.models import Comment
from comments.threads import thread_page
from moderation.services import approve
from newsroom.text.ago import DAY, HOUR, MINUTE, MONTH, YEAR
from tests import factories

WRITTEN = datetime(2090, 11, 27, 10, 0, tzinfo=UTC)  # 11 o'clock here; later than now, so that the article is public


@pytest.fixture
def talk(article, at) -> Article:
    """A thread of 11 o'clock and one of ten minutes later."""
    for minutes in (0, 10):
        at(WRITTEN + timedelta(minutes=minutes))
        factories.comment(article, f"Nach {minutes} Minuten.")
    return article


def times(page) -> list[tuple[str, str]]:
    """Of each comment, what is said and what stands beside it."""
    return re.findall(r"<time [^>]*>(.*?)<small> (.*?)</small></time>", page.text)


def read(article: Article, **headers: str):
    return Client().get(article.get_absolute_url(), headers=headers)


@pytest.mark.parametrize(
    ("later", "said"),
    [
        (timedelta(minutes=10), ["vor 10 Minuten", "jetzt"]),
        (timedelta(minutes=71), ["vor 1 Stunde", "vor 1 Stunde"]),
        (timedelta(hours=14), ["vor 14 Stunden", "vor 13 Stunden"]),
        (timedelta(hours=25), ["gestern", "gestern"]),
        (timedelta(days=90), ["vor 2 Monaten", "vor 2 Monaten"]),
    ],
)
def test_said_beside_the_time(talk, at, later, said):
    at(WRITTEN + later)
    assert times(read(talk)) == list(zip(said, ["27.11.2090 11:00", "27.11.2090 11:10"], strict=True))
    for address in (f"{talk.get_absolute_url()}gespraech/1/", f"{talk.get_absolute_url()}?ansicht=flach"):
        assert times(Client().get(address))[0] == (said[0], "27.11.2090 11:00")


@pytest.mark.parametrize(
    ("later", "machines_read"),
    [(timedelta(hours=23), "2090-11-27T11:00:00+01:00"), (timedelta(hours=25), "2090-11-27")],
)
def test_of_older_ones_machines_read_the_day(talk, at, later, machines_read):
    at(WRITTEN + later)
    first, *_ = re.findall('<div class="thread">.*?<time datetime="([^"]*)">', read(talk).text, re.DOTALL)
    assert first == machines_read


# Ages at which one word becomes another.
TURNS = [5 * MINUTE, 59 * MINUTE, HOUR, 7 * HOUR, DAY, 3 * DAY, MONTH, 4 * MONTH, YEAR, 2 * YEAR]


@pytest.mark.parametrize(
    ("later", "unchanged", "changed"),
    [
        (timedelta(minutes=30), timedelta(seconds=59), timedelta(seconds=61)),
        (timedelta(hours=5, minutes=10), timedelta(minutes=9), timedelta(minutes=11)),
        (timedelta(days=2), timedelta(hours=12), timedelta(hours=14)),  # midnight here is 13 hours later
        (timedelta(days=35), timedelta(days=6), timedelta(days=8)),
        (timedelta(days=390), timedelta(days=29), timedelta(days=31)),
    ],
)
def test_same_bytes_from_every_process_until_other_words_are_due(article, at, later, unchanged, changed):
    begin = WRITTEN + later
    turning = [begin + unchanged * part - turn for turn in TURNS for part in (0.3, 0.7)]  # at each by the clock alone
    for moment in sorted([moment for moment in turning if moment < WRITTEN] + [WRITTEN]):
        at(moment)
        factories.comment(article)
    at(begin)
    before = read(article)
    assert len(times(before)) > 2
    for part in (0.2, 0.5, 0.8, 1):
        at(begin + unchanged * part)
        forget()
        again = read(article)
        assert (again.content, again["ETag"]) == (before.content, before["ETag"])
        assert read(article, if_none_match=before["ETag"]).status_code == 304
    at(begin + changed)
    after = read(article, if_none_match=before["ETag"])
    assert after.status_code == 200
    assert after.content != before.content


def forget() -> None:
    """What comes next is answered as by a process that has kept nothing."""
    for kept in (views._pages, views._frames, middleware._answers):
        kept.clear()


def test_newest_comment_decides_how_long_even_if_it_is_gone(article, at):
    """A page that is made anew a little too often is still right."""
    for minutes in (0, 10.5):
        at(WRITTEN + timedelta(minutes=minutes))
        factories.comment(article)
    Comment.objects.filter(number=2).update(state=Comment.State.REMOVED)
    at(WRITTEN + timedelta(minutes=40))
    assert [said for said, _ in times(read(article))] == ["vor 39 Minuten"]  # 29 since the second


def test_feed_does_not_change_with_the_hour(talk, at):
    feed = f"{talk.get_absolute_url()}feed/"
    at(WRITTEN + timedelta(minutes=20))
    before = Client().get(feed)
    at(WRITTEN + timedelta(hours=20))
    assert Client().get(feed, headers={"If-None-Match": before["ETag"]}).status_code == 304


def test_approved_late_is_new_when_it_appears(article, at, moderator):
    at(WRITTEN)
    held = factories.comment(article, "Geprüft.", state=Comment.State.HELD)
    at(WRITTEN + timedelta(hours=3))
    approve(held, moderator=moderator)
    assert times(read(article)) == [("jetzt", "27.11.2090 14:00")]


def test_first_comment_may_come_while_the_page_is_made(article, monkeypatch):
    def answered_meanwhile(*asked):
        factories.comment(article)
        return thread_page(*asked)

    monkeypatch.setattr(views, "thread_page", answered_meanwhile)
    assert [said for said, _ in times(read(article))] == ["jetzt"]
