"""What holds for every request and response of the site."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from newsroom.uploads import EmptyFiles, NoFiles

Handler = Callable[[HttpRequest], HttpResponse]

PERMISSIONS = ", ".join(
    f"{feature}=()" for feature in ["camera", "geolocation", "microphone", "payment", "usb", "browsing-topics"]
)


def response_headers(get_response: Handler) -> Handler:
    """The headers of C1 that neither Django nor django-csp sets. And what gives somebody a cookie is theirs alone: some
    caches look at nothing but Cache-Control."""

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if response.cookies and "public" in response.headers.get("Cache-Control", ""):
            response.headers["Cache-Control"] = "private, no-cache"
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return middleware


def refuse_unreadable(get_response: Handler) -> Handler:
    """400 for NUL in path, query, form or cookie: PostgreSQL cannot store it, and no reader types it (C6).

    What a mail provider brings is read by who takes it in: a mail may hold anything, and some want the body unread.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        texts = [request.path_info, *request.COOKIES.values()]
        is_webhook = request.path_info.startswith(settings.WEBHOOKS)
        request.upload_handlers = [EmptyFiles(request) if is_webhook else NoFiles(request)]
        for values in [request.GET] if is_webhook else [request.GET, request.POST]:
            for key, items in values.lists():
                texts += [key, *items]
        if any("\x00" in text for text in texts):
            raise BadRequest(_("Die Anfrage enthält Zeichen, die kein Text sind."))
        return get_response(request)

    return middleware
