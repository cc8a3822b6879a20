"""A real Chromium before the real site: WhiteNoise's files, a real mail server, a real worker."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.db import connections
from django.http import HttpRequest, HttpResponse
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from articles.models import Article
from comments.threads import REPLIES_PER_THREAD
from newsroom.trial.prepare import publish_first_article
from readers.device import remember, write_cookie
from readers.models import Reader
from tests import factories
from tests.browser.tabs import PATIENCE, Tabs

LAUNCH = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--in-process-gpu",  # nothing is drawn by one, and a process less takes a tenth off
    "--process-per-site",  # all contexts visit one: its pages are parsed and drawn by a process that is warm
]


# --- the server and the browser, once for all tests here -------------------------------------------------------------


@pytest.fixture(scope="session")
def live_server(static_files) -> Iterator[LiveServer]:
    """pytest-django's, but files come out of STATIC_ROOT, hashed and compressed, as in production: Django's own
    handler for tests finds only files by their unhashed names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "_should_handle", lambda self, path: False)
        server = LiveServer("localhost")
        yield server
        server.stop()


# Of the package and not of the session: while Playwright runs, its loop makes asyncio.run() impossible in this thread,
# and the tests of other packages run workers.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    path = os.environ.get("NEWSROOM_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.fail("Set NEWSROOM_CHROMIUM to a Chromium or Chrome; `make test` finds one or gets one.", pytrace=False)
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to be root with it
    browser = playwright.chromium.launch(executable_path=path, args=LAUNCH + sandbox)
    yield browser
    browser.close()


@pytest.fixture(scope="package")
def tabs(browser: Browser, live_server: LiveServer) -> Iterator[Tabs]:
    tabs = Tabs(browser, live_server.url)
    yield tabs
    tabs.close()


# --- for one test ----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def public_address(settings, live_server: LiveServer) -> None:
    """Links in mails lead to this server."""
    settings.SITE_URL = live_server.url
    settings.CSRF_TRUSTED_ORIGINS = [live_server.url]


@pytest.fixture
def expected() -> list[str]:
    """Patterns of the complaints that belong to the test; any other one fails it."""
    return []


@pytest.fixture
def visit(tabs: Tabs, expected: list[str], settings) -> Iterator[Callable[..., Page]]:
    """Makes another reader's browser: nothing of the others' in it. Options as Tabs.take() has them."""
    taken = []

    def visit(*, new: bool = False, **options) -> Page:
        if options.get("java_script_enabled") is False:
            settings.WRITING_SECONDS = 0  # a person reads what they are asked to confirm
        taken.append((tabs.take(new=new, **options), new))
        return taken[-1][0].page

    yield visit
    complaints = []
    for tab, is_new in taken:
        tab.context.cookies()  # what the browser has said until now has come in
        complaints += tab.complaints
        tabs.give_back(tab, is_new=is_new)
    assert [text for text in complaints if not any(re.search(pattern, text) for pattern in expected)] == []


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    return visit()


@pytest.fixture
def new_page(visit: Callable[..., Page]) -> Page:
    """A browser that nobody has used before."""
    return visit(new=True)


@pytest.fixture
def plain_page(visit: Callable[..., Page]) -> Page:
    """A browser with JavaScript switched off."""
    return visit(java_script_enabled=False)


@pytest.fixture
def talk(transactional_db) -> Article:
    """Two threads; the first with more replies than the page shows."""
    article = factories.article()
    root = factories.comment(article, "Erster Faden.", name="Rolf")
    for number in range(REPLIES_PER_THREAD + 2):
        factories.comment(article, f"Antwort {number}.", parent=root, name="Anna")
    factories.comment(article, "Zweiter Faden.", name="Berta")
    return article


@pytest.fixture
def known_as(live_server: LiveServer) -> Callable[[Page, Reader], None]:
    """Makes a browser that of a reader who has acted before."""

    def known_as(page: Page, reader: Reader) -> None:
        request, response = HttpRequest(), HttpResponse()
        remember(request, reader)
        write_cookie(request, response)
        ((name, cookie),) = response.cookies.items()
        page.context.add_cookies([{"name": name, "value": cookie.value, "url": live_server.url}])

    return known_as


@pytest.fixture
def german_article(transactional_db) -> Article:
    """The article the site is delivered with."""
    publish_first_article()
    return Article.objects.get(slug="lukaschenko-trifft-putin")


@pytest.fixture
def run_jobs(run_jobs: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """As everywhere, but in a thread of its own: Playwright's loop has this one."""

    def run() -> None:
        try:
            run_jobs()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        yield lambda: thread.submit(run).result()
