"""The short way for those who only read: one query at most, and the page as it left the house the last time."""

import re
from dataclasses import dataclass
from time import monotonic

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import get_conditional_response

from articles.versions import article_version, latest_number, page_etag
from comments.threads import REMEMBERED, Position
from newsroom.memory import Memory
from newsroom.middleware import Handler
from readers.device import reads_only

_ARTICLE = re.compile(r"/artikel/([-\w]+)/(stand/)?", re.ASCII)
_LATEST_VALID = 0.5  # seconds: a thousand open pages ask the database twice a second, not three hundred times
_memory: Memory["Answer"] = Memory(settings.ANSWER_MEMORY)
_latest: Memory[tuple[float, HttpResponse]] = Memory(1_000_000)


@dataclass(frozen=True)
class Answer:
    """A whole response, headers and compression included."""

    body: bytes
    headers: dict[str, str]

    def respond(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(self.body, headers=self.headers)
        if "HTTP_IF_NONE_MATCH" not in request.META:
            return response
        answer = get_conditional_response(request, etag=self.headers["ETag"], response=response)
        if answer.status_code == 304:
            for name, value in self.headers.items():
                if name not in {"Content-Type", "Content-Length", "Content-Encoding"}:
                    answer.headers.setdefault(name, value)
        return answer


def short_way(get_response: Handler) -> Handler:
    """Answers for an article's page out of memory while its version, asked of the database each time, is the same.

    Stands first: everything that the rest of the house does to a shared page is already in what is kept. Only a plain
    GET without any cookie of ours takes this way; a host or scheme that the house would turn away goes there.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        found = _ARTICLE.fullmatch(request.path_info) if request.method == "GET" else None
        if found is not None and found[2] and _is_welcome(request):
            return _latest_of(found[1]) or get_response(request)
        if found is None or not reads_only(request) or not _is_welcome(request):
            return get_response(request)
        version = article_version(found[1])
        if version is None:
            return get_response(request)
        request.article_version = version
        position = Position.from_query(request.GET.dict(), request.COOKIES.get(REMEMBERED, ""))
        key = (
            page_etag(version, position.query(explicit=True)),
            "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", ""),
        )
        answer = _memory.get(key)
        if answer is not None:
            return answer.respond(request)
        response = get_response(request)
        if response.status_code == 200 and "ETag" in response.headers and not response.cookies:
            answer = Answer(response.content, dict(response.headers))
            _memory.put(key, answer, size=len(answer.body) + 2000)
        return response

    return middleware


def _latest_of(slug: str) -> HttpResponse | None:
    """What an open page asks every few seconds: is there anything new? The same for everyone, cookie or not."""
    kept = _latest.get(slug)
    if kept is None or monotonic() - kept[0] > _LATEST_VALID:
        numbers = latest_number(slug)
        if numbers is None:
            return None
        response = JsonResponse({"last": numbers[0], "comments": numbers[1]})
        response.headers["Cache-Control"] = "public, max-age=1"
        response.headers["Content-Length"] = str(len(response.content))
        kept = monotonic(), response
        _latest.put(slug, kept, size=2000)
    return HttpResponse(kept[1].content, headers=kept[1].headers)


def _is_welcome(request: HttpRequest) -> bool:
    if settings.SECURE and not request.is_secure():
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True
