"""What the project itself answers: health, form tokens, the question a shared form asks, robots, errors."""

import sys

import psycopg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import REASON_BAD_ORIGIN, REASON_BAD_REFERER, REASON_NO_REFERER, get_token
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.cache import patch_cache_control
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_GET, require_safe
from procrastinate.exceptions import ConnectorException

from newsroom.models import Outbox
from newsroom.pages.context import site
from newsroom.pages.formkey import new_form_key
from newsroom.pages.scriptwords import first_script, first_script_version
from newsroom.pages.sharedforms import ask_to_confirm, sent_fields, shown_again

# How Django's reasons begin when the form stood on another site.
FROM_ELSEWHERE = tuple(reason.partition(" - ")[0] for reason in (REASON_BAD_ORIGIN, REASON_BAD_REFERER))
# A worker writes its heartbeat every five seconds.
WORKER_SILENT_AFTER = 30  # seconds
YEAR = 365 * 86_400  # seconds


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 if database and worker are well, else 503; says which, and whether mails go out."""
    state = {"database": "ok", "worker": "ok", "mail": "ok"}
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM procrastinate_workers"
                " WHERE last_heartbeat > now() - make_interval(secs => %s))",
                [WORKER_SILENT_AFTER],
            )
            if not cursor.fetchone()[0]:
                state["worker"] = "silent"
        if Outbox.now().is_paused:
            state["mail"] = "paused"
    except DatabaseError:
        state = {"database": "away", "worker": "unknown", "mail": "unknown"}
    # A mail server that refuses everything is an alarm, but no reason to take the site away from its readers.
    is_well = state["database"] == state["worker"] == "ok"
    return JsonResponse(state, status=200 if is_well else 503)


@require_safe
def first_script_file(request: HttpRequest, version: str) -> HttpResponse:
    """The words of all scripts, and the first of these. The address of another version, out of a page that was open
    while the site was updated, is answered with today's."""
    language = get_language()
    response = HttpResponse(first_script(language), content_type='text/javascript; charset="utf-8"')
    if version == first_script_version(language):
        patch_cache_control(response, public=True, max_age=YEAR, immutable=True)
    else:
        patch_cache_control(response, no_cache=True)
    return response


@never_cache
@require_GET
def form_token(request: HttpRequest) -> JsonResponse:
    """For scripts, at the first touch of a form on a shared page: the CSRF token and a form key."""
    return JsonResponse({"csrf": get_token(request), "key": new_form_key()})


@never_cache
def confirm_shared_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """CSRF_FAILURE_VIEW. A form out of a shared page has no token, so it is shown again, filled in, with a token and
    one button. A stranger's page can do no more than bring a reader here, where they see what they would send."""
    match = request.resolver_match
    from_elsewhere = reason.startswith(FROM_ELSEWHERE) and reason != REASON_NO_REFERER
    if match is None or not getattr(match.func, "is_shared_form", False) or from_elsewhere:
        return render(request, "newsroom/form_expired.html", status=403)
    return ask_to_confirm(request)


@cache_control(public=True, max_age=3600)
@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    lines = [
        "User-agent: *",
        "Disallow: /redaktion/",
        "Disallow: /konto/",
        "Disallow: /abo/",
        "Disallow: /kommentar/",
        f"Sitemap: {settings.SITE_URL}/sitemap.xml",
    ]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "newsroom/error.html", {"status": 400}, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "newsroom/error.html", {"status": 403}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Some are told what was there (comments.gone)."""
    about = {name: getattr(exception, name, "") for name in ("title", "said", "address")}
    return render(request, "newsroom/error.html", {"status": 404, **about}, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Says what happened without asking the database, which may be what is broken: without the request, no context
    processor asks who is there."""
    error = sys.exc_info()[1]
    if isinstance(error, ConnectorException):  # in the middle of owing a job
        error = error.__cause__
    if isinstance(error, OperationalError | InterfaceError | psycopg.OperationalError | psycopg.InterfaceError):
        return _database_away(request)
    return HttpResponse(render_to_string("newsroom/error.html", {**site(), "status": 500}), status=500)


def _database_away(request: HttpRequest) -> HttpResponse:
    """Keeps what the reader typed, in a form with the same key: it may have been stored before the answer was lost,
    and under another key it would be stored twice (E6, E9)."""
    match = request.resolver_match
    is_shared = match is not None and getattr(match.func, "is_shared_form", False)
    fields = sent_fields(request) if is_shared and request.method == "POST" else []
    context = {**site(), "fields": fields, "shown": shown_again(fields), "action": request.get_full_path()}
    response = HttpResponse(render_to_string("newsroom/database_away.html", context), status=503)
    response.headers["Retry-After"], response.headers["Cache-Control"] = "10", "no-store"
    return response
