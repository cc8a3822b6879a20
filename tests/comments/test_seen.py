"""What is new since the last visit, without a script: kept on the device, and only if it was asked for."""

import re
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from comments import own
from comments.models import Comment
from comments.seen import MOST_ARTICLES, VISIT_LASTS
from comments.services import withdraw
from tests import factories

MINUTE = 60


@pytest.fixture
def later(monkeypatch):
    """Sets the clock on by so many minutes."""
    begin, passed = time.time(), []
    monkeypatch.setattr(time, "time", lambda: begin + sum(passed) * MINUTE)
    return passed.append


def ask(client, article, wanted: str = "1", **form: str):
    return client.post(f"{article.get_absolute_url()}neues/", {"wanted": wanted, **form})


def new_on(page: str) -> list[int]:
    """The numbers of the comments that are marked as new."""
    comments = re.findall(r'<article id="kommentar-(\d+)" class="comment"(.*?)</header>', page, re.DOTALL)
    return [int(number) for number, head in comments if 'class="badge fresh"' in head]


def read(client, article, query: str = "") -> str:
    return client.get(f"{article.get_absolute_url()}{query}").text


def test_what_came_after_the_last_visit_is_new(client, article, later):
    factories.comment(article, "Alt.")
    asked = ask(client, article, von="?sortierung=neueste")
    assert asked.url == f"{article.get_absolute_url()}?sortierung=neueste#ordnung"
    assert new_on(read(client, article)) == []
    later(VISIT_LASTS)
    for words in ("Neu.", "Auch neu."):
        factories.comment(article, words)
    page = read(client, article)
    assert new_on(page) == [2, 3]
    address = f"{article.get_absolute_url()}?ansicht=flach&amp;seit=1#faeden"
    assert f'<a class="news" href="{address}">2 neue Kommentare seit Ihrem letzten Besuch</a>' in page
    assert new_on(read(client, article, "?ansicht=flach&seit=1")) == [2, 3]


def test_it_stays_new_until_the_visit_is_over(client, article, later):
    ask(client, article)
    later(VISIT_LASTS)
    factories.comment(article)
    for _page in range(3):
        assert new_on(read(client, article)) == [1]
        later(VISIT_LASTS - 1)
    factories.comment(article)
    assert new_on(read(client, article, "?sortierung=neueste")) == [2, 1]
    later(VISIT_LASTS)
    page = read(client, article)
    assert (new_on(page), 'class="news"' in page) == ([], False)


def test_a_conversation_of_its_own_marks_it_too_and_is_no_visit(client, article, later):
    root = factories.comment(article)
    ask(client, article)
    later(VISIT_LASTS)
    factories.comment(article, parent=root)
    for _page in range(2):
        assert new_on(read(client, article, "gespraech/1/")) == [2]
        later(VISIT_LASTS)


def test_a_visit_goes_on_in_a_conversation_of_its_own(client, article, later):
    root = factories.comment(article)
    ask(client, article)
    later(VISIT_LASTS)
    factories.comment(article, parent=root)
    for address in ("", "gespraech/1/", ""):
        assert new_on(read(client, article, address)) == [2]
        later(VISIT_LASTS - 1)


def test_who_only_looks_at_the_head_has_seen_nothing(client, article):
    ask(client, article)
    factories.comment(article)
    assert "gesehen" not in client.head(article.get_absolute_url()).cookies


def test_what_is_gone_again_is_not_new(client, article, later):
    ask(client, article)
    for words in ("Bleibt.", "Geht."):
        comment = factories.comment(article, words)
    later(VISIT_LASTS)
    withdraw(comment, Comment.State.REMOVED)
    page = read(client, article)
    assert (new_on(page), ">1 neuer Kommentar seit Ihrem letzten Besuch</a>" in page) == ([1], True)


def test_of_very_many_the_numbers_tell(client, article, monkeypatch):
    monkeypatch.setattr(own, "_COUNTED", 3)
    ask(client, article)
    for _comment in range(5):
        factories.comment(article)
    assert ">5 neue Kommentare seit Ihrem letzten Besuch</a>" in read(client, article)


def test_over_tls_the_cookie_stays_there(client, article, settings):
    settings.SECURE = True
    morsel = ask(client, article).cookies["gesehen"]
    assert (morsel["secure"], morsel["samesite"], morsel["path"]) == (True, "Lax", "/")


def test_a_strangers_page_changes_nothing(client, article):
    for address in ("neues/", "ansicht/", "blase/"):
        form = {"wanted": "1", "ansicht": "neueste.flach"}
        answer = client.post(f"{article.get_absolute_url()}{address}", form, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, list(answer.cookies)) == (302, [])


@pytest.mark.parametrize("elsewhere", [False, True], ids=["here", "taken over"])
def test_ones_own_are_not_new(client, article, later, elsewhere):
    ask(client, article)
    client.post(f"{article.get_absolute_url()}kommentieren/", factories.words())
    own_comment = Comment.objects.get()
    if elsewhere:  # by another device, through the mailed link
        own_comment.also_by.add(own_comment.reader)
        Comment.objects.update(reader=factories.reader("Anna"))
    factories.comment(article, "Von jemand anderem.")
    page = read(client, article)
    assert new_on(page) == [2]
    assert ">1 neuer Kommentar seit Ihrem letzten Besuch</a>" in page


def test_no_longer(client, article):
    ask(client, article)
    assert ask(client, article, "0").cookies["gesehen"]["max-age"] == 0
    del client.cookies["gesehen"]  # as a browser does
    page = client.get(article.get_absolute_url())
    assert (page.headers["Cache-Control"], "gesehen" in page.cookies) == ("public, no-cache", False)


def test_pages_of_who_asked_are_theirs_alone(client, guest, article):
    ask(client, article)
    factories.comment(article)
    page = client.get(article.get_absolute_url())
    assert (page.headers["Cache-Control"], "ETag" in page.headers) == ("private, no-cache", False)
    others = guest.get(article.get_absolute_url())
    assert (others.headers["Cache-Control"], "gesehen" in others.cookies) == ("public, no-cache", False)
    assert new_on(others.text) == []


def test_as_many_articles_as_a_cookie_holds(client, db):
    articles = [factories.article(f"Artikel {number}") for number in range(MOST_ARTICLES + 1)]
    for article in articles:
        value = ask(client, article).cookies["gesehen"].value
    kept = [int(visit.partition(".")[0]) for visit in value.split("~")]
    assert kept == [article.pk for article in articles[1:]]


@pytest.mark.parametrize(
    "cookie", ["x", "1.2", "-1.2.3.4", "1.2.3.4.5", "~" * 3000, "²{pk}.0.0.0", "{pk}." + "9" * 18 + ".1.1"]
)
def test_what_we_did_not_write_counts_for_nothing(client, article, cookie):
    factories.comment(article)
    client.cookies["gesehen"] = cookie.format(pk=article.pk)
    page = client.get(article.get_absolute_url())
    assert (page.status_code, new_on(page.text)) == (200, [])
    assert page.cookies["gesehen"].value.startswith(f"{article.pk}.")


def test_it_takes_two_questions_however_much_is_new(client, article, django_assert_num_queries):
    client.post(f"{article.get_absolute_url()}kommentieren/", factories.words())
    read(client, article)
    with CaptureQueriesContext(connection) as asked:
        read(client, article)
    without = len(asked)
    ask(client, article)
    for comments in (1, 20):
        for _comment in range(comments):
            factories.comment(article)
        read(client, article)  # rendered for everyone
        with django_assert_num_queries(without + 2):
            assert new_on(read(client, article))


def test_drafts_and_other_ways(client, article, db):
    draft = factories.article("Entwurf", state="draft")
    assert ask(client, draft).status_code == 404
    assert client.get(f"{article.get_absolute_url()}neues/").status_code == 405
    assert ask(client, article, von="//anderswo.example/").url == f"{article.get_absolute_url()}#ordnung"
