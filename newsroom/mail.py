"""Composes one mail and hands it over. What a mail says stands in its own named function, next to its app."""

from email.utils import formataddr, make_msgid, parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from newsroom.handover import About, Line
from newsroom.models import Suppression


def compose(
    *, to: str, subject: str, template: str, context: dict, headers: dict[str, str] | None = None
) -> EmailMultiAlternatives:
    """A mail in the active language, with a text and an HTML version, `<template>.txt` and `<template>.html` (B10)."""
    context = {"SITE_NAME": settings.SITE_NAME, "SITE_URL": settings.SITE_URL, "subject": subject, **context}
    text = render_to_string(f"{template}.txt", context)
    html = render_to_string(f"{template}.html", context)
    message = EmailMultiAlternatives(
        subject=" ".join(subject.split()),
        body=text.strip() + "\n",
        to=[to],
        headers={**standard_headers(), **(headers or {})},
    )
    message.attach_alternative(html, "text/html")
    return message


class NotNowError(OSError):
    """The mail server did not take the mail, and may later."""


def hand_over(message: EmailMessage, *, even_if_suppressed: bool = False) -> str:
    """Gives one mail to the mail server. Returns "" or why it will never go: the server's answer about the recipient,
    or that the address is suppressed. Raises NotNowError where time may help."""
    if not even_if_suppressed and Suppression.objects.standing().filter(email__in=message.to).exists():
        return _("Die Adresse ist gesperrt.")
    with Line() as line:
        refusal = line.hand_over(message)
    if refusal is None:
        return ""
    if refusal.about is About.RECIPIENT:
        return refusal.answer
    raise NotNowError(refusal.answer)


def standard_headers() -> dict[str, str]:
    """RFC 3834 and its Microsoft cousin: no out-of-office reply may answer us (B8)."""
    return {
        "Message-ID": make_msgid(domain=mail_domain()),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }


def sender_named(name: str) -> str:
    """Who says it, for the From header: a reader's name, and always ours behind it, from our own address (DMARC)."""
    ours, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((_("%(name)s über %(site)s") % {"name": name, "site": ours or settings.SITE_NAME}, address))


def mail_domain() -> str:
    """The domain of our Message-IDs: that of the sender's address."""
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"


def site_url(path: str) -> str:
    """An absolute address for a mail. From the settings: a request's Host header is the reader's word."""
    return f"{settings.SITE_URL}{path}"
