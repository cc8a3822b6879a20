"""The pages that every site is shipped with, in its language."""

import re

import pytest
from django.test import Client
from django.utils import translation

from articles.models import Page
from articles.shipped import FOLDER, PAGES, create_missing_pages


@pytest.mark.parametrize(
    "language, titles, words",
    [
        ("de", ["Datenschutz", "Hausregeln", "Impressum", "Kontakt"], "Jede Nachricht liest ein Mensch"),
        ("en", ["Contact", "House rules", "Imprint", "Privacy"], "A person reads every message"),
    ],
)
def test_a_new_site_speaks_its_language(db, client, settings, language, titles, words):
    settings.LANGUAGE_CODE = language
    Page.objects.all().delete()
    with translation.override(None):  # as migrate runs
        create_missing_pages()
    assert list(Page.objects.order_by("title").values_list("title", flat=True)) == titles
    assert words in client.get("/kontakt/").text


@pytest.mark.parametrize("slug", PAGES)
def test_both_languages_say_the_same(slug):
    """As many headings, items and links to other pages; and nothing is left in German."""
    german, english = ((FOLDER / language / f"{slug}.md").read_text() for language in ("de", "en"))
    german = german.replace("## Contact for authorities", "")  # says in English what stands above it in German
    for mark in (r"^## ", r"^- ", r"^\d\. ", r"\]\(/\w+/\)"):
        assert len(re.findall(mark, german, re.MULTILINE)) == len(re.findall(mark, english, re.MULTILINE)), mark
    assert re.findall("[äöüß„]", english) == []


@pytest.mark.parametrize("page", ["", "login/?next=/redaktion/", "articles/article/", "articles/article/add/"])
def test_every_page_of_the_admin_links_to_them(desk, page):
    browser = Client() if page.startswith("login/") else desk
    foot = browser.get(f"/redaktion/{page}").text.partition('<footer id="footer">')[2]
    assert re.findall(r'href="(/\w+/)"', foot) == ["/impressum/", "/datenschutz/", "/regeln/", "/kontakt/"]


def test_a_window_in_which_something_is_chosen_has_no_foot(desk):
    assert "/impressum/" not in desk.get("/redaktion/articles/section/add/?_popup=1").text
