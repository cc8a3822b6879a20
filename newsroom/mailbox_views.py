"""The local mailbox in the browser, only under `make run`."""

from csp.decorators import csp_replace
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from newsroom.mailbox import Letter, Mailbox


@never_cache
@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    return render(request, "newsroom/mailbox.html", {"letters": Mailbox(settings.MAILBOX).newest()})


@never_cache
@require_safe
def letter(request: HttpRequest, key: str) -> HttpResponse:
    return render(request, "newsroom/letter.html", {"letter": _letter_or_404(key)})


# The sandbox keeps a mail's content from acting as a page of this site; mails carry their styles with them.
@csp_replace({"sandbox": ["allow-popups", "allow-top-navigation-by-user-activation"], "style-src": ["'unsafe-inline'"]})
@never_cache
@require_safe
def letter_html(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML version as it was sent."""
    return HttpResponse(_letter_or_404(key).html)


def _letter_or_404(key: str) -> Letter:
    found = Mailbox(settings.MAILBOX).get(key)
    if found is None:
        raise Http404
    return found
