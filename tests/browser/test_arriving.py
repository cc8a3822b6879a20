"""With scripts: what others write meanwhile is offered everywhere, once, and costs a reader neither words nor place."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Locator, Page, expect

from articles.models import Article
from comments.models import Comment, Passage
from moderation.services import approve
from tests import factories


@pytest.fixture
def talk(transactional_db) -> Article:
    article = factories.article()
    for name in ("Rolf", "Berta", "Carla"):
        factories.comment(article, f"Von {name}.", name=name)
    return article


def offered(page: Page, label: str = "1 neuer Kommentar") -> Locator:
    """Without the four seconds until a page asks by itself: it asks when its tab comes to the front, too."""
    button = page.get_by_role("button", name=label)
    for _ in range(20):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        with suppress(AssertionError):
            expect(button).to_be_visible(timeout=500)
            break
    return button


def write(page: Page, words: str) -> None:
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill(words)
    form.get_by_label("Name").fill("Dora")
    form.get_by_role("button", name="Kommentar absenden").click()


def test_whom_one_hides_is_not_announced(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    page.get_by_role("button", name="Kommentare von Rolf auf diesem Gerät ausblenden").click()
    factories.comment(talk, "Und noch etwas.", name="Rolf")
    factories.comment(talk, "Von jemand anderem.", name="Emil")
    expect(offered(page)).to_be_visible()
    factories.comment(talk, "Und noch mehr.", name="Rolf")
    page.evaluate("ask()")
    expect(page.get_by_role("button", name="2 neue Kommentare")).to_have_count(0)
    page.goto(talk.get_absolute_url())
    expect(page.get_by_role("link", name="1 neuer Kommentar seit Ihrem letzten Besuch")).to_be_visible()
    expect(page.locator(".comment.new .text")).to_have_text(["Von jemand anderem."])


def test_one_press_is_enough_while_one_writes(page: Page, talk):
    page.goto(talk.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Halb")
    factories.comment(talk, "Gerade geschrieben.")
    place = offered(page).bounding_box()
    page.mouse.click(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(page.locator("#kommentar-4")).to_be_focused()
    expect(form.get_by_label("Kommentar", exact=True)).to_have_value("Halb")


def test_what_was_offered_stays_so_after_ones_own_thread(page: Page, talk):
    page.goto(talk.get_absolute_url())
    root = Comment.objects.get(number=1)
    for number in range(5):  # beyond what the page shows of a thread
        factories.comment(talk, f"Antwort {number}.", parent=root)
    expect(offered(page, "5 neue Kommentare")).to_be_visible()
    write(page, "Mein Faden.")
    expect(page.locator("#kommentar-9")).to_be_focused()
    offered(page, "2 neue Kommentare").click()  # three of them came with the page
    expect(page.locator(".just-arrived .text")).to_have_text(["Antwort 3.", "Antwort 4."])
    expect(offered(page)).to_have_count(0)


def test_thread_of_its_own_page_learns_of_its_answers(page: Page, talk):
    page.goto(f"{talk.get_absolute_url()}gespraech/1/")
    factories.comment(talk, "In einem anderen.", parent=Comment.objects.get(number=2))
    factories.comment(talk, "Hier.", parent=Comment.objects.get(number=1))
    offered(page).click()
    expect(page.locator(".just-arrived .text")).to_have_text(["Hier."])
    expect(page.locator("#kommentar-5")).to_be_focused()
    expect(page.locator(".comment")).to_have_count(2)


def test_back_shows_the_comment_that_was_read_where_it_stood(page: Page, talk):
    """Though the new ones stand above it by now."""
    for number in range(4, 9):
        factories.comment(talk, f"Faden {number}. " + "Viele Worte. " * 60)
    page.goto(talk.get_absolute_url())
    factories.comment(talk, "Gerade geschrieben. " * 40)
    place = page.locator("#kommentar-7")
    place.evaluate("comment => scrollTo(0, comment.getBoundingClientRect().top + scrollY - 250)")
    before = place.bounding_box()["y"]
    offered(page).click()
    expect(page.locator("#kommentar-9")).to_be_focused()
    page.go_back()
    expect(place).to_be_in_viewport()
    page.wait_for_timeout(500)
    assert abs(place.bounding_box()["y"] - before) < 3


def test_back_leads_to_where_the_reader_was(page: Page, talk):
    page.goto("/")
    page.goto(f"{talk.get_absolute_url()}?sortierung=neueste")
    factories.comment(talk, "Gerade geschrieben.")
    offered(page).click()
    expect(page.locator("#kommentar-4")).to_be_focused()
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?sortierung=neueste$"))
    expect(page.locator("#kommentar-4")).to_be_visible()


def test_own_comment_that_waited_stands_there_once(page: Page, talk):
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    page.goto(talk.get_absolute_url())
    write(page, "Bitte prüfen.")
    expect(page.locator(".held")).to_contain_text("Bitte prüfen.")
    approve(Comment.objects.latest("pk"), moderator=factories.editor())
    offered(page).click()
    expect(page.locator("#kommentar-4")).to_be_focused()
    expect(page.get_by_text("Bitte prüfen.")).to_have_count(1)


def test_view_of_passages_shows_what_is_about_one_and_leads_to_the_rest(page: Page, talk):
    passage = Passage.objects.create(article=talk, block=1, exact="Lukaschenko")
    factories.comment(talk, "Zur Stelle.", passage=passage)
    page.goto(f"{talk.get_absolute_url()}?ansicht=inline")
    factories.comment(talk, "Auch zur Stelle.", passage=passage)
    offered(page).click()
    expect(page.locator(".just-arrived .text")).to_have_text(["Auch zur Stelle."])
    factories.comment(talk, "Ganz allgemein.")
    offered(page).click()
    expect(page.get_by_text("Ganz allgemein.")).to_be_visible()
    expect(page.get_by_text("Hier steht, was nach Kommentar")).to_be_visible()


def test_what_somebody_else_deleted_is_said(page: Page, talk, expected):
    expected += ["status of 404", "Status Error Code 404"]
    page.goto(talk.get_absolute_url())
    Comment.objects.filter(number=1).update(state=Comment.State.DELETED)
    comment = page.locator("#kommentar-1")
    comment.get_by_role("link", name="Antworten").click()
    expect(comment.locator("[role=status]")).to_contain_text("von seiner Autorin oder seinem Autor gelöscht")
