"""The short way for those who only read: one query at most, and the page as it left the house the last time."""

import re
from dataclasses import dataclass, field
from math import inf
from time import monotonic

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response

from articles.versions import article_version
from comments.position import REMEMBERED, Position
from newsroom.middleware import Handler
from newsroom.pages.compression import encoding_for
from newsroom.pages.memory import Memory
from newsroom.sql.prepared import ask
from readers.device import reads_only

_ARTICLE = re.compile(r"/artikel/([-\w]+)/(stand/)?", re.ASCII)
_OUR_QUERY = re.compile(r"[\w=&.-]{0,200}", re.ASCII)  # others go the long way, which looks at them more closely
_LATEST_VALID = 0.5  # seconds: a thousand open pages ask the database twice a second, not three hundred times
_answers: Memory["Answer"] = Memory(settings.ANSWER_MEMORY)


@dataclass(frozen=True)
class Answer:
    """A whole response, headers and compression included."""

    body: bytes
    headers: dict[str, str]
    made_at: float = field(default_factory=monotonic)

    def respond(self, request: HttpRequest) -> HttpResponse:
        response = HttpResponse(self.body, headers=self.headers)
        if "HTTP_IF_NONE_MATCH" not in request.META or "ETag" not in self.headers:
            return response
        answer = get_conditional_response(request, etag=self.headers["ETag"], response=response)
        if answer.status_code == 304:
            for name, value in self.headers.items():
                if name not in {"Content-Type", "Content-Length", "Content-Encoding"}:
                    answer.headers.setdefault(name, value)
        return answer


def short_way(get_response: Handler) -> Handler:
    """Answers for an article's page out of memory while its version, asked of the database each time, is the same; and
    the question of open pages whether there is anything new, for half a second.

    Stands first: everything that the rest of the house does to an answer for everyone is already in what is kept. Only
    a plain GET without any cookie of ours takes this way to a page; a host or scheme that the house would turn away
    goes there.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        found = _ARTICLE.fullmatch(request.path_info) if request.method == "GET" else None
        if found is None or not _OUR_QUERY.fullmatch(request.META["QUERY_STRING"]) or not _is_welcome(request):
            return get_response(request)
        slug, asks_for_latest = found.groups()
        encoding = encoding_for(request)
        if asks_for_latest:
            key, etag, valid = (slug, encoding), None, _LATEST_VALID
        elif reads_only(request) and (version := ask(article_version(slug))[0]) is not None:
            request.article_version = version
            query = Position.from_query(request.GET.dict(), request.COOKIES.get(REMEMBERED, "")).query(explicit=True)
            key, etag, valid = (slug, query, encoding), version.page_etag(query), inf
        else:
            return get_response(request)
        answer = _answers.get(key, etag)
        if answer is not None and monotonic() - answer.made_at < valid:
            return answer.respond(request)
        response = get_response(request)
        # What is one reader's is never kept: such a response is private, or sets a cookie.
        if (
            response.status_code == 200
            and not response.cookies
            and "public" in response.headers.get("Cache-Control", "")
        ):
            answer = Answer(response.content, dict(response.headers))
            _answers.put(key, etag, answer, size=len(answer.body) + 2000)
        return response

    return middleware


def _is_welcome(request: HttpRequest) -> bool:
    if settings.SECURE and not request.is_secure():
        return False
    try:
        request.get_host()
    except DisallowedHost:
        return False
    return True
