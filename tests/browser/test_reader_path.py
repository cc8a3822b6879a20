"""The whole path of a reader, with JavaScript: read, rate, write, answer, vote, sort, subscribe, be told."""

import re

from playwright.sync_api import Page, expect

from comments.models import Comment
from tests import factories


def test_reader_rates_and_changes_it(page: Page, german_article):
    page.goto("/")
    page.get_by_role("link", name="Lukaschenko trifft Putin: Wird Weißrussland zum Puffer?").click()
    expect(page).to_have_url(re.compile("/artikel/lukaschenko-trifft-putin/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Lukaschenko trifft Putin: Wird Weißrussland zum Puffer?")
    expect(page.get_by_text("Von UKIN")).to_be_visible()
    rating = page.get_by_role("group", name="Artikel bewerten")
    expect(page.get_by_text("Noch keine Stimme")).to_be_visible()
    rating.get_by_role("radio", name="4 Sterne").check()
    rating.get_by_role("button", name="Bewerten").click()
    expect(page.get_by_text("4,0 von 5 (1 Stimme)")).to_be_visible()
    expect(page.get_by_role("status").filter(has_text="Ihre Bewertung ist gespeichert")).to_be_visible()
    rating.get_by_role("radio", name="5 Sterne").check()
    rating.get_by_role("button", name="Bewerten").click()
    expect(page.get_by_text("5,0 von 5 (1 Stimme)")).to_be_visible()
    page.reload()
    expect(rating.get_by_role("radio", name="5 Sterne")).to_be_checked()


# How far from the left edge each line's words begin: what CSS puts before them has no box of its own.
INDENTS = """(byline) => {
  const range = document.createRange();
  const lines = new Map();
  const walker = document.createTreeWalker(byline, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects()) {
      const line = Math.round(box.bottom / 8);
      if (box.width > 1) lines.set(line, Math.min(lines.get(line) ?? Infinity, box.left));
    }
  }
  return [...lines.values()].map((left) => Math.round(left - byline.getBoundingClientRect().left));
}"""


def test_no_line_begins_with_the_dot_between_author_date_and_comments(page: Page, article):
    page.goto("/")
    byline = page.locator(".byline")
    lines = set()
    for width in range(200, 420, 10):
        page.set_viewport_size({"width": width, "height": 800})
        indents = byline.evaluate(INDENTS)
        assert (width, set(indents)) == (width, {0})
        lines.add(len(indents))
    assert lines >= {1, 2}


def test_reader_comments_is_answered_and_told(
    page: Page, plain_page: Page, german_article, letters, run_jobs, expected
):
    expected.append("status of 403")  # the question to the one without scripts
    path = german_article.get_absolute_url()
    page.goto(path)

    # Write, look at it first.
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Das überzeugt mich *nicht*.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_label("E-Mail").fill("anna@example.org")
    form.get_by_label("Benachrichtige mich bei Antworten auf meinen Kommentar").check()
    form.get_by_role("button", name="Vorschau").click()
    expect(form.locator(".preview em")).to_have_text("nicht")
    expect(form.get_by_label("Kommentar", exact=True)).to_have_value("Das überzeugt mich *nicht*.")
    expect(form.get_by_label("Benachrichtige mich")).to_be_checked()
    assert not Comment.objects.exists()
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(page.get_by_role("heading", name="1 Kommentar", exact=True)).to_be_visible()
    mine = page.locator("#kommentar-1")
    expect(mine.locator("em")).to_have_text("nicht")
    expect(mine).to_be_focused()
    expect(mine).to_be_in_viewport()
    expect(page.get_by_role("status").filter(has_text="Ihr Kommentar ist veröffentlicht.")).to_be_visible()
    expect(form.get_by_label("Kommentar", exact=True)).to_have_value("")
    expect(form.get_by_label("Name")).to_have_value("Anna")  # nothing is asked twice

    # The address is confirmed by the button behind the link.
    run_jobs()
    (opt_in,) = letters()
    assert opt_in.recipient == "anna@example.org"
    page.goto(address_in(opt_in.text, "/abo/ja/"))
    page.get_by_role("button", name="Ja, bitte benachrichtigen").click()
    expect(page.get_by_role("heading", name="Bestätigt")).to_be_visible()

    # Somebody else answers, without scripts.
    plain_page.goto(path)
    plain_page.locator("#kommentar-1").get_by_role("link", name="Antworten").click()
    answer = plain_page.get_by_role("form", name="Antwort auf Anna schreiben")
    answer.get_by_label("Kommentar", exact=True).fill("Mich schon:\n\n> nicht\n\nDie Quellen sind gut.")
    answer.get_by_label("Name").fill("Bernd")
    answer.get_by_role("button", name="Kommentar absenden").click()
    plain_page.get_by_role("button", name="Bestätigen").click()
    expect(plain_page.locator("#kommentar-2")).to_contain_text("Die Quellen sind gut.")

    # The mail has both texts and two links.
    run_jobs()
    (told,) = letters()[1:]
    assert told.recipient == "anna@example.org"
    for version in (told.text, told.html):
        assert "überzeugt mich" in version
        assert "Die Quellen sind gut." in version
    page.goto(address_in(told.text, "/kommentar/"))
    answered = page.locator("#kommentar-2")
    expect(answered).to_be_in_viewport()
    assert answered.evaluate("(comment) => comment.matches(':target')")
    assert background(answered) != background(page.locator("#kommentar-1"))

    # It ends by a button, too; opening the link alone ends nothing.
    end = address_in(told.text, "/abo/nein/")
    page.goto(end)
    page.goto(end)
    page.get_by_role("button", name="Nicht mehr benachrichtigen").click()
    expect(page.get_by_role("heading", name="Beendet")).to_be_visible()
    factories.comment(german_article, "Noch eine.", parent=Comment.objects.get(number=1))
    run_jobs()
    assert len(letters()) == 2


def test_respect_is_given_and_taken_back(page: Page, article):
    factories.comment(article)
    page.goto(article.get_absolute_url())
    respect = page.locator("#kommentar-1").get_by_role("button", name="Respekt")
    expect(respect).to_have_text("Respekt 0")
    expect(respect).to_have_attribute("aria-pressed", "false")
    respect.click()
    expect(respect).to_have_text("Respekt 1")
    expect(respect).to_have_attribute("aria-pressed", "true")
    expect(respect).to_be_focused()
    page.reload()
    expect(respect).to_have_attribute("aria-pressed", "true")
    respect.click()
    expect(respect).to_have_text("Respekt 0")
    expect(respect).to_have_attribute("aria-pressed", "false")


def test_threads_are_sorted_and_back_returns(page: Page, article):
    for text in ["Zuerst.", "Danach.", "Zuletzt."]:
        factories.comment(article, text)
    Comment.objects.filter(number=2).update(score=7)
    path = article.get_absolute_url()
    page.goto(path)
    sorting = page.get_by_role("navigation", name="Sortierung")
    shown = page.locator(".comment .text")
    for order, query, texts in [
        ("Neueste", "?sortierung=neueste", ["Zuletzt.", "Danach.", "Zuerst."]),
        ("Meistbewertet", "?sortierung=meistbewertet", ["Danach.", "Zuletzt.", "Zuerst."]),
        ("Älteste", "?sortierung=aelteste", ["Zuerst.", "Danach.", "Zuletzt."]),
    ]:
        sorting.get_by_role("link", name=order).click()
        expect(shown).to_have_text(texts)
        expect(sorting.locator("[aria-current]")).to_have_text([order])
        expect(page).to_have_url(re.compile(re.escape(path + query) + "$"))
    page.go_back()
    expect(shown).to_have_text(["Danach.", "Zuletzt.", "Zuerst."])
    expect(page).to_have_url(re.compile("meistbewertet$"))
    page.reload()
    expect(shown).to_have_text(["Danach.", "Zuletzt.", "Zuerst."])


def test_inline_view_and_back(page: Page, article):
    factories.comment(article, "Zum Ganzen.")
    page.goto(article.get_absolute_url())
    page.get_by_role("link", name="Absatz 2 kommentieren").click()
    expect(page.get_by_role("blockquote")).to_have_text("Zweiter Absatz.")
    form = page.get_by_role("form", name="Stelle kommentieren")
    form.get_by_label("Kommentar", exact=True).fill("Zur Stelle.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()
    comment = page.locator("#kommentar-2")
    expect(comment.get_by_role("link", name="Zweiter Absatz.")).to_be_visible()
    shown = page.locator(".comment .text")
    page.get_by_role("link", name="Inline-Feedback").click()
    expect(shown).to_have_text(["Zur Stelle."])
    expect(page).to_have_url(re.compile(r"\?ansicht=inline$"))
    page.get_by_role("link", name="Alle Kommentare anzeigen").click()
    expect(shown).to_have_text(["Zum Ganzen.", "Zur Stelle."])


def test_reader_subscribes_to_the_article(page: Page, article, letters, run_jobs):
    page.goto(article.get_absolute_url())
    group = page.get_by_role("group", name="Abonnieren")
    expect(group.get_by_role("radiogroup", name="Benachrichtige mich bei")).to_be_visible()
    group.get_by_role("radio", name="neuen Kommentaren").check()
    group.get_by_label("E-Mail").fill("anna@example.org")
    group.get_by_role("button", name="Abonnieren").click()
    expect(page.get_by_role("status").filter(has_text="sehen Sie in Ihr Postfach")).to_be_visible()
    run_jobs()
    (opt_in,) = letters()
    page.goto(address_in(opt_in.text, "/abo/ja/"))
    page.get_by_role("button", name="Ja, bitte benachrichtigen").click()
    expect(page.get_by_role("status")).to_contain_text("Wir benachrichtigen Sie")
    factories.comment(article, "Etwas Neues.")
    run_jobs()
    assert "Etwas Neues." in letters()[1].text


def address_in(text: str, path: str) -> str:
    """The one link of a mail's text that leads to `path`."""
    (address,) = {word for word in re.findall(r"https?://\S+", text) if path in word}
    return address


def background(element) -> str:
    return element.evaluate("(element) => getComputedStyle(element).backgroundColor")
