"""What of an article's conversation was there at the last visit, for browsers that run no scripts.

With scripts the browser keeps that itself and sends it to nobody (static/reading.js). Without, it is a cookie, only for
those who ask to be shown what is new: read, used for the answer, written anew, and stored nowhere else.
"""

import re
import time
from dataclasses import dataclass, replace

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from articles.models import Article
from newsroom.pages.ondevice import keep_on_device

VISIT_LASTS = 30  # minutes without another page; until then what is new stays so
MOST_ARTICLES = 30
_VISIT = re.compile(r"([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,10})")


@dataclass(frozen=True)
class Visit:
    """To one article, by its id: until which comment's number all was there before, and by the end of this visit; and
    when the last page was read, in minutes since 1970."""

    article: int
    since: int
    last: int
    at: int

    def __str__(self) -> str:
        return f"{self.article}.{self.since}.{self.last}.{self.at}"


def wants_news(request: HttpRequest) -> bool:
    return bool(request.COOKIES.get(settings.SEEN_COOKIE_NAME))


def new_since(request: HttpRequest, article: Article) -> int | None:
    """The number of the comment after which all are new to this device; None if it did not ask, or is here for the
    first time."""
    visit = _visits(request).get(article.pk)
    return visit and _goes_on(visit).since


def note_visit(request: HttpRequest, response: HttpResponse, article: Article) -> None:
    """This page of the article, with all its comments until now, is what the device has seen."""
    last = article.counters.last_number
    visit = _visits(request).get(article.pk)
    visit = Visit(article.pk, last, last, _now()) if visit is None else replace(_goes_on(visit), last=last, at=_now())
    _keep(request, response, visit)


def note_reading(request: HttpRequest, response: HttpResponse, article: Article) -> None:
    """One conversation of the article is no visit to the rest of it, but a visit goes on with it."""
    visit = _visits(request).get(article.pk)
    if visit is not None and _now() - visit.at < VISIT_LASTS:
        _keep(request, response, replace(visit, at=_now()))


def forget_visits(response: HttpResponse) -> None:
    keep_on_device(response, settings.SEEN_COOKIE_NAME, "")


def _keep(request: HttpRequest, response: HttpResponse, visit: Visit) -> None:
    others = [other for other in _visits(request).values() if other.article != visit.article]
    kept = [*others, visit][-MOST_ARTICLES:]  # longest ago first
    keep_on_device(response, settings.SEEN_COOKIE_NAME, "~".join(map(str, kept)))


def _visits(request: HttpRequest) -> dict[int, Visit]:
    """Whatever is in the cookie that we did not write counts for nothing."""
    parts = request.COOKIES.get(settings.SEEN_COOKIE_NAME, "")[: 70 * MOST_ARTICLES].split("~")
    found = [_VISIT.fullmatch(part) for part in parts]
    return {int(match[1]): Visit(*map(int, match.groups())) for match in found if match is not None}


def _goes_on(visit: Visit) -> Visit:
    """The same visit; or, after a while, the next one."""
    return visit if _now() - visit.at < VISIT_LASTS else replace(visit, since=visit.last)


def _now() -> int:
    return int(time.time() // 60)
