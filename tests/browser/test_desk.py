"""Editors at their desk, with scripts."""

from playwright.sync_api import Page, expect

from articles.models import Article
from tests import factories


def sign_in(page: Page) -> None:
    editor = factories.editor()
    editor.set_password("Xk29-ab71-zz")
    editor.save()
    page.goto("/redaktion/")
    page.get_by_label("Benutzername").fill("redaktion")
    page.get_by_label("Passwort").fill("Xk29-ab71-zz")
    page.get_by_role("button", name="Anmelden").click()


def test_leaving_a_changed_article_is_asked_about(page: Page, article):
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    sign_in(page)
    page.goto(f"/redaktion/articles/article/{article.pk}/change/")
    headline = page.get_by_label("Überschrift")
    headline.press_sequentially("Neu: ")  # what a script fills in is no reason to ask, to a browser
    page.get_by_role("link", name="Start").click()
    assert asked == ["beforeunload"]
    expect(headline).to_be_visible()
    page.get_by_role("button", name="Sichern", exact=True).first.click()
    expect(page.get_by_role("heading", name="Artikel", exact=True, level=1)).to_be_visible()
    assert (asked, "Neu: " in Article.objects.get().headline) == (["beforeunload"], True)
