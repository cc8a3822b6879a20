"""Who only reads leaves nothing behind; and the one thing that asks for attention, the bubble, behaves."""

import pytest
from playwright.sync_api import Page, expect

from tests import factories

STORED = "() => [Object.keys(localStorage), Object.keys(sessionStorage), document.cookie]"
INVITATION = "Ihre Meinung ist uns wichtig. Schreiben Sie einen Kommentar."


def test_reading_leaves_no_trace(new_page: Page, german_article):
    """No request to anybody else either: `visit` fails the test over one."""
    page = new_page
    for number in range(60):
        factories.comment(german_article, f"Kommentar {number}.")
    page.goto("/")
    page.get_by_role("link", name=german_article.headline).click()
    expect(page.locator("html.js")).to_have_count(1)
    assert page.evaluate(STORED) == [[], [], ""]
    page.mouse.wheel(0, 20_000)
    for name, threads in [
        ("Weitere Kommentare", 60),
        ("Neueste", 50),
        ("Inline-Feedback", 0),
        ("Alle Kommentare anzeigen", 50),
    ]:
        page.get_by_role("link", name=name).click()
        expect(page.locator(".thread")).to_have_count(threads)
    for _stop in range(30):
        page.keyboard.press("Tab")
    page.go_back()
    page.get_by_role("link", name="Hausregeln").last.click()
    expect(page.get_by_role("heading", name="Hausregeln")).to_be_visible()
    # An order chosen is remembered, as asked; nothing else is.
    assert page.evaluate(STORED) == [[], [], "ansicht=neueste.faeden"]
    page.goto(german_article.get_absolute_url())
    expect(page.locator(".comment").first).to_have_id("kommentar-60")
    page.get_by_role("link", name="Älteste").click()
    expect(page.locator(".comment").first).to_have_id("kommentar-1")
    assert page.evaluate(STORED) == [[], [], ""]


def test_bubble_invites_and_is_closed_for_good(page: Page, german_article):
    factories.comment(german_article)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(german_article.get_absolute_url())
    bubble = page.get_by_role("complementary", name="Einladung")
    expect(bubble).to_be_in_viewport()
    expect(bubble.get_by_role("link", name=f"1 {INVITATION}")).to_be_visible()
    bubble.get_by_role("button", name="Schließen").click()
    expect(bubble).to_have_count(0)
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(bubble).to_have_count(0)
    assert page.context.cookies() == []


def test_bubble_leads_to_the_form_and_makes_room(page: Page, german_article):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(german_article.get_absolute_url())
    bubble = page.locator("[data-bubble]")
    bubble.get_by_role("link").click()
    expect(page.get_by_role("form", name="Kommentar schreiben")).to_be_in_viewport()
    expect(bubble).to_be_hidden()
    page.evaluate("scrollTo(0, 0)")
    expect(bubble).to_be_visible()


def scroll_to_the_form(page: Page, seen: int) -> None:
    """Until `seen` pixels of it are in view, at the foot of the window."""
    page.evaluate(
        "(seen) => { const form = document.getElementById('kommentar-schreiben').getBoundingClientRect();"
        " scrollBy({ top: form.top - innerHeight + seen, behavior: 'instant' }); }",
        seen,
    )


@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [1152, 390])
def test_bubble_is_never_there_beside_the_form_and_nothing_moves(visit, german_article, width, script):
    page = visit(viewport={"width": width, "height": 700}, java_script_enabled=script)
    page.goto(german_article.get_absolute_url())
    bubble, form = page.locator("[data-bubble]"), page.get_by_role("form", name="Kommentar schreiben")
    height = page.evaluate("document.documentElement.scrollHeight")
    for seen, is_away in [(-150, False), (2, True), (60, True), (-150, False)]:
        scroll_to_the_form(page, seen)
        if is_away:
            expect(form).to_be_in_viewport()
            expect(bubble).to_be_hidden()
        elif not script or width == 390:  # where it stands in the text; what floats is away since the comments' head
            expect(form).not_to_be_in_viewport()
            expect(bubble).to_be_visible()
            expect(bubble).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollHeight") == height
    page.evaluate("scrollTo(0, 0)")
    expect(bubble).to_be_visible()


@pytest.mark.parametrize("width", [1280, 390])
def test_bubble_is_closed_from_the_keyboard_and_leads_on_to_the_comments(visit, german_article, width):
    page = visit(viewport={"width": width, "height": 800}, reduced_motion="reduce")  # nothing is still scrolling
    page.goto(german_article.get_absolute_url())
    bubble = page.get_by_role("complementary", name="Einladung")
    bubble.get_by_role("link").focus()
    page.keyboard.press("Tab")
    expect(bubble.get_by_role("button", name="Schließen")).to_be_focused()
    top = page.evaluate("scrollY")
    page.keyboard.press("Enter")
    expect(bubble).to_have_count(0)
    expect(page.locator("#kommentare")).to_be_focused()
    assert page.evaluate("scrollY") == top
    assert page.context.cookies() == []


def test_bubble_is_closed_without_a_script(visit, german_article, live_server):
    page = visit(java_script_enabled=False)
    page.goto(f"{german_article.get_absolute_url()}?sortierung=neueste")
    bubble = page.get_by_role("complementary", name="Einladung")
    scroll_to_the_form(page, -100)
    bubble.get_by_role("button", name="Schließen").click()
    expect(page).to_have_url(f"{live_server.url}{german_article.get_absolute_url()}?sortierung=neueste#bewertung")
    expect(bubble).to_have_count(0)
    page.goto(german_article.get_absolute_url())
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(bubble).to_have_count(0)
    assert [cookie["name"] for cookie in page.context.cookies()] == ["blase"]


def test_bubble_counts_along(page: Page, article, known_as):
    reader = factories.reader("Anna")
    factories.comment(article, reader=reader)
    known_as(page, reader)
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Noch einer.")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("[data-bubble] b")).to_have_text("2")


# The rectangles of all text that is not the bubble's own, and the bubble's while it shows, at every scroll position.
COVERED = """async () => {
  const bubble = document.querySelector("[data-bubble]");
  const painted = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const covered = [];
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    if (walker.currentNode.data.trim() && !bubble.contains(walker.currentNode)) texts.push(walker.currentNode);
  }
  const range = document.createRange();
  for (let top = 0; ; top += innerHeight / 2) {
    scrollTo({ top, behavior: "instant" });
    await painted();
    const box = bubble.getBoundingClientRect();
    if (getComputedStyle(bubble).visibility === "visible" && box.width) {
      for (const text of texts) {
        range.selectNodeContents(text);
        for (const line of range.getClientRects()) {
          if (line.right > box.left && line.left < box.right && line.bottom > box.top && line.top < box.bottom &&
              line.width > 1 && line.height > 1) covered.push(`${scrollY}: ${text.data.trim().slice(0, 40)}`);
        }
      }
    }
    if (top + innerHeight >= document.documentElement.scrollHeight) return covered;
  }
}"""


def test_bubble_is_never_over_text(page: Page, german_article):
    for _thread in range(4):
        parent = factories.comment(german_article, "Ein Satz, der über die ganze Zeile geht. " * 8)
        factories.comment(german_article, "Eine Antwort.", parent=parent)
    page.goto(german_article.get_absolute_url())
    for width, height in [(390, 844), (768, 1024), (1151, 900), (1152, 900), (1280, 720), (1600, 900), (1152, 420)]:
        page.set_viewport_size({"width": width, "height": height})
        assert (width, page.evaluate(COVERED)) == (width, [])
