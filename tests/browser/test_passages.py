"""Commenting on chosen words: with a mouse, a finger, the keyboard, and without script."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from articles.models import Article
from comments.models import Comment, Passage
from tests import factories

SOURCE = """Der Rat tagt. Der Rat schweigt, und die Stadt wartet.

Die [[Brücke am Hafen]]{Soll sie bleiben?} ist alt.

> Ein *Zitat* aus der Sitzung."""

# From the start of the first to the end of the last words, as a reader's finger or mouse would.
SELECT = """([first, last, nth]) => {
  const find = (words) => {
    const walker = document.createTreeWalker(document.querySelector(".article > .text"), NodeFilter.SHOW_TEXT);
    let left = nth;
    while (walker.nextNode()) {
      let at = -1;
      while ((at = walker.currentNode.data.indexOf(words, at + 1)) >= 0) if (!left--) return [walker.currentNode, at];
    }
  };
  const [start, from] = find(first), [end, to] = find(last);
  getSelection().setBaseAndExtent(start, from, end, to + last.length);
}"""


@pytest.fixture
def article(transactional_db):
    return factories.article(source=SOURCE)


def select(page: Page, first: str, last: str = "", nth: int = 0) -> Locator:
    """Chooses the words and returns the button that appears."""
    button = page.get_by_role("link", name="Stelle kommentieren")
    page.evaluate("getSelection().removeAllRanges()")
    expect(button).to_have_count(0)
    page.evaluate(SELECT, [first, last or first, nth])
    return button


def chosen(button: Locator) -> dict[str, str]:
    expect(button).to_be_visible()
    return {name: values[0] for name, values in parse_qs(urlsplit(button.get_attribute("href")).query).items()}


def write(page: Page, words: str, form_name: str = "Stelle kommentieren") -> None:
    form = page.get_by_role("form", name=form_name)
    form.get_by_label("Kommentar", exact=True).fill(words)
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()


def test_tab_goes_on_where_the_words_were_chosen(page: Page, article):
    page.goto(article.get_absolute_url())
    page.locator("#absatz-2").dblclick(position={"x": 20, "y": 10})
    expect(page.get_by_role("link", name="Stelle kommentieren")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#absatz-2, #absatz-2 + .choose') !== null")


def test_words_dragged_over_with_the_mouse_are_commented_on_in_place(page: Page, article):
    page.goto(article.get_absolute_url())
    before = page.locator("#absatz-1").bounding_box()
    page.mouse.move(before["x"] + 2, before["y"] + before["height"] - 10)
    page.mouse.down()
    page.mouse.move(before["x"] + 150, before["y"] + before["height"] - 10, steps=5)
    page.mouse.up()
    words = page.evaluate("getSelection().toString()").strip()
    assert len(words) > 3
    button = page.get_by_role("link", name="Stelle kommentieren")
    expect(button).to_be_in_viewport(ratio=1)
    button.click()
    quote = page.locator(".here .passage")
    expect(quote).to_contain_text(words.split()[-1])
    expect(page.locator(".here").get_by_label("Kommentar", exact=True)).to_be_focused()
    assert page.locator("#absatz-1 + .here").count() == 1
    write(page, "Zur Stelle.")
    comment = page.locator("#kommentar-1")
    expect(comment).to_be_focused()
    expect(page.locator(".here")).to_have_count(0)
    passage = Passage.objects.get(question="")
    assert (passage.block, passage.exact, passage.comment_count) == (1, words, 1)
    # The paragraph says so at once, and the comment leads back to it.
    expect(page.locator("#absatz-1 .remarks")).to_have_text("1 Kommentar zu dieser Stelle")
    comment.locator(".passage a").click()
    expect(page).to_have_url(re.compile("#absatz-1$"))
    expect(page.locator("#absatz-1")).to_be_in_viewport()


def test_same_words_twice_are_told_apart(page: Page, article):
    page.goto(article.get_absolute_url())
    assert chosen(select(page, "Der Rat", nth=1)) == {
        "absatz": "1",
        "wortlaut": "Der Rat",
        "davor": "Der Rat tagt. ",
        "danach": " schweigt, und die Stadt wartet.\N{NO-BREAK SPACE}",
    }
    page.get_by_role("link", name="Stelle kommentieren").click()
    write(page, "Der zweite.")
    expect(page.locator("#kommentar-1")).to_be_visible()
    assert Passage.objects.get(question="").prefix == "Der Rat tagt. "


def test_selection_over_two_paragraphs_is_cut_to_the_first(page: Page, article):
    page.goto(article.get_absolute_url())
    query = chosen(select(page, "Stadt wartet", "Die "))
    assert (query["absatz"], query["wortlaut"].split()) == ("1", ["Stadt", "wartet."])


def test_emphasis_marks_and_counts_are_no_part_of_the_words(page: Page, article):
    factories.comment(article, passage=Passage.objects.get())
    page.goto(article.get_absolute_url())
    query = chosen(select(page, "Die ", " ist alt."))
    assert " ".join(query["wortlaut"].split()) == "Die Brücke am Hafen ist alt."
    query = chosen(select(page, "Ein ", " aus"))
    assert (query["absatz"], query["wortlaut"]) == ("3", "Ein Zitat aus")


def test_button_goes_with_the_selection(page: Page, article):
    page.goto(article.get_absolute_url())
    button = select(page, "Rat tagt")
    expect(button).to_be_visible()
    page.evaluate("getSelection().removeAllRanges()")
    expect(button).to_have_count(0)
    page.evaluate("getSelection().selectAllChildren(document.querySelector('h1'))")
    page.wait_for_timeout(400)
    expect(button).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_finger(visit, article, scheme):
    page = visit(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True, color_scheme=scheme)
    page.goto(article.get_absolute_url())
    button = select(page, "Stadt wartet")
    expect(button).to_be_in_viewport(ratio=1)
    assert min(button.bounding_box()["height"], button.bounding_box()["width"]) >= 44
    button.tap()
    expect(page.locator(".here .passage")).to_have_text("Stadt wartet")
    assert page.evaluate("document.scrollingElement.scrollWidth") == 390
    page.locator(".asked").tap()
    expect(page.locator(".here .question")).to_have_text("Soll sie bleiben?")


def test_keyboard_chooses_opens_leaves_and_sends(page: Page, article):
    page.goto(article.get_absolute_url())
    button = page.get_by_role("link", name="Stelle kommentieren")
    page.locator("#absatz-1").dblclick(position={"x": 60, "y": 12})  # the caret's place; from here on only keys
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    assert chosen(button)["wortlaut"] == "Der Rat"
    for _stop in range(2):  # the paragraph's sign, then the button
        page.keyboard.press("Tab")
        if button.evaluate("(button) => button === document.activeElement"):
            break
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    field = page.locator(".here").get_by_label("Kommentar", exact=True)
    expect(field).to_be_focused()
    page.keyboard.type("Begonnen")
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    pilcrow = page.get_by_role("link", name="Absatz 1 kommentieren")
    expect(pilcrow).to_be_focused()
    # Nothing typed is lost: the same words open the same draft.
    select(page, "Der Rat").click()
    expect(field).to_have_value("Begonnen")
    # And it goes along to another passage.
    page.get_by_role("link", name=re.compile("Brücke am Hafen")).press("Enter")
    expect(page.locator(".here .question")).to_be_visible()
    expect(field).to_have_value("Begonnen")
    page.locator(".here").get_by_label("Name").fill("Anna")
    field.press("Control+Enter")
    expect(page.locator("#kommentar-1 .passage")).to_contain_text("Soll sie bleiben?")
    expect(page.locator(".asked b")).to_have_text("1")
    assert Comment.objects.get().passage.question == "Soll sie bleiben?"


def test_error_keeps_its_place(page: Page, article, expected):
    expected += ["status of 422"]
    page.goto(article.get_absolute_url())
    page.get_by_role("link", name="Absatz 3 kommentieren").click()
    form = page.get_by_role("form", name="Stelle kommentieren")
    form.get_by_label("Kommentar", exact=True).fill("Ohne Namen.")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(form.get_by_label("Name")).to_be_focused()
    expect(page.locator(".here .passage")).to_have_text("Ein Zitat aus der Sitzung.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("#kommentar-1 .passage")).to_have_text("Ein Zitat aus der Sitzung.")


def test_form_that_cannot_be_opened_here_is_opened_on_its_own_page(page: Page, article, expected):
    expected += ["status of 404", "Status Error Code 404"]
    page.goto(article.get_absolute_url())
    Article.objects.update(state=Article.State.DRAFT)  # taken back while somebody reads it
    page.get_by_role("link", name="Absatz 1 kommentieren").click()
    expect(page).to_have_url(re.compile(r"/kommentieren/\?absatz=1$"))
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_without_script_the_question_is_a_page(plain_page: Page, article, expected):
    expected += ["status of 403"]
    plain_page.goto(article.get_absolute_url())
    plain_page.get_by_role("link", name=re.compile("Brücke am Hafen")).click()
    expect(plain_page.get_by_text("Soll sie bleiben?")).to_be_visible()
    write(plain_page, "Sie soll bleiben.", "Frage beantworten")
    plain_page.get_by_role("button", name="Bestätigen").click()
    expect(plain_page.locator("#kommentar-1 .passage")).to_contain_text("Brücke am Hafen")
    plain_page.locator(".article").get_by_role("link", name="1 Kommentar zu dieser Stelle").click()
    expect(plain_page.locator(".comment .text")).to_have_text(["Sie soll bleiben."])
    plain_page.get_by_role("link", name=re.compile(r"Brücke am Hafen.*1 Antwort")).click()
    plain_page.get_by_role("link", name="1 Kommentar zu dieser Stelle lesen").click()
    expect(plain_page.locator("#stelle")).to_be_in_viewport()


def test_what_is_added_is_not_copied(page: Page, article):
    factories.comment(article, passage=Passage.objects.get())
    page.goto(article.get_absolute_url())
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#absatz-2'))")
    copied = page.evaluate("getSelection().toString()")
    assert copied.strip() == "Die Brücke am Hafen ist alt."
