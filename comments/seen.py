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
    visits, last = _visits(request), article.counters.last_number
    visit = visits.pop(article.pk, None)
    visit = Visit(article.pk, last, last, _now()) if visit is None else replace(_goes_on(visit), last=last, at=_now())
    kept = [*visits.values(), visit][-MOST_ARTICLES:]  # longest ago first
    response.set_cookie(
        settings.SEEN_COOKIE_NAME,
        "~".join(map(str, kept)),
        max_age=settings.READER_COOKIE_AGE,
        samesite="Lax",
        secure=settings.SECURE,
    )


def forget_visits(response: HttpResponse) -> None:
    response.delete_cookie(settings.SEEN_COOKIE_NAME, samesite="Lax")


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
