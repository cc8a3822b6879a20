"""A held comment is there for its author, marked, and for nobody else (2022-43492, 2023-46311, 2026-32620)."""

import pytest
from django.test import Client

from articles.models import Article
from comments.models import Comment, Vote
from moderation.models import Notice
from tests import factories
from tests.comments.test_posting import write_url


@pytest.fixture
def author() -> Client:
    return Client()


@pytest.fixture
def held(article, author) -> Comment:
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    author.post(write_url(article), factories.words(body="Mein geheimer Text.", name="Heimlich"))
    return Comment.objects.get()


def test_author_sees_it_marked_and_is_told_what_happens_next(held, author, article):
    page = author.get(f"/artikel/{article.slug}/").text
    assert f'id="kommentar-wartet-{held.pk}"' in page
    assert "Mein geheimer Text." in page
    assert "Noch nicht veröffentlicht" in page
    assert "Jemand aus der Redaktion sieht ihn sich an, dann erscheint er." in page
    assert "0 Kommentare<" in page
    answer = author.get(f"/kommentar/{held.pk}/")
    assert (answer.status_code, answer.url) == (302, f"/artikel/{article.slug}/#kommentar-wartet-{held.pk}")


def test_page_with_it_is_not_for_shared_caches(held, author, article):
    assert author.get(f"/artikel/{article.slug}/").headers["Cache-Control"] == "private, no-cache"


def other_reader(article) -> Client:
    browser = Client()
    browser.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    return browser


def forger(article, held) -> Client:
    browser = Client()
    browser.cookies["leser"] = f"{held.reader_id}:gefälscht".encode().decode("latin-1")
    return browser


def test_nobody_else_sees_a_trace_of_it(held, article):
    for browser in (Client(), other_reader(article), forger(article, held)):
        for address in (f"/artikel/{article.slug}/", f"/artikel/{article.slug}/feed/", "/", "/feed/", "/sitemap.xml"):
            page = browser.get(address).text
            assert "geheimer" not in page
            assert "Heimlich" not in page
            assert f"wartet-{held.pk}" not in page


@pytest.mark.parametrize("state", [state for state in Comment.State if state != Comment.State.PUBLISHED])
def test_nobody_can_act_on_a_hidden_comment(article, state):
    hidden = factories.comment(article, state=state)
    browser = other_reader(article)
    for path, data in [
        ("", None),
        ("antworten/", None),
        ("melden/", None),
        ("respekt/", {"wanted": "1"}),
        ("ausblenden/", {"wanted": "1"}),
        ("melden/", {"kind": "abuse", "reason": "x", "url": "https://a.example", "good_faith": "on"}),
    ]:
        address = f"/kommentar/{hidden.pk}/{path}"
        answer = browser.get(address) if data is None else browser.post(address, data)
        is_permalink = path == "" and state == Comment.State.DELETED  # to the tombstone
        assert answer.status_code == (302 if is_permalink else 404)
    answer = browser.post(f"/kommentar/{hidden.pk}/antworten/", factories.words())
    assert answer.status_code == (404 if state == Comment.State.HELD else 409)
    assert (Vote.objects.count(), Notice.objects.count(), Comment.objects.count()) == (0, 0, 1)


def test_comments_of_an_article_taken_back_are_hidden_with_it(article, client):
    comment = factories.comment(article)
    Article.objects.update(state=Article.State.DRAFT)
    addresses = [f"/kommentar/{comment.pk}/", f"/artikel/{article.slug}/gespraech/1/", f"/artikel/{article.slug}/feed/"]
    assert [client.get(address).status_code for address in addresses] == [404] * 3
    assert client.post(f"/kommentar/{comment.pk}/respekt/", {"wanted": "1"}).status_code == 404


def test_own_held_reply_stands_beneath_its_parent(author, article):
    root = factories.comment(article)
    factories.comment(article, parent=root)
    other = factories.comment(article)
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    author.post(f"/kommentar/{root.pk}/antworten/", factories.words())
    held = Comment.objects.held().get()
    page = author.get(f"/artikel/{article.slug}/").text
    order = [page.index(f'id="{comment.anchor}"') for comment in (root, held, other)]
    assert order == sorted(order)


def test_own_held_reply_to_a_later_page_is_shown_first(author, article):
    roots = [factories.comment(article) for _ in range(51)]
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    author.post(f"/kommentar/{roots[-1].pk}/antworten/", factories.words(body="Ich warte."))
    assert "Ich warte." in author.get(f"/artikel/{article.slug}/").text
    assert "Ich warte." in author.get(f"/artikel/{article.slug}/?seite=2").text
