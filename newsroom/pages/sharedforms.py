"""Forms on pages that are the same bytes for everyone, and so carry no CSRF token."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from newsroom.pages.formkey import new_form_key, read_form_key
from newsroom.ratelimit import LimitReachedError

View = Callable[..., HttpResponse]
# What the question a shared form asks shows again of what was typed, under the forms' own labels.
SHOWN_AGAIN = {
    "body": _("Kommentar"),
    "words": _("Nur zu diesen Worten daraus"),
    "reason": _("Begründung"),
    "name": _("Name"),
    "email": _("E-Mail"),
    "website": _("Website"),
}


def shared_form(view: View) -> View:
    """Marks a view whose form stands on a shared page: a POST without a token is asked to confirm, with everything
    the reader typed, instead of being turned away (newsroom.views.confirm_shared_form); and once more if that was
    answered faster than anybody reads (C10)."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            response = ask_to_confirm(request, again=True) if _was_fast(request) else view(request, *args, **kwargs)
        except LimitReachedError:
            # htmx would put a 429 where the form stands; after a 503 the script says that the text is still there.
            response = render(request, "429.html", status=503 if request.htmx else 429)
        patch_vary_headers(response, ["Cookie", "HX-Request"])
        response.headers.setdefault("Cache-Control", "private, no-cache")  # it may be filled in with what a guest told
        return response

    wrapped.is_shared_form = True
    return wrapped


def ask_to_confirm(request: HttpRequest, *, again: bool = False) -> HttpResponse:
    """The form once more, filled in, with a token and one button; `again` for who has seen that already."""
    fields = [(name, value) for name, value in sent_fields(request) if name not in {"csrfmiddlewaretoken", "form_key"}]
    if "form_key" in request.POST:
        fields.append(("form_key", request.POST["form_key"] if again else new_form_key(asking=True)))
    context = {"fields": fields, "shown": shown_again(fields), "action": request.get_full_path(), "again": again}
    return render(request, "newsroom/confirm_form.html", context, status=403)


def sent_fields(request: HttpRequest) -> list[tuple[str, str]]:
    return [(name, value) for name, values in request.POST.lists() for value in values]


def shown_again(fields: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(SHOWN_AGAIN[name], value) for name, value in fields if value and name in SHOWN_AGAIN]


def _was_fast(request: HttpRequest) -> bool:
    key = read_form_key(request.POST.get("form_key", "")) if request.method == "POST" else None
    return key is not None and key.asked is not None and key.asked < settings.WRITING_SECONDS


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
