"""The local mailbox in the browser, only under `make run`."""

import smtplib
from email import policy
from email.message import EmailMessage
from email.utils import formatdate, make_msgid, parseaddr
from urllib.parse import urlsplit

from csp.decorators import csp_replace
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from newsroom.mailbox import Letter, Mailbox


@never_cache
@require_safe
def letters(request: HttpRequest) -> HttpResponse:
    return render(request, "newsroom/mailbox.html", {"letters": Mailbox(settings.MAILBOX).newest()})


@never_cache
@require_safe
def letter(request: HttpRequest, key: str) -> HttpResponse:
    found = _letter_or_404(key)
    return render(request, "newsroom/letter.html", {"letter": found, "answer_to": _answer_to(found)})


@never_cache
@require_POST
def answer(request: HttpRequest, key: str) -> HttpResponse:
    """Answers a letter as its recipient's mail program would: quoted beneath, over SMTP, to the worker."""
    found = _letter_or_404(key)
    address = _answer_to(found)
    if not address:
        raise Http404
    headers = dict(found.headers)
    reply = EmailMessage(policy=policy.SMTP)
    reply["From"], reply["To"] = found.recipient, address
    reply["Subject"] = f"Re: {found.subject}"
    reply["Date"], reply["Message-ID"] = formatdate(), make_msgid(domain="postfach.localhost")
    reply["In-Reply-To"] = headers.get("Message-ID", "")
    quoted = "\n".join(f"> {line}".rstrip() for line in found.text.splitlines())
    reply.set_content(
        f"{request.POST.get('text', '')}\n\nAm {found.date:%d.%m.%Y} schrieb {found.sender}:\n\n{quoted}\n"
    )
    listener = urlsplit(settings.INBOUND_LISTEN)
    try:
        with smtplib.SMTP(listener.hostname, listener.port, timeout=20) as server:
            server.send_message(reply, from_addr=found.recipient, to_addrs=[address])
    except OSError as error:  # smtplib's are OSErrors
        messages.error(request, _("Die Antwort ist nicht angekommen: %s") % error)
    else:
        messages.success(request, _("Gesendet. Was daraus wurde, steht beim Artikel, oder gleich hier in einer Mail."))
    return redirect(f"{reverse('letter', args=[key])}#gesendet")


# The sandbox keeps a mail's content from acting as a page of this site; mails carry their styles with them.
@csp_replace({"sandbox": ["allow-popups", "allow-top-navigation-by-user-activation"], "style-src": ["'unsafe-inline'"]})
@never_cache
@require_safe
def letter_html(request: HttpRequest, key: str) -> HttpResponse:
    """The HTML version as it was sent."""
    return HttpResponse(_letter_or_404(key).html)


def _answer_to(letter: Letter) -> str:
    """The address for answers, if this letter has one of ours."""
    address = parseaddr(dict(letter.headers).get("Reply-To", ""))[1]
    is_ours = settings.REPLY_DOMAIN and address.endswith(f"@{settings.REPLY_DOMAIN}")
    return address if is_ours and settings.INBOUND_LISTEN else ""


def _letter_or_404(key: str) -> Letter:
    found = Mailbox(settings.MAILBOX).get(key)
    if found is None:
        raise Http404
    return found
