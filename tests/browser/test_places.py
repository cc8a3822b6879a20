"""Where the reader is: nothing moves under the pointer, one comment is marked, and its address leads back to it."""

import pytest
from playwright.sync_api import Page, expect

from comments.models import Comment
from comments.threads import REPLIES_PER_THREAD
from tests import factories

PLACE = """(link) => [link.offsetLeft, link.offsetTop, link.offsetWidth, link.offsetHeight,
                       link.closest(".comment").offsetHeight, document.documentElement.scrollHeight]"""


@pytest.mark.parametrize(("width", "scripts"), [(320, False), (480, True), (640, False), (1200, True)])
def test_date_beside_a_time_moves_nothing(visit, talk, width, scripts):
    """Whatever room its row has left: the link must not run away from the pointer."""
    page = visit(java_script_enabled=scripts)
    page.set_viewport_size({"width": width, "height": 800})
    for letters in range(4, 60, 8):
        factories.comment(talk, name="m" * letters)
    page.goto(f"{talk.get_absolute_url()}?ansicht=flach&sortierung=neueste")
    links = page.locator(".comment .time")
    assert links.count() > 8
    for link in links.all():
        before = link.evaluate(PLACE)
        link.hover()
        expect(link.locator("small")).to_be_visible()
        assert link.evaluate(PLACE) == before
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_going_from_comment_to_comment_marks_one(page: Page, talk):
    page.goto(f"{talk.get_absolute_url()}#kommentar-7")
    expect(page.locator(".found")).to_have_attribute("id", "kommentar-7")
    for key, number in [("k", 4), ("k", 3), ("j", 4)]:
        page.keyboard.press(key)
        expect(page.locator(".found")).to_have_count(1)
        expect(page.locator(".found")).to_have_attribute("id", f"kommentar-{number}")
    assert page.locator("#kommentar-7").evaluate("(comment) => getComputedStyle(comment).boxShadow") == "none"


def test_replies_that_came_in_place_have_an_address_that_finds_them(page: Page, visit, talk):
    page.goto(talk.get_absolute_url())
    page.get_by_role("link", name="weitere Antworten anzeigen").press("Enter")
    first = page.locator(f"#kommentar-{REPLIES_PER_THREAD + 2}")
    expect(first).to_be_focused()
    expect(page.locator(".found")).to_have_id(f"kommentar-{REPLIES_PER_THREAD + 2}")  # the keyboard's place is seen
    page.keyboard.press("j")
    later = f"#kommentar-{REPLIES_PER_THREAD + 3}"
    expect(page.locator(later)).to_be_focused()
    other = visit()
    other.goto(page.url)
    expect(other.locator(later)).to_be_focused()


def test_a_second_quotation_goes_beneath_the_first(page: Page, talk):
    page.goto(talk.get_absolute_url())
    comment = page.locator("#kommentar-7")
    comment.get_by_role("link", name="Antworten").click()
    comment.locator("textarea").fill("Angefangen.")
    for _ in range(2):
        comment.locator(".text p").select_text()
        comment.get_by_role("link", name="Antworten").click()
    expect(comment.locator("textarea")).to_have_value("Angefangen.\n\n> Zweiter Faden.\n\n> Zweiter Faden.\n\n")
    comment.get_by_role("link", name="Antworten").click()  # nothing is selected any more
    expect(comment.locator("textarea")).to_have_value("Angefangen.\n\n> Zweiter Faden.\n\n> Zweiter Faden.\n\n")


def test_form_of_its_own_page_has_the_keyboard(visit, talk):
    page = visit(java_script_enabled=False)
    page.goto(talk.get_absolute_url())
    page.locator("#kommentar-7").get_by_role("link", name="Antworten").click()
    expect(page.get_by_label("Kommentar", exact=True)).to_be_focused()


def test_anchor_finds_its_comment_whatever_is_remembered_here(page: Page, talk):
    """Copied out of the bar of a device that reads in another order."""
    reply = factories.comment(talk, "Eine Antwort.", parent=Comment.objects.get(article=talk, number=1))
    page.goto(talk.get_absolute_url())
    page.get_by_role("link", name="Eingeklappt").click()
    expect(page.locator("#ansicht-eingeklappt")).to_have_attribute("aria-current", "true")
    page.goto("/")
    page.goto(f"{talk.get_absolute_url()}#{reply.anchor}")
    expect(page.locator(f"#{reply.anchor}")).to_be_focused()
    page.goto("/")
    page.goto(f"{talk.get_absolute_url()}#kommentar-999")  # there is none
    expect(page.locator("#kommentar-1")).to_be_visible()
    page.wait_for_timeout(500)
    expect(page.locator("h1")).to_have_text(talk.headline)
