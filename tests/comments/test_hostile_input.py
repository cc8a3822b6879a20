"""The published holes of comment systems (REQUIREMENTS C), and that no input is an error of ours (C6)."""

import xml.etree.ElementTree as etree
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from django.test import Client

from articles.models import Article
from comments.models import Comment, Vote
from moderation.models import Decision, Notice
from ratings.models import Rating
from readers.models import Reader
from subscriptions.models import Subscription
from subscriptions.outbox import send_due
from subscriptions.tasks import announce
from tests import factories

# --- whatever comes, wherever it comes (C6) --------------------------------------------------------------------------

NASTY = {
    "NUL": "a\x00b",
    "only NUL": "\x00",
    "lone surrogates": "\udc80\ud800",
    "10^5 digits": "9" * 100_000,
    "beyond bigint": str(2**63),
    "beyond int": str(2**31),
    "negative": "-1",
    "digits that are none": "²１٣",
    "float": "1e308",
    "not a number": "nan",
    "SQL": "1'); DROP TABLE comments_comment; --",
    "more SQL": '1" OR "1"="1',
    "script": "<script>alert(1)</script>",
    "template": "{{ settings.SECRET_KEY }}{% debug %}%(x)s%s",
    "path": "../../../../etc/passwd",
    "lines": "a\r\nSet-Cookie: x=y\r\n\r\nb",
    "grows when normalised": "\U0001d160" * 80,
    "grows in lower case": "a@" + ".".join(["İ" * 10] * 20) + ".com",
    "emoji": "👩‍👩‍👧‍👦" * 20,
    "right to left": "\u202egpj.exe",
}
FIELDS = ["body", "name", "email", "website", "notify", "subject", "form_key", "preview", "stars", "kind", "wanted"]
FIELDS += ["von", "reason", "url", "good_faith", "csrfmiddlewaretoken", "List-Unsubscribe"]
QUERIES = ["sortierung", "ansicht", "seite", "nach", "ab", "absatz", "vor", "p", "next"]
HEADERS = ["If-None-Match", "If-Modified-Since", "Referer", "Origin", "X-Forwarded-For", "User-Agent"]
HEADERS += ["Accept-Language", "Accept", "HX-Request", "HX-Current-URL", "HX-Target", "Range", "X-Forwarded-Host"]


def refused_or_fine(answer) -> bool:
    return answer.status_code < 500


@pytest.fixture
def pages(article) -> list[str]:
    """Every public address."""
    root = factories.comment(article)
    factories.comment(article, parent=root)
    row = factories.subscription(article)
    here = f"/artikel/{article.slug}/"
    addresses = ["/", here, f"{here}feed/", f"{here}kommentieren/", f"{here}bewerten/", f"{here}abonnieren/"]
    addresses += [
        f"{here}neues/",
        f"{here}gespraech/1/",
        "/feed/",
        "/sitemap.xml",
        "/robots.txt",
        "/impressum/",
        "/formular/",
    ]
    addresses += [
        f"/kommentar/{root.pk}/{action}" for action in ("", "antworten/", "respekt/", "ausblenden/", "melden/")
    ]
    addresses += [f"/abo/nein/{row.token('end')}/", f"/abo/ja/{row.token('confirm')}/", "/konto/login/"]
    return [*addresses, "/redaktion/login/"]


def bytes_of(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_query(client, pages, value):
    query = "&".join(f"{name}={quote(bytes_of(value))}" for name in QUERIES)
    for page in pages:
        answer = client.get(f"{page}?{query}")
        assert refused_or_fine(answer), page
        if "\x00" in value:
            assert answer.status_code == 400, page


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_path(client, article, value):
    part = quote(bytes_of(value), safe="")
    addresses = [f"/{part}/", f"/artikel/{part}/", f"/artikel/{part}/feed/", f"/artikel/{part}/kommentieren/"]
    addresses += [f"/artikel/{article.slug}/gespraech/{part}/", f"/kommentar/{part}/", f"/kommentar/{part}/respekt/"]
    addresses += [f"/kommentar/ja/{part}/", f"/abo/ja/{part}/", f"/abo/nein/{part}/", f"/abo/nein/{part}-{part}/"]
    addresses += [f"/redaktion/comments/comment/{part}/change/", f"/static/{part}", f"/konto/{part}/"]
    for address in addresses:
        for answer in (client.get(address), client.post(address)):
            assert refused_or_fine(answer), address
            assert answer.status_code != 200 or "static" not in address


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_form(client, pages, value):
    body = "&".join(f"{name}={quote(bytes_of(value))}" for name in FIELDS)
    for page in pages:
        answer = client.post(page, body, content_type="application/x-www-form-urlencoded")
        assert refused_or_fine(answer), page
        if "\x00" in value:
            assert answer.status_code == 400, page
    assert Comment.objects.count() <= 4  # the page's two, and one each by the two forms


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_multipart_form(client, pages, value):
    parts = b"".join(
        b'--grenze\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), bytes_of(value))
        for name in FIELDS
    )
    for page in pages:
        answer = client.post(page, parts + b"--grenze--\r\n", content_type="multipart/form-data; boundary=grenze")
        assert refused_or_fine(answer), page


@pytest.mark.parametrize("value", NASTY.values(), ids=NASTY)
def test_headers(client, article, value):
    if "\n" in value:
        return  # no server lets a line break through to us
    text = bytes_of(value[:5000]).decode("latin-1")
    here = f"/artikel/{article.slug}/"
    ours = ["sitzung", "leser", "formular", "hinweis", "ansicht", "blase", "ausgeblendet", "gesehen"]
    cookies = {"Cookie": "; ".join(f"{name}={text}" for name in ours)}
    for headers in (cookies, dict.fromkeys(HEADERS, text)):
        assert refused_or_fine(client.get(here, headers=headers))
        assert refused_or_fine(client.post(f"{here}bewerten/", {"stars": "3"}, headers=headers))


def test_every_single_field_of_the_comment_form(client, article):
    for number, value in enumerate(NASTY.values()):
        for field in ("body", "name", "email", "website", "subject", "form_key", "notify"):
            words = factories.words(body=f"Text {number} {field}", email="a@example.org") | {field: value}
            words = {name: text.encode("utf-8", "replace").decode() for name, text in words.items()}
            answer = client.post(f"/artikel/{article.slug}/kommentieren/", words)
            assert answer.status_code in {302, 400, 422, 429}, (field, value[:50])


def test_nul_in_a_cookie_is_refused(client, article):
    for name in ("sitzung", "leser", "hinweis", "formular", "fremd"):
        header = f'{name}="\\000aaaaaaaaaaaaaaaa"'  # RFC 2109: a quoted value may hold octal escapes
        assert client.get(f"/artikel/{article.slug}/", headers={"Cookie": header}).status_code == 400


@pytest.mark.parametrize(
    "body, kind",
    [
        (b"&".join(b"a=%d" % number for number in range(3000)), "application/x-www-form-urlencoded"),
        (b"body=" + b"x" * 2_000_000, "application/x-www-form-urlencoded"),
        (b"--grenze", "multipart/form-data; boundary=grenze"),
        (b"", "multipart/form-data"),
        (b"body=x", "application/x-www-form-urlencoded; charset=utf-16"),
        (b'{"body": "x"}', "application/json"),
        (b"\xff\xfe", "text/plain"),
    ],
)
def test_bodies_that_are_no_form_of_ours(client, article, body, kind):
    answer = client.post(f"/artikel/{article.slug}/kommentieren/", body, content_type=kind)
    assert answer.status_code in {400, 413, 422}
    assert Comment.objects.count() == 0


def test_upload_is_refused(client, article):
    """wpDiscuz 2020-24186 took PHP for a picture. Here nothing takes a file."""
    parts = b'--g\r\nContent-Disposition: form-data; name="body"; filename="a.php"\r\n\r\n<?php ?>\r\n--g--\r\n'
    answer = client.post(
        f"/artikel/{article.slug}/kommentieren/", parts, content_type="multipart/form-data; boundary=g"
    )
    assert (answer.status_code, Comment.objects.count()) == (400, 0)


@pytest.mark.parametrize("host", ["evil.example", "localhost:8000@evil.example", "[::1", "", "a b", "x" * 5000])
def test_foreign_host_is_refused(client, article, host):
    assert client.get(f"/artikel/{article.slug}/", headers={"Host": host}).status_code == 400


# --- stored script (2023-47185, 2024-2477, Halo #311) ----------------------------------------------------------------

SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</textarea></title><script>alert(1)</script>",
    "]]><script>alert(1)</script><!--",
    "[x](javascript:alert(1))",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
]


class Danger(HTMLParser):
    """What in a page could run: inline script, handlers, links that are no links."""

    def __init__(self, html: str):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        known = {name: value or "" for name, value in attributes}
        own = known.get("src", "").startswith("/") and not known["src"].startswith("//")
        if tag == "script" and not own or tag in {"iframe", "object", "embed"}:
            self.found.append(tag)
        for name, value in known.items():
            leads_on = name in {"href", "src", "action"} and ":" in value.partition("/")[0]
            if name.startswith("on") or (leads_on and not value.startswith(("http://", "https://"))):
                self.found.append(f"{name}={value}")


@pytest.mark.parametrize("payload", SCRIPTS)
def test_script_in_name_and_body_runs_nowhere(article, letters, payload):
    parent = factories.comment(article, payload, name=payload[:80])
    factories.subscription(article, kind="replies", reader=parent.reader)
    browser = Client()
    browser.post(f"/kommentar/{parent.pk}/antworten/", factories.words(body=payload, name=payload[:80]))
    reply = Comment.objects.get(parent=parent)
    assert (reply.body, reply.name) == (payload, payload[:80])

    editor = Client()
    editor.force_login(factories.editor())
    admin = "/redaktion/comments/comment/"
    pages = [
        browser.get(f"/artikel/{article.slug}/"),
        browser.get(f"/artikel/{article.slug}/gespraech/1/"),
        browser.get(f"/kommentar/{reply.pk}/antworten/"),
        browser.get(f"/kommentar/{reply.pk}/melden/"),
        browser.post(f"/kommentar/{reply.pk}/antworten/", factories.words(body=payload, name=payload, preview="1")),
        browser.post(f"/kommentar/{reply.pk}/antworten/", factories.words(body=payload, name="")),
        Client(enforce_csrf_checks=True).post(f"/kommentar/{reply.pk}/antworten/", factories.words(body=payload)),
        editor.get(admin),
        editor.get(f"{admin}?q={quote(payload)}"),
        editor.get(f"{admin}{reply.pk}/change/"),
    ]
    assert [Danger(page.text).found for page in pages] == [[]] * len(pages)

    feed = etree.fromstring(browser.get(f"/artikel/{article.slug}/feed/").content)
    for entry in feed.iter("{http://www.w3.org/2005/Atom}summary"):
        assert Danger(entry.text).found == []

    announce(comment_id=reply.pk)
    send_due()
    (letter,) = letters()
    assert Danger(letter.html).found == []


@pytest.mark.parametrize(
    "website",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\u200bscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "//evil.example",
        "https://user:password@evil.example",
        "https://good.example@evil.example/",
        "https://a.example/\"onmouseover='alert(1)'",
        "http://127.0.0.1/",
        "ftp://a.example",
        "\\\\evil.example",
    ],
)
def test_website_is_a_plain_address_or_nothing(client, article, website):
    client.post(f"/artikel/{article.slug}/kommentieren/", factories.words(website=website))
    stored = list(Comment.objects.values_list("website", flat=True))
    assert stored in ([], ["https://a.example/%22onmouseover='alert(1)'"])
    assert Danger(client.get(f"/artikel/{article.slug}/").text).found == []


@pytest.mark.parametrize(
    "name, linked", [("https://www.sparkasse.de", False), ("Ｓparkasse．de", False), ("St.Pauli-Fan", True)]
)
def test_a_name_that_poses_as_another_address_is_no_link(client, article, name, linked):
    """However it came to be a comment's: by mail, from an account, before the form refused it."""
    factories.comment(article, name=name, website="https://evil.example")
    page = client.get(f"/artikel/{article.slug}/").text
    assert (f">{name}<" in page, "https://evil.example" in page) == (True, linked)


def test_script_in_a_report_runs_nowhere(article):
    comment = factories.comment(article)
    fields = {"kind": "other", "reason": SCRIPTS[0], "name": SCRIPTS[1], "email": "a@example.org", "good_faith": "on"}
    Client().post(f"/kommentar/{comment.pk}/melden/", fields | {"url": "https://a.example/?<script>"})
    editor = Client()
    editor.force_login(factories.editor())
    notice = Notice.objects.get()
    for page in ("/redaktion/moderation/notice/", f"/redaktion/moderation/notice/{notice.pk}/change/"):
        assert Danger(editor.get(page).text).found == []


# --- without a token (2021-24806) ------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", ["", "http://testserver", "https://evil.example", "null"])
def test_nothing_is_done_without_a_csrf_token(article, origin):
    comment = factories.comment(article)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(factories.editor())
    here, there = f"/artikel/{article.slug}/", f"/kommentar/{comment.pk}/"
    actions = {
        f"{here}kommentieren/": factories.words(),
        f"{there}antworten/": factories.words(),
        f"{here}bewerten/": {"stars": "1"},
        f"{here}abonnieren/": {"kind": "article", "email": "a@example.org"},
        f"{there}respekt/": {"wanted": "1"},
        f"{there}melden/": {"kind": "abuse", "reason": "x", "url": "https://a.example", "good_faith": "on"},
        f"/redaktion/comments/comment/{comment.pk}/entscheiden/": {"remove": "1", "reason": "x"},
        "/redaktion/articles/article/add/": {"headline": "x"},
        "/redaktion/articles/article/vorschau/": {"headline": "x"},
    }
    headers = {"Origin": origin} if origin else {}
    for address, fields in actions.items():
        answer = browser.post(address, fields | {"csrfmiddlewaretoken": "A" * 64}, headers=headers)
        assert answer.status_code == 403, address
        if origin in ("https://evil.example", "null") or address.startswith("/redaktion/"):
            assert "Das Formular ist abgelaufen" in answer.text
        else:
            assert "Bitte bestätigen" in answer.text
    for model in (Rating, Subscription, Vote, Notice, Decision):
        assert model.objects.count() == 0
    assert (Comment.objects.count(), Article.objects.count()) == (1, 1)


def test_admin_is_for_editors_only(article):
    comment = factories.comment(article)
    browser = Client()
    address = f"/redaktion/comments/comment/{comment.pk}/entscheiden/"
    for answer in (browser.post(address, {"remove": "1", "reason": "x"}), browser.get("/redaktion/comments/comment/")):
        assert (answer.status_code, answer.url.startswith("/redaktion/login/")) == (302, True)
    comment.refresh_from_db()
    assert comment.state == Comment.State.PUBLISHED


# --- others' headers and names ---------------------------------------------------------------------------------------


def test_no_header_changes_what_others_get(article):
    """Cache poisoning (Ghost 2026-53943): pages for everyone and feeds hold no word of the request."""
    factories.comment(article)
    poison = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Original-URL": "/evil"}
    poison |= {"Accept-Language": "en", "HX-Request": "true", "User-Agent": "evil", "Forwarded": "host=evil.example"}
    for page in (f"/artikel/{article.slug}/", "/", "/feed/", f"/artikel/{article.slug}/feed/", "/sitemap.xml"):
        plain, poisoned = Client().get(page), Client(headers=poison).get(page, headers={"Host": "127.0.0.1"})
        assert (poisoned.status_code, poisoned.content) == (200, plain.content), page


def test_spoofed_address_does_not_get_around_limits(article):
    comment = factories.comment(article)
    fields = {"kind": "abuse", "reason": "x", "url": "https://a.example", "good_faith": "on"}
    answers = [
        Client(headers={"X-Forwarded-For": f"203.0.{number}.1"}).post(f"/kommentar/{comment.pk}/melden/", fields)
        for number in range(31)
    ]
    assert [answer.status_code for answer in answers] == [302] * 30 + [429]
    assert Notice.objects.count() == 30


@pytest.mark.parametrize("email", ["*@example.org", "%@example.org", "_____@example.org"])
def test_wildcard_is_an_address_like_any_other(article, client, email):
    """2026-22216: ending the subscription of "%" ended everyone's."""
    berta = factories.subscription(article)
    client.post(f"/artikel/{article.slug}/abonnieren/", {"kind": "article", "email": email})
    wildcard = Subscription.objects.get(email=email)
    client.post(f"/abo/ja/{wildcard.token('confirm')}/")
    client.post(f"/abo/nein/{wildcard.token('end')}/")
    wildcard.refresh_from_db()
    berta.refresh_from_db()
    assert (wildcard.is_active, berta.is_active) == (False, True)


def test_nobody_becomes_a_reader_by_looking(client, pages):
    before = Reader.objects.count()
    for page in pages:
        client.get(page)
    assert Reader.objects.count() == before
