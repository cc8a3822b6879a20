"""The same path with JavaScript switched off: every step is a page and a form."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from comments.models import Comment
from moderation.models import Notice
from subscriptions.models import Subscription
from tests import factories

WORDS = "Zwei Absätze.\n\nUnd „Zeichen“ & <Klammern>."


def test_reader_rates(plain_page: Page, german_article):
    plain_page.goto(german_article.get_absolute_url())
    rating = plain_page.get_by_role("group", name="Artikel bewerten")
    rating.get_by_role("radio", name="4 Sterne").check()
    rating.get_by_role("button", name="Bewerten").click()
    confirm(plain_page)
    expect(plain_page.get_by_text("4,0 von 5 (1 Stimme)")).to_be_visible()
    expect(rating.get_by_role("radio", name="4 Sterne")).to_be_checked()
    expect(plain_page).to_have_url(re.compile("#bewertung$"))


def test_reader_comments_answers_and_votes(plain_page: Page, article):
    factories.comment(article, "Schon da.")
    path = article.get_absolute_url()
    plain_page.goto(path)
    write(plain_page, "Kommentar schreiben", WORDS, "Anna", "anna@example.org")
    # Everything is there, to be read and to be sent.
    expect(plain_page.get_by_role("main")).to_contain_text("Und „Zeichen“ & <Klammern>.")
    expect(plain_page.get_by_role("main")).to_contain_text("anna@example.org")
    confirm(plain_page)
    expect(plain_page).to_have_url(re.compile(f"{path}#kommentar-2$"))
    mine = plain_page.locator("#kommentar-2")
    expect(mine.locator(".text p")).to_have_text(["Zwei Absätze.", "Und „Zeichen“ & <Klammern>."])
    expect(mine).to_be_in_viewport()
    expect(plain_page.get_by_role("status").filter(has_text="Ihr Kommentar ist veröffentlicht.")).to_be_visible()
    expect(plain_page.get_by_role("heading", name="2 Kommentare", exact=True)).to_be_visible()
    assert Comment.objects.latest("pk").reader.email == "anna@example.org"

    # From now on nothing is asked twice.
    mine.get_by_role("link", name="Antworten").click()
    expect(plain_page.get_by_label("Name")).to_have_value("Anna")
    write(plain_page, "Antwort auf Anna schreiben", "Und noch etwas.", "Anna")
    expect(plain_page.locator("#kommentar-3 .text")).to_have_text("Und noch etwas.")

    expect(mine.get_by_role("button", name="Respekt")).to_be_disabled()
    expect(mine.get_by_role("link", name="Melden")).to_be_visible()  # on each comment (A4)
    respect = plain_page.locator("#kommentar-1").get_by_role("button", name="Respekt")
    respect.click()
    expect(respect).to_have_text("Respekt 1")
    expect(respect).to_be_in_viewport()
    respect.click()
    expect(respect).to_have_text("Respekt 0")


def test_preview_and_error_keep_every_word(plain_page: Page, article):
    plain_page.goto(article.get_absolute_url())
    form = plain_page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill(WORDS)
    form.get_by_label("Website").fill("www.example.org")
    form.get_by_label("Benachrichtige mich").check()
    form.get_by_role("button", name="Kommentar absenden").click()
    confirm(plain_page)
    for press in [None, "Kommentar absenden"]:
        if press:
            form.get_by_role("button", name=press).click()
        expect(plain_page.get_by_role("alert")).to_contain_text("Ihr Text ist noch da")
        expect(form.get_by_label("Kommentar", exact=True)).to_have_value(WORDS)
        expect(form.get_by_label("Website")).to_have_value("www.example.org")
        expect(form.get_by_label("Benachrichtige mich")).to_be_checked()
        expect(form.get_by_label("Name")).to_have_accessible_description(re.compile("Bitte nennen Sie einen Namen"))
        expect(form.get_by_label("E-Mail")).to_have_accessible_description(re.compile("Wohin dürfen wir"))
    form.get_by_label("Name").fill("Anna")
    form.get_by_label("E-Mail").fill("anna@example.org")
    form.get_by_role("button", name="Vorschau").click()
    expect(form.locator(".preview .text p")).to_have_text(["Zwei Absätze.", "Und „Zeichen“ & <Klammern>."])
    assert not Comment.objects.exists()
    form.get_by_role("button", name="Kommentar absenden").click()
    expect(plain_page.locator("#kommentar-1 .text p")).to_have_count(2)
    assert Subscription.objects.get().email == "anna@example.org"


def test_reader_subscribes_is_told_and_ends_it(plain_page: Page, article, letters, run_jobs):
    plain_page.goto(article.get_absolute_url())
    group = plain_page.get_by_role("group", name="Abonnieren")
    group.get_by_label("neuen Kommentaren").check()
    group.get_by_label("E-Mail").fill("anna@example.org")
    group.get_by_role("button", name="Abonnieren").click()
    confirm(plain_page)
    expect(plain_page.get_by_role("status").filter(has_text="sehen Sie in Ihr Postfach")).to_be_in_viewport()
    run_jobs()
    plain_page.goto(link(letters()[0].text, "/abo/ja/"))
    plain_page.get_by_role("button", name="Ja, bitte benachrichtigen").click()
    expect(plain_page.get_by_role("heading", name="Bestätigt")).to_be_visible()
    factories.comment(article, "Etwas Neues.")
    run_jobs()
    told = letters()[1]
    plain_page.goto(link(told.text, "/kommentar/"))
    expect(plain_page.locator("#kommentar-1")).to_be_in_viewport()
    plain_page.goto(link(told.text, "/abo/nein/"))
    plain_page.get_by_role("button", name="Nicht mehr benachrichtigen").click()
    expect(plain_page.get_by_role("heading", name="Beendet")).to_be_visible()
    assert not Subscription.objects.filter(ended_at=None).exists()


def test_more_than_fifty_threads_are_paged(plain_page: Page, article):
    for number in range(1, 53):
        factories.comment(article, f"Kommentar Nummer {number}.")
    plain_page.goto(article.get_absolute_url())
    expect(plain_page.locator(".comment")).to_have_count(50)
    plain_page.get_by_role("link", name="Weitere Kommentare").click()
    expect(plain_page.locator(".comment .text")).to_have_text(["Kommentar Nummer 51.", "Kommentar Nummer 52."])
    expect(plain_page).to_have_url(re.compile(r"\?seite=2#faeden$"))
    plain_page.get_by_role("link", name="Neueste").click()
    expect(plain_page.locator(".comment .text").first).to_have_text("Kommentar Nummer 52.")
    plain_page.get_by_role("link", name="Weitere Kommentare").click()
    expect(plain_page.locator(".comment .text")).to_have_text(["Kommentar Nummer 2.", "Kommentar Nummer 1."])


def test_reader_reports_a_comment(plain_page: Page, article):
    factories.comment(article, "Etwas Schlimmes.")
    plain_page.goto(article.get_absolute_url())
    plain_page.locator("#kommentar-1").get_by_role("link", name="Melden").click()
    expect(plain_page.get_by_role("main")).to_contain_text("Etwas Schlimmes.")
    plain_page.get_by_role("group", name="Worum geht es?").get_by_role("radio").first.check()
    plain_page.get_by_label("Begründung").fill("Das ist verboten.")
    plain_page.get_by_role("button", name="Meldung absenden").click()
    confirm(plain_page)
    expect(plain_page.get_by_role("alert")).to_be_visible()
    expect(plain_page.get_by_label("Begründung")).to_have_value("Das ist verboten.")
    plain_page.get_by_label("Name").fill("Carla")
    plain_page.get_by_label("E-Mail").fill("carla@example.org")
    plain_page.get_by_label("nach bestem Wissen").check()
    plain_page.get_by_role("button", name="Meldung absenden").click()
    expect(plain_page.get_by_role("status").filter(has_text="Ihre Meldung ist eingegangen")).to_be_attached()
    notice = Notice.objects.get()
    assert (notice.reason, notice.name, notice.email) == ("Das ist verboten.", "Carla", "carla@example.org")


def test_reader_hides_somebody_and_shows_them_again(plain_page: Page, article, live_server):
    factories.comment(article, "Von Anna.", name="Anna")
    factories.comment(article, "Von Berta.", name="Berta")
    plain_page.goto(article.get_absolute_url())
    anna = plain_page.locator("#kommentar-1")
    anna.get_by_role("link", name="Melden").click()
    plain_page.get_by_role("button", name="Auf diesem Gerät ausblenden").click()  # and nothing is asked
    expect(anna.get_by_role("heading", name="Anna")).to_be_in_viewport()
    expect(anna.get_by_text("Von Anna.")).to_be_hidden()
    expect(anna.get_by_role("link", name="Melden")).to_be_hidden()
    expect(plain_page.get_by_text("Von Berta.")).to_be_visible()
    plain_page.goto(f"{article.get_absolute_url()}?sortierung=neueste")
    anna.get_by_role("button", name="Sie haben Anna ausgeblendet. Wieder zeigen").click()
    expect(plain_page).to_have_url(f"{live_server.url}{article.get_absolute_url()}?sortierung=neueste#kommentar-1")
    expect(anna.get_by_text("Von Anna.")).to_be_visible()
    assert plain_page.context.cookies() == []


@pytest.fixture(autouse=True)
def answers_that_are_no_success(expected):
    """The question and the form with its errors come with these."""
    expected += ["status of 403", "status of 422"]


def write(page: Page, form_name: str, words: str, name: str, email: str = "") -> None:
    form = page.get_by_role("form", name=form_name)
    form.get_by_label("Kommentar", exact=True).fill(words)
    form.get_by_label("Name").fill(name)
    if email:
        form.get_by_label("E-Mail").fill(email)
    form.get_by_role("button", name="Kommentar absenden").click()


def confirm(page: Page) -> None:
    """The first action of a browser is asked about: the page it came from was the same for everyone."""
    expect(page.get_by_role("heading", name="Bitte bestätigen")).to_be_visible()
    page.get_by_role("button", name="Bestätigen").click()


def link(text: str, path: str) -> str:
    (address,) = {word for word in re.findall(r"https?://\S+", text) if path in word}
    return address


def test_reader_sees_how_long_ago_and_when(visit, article):
    """The time itself where a pointer or the keyboard asks for it, and always where neither can."""
    factories.comment(article)
    moment = timezone.localtime().replace(hour=12) - timedelta(days=3)
    Comment.objects.update(published_at=moment)
    when = f"{moment:%d.%m.%Y %H:%M}"

    page = visit(java_script_enabled=False)
    page.goto(article.get_absolute_url())
    said, date = page.locator("#kommentar-1 time"), page.locator("#kommentar-1 time small")
    expect(said).to_have_text("vor 3 Tagen", use_inner_text=True)
    expect(date).to_be_hidden()
    said.hover()
    expect(date).to_be_visible()
    expect(date).to_have_text(when)
    page.mouse.move(0, 0)
    expect(date).to_be_hidden()
    page.get_by_role("link", name="vor 3 Tagen").focus()
    page.keyboard.press("Shift+Tab")
    expect(date).to_be_hidden()
    page.keyboard.press("Tab")
    expect(date).to_be_visible()
    page.mouse.click(5, 5)
    expect(date).to_be_hidden()
    page.emulate_media(media="print")
    expect(date).to_be_visible()

    phone = visit(java_script_enabled=False, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    phone.goto(article.get_absolute_url())
    expect(phone.locator("#kommentar-1 time")).to_have_text(f"vor 3 Tagen {when}")
    expect(phone.locator("#kommentar-1 time small")).to_be_visible()
