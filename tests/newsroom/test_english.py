"""English is complete, and every page keeps to the language of its site.

The catalogue is compared with the sources themselves, so nothing here needs gettext's programs. Adding a string: see
README; `make messages` brings the catalogue up to date.
"""

import ast
import re
from collections.abc import Callable, Iterator
from gettext import GNUTranslations
from html.parser import HTMLParser
from itertools import count
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from django.conf import settings as site
from django.http import HttpResponse
from django.template import Context
from django.template.base import TextNode
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.test import Client, RequestFactory
from jinja2 import Environment

from articles.models import Article
from comments.mails import comment_token, confirm_comment_mail
from comments.models import Comment, Passage
from moderation.mails import notice_receipt_mail
from moderation.models import Notice
from newsroom.models import Job
from newsroom.tasks import forget_expired
from newsroom.views import forbidden, server_error
from ratings.services import rate_article
from readers.accounts import AccountAdapter
from subscriptions.mails import Personal, comment_mail, digest_mail, manage_mail, opt_in_mail
from subscriptions.models import Delivery, Recipient
from tests import factories

LOCALE = site.BASE_DIR / "locale" / "en" / "LC_MESSAGES"
FILES = sorted(path for path in (site.BASE_DIR / "templates").rglob("*") if path.is_file())
JINJA, TEMPLATES = ([path for path in FILES if (path.suffix == ".jinja") is is_jinja] for is_jinja in (True, False))
SCRIPTS = sorted((site.BASE_DIR / "static").glob("*.js"))
PACKAGES = [
    folder for folder in site.BASE_DIR.iterdir() if (folder / "__init__.py").exists() and folder.name != "tests"
]
OURS = [*PACKAGES, site.BASE_DIR / "bin"]
ARGUMENTS = {
    "gettext": ("id",),
    "ngettext": ("id", "plural"),
    "pgettext": ("context", "id"),
    "npgettext": ("context", "id", "plural"),
}

# --- the catalogue and the sources --------------------------------------------------------------------------------

Key = tuple[str, str, str]  # context, singular, plural


def catalogue(domain: str) -> Catalog:
    with (LOCALE / f"{domain}.po").open("rb") as file:
        return read_po(file, locale="en", abort_invalid=True)


def messages(domain: str) -> dict[Key, tuple[str, ...]]:
    """What the catalogue says, without what is marked as doubtful."""
    said = {}
    for message in catalogue(domain):
        if message.id and not message.fuzzy:
            ids, strings = ((x,) if isinstance(x, str) else tuple(x) for x in (message.id, message.string))
            said[(message.context or "", *ids, "")[:3]] = strings
    return said


def in_python() -> Iterator[Key]:
    for path in sorted(path for folder in OURS for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
            for imported in node.names if isinstance(node, ast.ImportFrom) else ():
                # Under another name neither we nor makemessages would see what is asked of it.
                known = imported.asname in (None, "_") or imported.name.removesuffix("_lazy") not in ARGUMENTS
                assert known, f"{path}:{node.lineno}: {imported.name} as {imported.asname}"
            wanted = ARGUMENTS.get("gettext" if name == "_" else name.removesuffix("_lazy"))
            if wanted:
                given = [getattr(argument, "value", None) for argument in node.args[: len(wanted)]]
                assert all(isinstance(text, str) for text in given), f"{path}:{node.lineno}: no constant string"
                found = dict(zip(wanted, given, strict=True))
                yield found.get("context", ""), found["id"], found.get("plural", "")


def in_templates() -> Iterator[Key]:
    """Django's own nodes say what they ask gettext for."""
    for path in TEMPLATES:
        nodes = compiled(path)
        blocks, lines = nodes.get_nodes_by_type(BlockTranslateNode), nodes.get_nodes_by_type(TranslateNode)
        source = path.read_text(encoding="utf-8")
        assert len(blocks) + len(lines) == len(re.findall(r"\{% (?:block)?trans", source)), f"{path}: not all found"
        for node in lines:
            yield context_of(node), node.filter_expression.var.literal.replace("%", "%%"), ""
        for node in blocks:
            plural = node.render_token_list(node.plural)[0] if node.plural else ""
            yield context_of(node), node.render_token_list(node.singular)[0], plural


def in_jinja() -> Iterator[Key]:
    for path in JINJA:
        for _line, _name, text in Environment(extensions=["jinja2.ext.i18n"]).extract_translations(
            path.read_text(encoding="utf-8")
        ):
            yield "", text, ""


def in_scripts() -> Iterator[Key]:
    for path in SCRIPTS:
        source = path.read_text(encoding="utf-8")
        found = GETTEXT.findall(source)
        assert len(found) == source.count("gettext("), f"{path}: no constant string"
        for singular, plural in found:
            yield "", singular, plural


GETTEXT = re.compile(r'n?gettext\("([^"\\]+)"(?:, "([^"\\]+)", -?\w+)?\)')
DOMAINS = {"django": [in_python, in_templates, in_jinja], "djangojs": [in_scripts]}
each_domain = pytest.mark.parametrize("domain", DOMAINS)


def compiled(path: Path):
    return get_template(str(path.relative_to(site.BASE_DIR / "templates"))).template.nodelist


def context_of(node: TranslateNode | BlockTranslateNode) -> str:
    return node.message_context.resolve(Context()) if node.message_context else ""


@pytest.mark.parametrize(
    "domain, used, at_least",
    [("django", in_python, 100), ("django", in_templates, 100), ("django", in_jinja, 10), ("djangojs", in_scripts, 25)],
)
def test_every_string_is_translated(domain: str, used: Callable[[], Iterator[Key]], at_least: int):
    translated = {key for key, strings in messages(domain).items() if all(strings)}
    found = set(used())
    assert len(found) > at_least  # else the search itself is broken
    assert found - translated == set()


@each_domain
def test_catalogue_holds_nothing_that_is_not_used(domain):
    assert set(messages(domain)) - {key for used in DOMAINS[domain] for key in used()} == set()


@each_domain
def test_compiled_catalogue_says_the_same(domain):
    """Django reads only the .mo; it is in the repository, because a new machine has no gettext."""
    with (LOCALE / f"{domain}.mo").open("rb") as file:
        compiled_messages = dict(GNUTranslations(file)._catalog)
    compiled_messages.pop("")
    expected = {}
    for (context, singular, plural), strings in messages(domain).items():
        key = f"{context}\x04{singular}" if context else singular
        expected |= {(key, form): text for form, text in enumerate(strings)} if plural else {key: strings[0]}
    assert compiled_messages == expected


@each_domain
def test_placeholders_and_links_survive_translation(domain):
    def fixed_parts(text: str) -> list[str]:
        return sorted(re.findall(r"%(?:\(\w+\))?[a-z]|<[^>]+>", text))

    for (_context, singular, plural), strings in messages(domain).items():
        for original, translation in zip([singular, plural or singular], strings, strict=False):
            assert fixed_parts(translation) == fixed_parts(original), translation


@each_domain
def test_plural_forms_are_english(domain):
    assert (catalogue(domain).num_plurals, catalogue(domain).plural_expr) == (2, "(n != 1)")
    assert {len(strings) for (_context, _singular, plural), strings in messages(domain).items() if plural} == {2}


# --- what people read ---------------------------------------------------------------------------------------------


class Readable(HTMLParser):
    """The pieces of a page that people see or hear; not its addresses, names and styles."""

    def __init__(self, html: str):
        super().__init__()
        self.pieces: set[str] = set()
        self.hidden = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.hidden = tag if tag in ("style", "script") else self.hidden
        given = dict(attributes)
        read = ["aria-label", "title", "alt", "placeholder"]
        read += ["value"] if given.get("type") == "submit" else []
        read += ["content"] if given.get("name", given.get("property")) in ("description", "og:description") else []
        for name in read:
            self.add(given.get(name) or "")

    def handle_endtag(self, tag: str) -> None:
        self.hidden = "" if tag == self.hidden else self.hidden

    def handle_data(self, text: str) -> None:
        if not self.hidden:
            self.add(text)

    def add(self, text: str) -> None:
        text = " ".join(re.sub(r"(?:https?:/)?(?<!\w)/\S+", "", text).split())
        if re.search(r"[^\W\d_]{2}", text):
            self.pieces.add(text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(site.BASE_DIR / "templates")))
def test_templates_hold_no_words_outside_gettext(path: Path):
    assert Readable("".join(node.s for node in compiled(path).get_nodes_by_type(TextNode))).pieces == set()


@pytest.mark.parametrize("path", JINJA, ids=lambda path: path.name)
def test_jinja_templates_hold_no_words_outside_gettext(path: Path):
    texts = [text for _line, kind, text in Environment().lex(path.read_text(encoding="utf-8")) if kind == "data"]
    assert Readable("".join(texts)).pieces == set()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_words_outside_gettext(path: Path):
    code = re.sub(r"/\*.*?\*/|(?:^|\s)// .*?$", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert re.findall("[ÄÖÜäöüß„“…].*", GETTEXT.sub("", code)) == []


# --- a walk through the site --------------------------------------------------------------------------------------

# What people write here is neither German nor English; everything else on a page is ours to say.
HEADLINE, SECTION, AUTHOR, AVA, BO, BODY, ADDRESS = "Lorem", "Ipsum", "Dolor", "Ava", "Bo", "Amet.", "ava@example.org"
THEIRS = {"lorem", "ipsum", "dolor", "sit", "amet", "ava", "bo", "example", "org", "newsroom"}
SAME_IN_BOTH = {"esc", "cmd", "name", "website", "feed", "code"}
_walks = count(1)


class Walk:
    """Visits the site in one language and notes what can be read at each stop."""

    def __init__(self, settings, language: str):
        settings.LANGUAGE_CODE = language
        self.read: dict[str, set[str]] = {}
        self.number = next(_walks)
        self.email = f"ava{self.number}@example.org"
        self.browser = Client()

    def see(self, stop: str, response: HttpResponse, status: int = 200) -> None:
        assert response.status_code == status, stop
        self.note(stop, Readable(response.text).pieces)

    def get(self, address: str, status: int = 200, stop: str = "") -> None:
        stop = stop or re.sub(rf"-{self.number}\b|(?<=kommentar/)\d+", "", address)
        self.see(stop, self.browser.get(address), status)

    def post(self, stop: str, address: str, status: int = 200, **words: str) -> None:
        self.see(stop, self.browser.post(address, words), status)

    def mail(self, stop: str, message) -> None:
        parts = [message.subject, message.body, *(content for content, _type in getattr(message, "alternatives", []))]
        self.note(stop, set().union(*(Readable(part).pieces for part in parts)))

    def note(self, stop: str, pieces: set[str]) -> None:
        assert stop not in self.read
        self.read[stop] = pieces

    def article(self, suffix: str = "", **fields) -> Article:
        author = factories.Author.objects.get_or_create(name=AUTHOR)[0]
        section = factories.Section.objects.get_or_create(name=SECTION)[0]
        slug = f"lorem{suffix}-{self.number}"
        return factories.article(
            HEADLINE, author=author, section=section, source=f"{BODY}\n\n{BODY}", slug=slug, **fields
        )


def readable(settings, language: str) -> dict[str, set[str]]:
    """Everything that can be read on the site and in its mails, by stop."""
    walk = Walk(settings, language)
    for part in (see_articles, see_answers, see_links_in_mails, see_account, see_errors, see_mails):
        part(walk)
    return walk.read


def see_articles(walk: Walk) -> None:
    article, page = walk.article(question=BODY), f"/artikel/lorem-{walk.number}/"
    walk.get(f"{page}?ansicht=inline")
    passage = Passage.objects.create(article=article, block=1, exact=BODY)
    root = factories.comment(article, BODY, name=AVA, passage=passage, website="https://example.org/")
    for _depth in range(7):  # the last one is flat: it says whom it answers
        root = factories.comment(article, BODY, name=BO, parent=root)
    for state in (Comment.State.REMOVED, Comment.State.DELETED):
        gone = factories.comment(article, BODY, name=AVA)
        factories.comment(article, BODY, name=AVA, parent=gone)
        Comment.objects.filter(pk=gone.pk).update(state=state)
    for _reply in range(10):
        factories.comment(article, BODY, name=AVA, parent=root)
    rate_article(article=article, reader=factories.reader(), stars=4)
    walk.get("/")
    walk.get(page)
    walk.get(f"{page}?seite=2")
    walk.get(f"{page}feed/")
    walk.get(f"{page}gespraech/1/")
    walk.get(f"{page}gespraech/1/?ab=3")
    walk.get(f"{page}kommentieren/")
    walk.get(f"{page}bewerten/")
    walk.get(f"{page}abonnieren/")
    walk.get(f"/kommentar/{root.pk}/antworten/")
    walk.get(f"/kommentar/{root.pk}/melden/")
    walk.article("-closed", comment_mode=Article.CommentMode.CLOSED)
    walk.get(f"/artikel/lorem-closed-{walk.number}/")


def see_answers(walk: Walk) -> None:
    article, page = walk.article("-talk"), f"/artikel/lorem-talk-{walk.number}/"
    write, good = f"{page}kommentieren/", {"body": BODY, "name": AVA}
    walk.post("nothing written", write, 422)
    wrong = {"body": "Lorem " * 4000, "name": "Lorem " * 20, "email": "a@", "website": "a b"}
    walk.post("all wrong", write, 422, **wrong)
    walk.post("too long", write, 422, **good, email=f"{'a' * 300}@example.org", website=f"www.{'a' * 300}.org")
    walk.post("notify whom", write, 422, **good, notify="on")
    walk.post("preview", write, **good, preview="1")
    stranger = Client(enforce_csrf_checks=True)
    everything = {**good, "email": walk.email, "website": "example.org", "reason": BODY}
    walk.see("asked to confirm", stranger.post(write, everything), 403)
    walk.see("form expired", stranger.post("/konto/login/", {"login": walk.email}), 403)

    walk.post("comment published", write, 302, body=BODY, name=AVA, form_key=factories.form_key())
    walk.get(page, stop="thanks for the comment")
    own = Comment.objects.get(article=article)
    walk.post("vote", f"/kommentar/{own.pk}/respekt/", 302, wanted="1")
    walk.get(page, stop="with a vote")
    Article.objects.filter(pk=article.pk).update(comment_mode=Article.CommentMode.CONFIRMED)
    walk.post("address needed", write, 422, body="Sit amet.", name=AVA)
    walk.post("comment waits for its author", write, 302, body="Sit.", name=AVA, email=walk.email)
    walk.get(page, stop="comment to be confirmed")
    Article.objects.filter(pk=article.pk).update(comment_mode=Article.CommentMode.ALL_HELD)
    walk.post("comment waits for a moderator", write, 302, body="Dolor sit.", name=AVA)
    walk.get(page, stop="comment to be checked")
    Article.objects.filter(pk=article.pk).update(comment_mode=Article.CommentMode.CLOSED)
    walk.post("closed meanwhile", write, 409, body="Ipsum sit.", name=AVA)

    walk.post("no stars", f"{page}bewerten/", 422)
    walk.post("rated", f"{page}bewerten/", 302, stars="3")
    walk.get(page, stop="thanks for the stars")
    walk.post("subscribe to nothing", f"{page}abonnieren/", 422)
    walk.post("subscribe nobody", f"{page}abonnieren/", 422, kind="all", email="a@")
    walk.post("subscribed", f"{page}abonnieren/", 302, kind="article", email=f"b{walk.email}")
    walk.get(page, stop="look in your inbox")
    report = f"/kommentar/{own.pk}/melden/"
    walk.post("report nothing", report, 422)
    walk.post("report without a name", report, 422, kind="insult", reason="\u200b", email="a@", good_faith="on")
    notice = {"kind": "insult", "reason": BODY, "url": "https://example.org/", "name": AVA, "good_faith": "on"}
    walk.post("reported", report, 302, **notice, email=walk.email)
    walk.get(page, stop="thanks for the notice")


def see_links_in_mails(walk: Walk) -> None:
    article = walk.article("-mail")
    for kind in ("article", "replies"):
        row = factories.subscription(article, f"{kind}{walk.email}", kind=kind, confirmed_at=None)
        walk.get(f"/abo/ja/{row.token('confirm')}/", stop=f"{kind} asked")
        walk.post(f"{kind} confirmed", f"/abo/ja/{row.token('confirm')}/")
        walk.get(f"/abo/nein/{row.token('end')}/", stop=f"{kind} to be ended")
        walk.post(f"{kind} ended", f"/abo/nein/{row.token('end')}/")
        walk.get(f"/abo/ja/{row.token('confirm')}/", stop=f"{kind} too late")
    walk.get("/abo/ja/1-x/", 404)
    ava = factories.reader(AVA, walk.email)
    states = [("held", []), ("held", [BODY]), ("published", []), ("removed", [])]
    for state, because in states:
        comment = factories.comment(article, BODY, reader=ava, state=state, held_because=because)
        walk.get(f"/kommentar/ja/{comment_token(comment)}/", stop=f"comment {state} {because}")


def see_account(walk: Walk) -> None:
    for page in ("login", "signup", "inactive"):
        walk.get(f"/konto/{page}/")
    walk.post("sign in as nobody", "/konto/login/", login="")
    walk.post("sign in as nonsense", "/konto/login/", login="a@")
    walk.post("sign up as nonsense", "/konto/signup/", email="a@")
    walk.post("code sent", "/konto/signup/", 302, email=walk.email)
    walk.get("/konto/confirm-email/")
    walk.post("no code", "/konto/confirm-email/")
    walk.post("wrong code", "/konto/confirm-email/", code="0")
    walk.browser = Client()
    walk.post("code for signing in sent", "/konto/login/", 302, login=f"other{walk.email}")
    walk.get("/konto/login/code/confirm/")
    walk.post("wrong code for signing in", "/konto/login/code/confirm/", code="0")
    walk.browser = Client()
    editor = factories.editor(f"editor{walk.number}")
    walk.browser.force_login(editor, backend="django.contrib.auth.backends.ModelBackend")
    walk.get("/konto/email/")
    walk.get("/konto/logout/")
    walk.post("own address", "/konto/email/", email=editor.email, action_add="1")


def see_errors(walk: Walk) -> None:
    walk.browser = Client(raise_request_exception=False)
    walk.get("/nowhere/", 404)
    walk.get("/?a=%00", 400)
    request = RequestFactory().get("/")
    walk.see("forbidden", forbidden(request, PermissionError()), 403)
    walk.see("server error", server_error(request), 500)
    walk.see("too fast", HttpResponse(get_template("429.html").render({}, request)))
    walk.get("/postfach/")


def see_mails(walk: Walk) -> None:
    article = walk.article("-letters")
    root = factories.comment(article, BODY, reader=factories.reader(AVA, walk.email))
    reply = factories.comment(article, BODY, name=BO, parent=root)
    for kind in ("article", "replies"):
        row = factories.subscription(article, f"{kind}{walk.email}", kind=kind)
        walk.mail(f"opt-in {kind}", opt_in_mail(row, Recipient.of(row.email)))
        for comment in (root, reply):
            delivery = Delivery(comment=comment, subscription=row, email=row.email)
            walk.mail(
                f"{kind} {comment.depth}",
                comment_mail(comment, kind=kind, personal=Personal.of(delivery, answered=None)),
            )
        told = [
            Delivery(pk=pk, comment=comment, subscription=row, email=row.email)
            for pk, comment in enumerate((root, reply))
        ]
        walk.mail(f"digest {kind}", digest_mail(told[0], told))
    walk.mail("manage", manage_mail(Recipient.of(walk.email)))
    walk.mail("confirm comment", confirm_comment_mail(root))
    notice = Notice.objects.create(comment=root, kind="insult", name=AVA, email=ADDRESS, reason=BODY, good_faith=True)
    walk.mail("receipt", notice_receipt_mail(notice))
    for path in sorted((site.BASE_DIR / "templates" / "account" / "email").glob("*_subject.txt")):
        name = path.name.removesuffix("_subject.txt")
        context = {"SITE_NAME": "Lorem", "SITE_URL": "", "code": "1", "from_email": ADDRESS, "to_email": ADDRESS}
        walk.mail(name, AccountAdapter().render_mail(f"account/email/{name}", ADDRESS, context))


GERMAN = re.compile(
    r"[äöüß„]|\b(der|dem|und|oder|nicht|kein\w*|sie|ihnen|ihre?n?|wir|uns|bitte|ist|sind|wird|mit|zu[mr]?|auf|von|vom"
    r"|eine?[mnr]?|noch|schon|hier|kommentar\w*|antwort\w*|artikel|konto|seite|leser|redaktion|stimmen?|sterne?)\b",
    re.IGNORECASE,
)
ENGLISH = re.compile(
    r"[“”]\w|\b(the|and|or|not|no|you|your|we|please|is|are|this|that|with|to|of|on|by|for|has|comments?|repl(y|ies)"
    r"|articles?|account|page|reader|votes?|stars?|required|enter|valid|characters?|email|address|sign)\b",
    re.IGNORECASE,
)


def test_pages_and_mails_keep_to_their_language(db, settings):
    german, english = readable(settings, "de"), readable(settings, "en")

    def found(*, where: dict[str, set[str]], foreign: Callable[[str], object]) -> dict[str, set[str]]:
        return {stop: strange for stop, pieces in where.items() if (strange := set(filter(foreign, pieces)))}

    assert found(where=english, foreign=GERMAN.search) == {}
    assert found(where=german, foreign=ENGLISH.search) == {}
    # No list of telltale words finds everything: what nobody translated reads the same on both pages.
    same = {stop: german[stop] & english[stop] for stop in german.keys() | english.keys()}
    assert found(where=same, foreign=is_ours) == {}


def is_ours(piece: str) -> bool:
    return bool(set(re.findall(r"[^\W\d_]{2,}", piece.lower())) - THEIRS - SAME_IN_BOTH)


@pytest.mark.parametrize("language, other", [("en", GERMAN), ("de", ENGLISH)], ids=["en", "de"])
def test_the_desk_keeps_to_its_language(db, settings, client, language, other):
    settings.LANGUAGE_CODE = language
    author = factories.Author.objects.create(name=AUTHOR)
    article = factories.article(HEADLINE, source=BODY, author=author, slug="lorem")
    comment = factories.comment(article, BODY, name=AVA, state=Comment.State.HELD, held_because=[BODY])
    assert not other.search(" ".join(Readable(client.get("/redaktion/login/").text).pieces))
    forget_expired.defer(timestamp=0)
    client.force_login(factories.editor("ava"), backend="django.contrib.auth.backends.ModelBackend")
    decide = f"/redaktion/comments/comment/{comment.pk}/entscheiden/"
    for response in (
        client.get("/redaktion/"),
        client.get("/redaktion/articles/article/"),
        client.post("/redaktion/articles/article/add/", {"comment_mode": "x"}),
        client.get(f"/redaktion/articles/article/{article.pk}/change/"),
        client.post("/redaktion/articles/article/vorschau/", {"headline": HEADLINE}),
        client.get("/redaktion/comments/comment/"),
        client.get(f"/redaktion/comments/comment/{comment.pk}/change/"),
        client.post(decide, {"remove": "1"}),
        client.post(decide, {"remove": "1", "reason": BODY}, follow=True),
        client.get("/redaktion/moderation/notice/"),
        client.get("/redaktion/subscriptions/subscription/"),
        client.get("/redaktion/readers/reader/"),
        client.get("/redaktion/newsroom/job/"),
        client.get(f"/redaktion/newsroom/job/{Job.objects.latest('pk').pk}/change/"),
    ):
        assert {piece for piece in Readable(response.text).pieces if other.search(piece)} == set(), response.request
