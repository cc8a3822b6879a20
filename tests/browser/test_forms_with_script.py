"""Forms with JavaScript: nothing typed is lost, focus is where one goes on, twice is once."""

import re

import pytest
from playwright.sync_api import Page, expect

from comments.models import Comment
from ratings.models import Rating
from tests import factories

OFFLINE = "Das hat gerade nicht geklappt. Ihr Text ist noch da"


def test_error_keeps_every_word_and_leads_to_the_field(page: Page, article, expected):
    expected.append("status of 422")
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Meine Worte.")
    form.get_by_label("E-Mail").fill("anna@")
    form.get_by_label("Website").fill("www.example.org")
    form.get_by_label("Benachrichtige mich").check()
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(form.get_by_role("alert")).to_contain_text("Ihr Text ist noch da")
    expect(form.get_by_label("Kommentar", exact=True)).to_have_value("Meine Worte.")
    expect(form.get_by_label("E-Mail")).to_have_value("anna@")
    expect(form.get_by_label("Website")).to_have_value("www.example.org")
    expect(form.get_by_label("Benachrichtige mich")).to_be_checked()
    name = form.get_by_label("Name")
    expect(name).to_be_focused()
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_have_accessible_description(re.compile("Es darf ein Pseudonym sein"))
    expect(form.get_by_label("E-Mail")).to_have_accessible_description(re.compile("keine vollständige E-Mail-Adresse"))


def test_comment_is_sent_where_htmx_did_not_arrive(visit, article, expected):
    expected += ["ERR_FAILED", "htmx is not defined"]
    page = visit(new=True)
    page.route("**/htmx*", lambda route: route.abort())
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Meine Worte.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator(".comment .text")).to_have_text("Meine Worte.")
    assert Comment.objects.get().state == Comment.State.PUBLISHED


def test_htmx_does_nothing_where_the_first_script_did_not_arrive(visit, article, expected):
    """It would keep pages on the device, and drop the answer that says what is wrong."""
    expected += ["ERR_FAILED", "is not defined", "status of 403", "inline style"]
    factories.comment(article)
    page = visit(new=True)
    page.route("**/forms.*.js", lambda route: route.abort())
    page.goto(article.get_absolute_url())
    page.get_by_role("link", name="Neueste").click()
    expect(page).to_have_url(re.compile("sortierung=neueste"))
    assert page.evaluate("sessionStorage.length") == 0
    page.get_by_role("button", name="Kommentar absenden").click()
    expect(page.get_by_role("button", name="Bestätigen")).to_be_visible()


def test_what_takes_long_is_said_to_be_on_its_way(page: Page, article, settings):
    settings.WRITING_SECONDS = 0
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Meine Worte.")
    form.get_by_label("Name").fill("Anna")
    held = []
    page.route("**/kommentieren/", lambda route: held.append(route))
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(form.get_by_text("Wird gesendet …")).to_be_visible()
    held[0].continue_()
    expect(page.locator(".comment .text")).to_have_text("Meine Worte.")
    expect(page.get_by_text("Wird gesendet …")).to_have_count(0)
    page.unroute("**/kommentieren/")


def test_failure_speaks_of_a_text_only_where_there_is_one(page: Page, article, expected):
    expected += ["ERR_FAILED", "htmx:sendError", "htmx:afterRequest"]
    factories.comment(article)
    page.goto(article.get_absolute_url())
    page.route("**/respekt/", lambda route: route.abort())
    page.get_by_role("button", name="Respekt").click()
    expect(page.locator("#kommentar-1")).to_contain_text("Das hat gerade nicht geklappt. Versuchen Sie es")
    page.unroute("**/respekt/")


def test_error_leads_to_the_field_on_a_page_of_its_own(page: Page, article, expected):
    expected.append("status of 422")
    page.goto(f"/kommentar/{factories.comment(article).pk}/melden/")
    send = page.get_by_role("button", name="Meldung absenden")
    send.click()
    expect(page.get_by_label("Rechtswidriger Inhalt")).to_be_focused()
    page.get_by_label("Werbung").check()
    send.click()
    expect(page.get_by_label("Begründung")).to_be_focused()


def test_rating_without_stars_says_so(page: Page, article, expected):
    expected.append("status of 422")
    page.goto(article.get_absolute_url())
    rating = page.get_by_role("group", name="Artikel bewerten")
    rating.get_by_role("button", name="Bewerten").click()
    expect(rating).to_have_accessible_description("Bitte wählen Sie einen bis fünf Sterne.")
    expect(rating.get_by_role("button", name="Bewerten")).to_be_focused()


def test_reply_form_opens_beneath_its_comment(page: Page, article):
    factories.comment(article, "Erster.")
    factories.comment(article, "Zweiter.", name="Bernd")
    page.goto(article.get_absolute_url())
    comment = page.locator("#kommentar-2")
    answer = comment.get_by_role("link", name="Antworten")
    form = comment.get_by_role("form", name="Antwort auf Bernd schreiben")
    text = form.get_by_label("Kommentar", exact=True)

    answer.click()
    expect(text).to_be_focused()
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    expect(answer).to_be_focused()

    # With something in it, Escape closes it and loses nothing: the link says so, and brings it back.
    page.keyboard.press("Enter")
    expect(text).to_be_focused()
    page.keyboard.type("Angefangen")
    page.keyboard.press("Escape")
    expect(form).to_have_count(0)
    draft = comment.get_by_role("link", name="Entwurf fortsetzen")
    expect(draft).to_be_focused()
    page.reload()
    draft.click()
    expect(text).to_be_focused()
    expect(text).to_have_value("Angefangen")

    form.get_by_role("link", name="Abbrechen").click()
    expect(form).to_have_count(0)
    expect(draft).to_be_focused()
    expect(page).to_have_url(re.compile(f"{article.get_absolute_url()}$"))


def test_what_is_half_written_elsewhere_survives(page: Page, article, known_as):
    """Sorting and sending replace the whole conversation on the page."""
    reader = factories.reader("Anna")
    factories.comment(article, "Erster.", reader=reader)
    factories.comment(article, "Zweiter.", name="Bernd")
    known_as(page, reader)
    page.goto(article.get_absolute_url())
    main = page.get_by_role("form", name="Kommentar schreiben").get_by_label("Kommentar", exact=True)
    reply = page.get_by_role("form", name="Antwort auf Bernd schreiben")
    main.fill("Der lange Kommentar.")
    page.locator("#kommentar-2").get_by_role("link", name="Antworten").click()
    reply.get_by_label("Kommentar", exact=True).fill("Die kurze Antwort.")

    page.get_by_role("link", name="Neueste").click()
    expect(page).to_have_url(re.compile("sortierung=neueste$"))
    expect(page.get_by_role("link", name="Neueste")).to_be_focused()
    expect(page.locator("#kommentare .comment").first).to_have_id("kommentar-2")
    expect(main).to_have_value("Der lange Kommentar.")
    expect(page.locator("#kommentar-2").get_by_label("Kommentar", exact=True)).to_have_value("Die kurze Antwort.")

    reply.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("#kommentar-3 .text")).to_have_text("Die kurze Antwort.")
    expect(main).to_have_value("Der lange Kommentar.")
    expect(reply).to_have_count(0)

    # Both forms still work where they are now.
    page.get_by_role("form", name="Kommentar schreiben").get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("#kommentar-4 .text")).to_have_text("Der lange Kommentar.")
    expect(main).to_have_value("")


def test_server_away_then_sent_twice(page: Page, article, expected):
    expected += ["ERR_INTERNET_DISCONNECTED", "htmx:sendError"]
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    text = form.get_by_label("Kommentar", exact=True)
    send = form.get_by_role("button", name="Kommentar absenden")
    page.context.set_offline(True)
    text.fill("Mühsam Geschriebenes.")
    form.get_by_label("Name").fill("Anna")
    send.click()
    expect(form.get_by_role("status").filter(has_text=OFFLINE)).to_be_visible()
    expect(text).to_have_value("Mühsam Geschriebenes.")
    page.context.set_offline(False)
    send.dblclick()
    expect(page.locator("#kommentar-1 .text")).to_have_text("Mühsam Geschriebenes.")
    expect(page.get_by_role("heading", name="1 Kommentar", exact=True)).to_be_visible()
    assert Comment.objects.count() == 1


def test_failed_vote_says_so_beneath_the_comment(page: Page, article, expected):
    expected += ["ERR_INTERNET_DISCONNECTED", "htmx:sendError"]
    factories.comment(article)
    page.goto(article.get_absolute_url())
    comment = page.locator("#kommentar-1")
    respect = comment.get_by_role("button", name="Respekt")
    page.context.set_offline(True)
    respect.click()
    expect(comment.get_by_role("status")).to_contain_text("Das hat gerade nicht geklappt.")
    page.context.set_offline(False)
    respect.click()
    expect(respect).to_have_text("Respekt 1")
    expect(comment.get_by_role("status")).to_have_count(0)


def test_lost_token_is_replaced(page: Page, article, settings, expected):
    """Cookies can go between opening a page and sending its form: cleared, or changed by signing in."""
    expected += ["status of 403", "htmx:responseError", "Response Status Error Code 403"]
    page.goto(article.get_absolute_url())
    rating = page.get_by_role("group", name="Artikel bewerten")
    rating.get_by_role("radio", name="4 Sterne").check()
    rating.get_by_role("button", name="Bewerten").click()
    expect(page.get_by_text("4,0 von 5 (1 Stimme)")).to_be_visible()
    page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)
    rating.get_by_role("radio", name="2 Sterne").check()
    rating.get_by_role("button", name="Bewerten").click()
    expect(page.get_by_text("2,0 von 5 (1 Stimme)")).to_be_visible()
    assert Rating.objects.get().stars == 2


def test_lost_token_is_replaced_each_time(page: Page, article, settings, expected):
    """All votes of a page share one form."""
    expected += ["status of 403", "htmx:responseError", "Response Status Error Code 403"]
    factories.comment(article)
    page.goto(article.get_absolute_url())
    respect = page.locator("#kommentar-1").get_by_role("button", name="Respekt")
    for wanted in ("true", "false", "true"):
        respect.click()
        expect(respect).to_have_attribute("aria-pressed", wanted)
        page.context.clear_cookies(name=settings.CSRF_COOKIE_NAME)


def test_further_comments_are_appended(page: Page, article):
    for number in range(1, 53):
        factories.comment(article, f"Kommentar Nummer {number}.")
    page.goto(article.get_absolute_url())
    expect(page.locator(".comment")).to_have_count(50)
    page.get_by_role("link", name="Weitere Kommentare").click()
    expect(page.locator(".comment")).to_have_count(52)
    expect(page.locator("#kommentar-51")).to_be_focused()
    expect(page.get_by_role("link", name="Weitere Kommentare")).to_have_count(0)


def test_what_is_pasted_and_sent_at_once_is_not_held(page: Page, article, settings):
    """The server holds what comes faster than anybody writes; so the script lets the time pass."""
    settings.WRITING_SECONDS = 2.0
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Eingefügt.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("#kommentar-1")).to_be_visible()
    assert Comment.objects.get().is_published


def test_what_is_missing_is_said_at_once(page: Page, article, settings, expected):
    settings.WRITING_SECONDS = 60.0
    expected.append("422")
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(form.get_by_role("alert")).to_contain_text("Noch nicht abgeschickt")
    form.get_by_label("Kommentar", exact=True).fill("Eingefügt.")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(form.locator(":scope > .status")).to_contain_text("Wird gesendet")


def test_after_an_error_nothing_says_that_it_was_sent(page: Page, article, expected):
    expected.append("422")
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Meine Worte.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()
    sent = page.get_by_text("Ihr Kommentar ist veröffentlicht.")
    expect(sent).to_be_visible()
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(form.get_by_role("alert")).to_contain_text("Noch nicht abgeschickt")
    expect(sent).to_have_count(0)


def test_who_looked_at_the_preview_does_not_wait_again(page: Page, article):
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Mit *Vorschau*.")
    form.get_by_label("Name").fill("Anna")
    expect(form.locator("[name=form_key]")).not_to_have_value("")
    opened = form.evaluate("form => form.opened")
    form.get_by_role("button", name="Vorschau").click()
    expect(form.locator(".preview em")).to_have_text("Vorschau")
    expect(form).to_have_js_property("opened", opened)


def test_what_is_still_to_do_makes_room_for_who_writes_on(visit, article):
    page = visit(viewport={"width": 390, "height": 500}, reduced_motion="reduce")
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Meine Worte.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_label("E-Mail").fill("anna@example.org")
    form.get_by_label("Benachrichtige mich").check()
    form.get_by_role("button", name="Kommentar absenden").click()
    strip = page.locator("#kommentare-antwort")
    expect(strip).to_contain_text("sobald Sie das in unserer Mail bestätigen")
    expect(page.locator("#kommentar-1")).to_be_focused()
    expect(strip).to_be_in_viewport()
    page.locator("#kommentar-1").get_by_role("link", name="Antworten").click()
    expect(
        page.get_by_role("form", name="Antwort auf Anna schreiben").get_by_label("Kommentar", exact=True)
    ).to_be_focused()
    expect(strip).not_to_be_in_viewport()


@pytest.mark.parametrize("width", [1200, 390])
def test_what_was_just_said_covers_nothing_that_was_just_written(visit, article, known_as, width):
    reader = factories.reader("Anna")
    parent = factories.comment(article, "Ein Satz, der über die ganze Zeile geht. " * 3)
    for _comment in range(5):
        factories.comment(article, "Ein Absatz. " * 20)
    page = visit(viewport={"width": width, "height": 800}, reduced_motion="reduce")
    known_as(page, reader)
    page.goto(article.get_absolute_url())
    page.locator("#kommentar-1").get_by_role("link", name="Antworten").click()
    form = page.get_by_role("form", name=f"Antwort auf {parent.name} schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Meine Antwort.")
    form.get_by_role("button", name="Kommentar absenden").click()
    answer = page.locator("#kommentar-7")
    expect(answer).to_be_focused()
    said = page.get_by_role("status").filter(has_text="Ihr Kommentar ist veröffentlicht.")
    expect(said).to_be_attached()
    box = said.bounding_box()
    assert box["y"] + box["height"] == pytest.approx(800, abs=1)
    assert box["width"] <= min(39 * 16, width)
    for read in (page.locator("#kommentar-1 .text"), answer):
        seen = read.bounding_box()
        assert seen["y"] >= 0
        assert seen["y"] + seen["height"] <= box["y"]
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    foot = page.get_by_role("contentinfo").get_by_role("navigation").bounding_box()
    assert foot["y"] + foot["height"] <= box["y"]


def test_labels_stand_in_a_row_beside_an_error(page: Page, article, expected):
    expected += ["status of 422"]
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Ein Text.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_label("E-Mail").fill("anna@")
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(form.locator(".errorlist")).to_have_count(1)
    tops = form.locator(".who label").evaluate_all(
        "(labels) => labels.map((label) => label.getBoundingClientRect().top)"
    )
    assert tops == pytest.approx([tops[0]] * 3, abs=1)


def test_draft_keeps_who_writes_and_what_they_ticked(page: Page, article):
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Angefangen.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_label("E-Mail").fill("anna@example.org")
    form.get_by_label("Benachrichtige mich").check()
    page.reload()
    expect(form.get_by_label("Kommentar", exact=True)).to_have_value("Angefangen.")
    expect(form.get_by_label("Name")).to_have_value("Anna")
    expect(form.get_by_label("E-Mail")).to_have_value("anna@example.org")
    expect(form.get_by_label("Benachrichtige mich")).to_be_checked()


def test_preview_comes_into_view(visit, article):
    page = visit(viewport={"width": 390, "height": 700}, reduced_motion="reduce")
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("\n\n".join(f"Absatz {number}." for number in range(6)))
    button = form.get_by_role("button", name="Vorschau")
    button.scroll_into_view_if_needed()
    button.click()
    expect(page.locator(".preview")).to_be_in_viewport(ratio=0.9)
