"""Whose comments a device does not show: names in a cookie that it keeps itself. Nothing of it is stored here.

The cookie is `Anna|Berta%20M`: percent-encoded names, the oldest first. static/reading.js reads and writes it too.
"""

from urllib.parse import quote, unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from newsroom.pages.ondevice import keep_on_device

MOST_NAMES = 30
MOST_BYTES = 3_000  # of 4,096 that browsers keep; the longest name takes 960


def hidden_names(request: HttpRequest) -> list[str]:
    """At most MOST_NAMES, whatever the cookie holds; what cannot be ours hides nobody."""
    value = request.COOKIES.get(settings.HIDDEN_COOKIE_NAME, "")
    if len(value) > MOST_BYTES:
        return []
    names = map(unquote, value.split("|")[-MOST_NAMES:])
    return [name for name in names if name and "\0" not in name]  # PostgreSQL takes no NUL


def keep_hidden(response: HttpResponse, names: list[str]) -> None:
    """Has the response set the cookie, or take it away where nobody is hidden. When it is full the oldest goes."""
    kept = [quote(name, safe="") for name in names[-MOST_NAMES:]]
    while len("|".join(kept)) > MOST_BYTES:
        del kept[0]
    keep_on_device(response, settings.HIDDEN_COOKIE_NAME, "|".join(kept))
