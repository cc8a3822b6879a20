"""WCAG 2.2 AA: what axe can find, in light and dark, wide and narrow; and what it cannot: keyboard, focus, targets."""

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from comments.models import BlockedWord, Comment, Passage
from comments.services import withdraw
from moderation.by_mail import Step, instruction_token
from moderation.models import OnDuty
from moderation.services import pick
from ratings.models import Rating
from subscriptions.models import Recipient, Subscription
from subscriptions.services import subscribe
from tests import factories

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ABOUT_COLOURS = ["color-contrast", "link-in-text-block"]
# Dark is other colours and nothing else (a test below holds it to that), so what all other rules find is the same.
SCHEMES = {
    "light": {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]},
    "dark": {"runOnly": {"type": "rule", "values": ABOUT_COLOURS}, "resultTypes": ["violations"]},
}
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2


# --- pages -----------------------------------------------------------------------------------------------------------


def home(page: Page, article) -> None:
    page.goto("/")


def conversation(page: Page, article) -> None:
    """Everything a conversation can hold: deep replies, a tombstone, a passage, a held comment, a vote, a rating."""
    me = factories.reader("Anna", website="https://example.org/")
    passage = Passage.objects.create(article=article, block=2, exact="Der zweite Satz.")
    deep = factories.comment(
        article,
        "> Zitat\n\n- eins\n- zwei\n\n`code` und https://example.org/",
        passage=passage,
        badge="author",
        edited_at=timezone.now(),
    )
    pick(deep, moderator=None)
    factories.comment(article, "Meiner.", reader=me)
    for depth in range(7):
        deep = factories.comment(
            article, f"Antwort {depth}.", parent=deep, name=f"Leser {depth}", website="https://x.de/"
        )
    gone = factories.comment(article, "Weg.")
    factories.comment(article, "Bleibt.", parent=gone)
    withdraw(gone, Comment.State.REMOVED)
    factories.comment(article, f"{LONG_WORD}\n\n    {LONG_WORD}", name="N" * 80)
    factories.comment(article, "Wartet.", reader=me, state=Comment.State.HELD, held_because=["Wort"])
    Rating.objects.create(article=article, reader=me, stars=4)
    article.counters.__class__.objects.touch(article.pk, ratings=1, stars=4)
    page.known_as(me)
    page.goto(article.get_absolute_url())
    expect(page.get_by_text("Noch nicht veröffentlicht")).to_be_visible()
    expect(page.locator("#kommentar-2").get_by_role("button", name="Respekt")).to_be_disabled()
    page.locator("#kommentar-1").get_by_role("button", name="Respekt").click()
    expect(page.locator("#kommentar-1").get_by_role("button", name="Respekt")).to_have_text("Respekt 1")
    page.locator("#kommentar-1").get_by_role("link", name="Antworten").click()
    expect(page.get_by_role("form", name="Antwort auf Anna schreiben")).to_be_visible()


def error(page: Page, article) -> None:
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("E-Mail").fill("anna@")
    form.get_by_role("button", name="Vorschau").click()
    expect(form.get_by_role("alert")).to_be_visible()
    page.get_by_role("button", name="Abonnieren").click()
    page.get_by_role("button", name="Bewerten").click()
    expect(page.get_by_text("Bitte wählen Sie einen bis fünf Sterne.")).to_be_visible()


def preview(page: Page, article) -> None:
    page.goto(f"{article.get_absolute_url()}kommentieren/?absatz=1")
    form = page.get_by_role("form", name="Stelle kommentieren")
    form.get_by_label("Kommentar", exact=True).fill("Mit *Betonung*.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Vorschau").click()
    expect(form.locator(".preview")).to_be_visible()


def question(page: Page, article) -> None:
    """ "Bitte bestätigen", as a browser without scripts sees it; axe itself is a script."""
    page.goto(article.get_absolute_url())
    form = page.get_by_role("form", name="Kommentar schreiben")
    form.evaluate("(form, words) => { form.elements.body.value = words; form.submit(); }", LONG_WORD)
    expect(page.get_by_role("heading", name="Bitte bestätigen")).to_be_visible()


def opt_in(page: Page, article) -> None:
    page.goto(f"/abo/ja/{subscription(article).token('confirm')}/")
    expect(page.get_by_role("button", name="Ja, bitte benachrichtigen")).to_be_visible()


def end(page: Page, article) -> None:
    page.goto(f"/abo/nein/{subscription(article).token('end')}/")
    expect(page.get_by_role("button", name="Nicht mehr benachrichtigen")).to_be_visible()


def subscriptions_of_an_address(page: Page, article) -> None:
    row = subscription(article)
    row.confirmed_at = timezone.now()
    row.save()
    page.goto(f"/abos/{Recipient.of(row.email).token}/")
    page.get_by_label("Ruhe von").fill("22:00")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_role("alert")).to_be_visible()


def duty(page: Page, article) -> None:
    editor = OnDuty.objects.create(user=factories.editor()).user
    held = factories.comment(article, state=Comment.State.HELD, held_because=["Wort"])
    page.goto(f"/dienst/{instruction_token(Step.REMOVE, editor, held)}/")
    expect(page.get_by_role("button", name="Entfernen")).to_be_visible()


def sign_in(page: Page, article) -> None:
    page.goto("/konto/login/")


def report(page: Page, article) -> None:
    page.goto(f"/kommentar/{factories.comment(article).pk}/melden/")
    page.get_by_role("button", name="Meldung absenden").click()
    expect(page.get_by_role("alert")).to_be_visible()


def thread(page: Page, article) -> None:
    root = factories.comment(article)
    factories.comment(article, parent=root)
    page.goto(f"{article.get_absolute_url()}gespraech/1/")


def edit(page: Page, article) -> None:
    me = factories.reader("Anna")
    comment = factories.comment(article, reader=me)
    page.known_as(me)
    page.goto(f"/kommentar/{comment.pk}/bearbeiten/")
    page.get_by_label("Kommentar", exact=True).fill("")
    page.get_by_role("button", name="Änderung speichern").click()
    expect(page.get_by_role("alert")).to_be_visible()


def somebody_elses(page: Page, article) -> None:
    page.goto(f"/kommentar/{factories.comment(article).pk}/loeschen/")
    expect(page.get_by_role("heading", name="Ist das Ihr Kommentar?")).to_be_visible()


def keys(page: Page, article) -> None:
    page.goto(article.get_absolute_url())
    page.get_by_role("button", name="Tasten").click()
    expect(page.get_by_role("dialog", name="Tasten")).to_be_visible()


def not_found(page: Page, article) -> None:
    page.goto("/artikel/gibt-es-nicht/")


def site_page(slug: str) -> Callable[[Page, object], None]:
    def opened(page: Page, article) -> None:
        page.goto(f"/{slug}/")

    opened.__name__ = slug
    return opened


PAGES = [home, conversation, error, preview, question, opt_in, end, sign_in, report, thread, not_found]
PAGES += [edit, somebody_elses, keys, subscriptions_of_an_address, duty]
PAGES += map(site_page, ["impressum", "datenschutz", "regeln", "kontakt"])


@pytest.mark.parametrize("opened", PAGES, ids=lambda opened: opened.__name__)
def test_axe_finds_nothing_and_320_pixels_are_enough(long_article, page: Page, known_as, expected, opened):
    expected += ["status of 422", "status of 403", "status of 404"]
    page.known_as = lambda reader: known_as(page, reader)
    opened(page, long_article)
    page.evaluate(AXE_SCRIPT)
    for width in [1200, 390]:
        page.set_viewport_size({"width": width, "height": 900})
        for scheme, rules in SCHEMES.items():
            page.emulate_media(color_scheme=scheme)
            assert (width, scheme, violations(page, rules)) == (width, scheme, [])
    page.set_viewport_size({"width": 320, "height": 640})
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320


WHAT_DARK_SETS = """() => {
  const all = (rules) => [...rules].flatMap((rule) => [rule, ...all(rule.cssRules || [])]);
  const rules = [...document.styleSheets].flatMap((sheet) => all(sheet.cssRules));
  const dark = rules.filter((rule) => rule.media && rule.media.mediaText.includes("prefers-color-scheme"));
  return dark.flatMap((media) => all(media.cssRules)).flatMap((rule) =>
    [...(rule.style || [])].map((name) => [name, CSS.supports("color", rule.style.getPropertyValue(name))]));
}"""


def test_dark_is_other_colours_and_nothing_else(page: Page, article):
    page.goto(article.get_absolute_url())
    properties = page.evaluate(WHAT_DARK_SETS)
    assert "--paper" in [name for name, _ in properties]
    assert [name for name, is_colour in properties if not (name.startswith("--") and is_colour)] == []
    page.evaluate(AXE_SCRIPT)
    about_colours = page.evaluate("axe.getRules(['cat.color'])")
    assert [rule["ruleId"] for rule in about_colours if {*rule["tags"]} & {*WCAG}] == ABOUT_COLOURS


def violations(page: Page, rules: dict) -> list[str]:
    # Nothing else is fetched back: all that passed is a hundred times as much.
    found = page.evaluate("async (rules) => (await axe.run(document, rules)).violations", rules)
    return [f"{rule['id']}: {node['target']} {node['html'][:200]}" for rule in found for node in rule["nodes"]]


# --- keyboard and pointer --------------------------------------------------------------------------------------------


def test_keyboard_alone_rates_comments_and_votes(page: Page, article):
    factories.comment(article)
    page.goto(article.get_absolute_url())
    press(page, "Tab")
    expect(page.get_by_role("link", name="Zum Inhalt")).to_be_focused()
    press(page, "Tab")
    skip = page.get_by_role("link", name="Zu den Kommentaren")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)

    tab_to(page, page.get_by_role("radio", name="1 Stern"))
    press(page, "Space", "ArrowRight", "ArrowRight", "ArrowRight")
    expect(page.get_by_role("radio", name="4 Sterne")).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Bewerten"))
    press(page, "Enter")
    expect(page.get_by_text("4,0 von 5 (1 Stimme)")).to_be_visible()

    form = page.get_by_role("form", name="Kommentar schreiben")
    tab_to(page, form.get_by_label("Kommentar", exact=True))
    page.keyboard.type("Ohne Maus geschrieben.")
    tab_to(page, form.get_by_label("Name"))
    page.keyboard.type("Anna")
    tab_to(page, form.get_by_role("button", name="Kommentar absenden"))
    press(page, "Enter")
    expect(page.locator("#kommentar-2")).to_be_focused()
    respect = page.locator("#kommentar-1").get_by_role("button", name="Respekt")
    tab_to(page, respect, backwards=True)
    press(page, "Enter")
    expect(respect).to_have_text("Respekt 1")
    tab_to(page, page.get_by_role("link", name="Neueste"), backwards=True)
    press(page, "Enter")
    expect(page.get_by_role("link", name="Neueste")).to_have_attribute("aria-current", "true")


def test_skip_link_leads_to_the_comments(page: Page, article):
    factories.comment(article)
    page.goto(article.get_absolute_url())
    press(page, "Tab", "Tab", "Enter")
    expect(page.get_by_role("heading", name="1 Kommentar", exact=True)).to_be_in_viewport()
    expect(page.locator("#kommentare")).to_be_focused()


# Something that is drawn around the focused element or, for a star, around its label; and not beneath something else.
FOCUS_SHOWS = """() => {
  const focused = document.activeElement;
  const drawn = [focused, focused.closest("label")].some((element) => {
    if (!element) return false;
    const style = getComputedStyle(element);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  });
  const box = focused.getClientRects()[0];
  const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  return drawn && Boolean(above) && (focused.contains(above) || above.contains(focused));
}"""


@pytest.mark.parametrize("width", [1200, 390])
def test_focus_is_always_seen(visit, article, width):
    parent = factories.comment(article)
    factories.comment(article, parent=parent)
    page = visit(viewport={"width": width, "height": 700}, reduced_motion="reduce")  # no waiting for smooth scrolling
    page.goto(article.get_absolute_url())
    seen = 0
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        name = page.evaluate("document.activeElement.outerHTML.slice(0, 120)")
        assert (name, page.evaluate(FOCUS_SHOWS)) == (name, True)
        seen += 1
    assert seen > 25


@pytest.mark.parametrize("width", [1200, 390])
def test_targets_are_24_pixels_at_least(page: Page, article, width):
    parent = factories.comment(article, name="Bo", website="https://bo.example/")
    factories.comment(article, parent=parent)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(article.get_absolute_url())
    page.locator("#kommentar-1").get_by_role("link", name="Antworten").click()
    expect(page.get_by_role("form", name="Antwort auf Bo schreiben")).to_be_visible()
    # All but links within a sentence, which the criterion leaves out, and what is out of sight.
    targets = page.locator(
        ":is(button, input:not([type=hidden], .trap input), textarea, .masthead a, .imprint a, .comment header a,"
        " .comment footer a, .bar a, .bubble a, .cancel, .pilcrow):visible"
    )
    small = []
    for target in targets.all():
        box = target.evaluate(
            "(target) => { const tick = target.matches('.tick input, .choice input') && target.parentElement;"
            " const box = (tick || target).getBoundingClientRect();"
            " return [box.width, box.height, target.outerHTML.slice(0, 80)]; }"
        )
        if min(box[:2]) < 24:
            small.append(box)
    assert small == []
    assert targets.count() > 30


@pytest.mark.parametrize("width", [1200, 390])
def test_links_and_boxes_about_the_conversation_are_24_pixels_high(page: Page, article, width):
    passage = Passage.objects.create(article=article, block=1, exact="Erster Absatz.")
    pick(factories.comment(article, passage=passage), moderator=None)
    page.set_viewport_size({"width": width, "height": 900})
    small = []
    for query, some in [
        ("", ".picks a, .passage a, .write .hint a"),
        ("?seite=2", ".more a, .tick input, .choice input"),
    ]:
        page.goto(f"{article.get_absolute_url()}{query}")
        for selector in some.split(", "):
            targets = page.locator(f"{selector}:visible")
            expect(targets.first).to_be_visible()
            small += [(selector, box) for box in (t.bounding_box() for t in targets.all()) if box["height"] < 24]
    assert small == []


# The contrast of a paragraph's mark with the page; axe does not see what CSS writes.
CONTRAST_OF_THE_MARK = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const brightness = (colour) => parts(colour).slice(0, 3).map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  const mark = getComputedStyle(document.querySelector(".pilcrow"));
  const paper = parts(getComputedStyle(document.documentElement).backgroundColor);
  const seen = parts(mark.color).map((part, at) => part * mark.opacity + paper[at] * (1 - mark.opacity));
  const [more, less] = [brightness(`${seen}`), brightness(`${paper}`)].sort((one, other) => other - one);
  return (more + 0.05) / (less + 0.05);
}"""


def test_marks_at_paragraphs_are_seen(page: Page, article):
    page.goto(article.get_absolute_url())
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate(CONTRAST_OF_THE_MARK) >= 4.5


def test_nothing_moves_for_who_wants_no_motion(visit, article):
    page = visit(reduced_motion="reduce")
    page.goto(article.get_absolute_url())
    press(page, "Tab")
    assert page.evaluate("getComputedStyle(document.documentElement).scrollBehavior") == "auto"
    page.get_by_role("radio", name="3 Sterne").check()
    page.get_by_role("button", name="Bewerten").click()
    expect(page.get_by_text("3,0 von 5")).to_be_visible()
    assert page.evaluate("document.getAnimations().length") == 0


# --- helpers ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def long_article(transactional_db):
    BlockedWord.objects.create(word="Gesindel")
    source = f"Der erste Satz.\n\nDer zweite Satz.\n\n## Eine Zwischenüberschrift\n\n- Punkt\n\n> Zitat\n\n{LONG_WORD}"
    return factories.article(f"Überschrift mit {LONG_WORD}", source=source, question="Was meinen Sie?")


def subscription(article) -> Subscription:
    return subscribe(
        article=article, reader=factories.reader(), kind="article", email="anna@example.org", network="192.0.2.0/24"
    )


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def tab_to(page: Page, target: Locator, *, backwards: bool = False) -> None:
    """Goes on with Tab until the target has the focus, as somebody without a mouse does."""
    for _stop in range(60):
        if target.evaluate("(target) => target === document.activeElement"):
            return
        page.keyboard.press("Shift+Tab" if backwards else "Tab")
    raise AssertionError(f"Tab never leads to {target}")
