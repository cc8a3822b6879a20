"""The gallery of all mails: each renders in both languages, and says the same as text and as HTML (B10)."""

import re
import sys
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location

import pytest
from django.test import Client
from django.utils import translation
from django.utils.html import strip_tags

from newsroom import samples
from tests import factories
from tests.comments.test_hostile_input import Danger

GALLERY = "/postfach/muster/"
NAMES = ["bestaetigen", "antwort", "kommentar", "sammlung", "abos", "wartet", "abgelehnt", "kommentar-bestaetigen"]
NAMES += [
    "eigener",
    "empfehlung",
    "eingang",
    "entschieden",
    "entfernt",
    "wieder-da",
    "dienst-wartet",
    "dienst-meldung",
    "code",
]
ONLY_TEXT = {"code"}  # what is typed in needs no HTML


@pytest.fixture(params=["de", "en"])
def site(request, settings, db) -> Client:
    settings.LANGUAGE_CODE, settings.REPLY_DOMAIN = request.param, "antwort.example"
    return Client()


def links(text: str) -> set[str]:
    """Addresses on the web, and ours for answers."""
    return set(re.findall(r"https?://[^\s\"<>]+[^\s\"<>.,:;)]|[a-z0-9-]+@antwort\.example", text))


class Loads(HTMLParser):
    """What an HTML mail would fetch, or run, when it is opened."""

    def __init__(self, html: str):
        super().__init__()
        self.found: list[str] = re.findall(r"url\([^)]*\)|@import[^;]*", html)
        self.links: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag in {"img", "script", "link", "iframe", "object", "embed", "video", "audio", "form", "base"}:
            self.found.append(tag)
        self.found += [name for name in given if name in {"src", "srcset", "background", "poster"}]
        if "href" in given:
            self.links.add(given["href"])


def test_gallery_shows_every_mail(site, settings):
    page = site.get(GALLERY)
    assert (page.status_code, f'<html lang="{settings.LANGUAGE_CODE}"' in page.text) == (200, True)
    assert re.findall(rf'href="{GALLERY}([^"/]+)/"', page.text) == NAMES
    assert Danger(page.text).found == []


@pytest.mark.parametrize("name", NAMES)
def test_html_is_small_and_fetches_nothing(site, name):
    answer = site.get(f"{GALLERY}{name}/")
    assert answer.status_code == 200
    if name in ONLY_TEXT:
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
        return
    assert len(answer.content) < 100_000  # Gmail cuts off what is longer
    assert Loads(answer.text).found == []
    assert [one for one in Danger(answer.text).found if not one.startswith("href=mailto:")] == []
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["de", "en"])
def test_text_and_html_hold_the_same_links(db, settings, language):
    settings.LANGUAGE_CODE, settings.REPLY_DOMAIN = language, "antwort.example"
    with translation.override(language):
        for name, (_title, make) in samples._samples().items():
            mail = make()
            if name not in ONLY_TEXT:
                html = mail.alternatives[0].content
                clickable = {link.removeprefix("mailto:").partition("?subject=")[0] for link in Loads(html).links}
                assert links(mail.body) == clickable | links(strip_tags(html)), name
                assert clickable, name
                assert f'<html lang="{language}">' in html, name


def test_no_link_of_a_sample_leads_anywhere(db, article):
    """They are signed like any other; no row, and nobody's address, is what they could be for."""
    factories.subscription(article)
    paths = {path for text in texts() for path in re.findall(r"http://localhost:8000(/\S+)", text)}
    tried = {path: Client().post(path).status_code for path in paths if re.match("/(abo|kommentar|dienst)/", path)}
    assert len(tried) > 8
    assert set(tried.values()) <= {404, 405}
    # The links hold the second they were made in, after a colon.
    (subscriptions,) = {path.partition(":")[0]: path for path in paths if path.startswith("/abos/")}.values()
    assert article.headline not in Client().get(subscriptions).text


def texts() -> list[str]:
    return [make().body for _title, make in samples._samples().values()]


@pytest.mark.parametrize("name", ["", "nichts", "../letter", "0", "x" * 500])
def test_unknown_sample_is_not_found(db, name):
    assert Client().get(f"{GALLERY}{name}x/").status_code == 404


def test_without_the_local_mailbox_there_is_no_gallery(db, settings):
    """Signed links, on a page for everybody, are nothing for a site on the web."""
    settings.MAILBOX = ""
    spec = spec_from_file_location("tests.site_without_a_mailbox", settings.BASE_DIR / "newsroom" / "urls.py")
    sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(sys.modules[spec.name])
    settings.ROOT_URLCONF = spec.name
    pages = ["/postfach/", GALLERY, f"{GALLERY}antwort/", "/postfach/x/"]
    assert [Client().get(page).status_code for page in pages] == [404] * 4
    assert Client().get("/robots.txt").status_code == 200
