"""From a request to the reader who acts, and back to the cookie that lets us know them again."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import HttpRequest, HttpResponse

from newsroom.ratelimit import check_limit, client_network
from newsroom.sql.prepared import Given, Prepared, Question, ask, insert
from readers.models import Reader

# From one network, such as a school; each may then act as often as it likes.
NEW_READERS, NEW_READERS_WINDOW = 300, timedelta(hours=1)

_signer = Signer(salt="readers.device")
_by_pk = Prepared(lambda: Reader.objects.filter(pk=Given("pk")))


def current_reader(request: HttpRequest) -> Reader | None:
    """The reader of this request, or None for somebody who only reads. Never creates one.

    An account is known by its session, everyone else by the device's cookie: after signing out a device does not
    go on writing in the account's name.
    """
    if not hasattr(request, "_reader"):
        request._reader = _from_session(request) or _from_cookie(request)
    return request._reader


def ask_with_reader(request: HttpRequest, *questions: Question) -> list[Any]:
    """The questions' answers; the same trip to the database finds out who the reader of this request is, so that
    current_reader() need not ask."""
    pk = None if hasattr(request, "_reader") or has_session(request) else _pk_in_cookie(request)
    if pk is None:
        return ask(*questions)
    *answers, found = ask(*questions, _by_pk.question(pk=pk).first())
    request._reader = _goes_on_as(found)
    return answers


def acting_reader(request: HttpRequest) -> Reader:
    """The reader of this request; created now if this is the device's first action, and remembered by a cookie."""
    reader = current_reader(request)
    if reader is None:
        user = request.user if has_session(request) and request.user.is_authenticated else None
        if user is None:
            # A vote is one per reader, and readers cost nothing but a cookie thrown away.
            check_limit("new reader", f"network {client_network(request)}", most=NEW_READERS, window=NEW_READERS_WINDOW)
            reader = Reader()
            insert(reader)
            remember(request, reader)
        else:
            reader = request._reader = Reader.objects.get_or_create(user=user, defaults=user.known_as)[0]
    return reader


def remember(request: HttpRequest, reader: Reader | None) -> None:
    """Has the response carry the device's cookie for `reader`; None takes it away."""
    request._reader = reader
    request._remember_reader = True


def write_cookie(request: HttpRequest, response: HttpResponse) -> None:
    if not getattr(request, "_remember_reader", False):
        return
    if request._reader is None:
        response.delete_cookie(settings.READER_COOKIE_NAME)
        return
    response.set_cookie(
        settings.READER_COOKIE_NAME,
        _signer.sign(str(request._reader.pk)),
        max_age=settings.READER_COOKIE_AGE,
        secure=settings.SECURE,
        httponly=True,
        samesite="Lax",
    )


def reads_only(request: HttpRequest) -> bool:
    """True for a request without any cookie of ours: its page is the same bytes for everyone and sets none."""
    # What belongs to a device only (decision 0020) makes it another page, but is no act either.
    of_device = {settings.HIDDEN_COOKIE_NAME, settings.SEEN_COOKIE_NAME} & request.COOKIES.keys()
    return not (has_acted(request) or closed_bubble(request) or of_device)


def closed_bubble(request: HttpRequest) -> bool:
    """True for a device that closed the invitation without a script. That is no act: its pages set no cookie either."""
    return settings.BUBBLE_COOKIE_NAME in request.COOKIES


def has_acted(request: HttpRequest) -> bool:
    """True for a request with a cookie that comes of doing something here: its forms carry a token."""
    return bool(
        {
            settings.READER_COOKIE_NAME,
            settings.SESSION_COOKIE_NAME,
            settings.CSRF_COOKIE_NAME,
            f"{settings.COOKIE_PREFIX}hinweis",
        }
        & request.COOKIES.keys()
    )


def has_session(request: HttpRequest) -> bool:
    """False also where something went wrong before anybody looked for a session: that page has a head too."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES and hasattr(request, "user")


def _from_session(request: HttpRequest) -> Reader | None:
    if not has_session(request) or not request.user.is_authenticated:
        return None
    return Reader.objects.select_related("user").filter(user=request.user).first()


def _from_cookie(request: HttpRequest) -> Reader | None:
    pk = _pk_in_cookie(request)
    return None if pk is None else _goes_on_as(_by_pk.first(pk=pk))


def _pk_in_cookie(request: HttpRequest) -> int | None:
    try:
        return int(_signer.unsign(request.COOKIES.get(settings.READER_COOKIE_NAME, "")))
    except (BadSignature, ValueError):
        return None


def _goes_on_as(reader: Reader | None) -> Reader | None:
    """Whom a cookie of `reader` speaks for today."""
    while reader is not None and reader.merged_into_id is not None:
        reader = _by_pk.first(pk=reader.merged_into_id)
    return reader if reader is not None and not reader.is_account else None
