"""Composes one mail and hands it over. What a mail says stands in its own named function, next to its app."""

from email.utils import make_msgid
from smtplib import SMTPRecipientsRefused

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation


def compose(
    *, to: str, subject: str, template: str, context: dict, headers: dict[str, str] | None = None
) -> EmailMultiAlternatives:
    """A mail with a text and an HTML version, from `<template>.txt` and `<template>.html` (B10)."""
    context = {"SITE_NAME": settings.SITE_NAME, "SITE_URL": settings.SITE_URL, "subject": subject, **context}
    with translation.override(settings.LANGUAGE_CODE):
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


def hand_over(message: EmailMessage) -> str:
    """Gives the mail to the mail server. Returns "" or, for a recipient the server refuses for good, its answer:
    trying that again only costs us our reputation. What time may cure is raised (OSError)."""
    try:
        message.send()
    except SMTPRecipientsRefused as refusal:
        code, answer = next(iter(refusal.recipients.values()))
        if code < 500:
            raise
        return f"{code} {answer.decode(errors='replace')}"[:300]
    return ""


def standard_headers() -> dict[str, str]:
    """RFC 3834 and its Microsoft cousin: no out-of-office reply may answer us (B8)."""
    return {
        "Message-ID": make_msgid(domain=mail_domain()),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }


def mail_domain() -> str:
    """The domain of our Message-IDs: that of the sender's address."""
    return settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"


def site_url(path: str) -> str:
    """An absolute address for a mail. From the settings: a request's Host header is the reader's word."""
    return f"{settings.SITE_URL}{path}"
