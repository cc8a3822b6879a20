"""How an article is found: the front page, feeds, what search engines expect, the site's own pages."""

import re
import xml.etree.ElementTree as etree
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from django.core.management import call_command
from django.utils import timezone

from articles.models import Article, Author, Page, Section
from articles.views import ARTICLES_PER_PAGE
from comments.models import Comment
from comments.screening import Circumstances
from comments.services import delete_comment, edit_comment
from moderation.services import remove
from newsroom.trial.prepare import FIRST_ARTICLE, publish_first_article
from tests import factories

ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


def headlines(page) -> list[str]:
    return re.findall(r'<h2><a href="[^"]*">([^<]*)</a></h2>', page.text)


# --- front page ------------------------------------------------------------------------------------------------------


def test_front_page_shows_the_newest_first_with_all_that_was_asked(db, client):
    factories.article("Älter", published_at=datetime(2026, 3, 1, 11, tzinfo=UTC), summary="Der Vorspann.")
    newer = factories.article("Neuer", published_at=datetime(2026, 3, 2, 11, tzinfo=UTC))
    factories.comment(newer)
    page = client.get("/")
    assert headlines(page) == ["Neuer", "Älter"]
    for shown in ("Der Vorspann.", "Erster Absatz.", "Von UKIN", "2. März 2026", "1 Kommentar</a>", "0 Kommentare</a>"):
        assert shown in page.text


def test_every_article_is_reached_once_by_the_link_to_older_ones(db, client):
    same_time = timezone.now() - timedelta(days=1)
    for number in range(2 * ARTICLES_PER_PAGE + 1):
        factories.article(f"Artikel {number}", published_at=same_time if number % 3 else None)
    expected = list(Article.objects.newest_first().values_list("headline", flat=True))
    seen, address = [], "/"
    while address:
        page = client.get(address)
        seen.append(headlines(page))
        older = re.search(r'<a href="(\?vor=\d+)">Ältere Artikel', page.text)
        address = older and f"/{older[1]}"
    assert [len(headlines) for headlines in seen] == [ARTICLES_PER_PAGE, ARTICLES_PER_PAGE, 1]
    assert [headline for headlines in seen for headline in headlines] == expected


@pytest.mark.parametrize("articles", [1, 15])
def test_front_page_takes_one_query_and_one_more_if_something_changed(db, client, django_assert_num_queries, articles):
    for _ in range(articles):
        factories.article()
    with django_assert_num_queries(2):
        client.get("/")
    with django_assert_num_queries(1):
        client.get("/")


def rename(one) -> None:
    one.name = "Umbenannt"
    one.save()


def edit(article: Article, **changes) -> None:
    for name, value in changes.items():
        setattr(article, name, value)
    article.save()


def delete_own(comment: Comment) -> None:
    delete_comment(comment=comment, reader=comment.reader)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        (lambda article: edit(article, headline="Neue Überschrift"), True),
        (lambda article: edit(article, source="Ein anderer Anfang."), True),
        (lambda article: edit(article, published_at=timezone.now() - timedelta(days=400)), True),
        (lambda article: edit(article, published_at=timezone.now() + timedelta(days=1)), False),
        (lambda article: edit(article, state="draft"), False),
        (lambda article: rename(article.author), True),
        (lambda article: rename(article.section), True),
        (factories.comment, True),
        (lambda _article: delete_own(Comment.objects.get()), True),
        (lambda article: factories.article("Der allerneueste"), True),
    ],
    ids=["headline", "text", "date", "future", "draft", "author", "section", "comment", "deleted", "another"],
)
def test_front_page_is_never_stale(db, client, change, shown):
    article = factories.article("Ein Artikel", section=Section.objects.create(name="Politik"))
    factories.comment(article)
    before = client.get("/")
    assert client.get("/", headers={"If-None-Match": before.headers["ETag"]}).status_code == 304
    change(article)
    after = client.get("/", headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, f'href="/artikel/{article.slug}/"' in after.text) == (200, shown)
    assert after.text != before.text


def test_front_page_names_whoever_is_signed_in_to_them_alone(db, client, moderator):
    factories.article()
    everyone = client.get("/").text
    client.force_login(moderator)
    own = client.get("/")
    assert (own.headers["Cache-Control"], moderator.username in own.text) == ("private, no-cache", True)
    client.logout()
    assert client.get("/").text == everyone


def test_front_page_without_articles(db, client):
    assert "Noch ist nichts erschienen." in client.get("/").text


# --- feeds -----------------------------------------------------------------------------------------------------------


def entries(page) -> list[dict[str, str]]:
    """A valid Atom feed's entries, with what RFC 4287 asks each to have."""
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("application/atom+xml")
    feed = etree.fromstring(page.content)
    assert feed.tag == f"{ATOM}feed"
    for name in ("id", "title", "updated"):
        assert feed.findtext(f"{ATOM}{name}")
    found = []
    for entry in feed.iter(f"{ATOM}entry"):
        texts = {name: entry.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated", "summary")}
        assert all(texts.values())
        texts["link"] = entry.find(f"{ATOM}link").get("href")
        texts["author"] = entry.findtext(f"{ATOM}author/{ATOM}name")
        found.append(texts)
    return found


def test_feed_of_articles_holds_the_published_ones(db, client):
    public = factories.article("Brücke & Fähre", summary="Vorspann")
    factories.article("Entwurf", state=Article.State.DRAFT)
    factories.article("Später", published_at="2999-01-01T00:00Z")
    (entry,) = entries(client.get("/feed/"))
    assert (entry["title"], entry["author"], entry["summary"]) == ("Brücke & Fähre", "UKIN", "Vorspann")
    assert entry["link"] == f"http://localhost:8000/artikel/{public.slug}/"


def test_feed_of_comments_holds_the_published_ones(article, client):
    first = factories.comment(article, "Das *stimmt*.", name="Anna & Co")
    factories.comment(article, "Versteckt", state=Comment.State.HELD)
    factories.comment(article, "Versteckt", state=Comment.State.REMOVED)
    factories.comment(article, "Versteckt", state=Comment.State.DELETED)
    factories.comment(factories.article(), "Anderswo")
    second = factories.comment(article, "Und ich?", parent=first)
    newest, oldest = entries(client.get(f"/artikel/{article.slug}/feed/"))
    assert newest["link"] == f"http://localhost:8000/kommentar/{second.pk}/"
    assert (oldest["title"], oldest["author"]) == ("Kommentar 1 von Anna & Co", "Anna & Co")
    assert oldest["summary"] == "<p>Das <em>stimmt</em>.</p>"


def test_feed_without_entries_is_as_old_as_what_it_is_about(db, client):
    def updated(address: str) -> datetime:
        feed = client.get(address)
        assert entries(feed) == []
        return datetime.fromisoformat(etree.fromstring(feed.content).findtext(f"{ATOM}updated"))

    assert updated("/feed/") == datetime(1970, 1, 1, tzinfo=UTC)
    article = factories.article(published_at=datetime(2026, 3, 1, 11, tzinfo=UTC))
    address = f"/artikel/{article.slug}/feed/"
    assert updated(address) == article.modified_at
    assert client.get(address).content == client.get(address).content


def test_control_character_of_an_editor_does_not_break_the_feeds(db, client):
    author = Author.objects.create(name="U\x0bKIN")
    article = factories.article("Brücke\x01 zu", author=author, summary="Vor\x02spann")
    (entry,) = entries(client.get("/feed/"))
    assert (entry["title"], entry["author"], entry["summary"]) == ("Brücke zu", "UKIN", "Vorspann")
    factories.comment(article)
    assert len(entries(client.get(f"/artikel/{article.slug}/feed/"))) == 1


def test_feed_of_a_hidden_article_is_not_there(db, client):
    draft = factories.article(state=Article.State.DRAFT)
    assert client.get(f"/artikel/{draft.slug}/feed/").status_code == 404


@pytest.mark.parametrize("comments", [1, 30])
def test_feed_takes_three_queries_and_one_if_nothing_is_new(article, client, django_assert_num_queries, comments):
    for _ in range(comments):
        factories.comment(article)
    for address in ("/feed/", f"/artikel/{article.slug}/feed/"):
        with django_assert_num_queries(2 if address == "/feed/" else 3):
            known = client.get(address).headers["ETag"]
        with django_assert_num_queries(1):
            assert client.get(address, headers={"If-None-Match": known}).status_code == 304


def test_feed_reader_is_told_of_everything_new(article, client):
    comment = factories.comment(article, "Alte Worte.")
    addresses = ["/feed/", f"/artikel/{article.slug}/feed/"]

    def changed(known: list[str]) -> list[bool]:
        answers = zip(addresses, known, strict=True)
        return [client.get(one, headers={"If-None-Match": etag}).status_code == 200 for one, etag in answers]

    def etags() -> list[str]:
        return [client.get(address).headers["ETag"] for address in addresses]

    known = etags()
    assert changed(known) == [False, False]
    edit_comment(
        comment=comment, reader=comment.reader, body="Neue Worte.", how=Circumstances(key=None, network="192.0.2.0/24")
    )
    assert changed(known)[1]
    known = etags()
    remove(comment, moderator=None, reason="Regel 1")
    assert changed(known)[1]
    known = etags()
    edit(article, headline="Brücke offen")
    assert changed(known) == [True, True]
    known = etags()
    edit(article, state="draft")
    assert changed(known)[0]
    assert client.get(addresses[1], headers={"If-None-Match": known[1]}).status_code == 404


def test_pages_name_their_feeds(article, client):
    page = client.get(f"/artikel/{article.slug}/").text
    for feed in ("/feed/", f"/artikel/{article.slug}/feed/"):
        assert re.search(rf'<link rel="alternate" type="application/atom\+xml" [^>]*href="{feed}"', page)


# --- search engines --------------------------------------------------------------------------------------------------


def test_sitemap_lists_what_everyone_may_read(db, client):
    public = factories.article()
    factories.article(state=Article.State.DRAFT)
    factories.article(published_at="2999-01-01T00:00Z")
    sitemap = etree.fromstring(client.get("/sitemap.xml").content)
    places = {url.findtext(f"{SITEMAP}loc") for url in sitemap}
    pages = {f"http://localhost:8000/{slug}/" for slug in ("impressum", "datenschutz", "regeln", "kontakt")}
    assert places == pages | {"http://localhost:8000/", f"http://localhost:8000/artikel/{public.slug}/"}
    assert all(url.findtext(f"{SITEMAP}lastmod") for url in sitemap)


def test_robots_are_told_what_is_not_for_them(client, db):
    answer = client.get("/robots.txt")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.text.splitlines()
    assert lines[0] == "User-agent: *"
    assert {"Disallow: /redaktion/", "Disallow: /konto/", "Disallow: /abo/"} <= set(lines)
    assert lines[-1] == "Sitemap: http://localhost:8000/sitemap.xml"


# --- the site's own pages --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["impressum", "datenschutz", "regeln", "kontakt"])
def test_page_is_there_after_migrating_and_linked_from_every_foot(db, client, slug):
    page = client.get(f"/{slug}/")
    assert page.status_code == 200
    assert len(Page.objects.get(slug=slug).source) > 300
    article = factories.article()
    for address in ("/", f"/artikel/{article.slug}/", "/impressum/", "/gibt-es-nicht/"):
        assert f'<a href="/{slug}/">' in client.get(address).text


def test_migrating_again_touches_no_edited_page(db, client):
    Page.objects.filter(slug="kontakt").update(source="Eigene Worte.", html="<p>Eigene Worte.</p>")
    Page.objects.filter(slug="regeln").delete()
    call_command("migrate", verbosity=0)
    assert "Eigene Worte." in client.get("/kontakt/").text
    assert client.get("/regeln/").status_code == 200


# --- the article the site is delivered with --------------------------------------------------------------------------


class Paragraphs(HTMLParser):
    """The text of each paragraph within <div class="text">, as a reader would copy it."""

    def __init__(self, page: str):
        super().__init__()
        self.found, self.inside = [], False
        self.feed(page[page.index('<div class="text">') : page.index("</article>")])

    def handle_starttag(self, tag: str, attributes: list) -> None:
        if tag == "p":
            self.found.append("")

    def handle_data(self, text: str) -> None:
        if self.found:
            self.found[-1] += text


def test_delivered_article_is_there_word_for_word(db, client):
    publish_first_article()
    page = client.get("/artikel/lukaschenko-trifft-putin/").text
    assert "<h1>Lukaschenko trifft Putin: Wird Weißrussland zum Puffer?</h1>" in page
    assert "Von UKIN" in page
    text = FIRST_ARTICLE.read_text(encoding="utf-8").split("---\n", 2)[2]
    written = [paragraph.strip() for paragraph in text.split("\n\n") if paragraph.strip()]
    assert len(written) > 10
    assert [paragraph.strip() for paragraph in Paragraphs(page).found] == written
