"""Browsers of readers, used again by the next test: a new one for each took an eighth of all the processors did."""

from collections import defaultdict
from dataclasses import dataclass, field

from django.templatetags.static import static
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request

PATIENCE = 10_000  # ms until something that should happen counts as missing
EMPTY = '<!doctype html><link rel="icon" href="{}">'  # without, the browser asks for one, and complains
AS_USUAL = {"viewport": {"width": 1200, "height": 900}, "locale": "de-DE", "color_scheme": "light"}


@dataclass
class Tab:
    """A reader's browser with one page; `complaints` are the console's errors, uncaught exceptions, and requests to
    anybody but us."""

    context: BrowserContext
    page: Page
    options: dict
    complaints: list[str] = field(default_factory=list)


class Tabs:
    """Lends browsers and takes them back; `url` is where the site is."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser, self.url = browser, url
        self._idle: defaultdict[str, list[Tab]] = defaultdict(list)

    def take(self, *, new: bool = False, **options) -> Tab:
        """Nothing of any other reader is in it. `options` are those of Playwright's new_context(). Ask for a `new` one
        where the first visit is what matters, and for what stays with a page: its listeners, its clock."""
        options = AS_USUAL | options
        idle = self._idle[repr(options)]
        return idle.pop() if idle and not new else self._made(options)

    def give_back(self, tab: Tab, *, is_new: bool) -> None:
        """To the next test; or not, if it was asked for as a new one or cannot be emptied."""
        if not is_new:
            try:
                self._empty(tab)
            except Error:
                is_new = True
        if is_new:
            tab.context.close()
        else:
            self._idle[repr(tab.options)].append(tab)

    def close(self) -> None:
        for tab in [tab for tabs in self._idle.values() for tab in tabs]:
            tab.context.close()

    def _made(self, options: dict) -> Tab:
        context = self.browser.new_context(base_url=self.url, **options)
        context.set_default_timeout(PATIENCE)
        tab = Tab(context, context.new_page(), options)

        def on_console(message: ConsoleMessage) -> None:
            if message.type in {"error", "warning"}:
                tab.complaints.append(f"console: {message.text} ({message.location.get('url')})")

        def on_request(request: Request) -> None:
            if not request.url.startswith(f"{self.url}/"):
                tab.complaints.append(f"request to {request.url}")

        context.on("console", on_console)
        context.on("request", on_request)
        context.on("weberror", lambda error: tab.complaints.append(f"exception: {error.error}"))
        return tab

    def _empty(self, tab: Tab) -> None:
        for other in tab.context.pages:
            if other != tab.page:
                other.close()
        tab.page.unroute_all()
        tab.context.set_offline(False)
        # An empty page of ours: what the one before writes when it is left is gone too, and its process stays.
        page = EMPTY.format(static("icon.svg"))
        tab.page.route("**/leer", lambda route: route.fulfill(body=page, content_type="text/html"))
        tab.page.goto("/leer")
        tab.page.evaluate("localStorage.clear(); sessionStorage.clear()")
        tab.page.unroute_all()
        tab.context.clear_cookies()
        if tab.page.viewport_size != tab.options["viewport"]:
            tab.page.set_viewport_size(tab.options["viewport"])
        motion = tab.options.get("reduced_motion", "no-preference")
        tab.page.emulate_media(media="null", color_scheme=tab.options["color_scheme"], reduced_motion=motion)
        tab.complaints.clear()
