""" "Respekt": one a reader and comment, reversible, exact under concurrency (C9; forged votes 2023-3869)."""

import html
import re

import pytest
from django.test import Client

from articles.models import Counters
from comments.models import Comment, Vote
from comments.services import vote
from readers.merging import merge
from readers.services import continue_as
from tests import factories
from tests.together import at_once


@pytest.fixture
def comment(article) -> Comment:
    return factories.comment(article)


def press(browser: Client, comment: Comment, wanted: str = "1", **options):
    return browser.post(f"/kommentar/{comment.pk}/respekt/", {"wanted": wanted}, **options)


def score(comment: Comment) -> tuple[int, int]:
    """As counted, and as the votes say."""
    comment.refresh_from_db()
    return comment.score, comment.votes.count()


def test_vote_is_given_and_taken_back(client, comment):
    answer = press(client, comment)
    assert (answer.status_code, answer.url, score(comment)) == (302, f"/kommentar/{comment.pk}/", (1, 1))
    assert 'aria-pressed="true" title="Zurücknehmen">Respekt <span>1</span>' in page(client, comment)
    press(client, comment, "0")
    assert score(comment) == (0, 0)
    assert 'aria-pressed="false">Respekt <span>0</span>' in page(client, comment)


def page(browser: Client, comment: Comment) -> str:
    return browser.get(f"/artikel/{comment.article.slug}/").text


def test_asking_twice_changes_nothing(client, comment):
    for wanted, count in [("1", 1), ("1", 1), ("0", 0), ("0", 0)]:
        press(client, comment, wanted)
        assert score(comment) == (count, count)


@pytest.mark.parametrize(
    "page", ["", "?sortierung=neueste&seite=2", "?nach=3.17", "gespraech/1/", "gespraech/1/?nach=9"]
)
def test_without_script_the_reader_stays_on_their_page(client, comment, page):
    """Also at the first vote, which is asked about: the form says where it stands."""
    answer = client.post(f"/kommentar/{comment.pk}/respekt/", {"wanted": "1", "von": page})
    assert (answer.status_code, answer.url) == (302, f"/artikel/{comment.article.slug}/{page}#kommentar-1")


@pytest.mark.parametrize("page", ["?sortierung=neueste", "?seite=2&ansicht=flach", "gespraech/1/"])
def test_each_page_says_where_its_votes_come_from(client, comment, page):
    shown = client.get(f"/artikel/{comment.article.slug}/{page}").text
    said = html.unescape(re.search(r'name="von" value="([^"]*)"', shown)[1])
    assert sorted(re.findall(r"[^?&]+", said)) == sorted(re.findall(r"[^?&]+", page))


@pytest.mark.parametrize(
    "page",
    ["//evil.example", "https://evil.example", "../../konto/", "gespraech/1/../", "ansicht/", "gespraech/１/", "?a=//b"]
    + ["?a=b#c", "?a=\r\nSet-Cookie: b=c", "\t//evil.example", "x" * 9999, "?" + "a" * 9999],
)
def test_and_is_led_nowhere_else(client, comment, page):
    answer = client.post(f"/kommentar/{comment.pk}/respekt/", {"wanted": "1", "von": page})
    assert answer.url == f"/kommentar/{comment.pk}/"


def test_each_reader_counts(comment):
    for _ in range(3):
        press(Client(), comment)
    assert score(comment) == (3, 3)


def test_nobody_votes_for_their_own_comment(client, article):
    client.post(f"/artikel/{article.slug}/kommentieren/", factories.words())
    comment = Comment.objects.get()
    assert 'disabled title="Ihr eigener Kommentar">Respekt <span>0</span>' in page(client, comment)
    assert press(client, comment).status_code == 302
    answer = press(client, comment, headers={"HX-Request": "true"})
    assert 'disabled title="Ihr eigener Kommentar">Respekt <span>0</span>' in answer.text
    assert score(comment) == (0, 0)
    press(Client(), comment)
    assert score(comment) == (1, 1)


def test_whose_comment_it_is_is_asked_when_the_vote_is_given(article):
    """Two devices became one after the comment was read and before the vote came."""
    phone, laptop = factories.reader("Anna"), factories.reader("Anna")
    read_before = factories.comment(article, reader=phone)
    merge(phone, laptop)
    vote(comment=read_before, reader=laptop, wanted=True)
    assert score(read_before) == (0, 0)


@pytest.mark.parametrize("turned_round", [False, True])
def test_who_turns_out_to_have_voted_for_themselves_has_not(article, turned_round):
    phone, laptop = factories.reader("Anna"), factories.reader("Anna")
    mine, other = factories.comment(article, reader=phone), factories.comment(article)
    for reader, comment in [(laptop, mine), (laptop, other), (factories.reader(), mine)]:
        vote(comment=comment, reader=reader, wanted=True)
    activity = Counters.objects.get(article=article).activity
    merge(*((phone, laptop) if turned_round else (laptop, phone)))
    assert (score(mine), score(other)) == ((1, 1), (1, 1))
    assert Counters.objects.get(article=article).activity > activity


def test_who_takes_over_a_comment_they_voted_for_has_no_vote(article):
    phone, laptop = factories.reader("Anna", "anna@example.org"), factories.reader("Anna")
    mine = factories.comment(article, reader=phone, email="anna@example.org")
    for reader in (laptop, factories.reader()):
        vote(comment=mine, reader=reader, wanted=True)
    activity = Counters.objects.get(article=article).activity
    continue_as(phone, email="anna@example.org", device=laptop)
    assert (score(mine), mine.reader) == ((1, 1), laptop)
    assert Counters.objects.get(article=article).activity > activity


@pytest.mark.parametrize("turned_round", [False, True])
def test_a_comment_that_loses_two_votes_at_once_counts_so(article, turned_round):
    """Votes for oneself from before they were refused."""
    phone, laptop = factories.reader("Anna"), factories.reader("Anna")
    mine = factories.comment(article, reader=phone)
    for reader in (laptop, factories.reader()):
        vote(comment=mine, reader=reader, wanted=True)
    Vote.objects.create(comment=mine, reader=phone)
    Comment.objects.update(score=3)
    merge(*((phone, laptop) if turned_round else (laptop, phone)))
    assert score(mine) == (1, 1)


def test_vote_changes_the_page_for_everyone(client, comment):
    etag = client.get(f"/artikel/{comment.article.slug}/").headers["ETag"]
    press(Client(), comment)
    assert client.get(f"/artikel/{comment.article.slug}/", headers={"If-None-Match": etag}).status_code == 200


def test_first_vote_without_script_is_asked_to_confirm(comment):
    browser = Client(enforce_csrf_checks=True)
    assert press(browser, comment).status_code == 403
    assert score(comment) == (0, 0)


def test_with_htmx_the_button_is_answered(client, comment):
    answer = press(client, comment, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.startswith('<button form="tat"')
    assert "Respekt <span>1</span>" in answer.text


@pytest.mark.parametrize("wanted", ["2", "-1", "99999999999999999999", "1e9", "true", "'; DROP TABLE", "", "x" * 9999])
def test_forged_value_is_one_vote_at_most(client, comment, wanted):
    for _ in range(3):
        press(client, comment, wanted)
    assert score(comment) == (1, 1)


@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_only_post_votes(client, comment, method):
    assert getattr(client, method)(f"/kommentar/{comment.pk}/respekt/?wanted=1").status_code == 405
    assert score(comment) == (0, 0)


def test_forged_reader_is_nobody(comment):
    reader = factories.reader()
    for cookie in (str(reader.pk), f"{reader.pk}:", f"{reader.pk}:{'A' * 43}"):
        browser = Client()
        browser.cookies["leser"] = cookie
        press(browser, comment)
    assert not Vote.objects.filter(reader=reader).exists()


def test_fresh_devices_of_one_network_are_twenty_votes_an_hour(article, comment):
    answers = [press(Client(), comment).status_code for _ in range(25)]
    assert (answers, score(comment)) == ([302] * 20 + [429] * 5, (20, 20))
    assert Client().post(f"/artikel/{article.slug}/kommentieren/", factories.words()).status_code == 302
    assert press(Client(), comment, headers={"HX-Request": "true"}).status_code == 503  # the script says it
    press(Client(), comment, REMOTE_ADDR="198.51.100.7")
    other = factories.comment(article)
    press(Client(), other)
    assert (score(comment), score(other)) == ((21, 21), (1, 1))


def test_at_the_limit_a_vote_can_still_be_taken_back(client, comment):
    press(client, comment)
    for _ in range(25):
        press(Client(), comment)
    press(client, comment, "0")
    assert score(comment) == (19, 19)


def test_hundred_at_once_count_once(transactional_db, comment):
    reader = factories.reader()
    at_once(100, lambda _number: vote(comment=comment, reader=reader, wanted=True))
    assert score(comment) == (1, 1)
    at_once(100, lambda _number: vote(comment=comment, reader=reader, wanted=False))
    assert score(comment) == (0, 0)


def test_many_readers_at_once_are_counted_exactly(transactional_db, comment):
    assert at_once(10, lambda _number: press(Client(), comment).status_code) == [302] * 10
    assert score(comment) == (10, 10)


def test_two_devices_that_become_one_person_have_one_vote(comment):
    phone, laptop = factories.reader(), factories.reader()
    for reader in (phone, laptop):
        Vote.objects.create(comment=comment, reader=reader)
    Comment.objects.update(score=2)
    before = comment.article.counters.activity
    merge(phone, laptop)
    assert score(comment) == (1, 1)
    comment.article.counters.refresh_from_db()
    assert comment.article.counters.activity > before
