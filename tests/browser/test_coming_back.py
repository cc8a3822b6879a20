"""With scripts: one's place after Back, after an error and after deleting; what is new stays new until it was read."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from articles.models import Article, Counters
from comments import seen, threads
from comments.models import Comment
from comments.services import delete_comment, withdraw
from tests import factories


@pytest.fixture
def talk(transactional_db) -> Article:
    article = factories.article()
    factories.comment(article, "Erster Faden.", name="Rolf")
    factories.comment(article, "Zweiter Faden.", name="Berta")
    return article


@pytest.fixture(autouse=True)
def queries_of_their_own() -> Iterator[None]:
    """They know how many threads a page has, which some tests change, and are compiled once a process."""
    threads._roots_prepared.cache_clear()
    yield
    threads._roots_prepared.cache_clear()


def send_answer(page: Page, number: int, text: str) -> None:
    comment = page.locator(f"#kommentar-{number}")
    comment.get_by_role("link", name="Antworten").click()
    comment.get_by_label("Kommentar", exact=True).fill(text)
    comment.get_by_label("Name").fill("Carla")
    comment.get_by_role("button", name="Kommentar absenden").press("Enter")


# --- Back ------------------------------------------------------------------------------------------------------------


def test_back_from_taking_a_reply_back_leads_to_the_article(page: Page, talk, settings):
    settings.UNDO_SECONDS = 10
    page.goto(talk.get_absolute_url())
    send_answer(page, 1, "Voreilig.")
    page.locator("#kommentar-3").get_by_role("button", name="Zurückziehen").click()
    field = page.get_by_label("Kommentar", exact=True)
    expect(field).to_be_focused()
    expect(field).to_have_value("Voreilig.")
    page.go_back()
    expect(page.locator("#kommentar-1")).to_be_visible()
    expect(page).to_have_url(re.compile(re.escape(talk.get_absolute_url())))


def test_back_to_a_deleted_comment_says_so(page: Page, talk, expected):
    expected.append("status of 404")
    page.goto(talk.get_absolute_url())
    send_answer(page, 1, "Doch nicht.")
    page.locator("#kommentar-3").get_by_role("link", name="Löschen").click()
    page.get_by_role("button", name="Löschen").click()
    expect(page.locator("#kommentar-3")).to_be_focused()
    expect(page.locator("#kommentar-3")).to_contain_text("gelöscht")
    page.go_back()
    expect(page.get_by_role("heading", name="Diesen Kommentar gibt es nicht mehr")).to_be_visible()
    expect(page.locator("main")).to_contain_text("von seiner Autorin oder seinem Autor gelöscht")
    page.get_by_role("link", name="Zum Artikel").click()
    expect(page.locator("#kommentar-2")).to_be_visible()


@pytest.mark.parametrize("leaves", ["page", "report"])
def test_back_shows_the_comment_where_it_stood(page: Page, talk, monkeypatch, leaves):
    """To the pixel, and without a mark: nobody was led to it."""
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 4)
    monkeypatch.setattr(threads, "REPLIES_PER_THREAD", 1)
    for number in range(3, 7):
        comment = factories.comment(talk, f"Faden {number}. " + "Viele Worte. " * 60)
        if number == 3:
            for _ in range(3):
                factories.comment(talk, "Eine Antwort. " * 50, parent=comment)
    page.goto(talk.get_absolute_url())
    if leaves == "report":  # after something was opened in place
        page.get_by_role("link", name="weitere Antworten").first.click()
        expect(page.locator("#kommentar-6")).to_be_visible()
    place = page.locator("#kommentar-7")
    place.evaluate("comment => scrollTo(0, comment.getBoundingClientRect().top + scrollY - 250)")
    before = place.bounding_box()["y"]
    if leaves == "page":
        page.get_by_role("navigation", name="Seiten").get_by_role("link", name="2").click()
        expect(page.locator("#kommentar-8")).to_be_visible()
    else:
        place.get_by_role("link", name="Melden").click()
        expect(page.get_by_role("heading", name="melden")).to_be_visible()
    page.go_back()
    expect(place).to_be_in_viewport()
    page.wait_for_timeout(1000)
    assert abs(place.bounding_box()["y"] - before) < 3
    expect(page.locator(".comment.found")).to_have_count(0)


def test_back_leads_to_what_was_loaded_in_place(page: Page, talk, monkeypatch):
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 2)
    for number in range(3, 5):
        factories.comment(talk, f"Faden {number}. " + "Viele Worte. " * 300)
    page.goto(talk.get_absolute_url())
    page.get_by_role("link", name="Weitere Kommentare").click()
    page.locator("#kommentar-4").get_by_role("link", name="Melden").click()
    expect(page.get_by_label("Begründung")).to_be_visible()
    page.go_back()
    expect(page.locator("#kommentar-4")).to_be_in_viewport()
    page.wait_for_timeout(1500)  # a browser that scrolls back to where it was takes its time
    expect(page.locator("#kommentar-4")).to_be_in_viewport()


@pytest.mark.parametrize(
    "query, loads, number", [("?sortierung=neueste", "Weitere Kommentare", 8), ("", "weitere Antworten", 2)]
)
def test_link_marks_its_comment_and_back_leads_to_the_place(page: Page, talk, monkeypatch, query, loads, number):
    """The comment that is in view when something else was loaded in place, and whose page is left by its own link."""
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 2)
    monkeypatch.setattr(threads, "REPLIES_PER_THREAD", 1)
    for _ in range(3):
        factories.comment(talk, "Eine Antwort. " * 50, parent=Comment.objects.get(number=1))
    for _ in range(5):
        factories.comment(talk, "Noch ein Faden. " + "Viele Worte. " * 100)
    page.goto(f"{talk.get_absolute_url()}{query}")
    there = page.locator(".comment").count()
    page.get_by_role("link", name=loads).first.click()
    expect(page.locator(".comment").nth(there)).to_be_visible()
    place = page.locator(f"#kommentar-{number}")
    place.evaluate("comment => scrollTo(0, comment.getBoundingClientRect().top + scrollY - 100)")
    before = place.bounding_box()["y"]
    place.locator("a.time").click()
    page.wait_for_load_state()
    expect(page.locator(".comment.found")).to_have_attribute("id", f"kommentar-{number}")
    expect(place).to_be_focused()
    page.go_back()
    expect(place).to_be_in_viewport()
    page.wait_for_timeout(1000)
    assert abs(place.bounding_box()["y"] - before) < 3


# --- what was not taken ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("begun", ["thread", "reply"])
def test_what_was_begun_stands_there_when_the_comments_are_closed(page: Page, talk, begun):
    page.goto(talk.get_absolute_url())
    if begun == "reply":
        page.locator("#kommentar-1").get_by_role("link", name="Antworten").click()
    form = page.locator("#kommentar-1 form" if begun == "reply" else "form.write").first
    form.get_by_label("Kommentar", exact=True).fill("Lange überlegt.")
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    Counters.objects.touch(talk.pk)
    page.goto(factories.article("Ein anderer").get_absolute_url())
    expect(page.get_by_role("textbox", name="begonnen")).to_have_count(0)
    page.goto(talk.get_absolute_url())
    text = page.get_by_role("textbox", name="Sie hatten hier etwas zu schreiben begonnen")
    expect(text).to_have_value("Lange überlegt.")
    expect(text).not_to_be_editable()
    page.get_by_role("button", name="Entwurf verwerfen").click()
    expect(text).to_have_count(0)
    page.reload()
    expect(page.get_by_text("geschlossen").first).to_be_visible()
    expect(page.get_by_text("Sie hatten hier etwas zu schreiben begonnen")).to_be_hidden()


def test_whose_answer_has_nothing_to_answer_writes_on(page: Page, talk, expected):
    """Their words stay, with the keyboard in them, and after a reload too."""
    expected.append("status of 409")
    page.goto(talk.get_absolute_url())
    page.locator("#kommentar-2").get_by_role("link", name="Antworten").click()
    expect(page.locator("#kommentar-2").get_by_label("Kommentar", exact=True)).to_be_focused()
    comment = Comment.objects.get(number=2)
    delete_comment(comment=comment, reader=comment.reader)
    send_answer(page, 2, "Ich sehe das anders.")
    field = page.locator("#kommentar-2").get_by_label("Kommentar", exact=True)
    expect(page.locator("#kommentar-2").get_by_role("alert")).to_be_visible()
    expect(field).to_be_focused()
    page.reload()
    expect(page.get_by_label("Kommentar", exact=True)).to_have_value("Ich sehe das anders.")


def test_draft_of_a_change_survives_a_reload_and_can_be_discarded(page: Page, talk):
    page.goto(talk.get_absolute_url())
    send_answer(page, 1, "Zuerst so.")
    page.locator("#kommentar-3").get_by_role("link", name="Bearbeiten").click()
    field = page.get_by_label("Kommentar", exact=True)
    field.fill("Lieber so.")
    page.reload()
    expect(field).to_have_value("Lieber so.")
    page.get_by_role("button", name="Entwurf verwerfen").click()
    expect(field).to_have_value("Zuerst so.")
    field.fill("Am liebsten so.")
    page.get_by_role("button", name="Vorschau").click()
    expect(page.locator(".preview .text")).to_have_text("Am liebsten so.")
    field.press("End")
    field.press_sequentially("!")
    field.press("Backspace")
    page.reload()
    expect(field).to_have_value("Am liebsten so.")  # what is stored is something else still
    page.get_by_role("button", name="Änderung speichern").click()
    expect(page.locator("#kommentar-3 .text")).to_have_text("Am liebsten so.")
    assert page.evaluate("Object.keys(localStorage)") == []


def test_who_has_written_is_known_to_the_other_form(page: Page, talk):
    page.goto(talk.get_absolute_url())
    send_answer(page, 1, "Meine erste.")
    expect(page.locator("#kommentar-3")).to_be_focused()
    expect(page.get_by_role("form", name="Kommentar schreiben").get_by_label("Name")).to_have_value("Carla")


# --- new since the last visit ----------------------------------------------------------------------------------------


# Told by the browser when it has time; the page may be left before.
BOTH_WERE_IN_VIEW = """new Promise((go) => {
  const look = () => (tab.get(VISIT)[articlePath].read.length === 2 ? go() : setTimeout(look, 20));
  look();
})"""


def test_new_on_another_page_stays_new_until_it_was_read(page: Page, talk, monkeypatch):
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 2)
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    for number in range(3, 6):
        factories.comment(talk, f"Neu {number}.")
    page.reload()
    link = page.get_by_role("link", name="3 neue Kommentare seit Ihrem letzten Besuch")
    expect(link).to_be_visible()
    page.goto(f"{talk.get_absolute_url()}?seite=2")
    expect(page.locator(".comment.new .text")).to_have_text(["Neu 3.", "Neu 4."])
    page.locator("#kommentar-4").scroll_into_view_if_needed()
    page.evaluate(BOTH_WERE_IN_VIEW)
    page.locator("#kommentar-4").press("n")  # none after it here: to the list of all
    expect(page).to_have_url(re.compile(r"seit=2"))
    expect(page.locator(".comment.new .text")).to_have_text(["Neu 5."])


def test_new_beyond_a_page_of_them_is_reached_by_the_key(page: Page, talk, monkeypatch):
    monkeypatch.setattr(threads, "FLAT_PER_PAGE", 2)
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    for number in range(3, 6):
        factories.comment(talk, f"Neu {number}.")
    page.goto(f"{talk.get_absolute_url()}?sortierung=aelteste&ansicht=flach&seit=2")
    for number in (3, 4, 5):
        page.keyboard.press("n")
        expect(page.locator(f"#kommentar-{number}")).to_be_focused()
    page.keyboard.press("n")
    expect(page.get_by_text("Weiter unten steht nichts Neues mehr.")).to_be_visible()


def test_keys_pass_by_what_is_folded_and_what_is_new_unfolds(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    answer = factories.comment(talk, "Neue Antwort.", parent=Comment.objects.get(number=1))
    page.reload()
    page.locator("summary").filter(has_text="1 Antwort").click()
    first, second = page.locator("#kommentar-1"), page.locator("#kommentar-2")
    first.focus()
    page.keyboard.press("j")
    expect(second).to_be_focused()
    page.keyboard.press("k")
    expect(first).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator(f"#kommentar-{answer.number}")).to_be_focused()


def test_ones_own_are_not_new(page: Page, talk, monkeypatch):
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 2)
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    for number in (3, 4):
        factories.comment(talk, f"Neu {number}.")
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Von mir.")
    form.get_by_label("Name").fill("Carla")
    page.reload()
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("#kommentar-5")).to_be_focused()  # on a page of its own
    page.goto(talk.get_absolute_url())
    expect(page.get_by_role("link", name="2 neue Kommentare seit Ihrem letzten Besuch")).to_be_visible()


def test_new_without_script_and_then_with_one(plain_page: Page, page: Page, talk, monkeypatch, live_server):
    """What the cookie knew the browser's own storage knows afterwards, and the cookie is gone."""
    monkeypatch.setattr(seen, "VISIT_LASTS", 0)  # each page is a visit
    plain_page.goto(talk.get_absolute_url())
    plain_page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    expect(plain_page.get_by_role("button", name="Nicht mehr zeigen, was neu ist")).to_be_visible()
    factories.comment(talk, "Neu.")
    plain_page.get_by_role("link", name="Neueste").click()
    expect(plain_page.locator(".comment:has(.fresh) .text")).to_have_text(["Neu."])
    factories.comment(talk, "Auch neu.")
    plain_page.reload()
    plain_page.get_by_role("link", name="1 neuer Kommentar seit Ihrem letzten Besuch").click()
    expect(plain_page.locator(".comment .text")).to_have_text(["Auch neu."])

    (kept,) = [cookie for cookie in plain_page.context.cookies() if cookie["name"] == "gesehen"]
    page.context.add_cookies([{"name": "gesehen", "value": kept["value"], "url": live_server.url}])
    factories.comment(talk, "Noch neuer.")
    page.goto(talk.get_absolute_url())
    expect(page.locator(".comment.new .text")).to_have_text(["Noch neuer."])
    expect(page.locator(".badge", has_text="neu")).to_have_count(1)
    expect(page.get_by_role("button", name="Nicht mehr zeigen, was neu ist")).to_have_count(1)
    assert page.context.cookies() == []
    plain_page.get_by_role("button", name="Nicht mehr zeigen, was neu ist").click()
    expect(plain_page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist")).to_be_visible()
    assert plain_page.context.cookies() == []


def test_new_that_is_gone_again_is_not_waited_for(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    for words in ("Bleibt.", "Geht."):
        comment = factories.comment(talk, words)
    withdraw(comment, Comment.State.REMOVED)
    page.goto(f"{talk.get_absolute_url()}?ansicht=flach&seit=3")  # not the list of all that is new
    page.goto(talk.get_absolute_url())
    page.get_by_role("link", name="2 neue Kommentare seit Ihrem letzten Besuch").click()
    expect(page.locator(".comment.new .text")).to_have_text(["Bleibt."])
    page.evaluate(BOTH_WERE_IN_VIEW)
    page.goto(talk.get_absolute_url())
    expect(page.get_by_role("button", name="Nicht mehr zeigen, was neu ist")).to_be_visible()
    expect(page.locator(".tools .news")).to_have_count(0)


def test_next_new_one_has_a_button(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    factories.comment(talk, "Neu.")
    page.reload()
    page.get_by_role("button", name="Zum nächsten neuen").click()
    expect(page.locator("#kommentar-3")).to_be_focused()


def test_pages_are_exchanged_in_place_and_back_finds_each_with_its_order(page: Page, talk, monkeypatch):
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 1)
    page.goto(talk.get_absolute_url())
    page.evaluate("mark = 1")
    page.get_by_role("navigation", name="Seiten").get_by_role("link", name="2").click()
    expect(page.locator("#kommentar-2")).to_be_visible()
    expect(page.locator("#faeden")).to_be_focused()
    assert page.evaluate("mark") == 1
    expect(page.get_by_role("navigation", name="Seiten").locator("[aria-current]")).to_have_text("2")
    page.get_by_role("link", name="Meistbewertet").click()
    expect(page.locator("#sortierung-meistbewertet")).to_have_attribute("aria-current", "true")
    page.go_back()
    expect(page.locator("#sortierung-aelteste")).to_have_attribute("aria-current", "true")
    expect(page.locator("#kommentar-2")).to_be_visible()
    page.wait_for_load_state()
    page.go_back()
    expect(page.locator("#sortierung-aelteste")).to_have_attribute("aria-current", "true")
    expect(page.locator("#kommentar-1")).to_be_visible()


def test_back_finds_the_order_after_going_on_in_place(page: Page, talk, monkeypatch):
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 1)
    page.goto(f"{talk.get_absolute_url()}?sortierung=meistbewertet")
    page.get_by_role("link", name="Weitere Kommentare").click()
    second = page.locator("#kommentar-1")
    expect(second).to_be_focused()
    second.evaluate("comment => scrollTo(0, comment.getBoundingClientRect().top + scrollY - 40)")
    second.get_by_role("link", name="Melden").click()
    expect(page.get_by_role("heading", name="melden")).to_be_visible()
    page.go_back()
    expect(page.locator("#sortierung-meistbewertet")).to_have_attribute("aria-current", "true")
    expect(page.locator("#kommentar-1")).to_be_visible()


def test_what_was_taken_back_is_a_draft_from_the_start(page: Page, talk, settings):
    settings.UNDO_SECONDS = 10
    page.goto(talk.get_absolute_url())
    send_answer(page, 1, "Voreilig.")
    page.locator("#kommentar-3").get_by_role("button", name="Zurückziehen").click()
    expect(page.get_by_label("Kommentar", exact=True)).to_have_value("Voreilig.")
    page.goto(talk.get_absolute_url())
    page.locator("#kommentar-1").get_by_role("link", name="Entwurf fortsetzen").click()
    expect(page.locator("#kommentar-1").get_by_label("Kommentar", exact=True)).to_have_value("Voreilig.")


def test_key_for_an_answer_quotes_what_is_selected(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.locator("#kommentar-1").focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#kommentar-1 .text p'))")
    page.keyboard.press("a")
    expect(page.locator("#kommentar-1").get_by_label("Kommentar", exact=True)).to_have_value("> Erster Faden.\n\n")


def test_hidden_person_is_not_recommended_either(page: Page, talk):
    Comment.objects.filter(number=2).update(picked_at="2026-11-01T12:00Z")
    page.goto(talk.get_absolute_url())
    picked = page.locator(".picks li")
    expect(picked).to_be_visible()
    page.get_by_role("button", name="Kommentare von Berta auf diesem Gerät ausblenden").click()
    expect(picked).to_be_hidden()


@pytest.mark.parametrize("query", ["", "?sortierung=neueste"], ids=["as it comes", "in an order"])
def test_back_from_another_page_finds_the_comment_that_was_in_view(page: Page, talk, monkeypatch, query):
    monkeypatch.setattr(threads, "THREADS_PER_PAGE", 12)
    for number in range(24):
        factories.comment(talk, "Ein Absatz.\n\nNoch einer.\n\nUnd der letzte.", name=f"Leser {number}")
    page.goto(f"{talk.get_absolute_url()}{query}")
    page.get_by_role("navigation", name="Seiten").scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    page.get_by_role("navigation", name="Seiten").get_by_role("link", name="2").click()
    expect(page.get_by_role("navigation", name="Seiten").locator("[aria-current]")).to_have_text("2")
    page.go_back()
    expect(page.get_by_role("navigation", name="Seiten").locator("[aria-current]")).to_have_text("1")
    expect(page.locator(".comment:focus")).to_be_in_viewport()
    assert abs(page.evaluate("scrollY") - before) < 900  # a window's height, of many


def test_a_draft_that_began_with_older_words_writes_over_nothing_unasked(page: Page, talk, expected):
    expected.append("409")
    page.goto(talk.get_absolute_url())
    send_answer(page, 1, "Zuerst so.")
    page.locator("#kommentar-3").get_by_role("link", name="Bearbeiten").click()
    address = page.url
    field = page.get_by_label("Kommentar", exact=True)
    field.fill("Lieber so.")
    page.goto(talk.get_absolute_url())
    comment = Comment.objects.get(number=3)
    comment.body = "Vom Laptop."
    comment.render()
    comment.save()
    page.goto(address)
    expect(field).to_have_value("Lieber so.")
    save = page.get_by_role("button", name="Änderung speichern")
    save.click()
    expect(page.get_by_role("alert")).to_contain_text("inzwischen geändert worden")
    expect(page.get_by_text("Vom Laptop.")).to_be_visible()
    expect(field).to_have_value("Lieber so.")
    comment.refresh_from_db()
    assert comment.body == "Vom Laptop."
    save.click()
    expect(page.locator("#kommentar-3")).to_contain_text("Lieber so.")
