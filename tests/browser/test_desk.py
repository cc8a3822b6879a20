"""Editors at their desk, with scripts."""

from datetime import timedelta

import pytest
from django.utils import timezone
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


def test_leaving_a_changed_article_is_asked_about(new_page: Page, article):
    page = new_page
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


# What of the list is wider than the box it is in: the table, or the words of a choice.
CUT = """() => {
    const box = document.querySelector("#changelist .results"), pen = document.createElement("canvas").getContext("2d");
    const cut = [...document.querySelectorAll("#result_list select")].filter(choice => {
        const style = getComputedStyle(choice), room = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
        pen.font = style.font;
        return pen.measureText(choice.selectedOptions[0].text).width > choice.clientWidth - room;
    });
    return [box.scrollWidth > box.clientWidth, cut.map(choice => choice.selectedOptions[0].text)];
}"""


@pytest.mark.parametrize("width", [1200, 390])
def test_the_list_of_articles_is_whole(transactional_db, visit, width):
    planned = timezone.now() + timedelta(days=3)
    for number, mode in enumerate(Article.CommentMode.values):
        author = factories.Author.objects.create(name=f"Annegret Beispiel-Mustermann {number}")
        section = factories.Section.objects.get_or_create(name="Wissenschaft")[0]
        headline = f"Donaudampfschifffahrt: Wie lange noch gesperrt bleibt, was alle brauchen {number}"
        factories.article(
            headline,
            author=author,
            section=section,
            comment_mode=mode,
            published_at=planned if number == 2 else None,
        )
    page = visit(viewport={"width": width, "height": 900})
    sign_in(page)
    page.goto("/redaktion/articles/article/")
    assert page.locator("#result_list tbody tr").count() == len(Article.CommentMode)
    assert page.evaluate(CUT) == [False, []]
