"""Forms of the admin that were opened before something else was saved, or hold a time that the clock shows twice."""

import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from articles.models import Article, Page
from tests import factories

LIST = "/redaktion/articles/article/"
MEANWHILE = "Inzwischen hat jemand etwas anderes gesichert."


def fields(text: str, **changes: str) -> dict[str, str]:
    """What a browser sends of an admin's form as it stands, with changes."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", text):
        attributes = {name: unescape(value) for name, value in re.findall(r'([\w-]+)="([^"]*)"', tag)}
        if attributes.get("type") in {"text", "hidden"} and "name" in attributes:
            found[attributes["name"]] = attributes.get("value", "")
    for name, value in re.findall(r'<textarea[^>]*name="([^"]+)"[^>]*>\n?(.*?)</textarea>', text, re.DOTALL):
        found[name] = unescape(value)
    for name, options in re.findall(r'<select[^>]*name="([^"]+)".*?>(.*?)</select>', text, re.DOTALL):
        found[name] = (re.findall(r'<option value="([^"]*)" selected', options) or [""])[0]
    return found | {"_save": "Sichern"} | changes


def change(article: Article) -> str:
    return f"{LIST}{article.pk}/change/"


def now(article: Article) -> Article:
    return Article.objects.get(pk=article.pk)


@pytest.fixture
def unpublished_meanwhile(desk, article) -> str:
    """The text of a form opened before somebody made a draft of the article and closed its comments."""
    opened = desk.get(change(article)).text
    assert desk.post(change(article), fields(opened, state="draft", comment_mode="closed")).status_code == 302
    return opened


def test_older_form_undoes_nothing_unasked(desk, article, unpublished_meanwhile):
    refused = desk.post(change(article), fields(unpublished_meanwhile, headline="Mit Komma"))
    assert refused.status_code == 200
    assert MEANWHILE in refused.text
    assert "Mit Komma" in refused.text
    assert (now(article).state, now(article).comment_mode) == ("draft", "closed")
    assert now(article).headline == article.headline


def test_who_saves_once_more_means_it(desk, article, unpublished_meanwhile):
    refused = desk.post(change(article), fields(unpublished_meanwhile, headline="Mit Komma"))
    assert desk.post(change(article), fields(refused.text)).status_code == 302
    assert (now(article).headline, now(article).state) == ("Mit Komma", "published")
    assert now(article).slug == article.slug


def test_list_opened_before_keeps_what_it_did_not_change(desk, article):
    other = factories.article("Andere")
    opened = desk.get(LIST).text
    desk.post(change(article), fields(desk.get(change(article)).text, comment_mode="closed"))
    rows = {name: value for name, value in fields(opened).items() if name.endswith("-id")}
    (row,) = [name.removesuffix("-id") for name, value in rows.items() if value == str(other.pk)]
    desk.post(LIST, fields(opened, **{f"{row}-comment_mode": "all_held"}))
    assert (now(article).comment_mode, now(other).comment_mode) == ("closed", "all_held")


def test_pages_of_the_site_too(desk):
    page = Page.objects.get(slug="impressum")
    address = f"/redaktion/articles/page/{page.pk}/change/"
    opened = desk.get(address).text
    desk.post(address, fields(opened, source="Neu."))
    assert MEANWHILE in desk.post(address, fields(opened, title="Anders")).text
    page.refresh_from_db()
    assert page.source == "Neu."


def test_who_may_only_look_sees_the_article(article):
    looker, browser = factories.editor("nur-sehen"), Client()
    looker.is_superuser = False
    looker.save()
    looker.user_permissions.add(Permission.objects.get(codename="view_article"))
    browser.force_login(looker)
    page = browser.get(change(article)).text
    assert article.headline in page
    assert "field-seen" not in page


@pytest.mark.parametrize("wrong", [{"headline": ""}, {"source": "![x](https://anderswo.example/x.png)"}])
def test_unpublishing_with_an_error_is_an_error(desk, article, wrong):
    """It was a 500: a form with an error has changed the article it is asked about."""
    opened = desk.get(change(article)).text
    shown = desk.post(change(article), fields(opened, state="draft", **wrong))
    assert shown.status_code == 200
    assert "errorlist" in shown.text
    mended = {name: fields(opened)[name] for name in wrong}
    assert desk.post(change(article), fields(shown.text, **mended)).status_code == 302
    assert (now(article).state, now(article).slug) == ("draft", article.slug)


def test_publishing_with_an_error_keeps_the_chosen_address(desk):
    draft = factories.article(state="draft", slug="kurz")
    opened = desk.get(change(draft)).text
    shown = desk.post(change(draft), fields(opened, state="published", headline=""))
    assert desk.post(change(draft), fields(shown.text, headline="Ein langer Titel")).status_code == 302
    assert (now(draft).state, now(draft).slug) == ("published", "kurz")


def test_address_that_was_public_stays_while_it_is_a_draft(desk, article, unpublished_meanwhile):
    opened = desk.get(change(article)).text
    assert 'name="slug"' not in opened
    desk.post(change(article), fields(opened, slug="anders", headline="Anders"))
    assert (now(article).headline, now(article).slug) == ("Anders", article.slug)


def test_comments_end_after_publication(desk, article):
    opened = desk.get(change(article)).text
    refused = desk.post(change(article), fields(opened, closes_at_0="01.01.2020", closes_at_1="12:00:00"))
    assert "Dann kann niemand etwas schreiben." in refused.text
    assert now(article).closes_at is None


# --- the hour that comes twice, and the one that does not come -------------------------------------------------------

TWICE = datetime(2026, 10, 25, 1, 30, 0, 5, tzinfo=UTC)  # 2:30 for the second time


@pytest.fixture
def in_the_hour(article) -> Article:
    Article.objects.update(published_at=TWICE)
    return article


def test_article_of_the_doubled_hour_is_saved_at_its_moment(desk, in_the_hour):
    assert desk.post(change(in_the_hour), fields(desk.get(change(in_the_hour)).text, headline="Neu")).status_code == 302
    assert (now(in_the_hour).headline, now(in_the_hour).published_at) == ("Neu", TWICE)


def test_article_of_the_doubled_hour_can_be_taken_back(desk, in_the_hour):
    opened = desk.get(change(in_the_hour)).text
    assert desk.post(change(in_the_hour), fields(opened, state="draft")).status_code == 302
    assert now(in_the_hour).state == "draft"


@pytest.mark.parametrize(
    "day, moment",
    [
        ("25.10.2026", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of the two
        ("28.03.2027", datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # 3:30, where the clock goes from 2 to 3
    ],
)
def test_such_a_time_can_be_chosen(desk, article, day, moment):
    opened = desk.get(change(article)).text
    chosen = fields(opened, published_at_0=day, published_at_1="02:30:00")
    assert desk.post(change(article), chosen).status_code == 302
    assert now(article).published_at == moment
