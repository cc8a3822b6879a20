"""Forms on pages that are the same bytes for everyone, and so carry no CSRF token."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import never_cache

from newsroom.ratelimit import LimitReachedError

View = Callable[..., HttpResponse]


def shared_form(view: View) -> View:
    """Marks a view whose form stands on a shared page: a POST without a token is asked to confirm, with everything
    the reader typed, instead of being turned away (newsroom.views.confirm_shared_form)."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except LimitReachedError:
            # htmx would put a 429 where the form stands; after a 503 the script says that the text is still there.
            response = render(request, "429.html", status=503 if request.htmx else 429)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        response.headers.setdefault("Cache-Control", "private, no-cache")  # it may be filled in with what a guest told
        return response

    wrapped.is_shared_form = True
    return wrapped


def token_page(view: View) -> View:
    """For pages whose address is the right to act: never cached, never told to others by a Referer header (B13)."""

    @never_cache
    @wraps(view)
    def wrapped(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return wrapped
