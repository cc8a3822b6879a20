"""Reading: the same bytes for everyone, no trace, a fixed number of queries."""

import gzip

import brotli
import pytest
from django.test import Client

from articles.models import Article
from tests import factories


def test_page_shows_article(article, client):
    page = client.get(f"/artikel/{article.slug}/")
    assert page.status_code == 200
    assert "<h1>Brücke gesperrt</h1>" in page.text
    assert "Von UKIN" in page.text
    assert "0 Kommentare" in page.text
    assert "Noch keine Stimme" in page.text


def test_reading_leaves_no_cookie_and_gives_everyone_the_same_bytes(article):
    first, second = (Client().get(f"/artikel/{article.slug}/", headers=headers) for headers in FINGERPRINTS)
    assert first.cookies == second.cookies == {}
    assert first.content == second.content
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert first.headers["Vary"] == "Cookie, Accept-Encoding"


FINGERPRINTS = [
    {"User-Agent": "A", "Accept-Language": "en"},
    {"User-Agent": "B", "Accept-Language": "de", "Cookie": "fremd=1", "X-Forwarded-Host": "evil.example"},
]


def test_unchanged_page_is_not_sent_again(article, client):
    etag = client.get(f"/artikel/{article.slug}/").headers["ETag"]
    again = client.get(f"/artikel/{article.slug}/", headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")
    factories.comment(article)
    assert client.get(f"/artikel/{article.slug}/", headers={"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("threads, replies", [(3, 0), (3, 2), (60, 5)])
def test_page_takes_six_queries_whatever_it_holds_and_one_when_read_again(
    article, client, django_assert_num_queries, threads, replies
):
    for _thread in range(threads):
        root = factories.comment(article)
        for _reply in range(replies):
            factories.comment(article, parent=root)
    with django_assert_num_queries(6):
        first = client.get(f"/artikel/{article.slug}/")
    with django_assert_num_queries(1):  # the article's version
        assert Client().get(f"/artikel/{article.slug}/").content == first.content


@pytest.mark.parametrize("first, second", [("xgzip", "gzip"), ("gzip", "br"), ("br", "gzip, br"), ("", "br, gzip")])
def test_nobody_gets_another_ones_encoding(article, client, first, second):
    for accepted in (first, second, first):
        response = client.get(f"/artikel/{article.slug}/", headers={"Accept-Encoding": accepted})
        encoding = next((one for one in ("br", "gzip") if one in accepted.split(", ")), None)
        assert response.headers.get("Content-Encoding") == encoding
        unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding]
        page = unpack(response.content)
        assert page.startswith(b"<!doctype html>")


@pytest.mark.parametrize("query", ["&".join(["a=1"] * 2500), "seite=%00", "x" * 5000])
def test_strange_query_is_answered_with_all_headers(article, client, query):
    response = client.get(f"/artikel/{article.slug}/?{query}")
    assert response.status_code in (200, 400)
    assert "Content-Security-Policy" in response.headers
    assert "Permissions-Policy" in response.headers


def test_draft_and_scheduled_articles_are_not_there(db, client):
    draft = factories.article(state=Article.State.DRAFT)
    later = factories.article(published_at="2999-01-01T00:00Z")
    assert client.get(f"/artikel/{draft.slug}/").status_code == 404
    assert client.get(f"/artikel/{later.slug}/").status_code == 404
    assert "Brücke" not in client.get("/").text


# --- the invitation --------------------------------------------------------------------------------------------------

INVITATION = "Ihre Meinung ist uns wichtig."


def test_invitation_counts_from_zero(article, client):
    assert '<a href="#kommentar-schreiben"><b>0</b> ' in client.get(article.get_absolute_url()).text
    factories.comment(article)
    assert '<a href="#kommentar-schreiben"><b>1</b> ' in client.get(article.get_absolute_url()).text


def test_invitation_is_closed_for_good_without_a_script(article, guest):
    page = guest.get(f"{article.get_absolute_url()}?sortierung=neueste")
    address = f"{article.get_absolute_url()}blase/?sortierung=neueste"
    assert f'<form method="post" action="{address}"><button>Schließen</button>' in page.text
    closed = guest.post(address)
    assert (closed.status_code, closed.url) == (302, f"{article.get_absolute_url()}?sortierung=neueste#bewertung")
    cookie = closed.cookies["blase"]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("zu", 365 * 24 * 3600, "/")
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    for another in (article, factories.article("Fähre")):
        page = guest.get(another.get_absolute_url())
        assert INVITATION not in page.text
        # It names no one and is no act: reading goes on setting no cookie.
        assert (page.headers["Cache-Control"], page.cookies) == ("private, no-cache", {})
        assert "csrfmiddlewaretoken" not in page.text
    assert guest.get("/").cookies == {}
    assert INVITATION in Client().get(article.get_absolute_url()).text


def test_closing_the_invitation_leads_back_to_the_order_that_was_open(article, guest):
    """An address without a query means the order that the device remembers."""
    guest.cookies["ansicht"] = "neueste.flach"
    closed = guest.post(f"{article.get_absolute_url()}blase/")
    assert closed.url == f"{article.get_absolute_url()}?sortierung=aelteste#bewertung"


def test_invitation_of_a_hidden_article_is_not_there(db, client):
    draft = factories.article(state=Article.State.DRAFT)
    assert client.post(f"/artikel/{draft.slug}/blase/").status_code == 404
    assert client.get(f"/artikel/{factories.article().slug}/blase/").status_code == 405
