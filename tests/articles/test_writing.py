"""Editors write in the admin: draft, publish now or later, preview, comment modes, question."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from django.utils.formats import date_format

from articles.models import Article, Author, Page, Section
from tests import factories

ADD = "/redaktion/articles/article/add/"
LIST = "/redaktion/articles/article/"


def fields(**changes: str) -> dict[str, str]:
    """The article form of the admin, filled in."""
    filled = {
        "headline": "Brücke gesperrt",
        "summary": "",
        "source": "Erster Absatz.\n\nZweiter *Absatz*.",
        "author": str(Author.objects.get_or_create(name="UKIN")[0].pk),
        "section": str(Section.objects.get_or_create(name="Lokales")[0].pk),
        "state": "draft",
        "published_at_0": "",
        "published_at_1": "",
        "slug": "",
        "comment_mode": "open",
        "slow_mode": "0",
        "question": "",
    }
    return filled | changes


def test_form_has_the_fields_that_are_posted_here(desk):
    page = desk.get(ADD)
    assert page.status_code == 200
    assert [name for name in fields() if f'name="{name}"' not in page.text] == []


def test_draft_is_nobodys_business(desk, client):
    assert desk.post(ADD, fields()).status_code == 302
    article = Article.objects.get()
    assert (article.state, article.slug, article.published_at) == ("draft", "bruecke-gesperrt", None)
    assert client.get("/artikel/bruecke-gesperrt/").status_code == 404


def test_published_now(desk, client):
    before = timezone.now()
    desk.post(ADD, fields(state="published", question="Wie kommen Sie zur Arbeit?"))
    article = Article.objects.get()
    assert before <= article.published_at <= timezone.now()
    page = client.get("/artikel/bruecke-gesperrt/").text
    assert "Zweiter <em>Absatz</em>." in page
    assert "Wie kommen Sie zur Arbeit?" in page


def test_published_at_a_time(desk, client):
    later = timezone.localtime() + timedelta(days=3)
    desk.post(ADD, fields(state="published", published_at_0=f"{later:%Y-%m-%d}", published_at_1=f"{later:%H:%M:%S}"))
    article = Article.objects.get()
    assert client.get(article.get_absolute_url()).status_code == 404
    assert "geplant" in desk.get(LIST).text
    Article.objects.update(published_at=timezone.now())
    assert client.get(article.get_absolute_url()).status_code == 200


def test_changing_a_published_article_keeps_its_address_and_renders_anew(desk, client):
    desk.post(ADD, fields(state="published"))
    article = Article.objects.get()
    etag = client.get(article.get_absolute_url()).headers["ETag"]
    desk.post(f"{LIST}{article.pk}/change/", fields(state="published", slug="anders", source="Ganz **neu**."))
    article.refresh_from_db()
    assert (article.slug, Article.objects.count()) == ("bruecke-gesperrt", 1)
    page = client.get(article.get_absolute_url(), headers={"If-None-Match": etag})
    assert "Ganz <strong>neu</strong>." in page.text


def test_renamed_author_is_on_the_page_at_once(desk, client):
    desk.post(ADD, fields(state="published"))
    article = Article.objects.get()
    etag = client.get(article.get_absolute_url()).headers["ETag"]
    desk.post(f"/redaktion/articles/author/{article.author_id}/change/", {"name": "U. Kin", "user": ""})
    assert "Von U. Kin" in client.get(article.get_absolute_url(), headers={"If-None-Match": etag}).text


def test_same_headline_gets_an_address_of_its_own(desk):
    for _ in range(3):
        desk.post(ADD, fields())
    slugs = Article.objects.order_by("pk").values_list("slug", flat=True)
    assert list(slugs) == ["bruecke-gesperrt", "bruecke-gesperrt-2", "bruecke-gesperrt-3"]


def test_images_of_other_servers_are_refused_at_their_field(desk):
    page = desk.post(ADD, fields(source="Vorn.\n\n![Die Brücke](https://anderswo.example/bruecke.jpg)"))
    assert 'id="id_source_error"' in page.text
    assert "https://anderswo.example/bruecke.jpg" in page.text
    own = "![Die Brücke](http://localhost:8000/bilder/bruecke.jpg)"
    assert desk.post(ADD, fields(source=own)).status_code == 302
    assert "/bilder/bruecke.jpg" in Article.objects.get().html


def test_what_readers_wrote_does_not_go_with_an_article(desk):
    article, other = factories.article(), factories.article()
    factories.comment(article)
    page = f"/redaktion/articles/article/{article.pk}/"
    assert f"{page}delete/" not in desk.get(f"{page}change/").text
    assert desk.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert f"/{other.pk}/delete/" in desk.get(f"/redaktion/articles/article/{other.pk}/change/").text


@pytest.mark.parametrize("stand, found", [("entwurf", "Entwurf"), ("geplant", "Morgen"), ("oeffentlich", "Heute")])
def test_list_shows_drafts_planned_and_public_ones(desk, stand, found):
    factories.article("Entwurf", state="draft")
    factories.article("Morgen", published_at=timezone.now() + timedelta(days=1))
    factories.article("Heute")
    page = desk.get("/redaktion/articles/article/", {"stand": stand}).text
    headlines = re.findall(r'field-headline"><a [^>]*>([^<]+)', page)
    assert headlines == [found]


def test_address_in_use_is_an_error_at_its_field(desk):
    desk.post(ADD, fields())
    page = desk.post(ADD, fields(slug="bruecke-gesperrt"))
    assert page.status_code == 200
    assert 'id="id_slug_error"' in page.text
    assert Article.objects.count() == 1


@pytest.mark.parametrize(
    "wrong",
    [{"headline": ""}, {"source": ""}, {"source": "x" * 200_001}, {"author": ""}, {"slug": "ä b"}]
    + [{"published_at_0": "0001-01-01", "published_at_1": "00:00"}]
    + [{"published_at_0": "9999-12-31", "published_at_1": "23:59"}],
)
def test_wrong_form_is_shown_again(desk, wrong):
    page = desk.post(ADD, fields(**wrong))
    assert (page.status_code, Article.objects.count()) == (200, 0)
    assert "errorlist" in page.text


@pytest.mark.parametrize("mode", Article.CommentMode.values)
def test_comments_are_opened_held_and_closed_from_the_list(desk, mode):
    article = factories.article()
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(article.pk), "_save": "Sichern"}
    desk.post(LIST, form | {"form-0-comment_mode": mode})
    article.refresh_from_db()
    assert article.comment_mode == mode


def test_preview_shows_the_article_and_stores_nothing(desk):
    page = desk.post(f"{LIST}vorschau/", fields(headline="Noch <nicht> fertig", question="Was meinen Sie?"))
    assert page.status_code == 200
    for shown in (
        "<h1>Noch &lt;nicht&gt; fertig</h1>",
        "Zweiter <em>Absatz</em>.",
        "Von UKIN",
        "Was meinen Sie?",
        "Nichts davon ist gespeichert",
    ):
        assert shown in page.text
    assert Article.objects.count() == 0


@pytest.mark.parametrize(
    "day, shown", [("23.07.2023", "23. Juli 2023"), ("", None), ("gestern", None), ("1.1.9999", None)]
)
def test_preview_shows_the_chosen_time(desk, day, shown):
    page = desk.post(f"{LIST}vorschau/", fields(published_at_0=day, published_at_1="17:30" if day else ""))
    today = date_format(timezone.localtime(), "DATE_FORMAT")
    assert (shown or today) in page.text


def test_preview_says_what_saving_would_refuse_and_shows_the_section(desk):
    section = Section.objects.create(name="Lokales")
    page = desk.post(f"{LIST}vorschau/", fields(section=section.pk, source="![x](https://anderswo.example/bild.png)"))
    assert '<p class="kicker">Lokales</p>' in page.text
    assert "Bilder von anderen Servern zeigt die Seite nicht" in page.text
    assert "Der Text ist zu lang" in desk.post(f"{LIST}vorschau/", fields(source="x" * 200_001)).text


@pytest.mark.parametrize("author", ["", "²", "0", "9" * 5000, "x"])
def test_preview_of_anything(desk, author):
    page = desk.post(f"{LIST}vorschau/", fields(author=author, source="x" * 200_001, headline=""))
    assert (page.status_code, Article.objects.count()) == (200, 0)


def test_preview_is_for_editors(client, db):
    assert client.post(f"{LIST}vorschau/", {"headline": "x"}).url.startswith("/redaktion/login/")


def test_own_byline_is_filled_in(desk):
    author = Author.objects.create(name="Die Redakteurin", user_id=desk.session["_auth_user_id"])
    assert f'<option value="{author.pk}" selected>Die Redakteurin' in desk.get(ADD).text


def test_site_pages_are_edited_but_neither_added_nor_deleted(desk, client):
    page = Page.objects.get(slug="kontakt")
    desk.post(f"/redaktion/articles/page/{page.pk}/change/", {"title": "Kontakt", "source": "Neue **Worte**."})
    assert "Neue <strong>Worte</strong>." in client.get("/kontakt/").text
    assert desk.get("/redaktion/articles/page/add/").status_code == 403
    assert desk.post(f"/redaktion/articles/page/{page.pk}/delete/", {"post": "yes"}).status_code == 403


def test_what_goes_with_a_deleted_article_is_said_in_german(desk, article):
    page = desk.get(f"/redaktion/articles/article/{article.pk}/delete/").text
    assert "<li>Zählerstände: 1</li>" in page
    assert "Zählerstand: Kommentare: 0, Bewertungen: 0" in page


def test_choices_are_short_in_the_list_and_whole_in_the_form(desk, article):
    assert "erste prüfen</option>" in desk.get(LIST).text
    assert "erste Kommentare werden geprüft</option>" in desk.get(f"{LIST}{article.pk}/change/").text
