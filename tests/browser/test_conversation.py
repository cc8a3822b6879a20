"""Reading and writing in a conversation with scripts: in place, nothing lost, nothing shifts."""

import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from articles.models import Counters
from comments import threads
from comments.mails import owner_token
from comments.models import Comment
from comments.tasks import forget_taken_back
from comments.threads import REPLIES_PER_THREAD
from newsroom.text.ago import DAY
from tests import factories
from tests.moments import AGO, NOON

STORED = "() => [localStorage.length, document.cookie]"


def write(page: Page, form, text: str) -> None:
    form.get_by_label("Kommentar", exact=True).fill(text)
    form.get_by_label("Name").fill("Carla")
    form.get_by_role("button", name="Kommentar absenden").click()


def reply_to(page: Page, number: int, text: str) -> None:
    comment = page.locator(f"#kommentar-{number}")
    comment.get_by_role("link", name="Antworten").click()
    write(page, comment.get_by_role("form"), text)


def test_link_arrives_however_far_it_is_and_whatever_grows_on_the_way(visit, transactional_db):
    article = factories.article()
    for number in range(60):
        factories.comment(article, f"Faden {number}. " + "Viele Worte stehen hier. " * 12, name="Ein recht langer Name")
    page = visit(viewport={"width": 390, "height": 844})
    for number in (41, 60, 3):
        page.goto(f"/kommentar/{Comment.objects.get(number=number).pk}/")
        expect(page.locator(f"#kommentar-{number}")).to_be_focused()
        page.wait_for_timeout(700)  # a smooth way would still be going on
        expect(page.locator(f"#kommentar-{number}")).to_be_in_viewport()


# --- writing ---------------------------------------------------------------------------------------------------------


def test_reply_appears_beneath_what_it_answers_and_nothing_else_moves(page: Page, talk):
    """Its own place is another page, where a reload leads: the thread is longer than what is shown."""
    page.goto(talk.get_absolute_url())
    reply_to(page, 1, "Meine Antwort.")
    mine = page.locator("#kommentar-8")
    expect(mine.locator(".text")).to_have_text("Meine Antwort.")
    expect(mine).to_be_focused()
    expect(page.locator("#kommentar-1 form")).to_have_count(0)
    expect(page.locator("#kommentar-1 + .sent #kommentar-8")).to_have_count(1)
    expect(page.get_by_role("heading", name="8 Kommentare")).to_be_visible()
    expect(page.locator("summary")).to_have_text("6 Antworten")
    expect(page.locator(".arrived button")).to_have_count(0)
    page.reload()
    expect(page).to_have_url(re.compile(r"/gespraech/1/#kommentar-8$"))
    expect(mine).to_be_focused()
    expect(mine).to_be_in_viewport()


def test_just_sent_is_taken_back(page: Page, talk, settings):
    settings.UNDO_SECONDS = 10
    page.goto(talk.get_absolute_url())
    reply_to(page, 7, "Zu schnell.")
    page.get_by_role("button", name="Zurückziehen").click()
    expect(page.get_by_text("Ihr Kommentar ist zurückgezogen.")).to_be_visible()
    assert Comment.objects.get(number=8).state == "taken_back"
    text = page.get_by_label("Kommentar", exact=True)
    expect(text).to_have_value("Zu schnell.")  # the words are not lost
    text.fill("Besser.")
    page.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("#kommentar-9 .text")).to_have_text("Besser.")
    assert Comment.objects.get(number=9).parent.number == 7
    forget_taken_back(Comment.objects.get(number=8).pk)
    assert Comment.objects.get(number=8).body == "–"
    # What was sent is no draft any more, though its form had a page of its own.
    expect(page.locator("#kommentar-7").get_by_role("link", name="Antworten")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('newsroom.entwurf:'))") == []


def test_own_comment_is_changed(page: Page, talk):
    page.goto(talk.get_absolute_url())
    reply_to(page, 7, "Tippfeler.")
    page.get_by_role("link", name="Bearbeiten").click()
    text = page.get_by_label("Kommentar", exact=True)
    expect(text).to_be_focused()
    text.fill("Tippfehler.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#kommentar-8 .text")).to_have_text("Tippfehler.")
    page.get_by_role("link", name="bearbeitet").click()
    expect(page.get_by_text("Tippfeler.")).to_be_visible()


def test_mailed_link_gives_the_rights_to_another_browser(page: Page, talk):
    """In a real one: it sends Origin and Referer, which decide about the form."""
    comment = factories.comment(talk, "Vom Telefon.", email="carla@example.org")
    page.goto(f"/kommentar/mein/{owner_token(comment)}/")
    page.get_by_role("button", name="Ja, das ist mein Gerät").click()
    expect(page.locator(f"#{comment.anchor}")).to_be_visible()
    page.goto(f"{comment.get_absolute_url()}bearbeiten/")
    page.get_by_label("Kommentar", exact=True).fill("Vom Rechner.")
    page.get_by_role("button", name="Änderung speichern").click()
    expect(page.locator(f"#{comment.anchor} .text")).to_have_text("Vom Rechner.")


def test_replies_that_were_asked_for_begin_where_the_button_was(page: Page, talk):
    root = Comment.objects.get(number=1)
    for number in range(8):
        factories.comment(talk, f"Noch eine {number}. " + "Wort " * 60, parent=root)
    page.goto(talk.get_absolute_url())
    button = page.locator(".more a").first
    button.scroll_into_view_if_needed()
    known = page.locator(".thread").first.locator(".comment").evaluate_all("found => found.map((one) => one.id)")
    button.focus()
    top = button.bounding_box()["y"]
    page.keyboard.press("Enter")
    first = page.locator(".comment:focus")
    expect(first).to_be_visible()
    assert first.get_attribute("id") not in known
    assert abs(first.bounding_box()["y"] - top) < 3


def test_view_keeps_the_keyboard(page: Page, talk):
    page.goto(talk.get_absolute_url())
    for name in ("Inline-Feedback", "Nacheinander", "Neueste"):
        page.get_by_role("link", name=name, exact=True).focus()
        page.keyboard.press("Enter")
        current = page.get_by_role("link", name=name, exact=True)
        expect(current).to_have_attribute("aria-current", "true")
        expect(current).to_be_focused()


def test_draft_is_discarded(page: Page, talk):
    page.goto(talk.get_absolute_url())
    text = page.get_by_role("form", name="Kommentar schreiben").get_by_label("Kommentar", exact=True)
    text.fill("Ach nein")
    page.reload()
    page.get_by_role("button", name="Entwurf verwerfen").click()
    expect(text).to_have_value("")
    expect(text).to_be_focused()
    assert page.evaluate("Object.keys(localStorage)") == []


def test_too_much_pasted_is_counted_and_kept(page: Page, talk):
    page.goto(talk.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("x" * 5010)
    expect(form.get_by_text("10 Zeichen zu viel")).to_be_visible()
    form.get_by_label("Kommentar", exact=True).fill("😀" * 4600)  # one each, as the server counts
    expect(form.get_by_text("noch 400 Zeichen")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1200])
def test_what_is_left_stays_in_view_while_one_writes(visit, talk, width):
    page = visit(viewport={"width": width, "height": 800})
    page.goto(talk.get_absolute_url())
    field = page.get_by_role("form", name="Kommentar schreiben").get_by_label("Kommentar", exact=True)
    field.fill("Viele Worte, und noch mehr. " * 164)
    field.press("Control+End")
    page.keyboard.type("Und noch eines")
    expect(page.get_by_text("noch 394 Zeichen")).to_be_in_viewport(ratio=1)


def test_draft_of_an_account_is_nobody_elses(page: Page, talk):
    """A shared device: what was begun signed in is not shown to whoever comes next."""
    page.goto(talk.get_absolute_url())
    text = page.get_by_role("form", name="Kommentar schreiben").get_by_label("Kommentar", exact=True)
    text.fill("Geheim")
    page.evaluate(
        "for (const [name, draft] of Object.entries(localStorage))"
        " localStorage[name] = JSON.stringify({ ...JSON.parse(draft), account: 'Vera' })"
    )
    page.reload()
    expect(text).to_have_value("")


def test_draft_outlives_a_reload_and_goes_when_sent(page: Page, talk):
    page.goto(talk.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    text = form.get_by_label("Kommentar", exact=True)
    text.fill("Halb fertig")
    page.reload()
    expect(text).to_have_value("Halb fertig")
    write(page, form, "Ganz fertig.")
    expect(page.locator("#kommentar-8")).to_be_visible()
    page.reload()
    expect(text).to_have_value("")
    assert page.evaluate("Object.keys(localStorage)") == []


# From character to character of "Zweiter Faden."; a finger begins and ends within words.
@pytest.mark.parametrize("begin, end, quoted", [(0, 14, "Zweiter Faden."), (3, 10, "Zweiter Faden"), (8, 14, "Faden.")])
def test_selected_words_stand_quoted_whole_in_the_answer(page: Page, talk, begin, end, quoted):
    page.goto(talk.get_absolute_url())
    words = page.locator("#kommentar-7 .text p")
    select = "(p, [begin, end]) => getSelection().setBaseAndExtent(p.firstChild, begin, p.firstChild, end)"
    words.evaluate(select, [begin, end])
    page.locator("#kommentar-7").get_by_role("link", name="Antworten").click()
    expect(page.locator("#kommentar-7 textarea")).to_have_value(f"> {quoted}\n\n")
    # It is a draft when it is closed.
    expect(page.locator("#kommentar-7").get_by_role("link", name="Antworten")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#kommentar-7").get_by_role("link", name="Entwurf fortsetzen")).to_be_visible()


def test_a_quotation_goes_beneath_the_draft(page: Page, talk):
    page.goto(talk.get_absolute_url())
    comment = page.locator("#kommentar-7")
    comment.get_by_role("link", name="Antworten").click()
    comment.locator("textarea").fill("Angefangen.")
    page.keyboard.press("Escape")
    comment.locator(".text p").select_text()
    comment.get_by_role("link", name="Entwurf fortsetzen").click()
    expect(comment.locator("textarea")).to_have_value("Angefangen.\n\n> Zweiter Faden.\n\n")


def test_control_and_enter_sends(page: Page, talk):
    page.goto(talk.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Name").fill("Carla")
    form.get_by_label("Kommentar", exact=True).fill("Schnell.")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#kommentar-8 .text")).to_have_text("Schnell.")


# --- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_branch_folds_with_its_count(visit, talk, scripts):
    page = visit(java_script_enabled=scripts)
    page.goto(talk.get_absolute_url())
    fold = page.locator("summary", has_text="5 Antworten")
    expect(page.locator("#kommentar-2")).to_be_visible()
    fold.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#kommentar-2")).to_be_hidden()


def test_more_replies_open_in_place(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.get_by_role("link", name="2 weitere Antworten anzeigen").click()
    expect(page.locator("#kommentar-6")).to_be_visible()
    expect(page).to_have_url(re.compile(f"{talk.get_absolute_url()}$"))
    expect(page).to_have_title(re.compile(f"^{re.escape(talk.headline)}"))
    expect(page.locator(".thread")).to_have_count(2)


def test_link_opens_what_is_folded(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.locator("summary").click()
    page.evaluate("location.hash = '#kommentar-3'")
    expect(page.locator("#kommentar-3")).to_be_visible()
    expect(page.locator("#kommentar-3")).to_be_focused()


def test_time_is_said_in_words_with_the_clock_beside_it(page: Page, talk):
    moment = timezone.now() - timedelta(minutes=5, seconds=30)
    Comment.objects.filter(number=7).update(published_at=moment)
    Comment.objects.filter(number=1).update(published_at=timezone.localtime().replace(hour=12) - timedelta(days=3))
    Counters.objects.touch(talk.pk)
    page.goto(talk.get_absolute_url())
    link, clock = page.locator("#kommentar-7 .time"), timezone.localtime(moment).strftime("%d.%m.%Y %H:%M")
    expect(link).to_have_text("vor 5 Minuten #7", use_inner_text=True)
    link.focus()
    expect(link.locator("small")).to_be_visible()
    expect(link.locator("small")).to_have_text(clock)
    expect(page.locator("#kommentar-1 .time")).to_have_text("vor 3 Tagen #1", use_inner_text=True)


@pytest.mark.parametrize(("language", "place"), [("de", 0), ("en", 1)])
def test_script_says_how_long_ago_in_the_words_of_the_server(visit, talk, language, place):
    page = visit(timezone_id="Europe/Berlin")
    page.goto(talk.get_absolute_url())
    moments = [(NOON - age, words[place]) for age, *words in AGO]
    # Of older ones the page names the day alone. What is still to come stays as the server says it.
    days = [(f"{timezone.localtime(moment):%Y-%m-%d}", words) for moment, words in moments if NOON - moment > DAY]
    moments = [*((moment.isoformat(), words) for moment, words in moments), *days, ((NOON + DAY).isoformat(), "–")]
    said = page.evaluate(
        """([noon, moments, language]) => {
             document.documentElement.lang = language;
             for (const made in formats) delete formats[made];
             Date.now = () => noon * 1000;
             const time = document.querySelector("#kommentar-1 time");
             return moments.map((moment) => {
               time.dateTime = moment;
               time.firstChild.nodeValue = "–";
               sayAgo();
               return time.firstChild.nodeValue;
             });
           }""",
        [NOON.timestamp(), [moment for moment, _ in moments], language],
    )
    assert said == [words for _, words in moments]


def test_new_since_the_last_visit_is_marked_where_it_was_asked_for(page: Page, talk):
    page.goto(talk.get_absolute_url())
    assert page.evaluate("localStorage.length") == 0
    page.get_by_role("button", name="Beim nächsten Besuch zeigen, was neu ist").click()
    for text in ("Neu eins.", "Neu zwei."):
        factories.comment(talk, text)
    page.goto(talk.get_absolute_url())
    expect(page.locator(".comment.new .text")).to_have_text(["Neu eins.", "Neu zwei."])
    expect(page.locator("#kommentar-8 header")).to_contain_text("neu")
    page.keyboard.press("n")
    expect(page.locator("#kommentar-8")).to_be_focused()
    page.keyboard.press("n")
    expect(page.locator("#kommentar-9")).to_be_focused()
    page.get_by_role("link", name="2 neue Kommentare seit Ihrem letzten Besuch").click()
    expect(page.locator(".comment .text")).to_have_text(["Neu eins.", "Neu zwei."])
    page.goto(talk.get_absolute_url())
    expect(page.locator(".comment.new")).to_have_count(0)
    page.get_by_role("button", name="Nicht mehr zeigen, was neu ist").click()
    assert page.evaluate("localStorage.length") == 0


def test_somebody_is_hidden_on_this_device_and_shown_again(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.get_by_role("button", name="Kommentare von Anna auf diesem Gerät ausblenden").first.click()
    back = page.locator("#kommentar-2").get_by_role("button", name="Sie haben Anna ausgeblendet. Wieder zeigen")
    expect(back).to_be_focused()
    expect(page.get_by_text("Antwort 0.")).to_be_hidden()
    expect(page.get_by_text("Zweiter Faden.")).to_be_visible()
    assert page.evaluate(STORED) == [0, "ausgeblendet=Anna"]
    page.reload()  # now the server hides her as well
    expect(back).to_have_count(1)
    expect(page.get_by_text("Antwort 0.")).to_be_hidden()
    page.get_by_role("link", name="weitere Antworten anzeigen").click()
    expect(page.locator(".comment .back")).to_have_count(REPLIES_PER_THREAD + 2)
    expect(page.get_by_text("Antwort 4.")).to_be_hidden()
    back.click()
    expect(page.locator("#kommentar-2")).to_be_focused()
    expect(page.get_by_text("Antwort 0.")).to_be_visible()
    expect(page.get_by_text("Antwort 4.")).to_be_visible()
    expect(page.locator("#kommentar-2 footer")).to_contain_text("Antworten")
    expect(page.locator(".back")).to_have_count(0)
    assert page.evaluate(STORED) == [0, ""]


def test_when_the_cookie_is_full_the_oldest_name_goes(page: Page, talk):
    """As the server does it (tests/comments/test_hiding.py)."""
    page.goto(talk.get_absolute_url())
    for before in [[f"Leser {number}" for number in range(30)], ["😀" * 80, "😁" * 80, "😂" * 80]]:
        value = "|".join(map(quote, before))
        page.evaluate("(value) => { document.cookie = `ausgeblendet=${value}; path=/`; }", value)
        page.evaluate("(name) => setHidden(name, true)", "(Ö) & " * 10)
        assert page.evaluate("[...hiddenNames()]") == [*before[1:], "(Ö) & " * 10]
    for nonsense in ("%zz", "x" * 3001):
        page.evaluate("(value) => { document.cookie = `ausgeblendet=${value}; path=/`; }", nonsense)
        page.reload()
        expect(page.get_by_text("Zweiter Faden.")).to_be_visible()
        page.evaluate("setHidden('Berta', true)")
        expect(page.get_by_text("Zweiter Faden.")).to_be_hidden()


def test_keys_are_listed_and_can_be_turned_off(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.keyboard.press("j")
    expect(page.locator("#kommentar-1")).to_be_focused()
    page.keyboard.press("j")
    expect(page.locator("#kommentar-2")).to_be_focused()
    page.keyboard.press("k")
    expect(page.locator("#kommentar-1")).to_be_focused()
    page.keyboard.press("a")
    expect(page.locator("#kommentar-1 textarea")).to_be_focused()
    page.keyboard.type("jjn?")
    expect(page.locator("#kommentar-1 textarea")).to_have_value("jjn?")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    help = page.get_by_role("dialog", name="Tasten")
    expect(help).to_be_visible()
    help.get_by_label("Tasten benutzen").uncheck()
    help.get_by_role("button", name="Schließen").click()
    page.locator("#kommentar-1").focus()
    page.keyboard.press("j")
    expect(page.locator("#kommentar-1")).to_be_focused()
    page.keyboard.press("?")
    expect(help).to_be_visible()
    expect(help.get_by_label("Tasten benutzen")).not_to_be_checked()
    expect(page.locator("dialog")).to_have_count(1)


@pytest.mark.parametrize("place, only_there", [("", {"n", "s"}), ("gespraech/1/", set())])
def test_keys_name_the_one_that_shows_them_and_those_of_a_mac(page: Page, talk, place, only_there):
    page.goto(f"{talk.get_absolute_url()}{place}")
    page.get_by_role("button", name="Tasten").click()
    help = page.get_by_role("dialog", name="Tasten")
    expect(help.get_by_role("button", name="Schließen")).to_be_focused()
    assert set(help.locator("dt").all_inner_texts()) == {"j", "k", "a", "Strg/Cmd+Eingabe", "Esc", "?"} | only_there
    page.mouse.click(5, 5)
    expect(help).to_be_hidden()


# --- live ------------------------------------------------------------------------------------------------------------


def test_what_arrives_is_offered_and_nothing_shifts(page: Page, talk):
    page.goto(talk.get_absolute_url())
    page.locator("#kommentar-7").scroll_into_view_if_needed()
    place = page.locator("#kommentar-7").bounding_box()
    factories.comment(talk, "Gerade geschrieben.", name="Dora")
    factories.comment(talk, "Und noch etwas.", parent=Comment.objects.get(number=1), name="Emil")
    offer = page.get_by_role("button", name="2 neue Kommentare")
    expect(offer).to_be_visible()
    assert page.locator("#kommentar-7").bounding_box() == place
    expect(page.locator(".arrived")).to_have_attribute("role", "status")
    offer.click()
    expect(page.locator(".just-arrived .text")).to_have_text(["Gerade geschrieben.", "Und noch etwas."])
    expect(page.locator("#kommentar-9 .answers")).to_have_text("Antwort auf Rolf")
    expect(page.locator("#kommentar-8")).to_be_focused()
    expect(page.get_by_role("heading", name="9 Kommentare")).to_be_visible()
    expect(offer).to_have_count(0)
    page.locator("#kommentar-9").get_by_role("button", name="Respekt").click()
    expect(page.locator("#kommentar-9").get_by_role("button", name="Respekt 1")).to_be_visible()


def test_own_answers_keep_nothing_that_arrives_from_being_offered(page: Page, talk):
    page.goto(talk.get_absolute_url())
    reply_to(page, 7, "Meine Antwort.")
    expect(page.locator("#kommentar-8")).to_be_focused()
    for number, name in ((9, "Dora"), (10, "Emil")):
        factories.comment(talk, "Gerade geschrieben.", name=name)
        page.get_by_role("button", name="1 neuer Kommentar").click()
        expect(page.locator(f"#kommentar-{number}")).to_be_focused()
    expect(page.locator(".just-arrived .comment")).to_have_count(2)


def test_more_than_a_page_that_arrived_is_offered_page_by_page(page: Page, talk, monkeypatch, expected):
    monkeypatch.setattr(threads, "FLAT_PER_PAGE", 2)
    page.goto(talk.get_absolute_url())
    for number in range(3):
        factories.comment(talk, f"Neu {number}.")
    offer = page.get_by_role("button", name="3 neue Kommentare")
    expected.append("Failed to load resource")
    page.route("**seit=*", lambda route: route.fulfill(status=503, body="<p>Gleich wieder da.</p>"))
    offer.click()
    expect(page.locator("#kommentare-antwort")).to_contain_text("nicht")
    page.unroute("**seit=*")
    offer.click()
    expect(page.locator(".just-arrived .text")).to_have_text(["Neu 0.", "Neu 1."])
    page.get_by_role("button", name="1 neuer Kommentar").click()
    expect(page.locator("#kommentar-10 .text")).to_have_text("Neu 2.")


def test_times_of_a_page_that_lies_open_stay_true(new_page: Page, article):
    page = new_page
    factories.comment(article)
    page.clock.install()
    page.goto(article.get_absolute_url())
    time = page.locator("#kommentar-1 .time time")
    expect(time).to_have_text("jetzt", use_inner_text=True)
    page.clock.run_for("05:00")
    expect(time).to_have_text(re.compile("^vor [56] Minuten$"), use_inner_text=True)
    page.clock.fast_forward("25:00:00")
    expect(time).to_have_text(re.compile("^(vor)?gestern$"), use_inner_text=True)


def test_conversation_of_its_own_says_what_was_sent(page: Page, article):
    factories.comment(article, "Die Frage.")
    page.goto(f"{article.get_absolute_url()}gespraech/1/")
    page.locator("#kommentar-1").get_by_role("link", name="Antworten").click()
    form = page.get_by_role("form", name="Antwort auf Anna schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Meine Antwort.")
    form.get_by_label("Name").fill("Berta")
    form.get_by_label("E-Mail").fill("berta@example.org")
    form.get_by_label("Benachrichtige mich").check()
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(page.locator("#kommentare-antwort")).to_contain_text("sobald Sie das in unserer Mail bestätigen")


def test_back_leads_to_the_order_that_was_shown(page: Page, article):
    for text in ("Zuerst.", "Danach."):
        factories.comment(article, text)
    page.goto(article.get_absolute_url())
    shown = page.locator(".comment .text")
    page.get_by_role("link", name="Neueste").click()
    expect(shown).to_have_text(["Danach.", "Zuerst."])
    page.go_back()
    expect(shown).to_have_text(["Zuerst.", "Danach."])
    page.go_forward()
    expect(shown).to_have_text(["Danach.", "Zuerst."])
