"""What a mail provider tells us through django-anymail: bounces, complaints, and mails that came for REPLY_DOMAIN.

Imported by the site map, and only where ANYMAIL has a WEBHOOK_SECRET: without one anybody could say anything (E18).
"""

from contextlib import suppress
from typing import Any

from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent, inbound, tracking
from django.dispatch import receiver

from newsroom.addresses import canonical_address
from subscriptions.bounces import note_bounce
from subscriptions.inbound import UnknownAddressError, take_in
from subscriptions.models import Bounce

_HARD = {"bounced", "invalid"}


@receiver(tracking)
def note_tracking(sender: Any, event: AnymailTrackingEvent, esp_name: str, **_more: Any) -> None:
    try:
        email = canonical_address(event.recipient or "")
    except ValueError:
        return
    if event.event_type == "complained":
        kind = Bounce.Kind.COMPLAINT
    elif event.event_type in {"bounced", "rejected", "failed"}:
        kind = Bounce.Kind.HARD if event.reject_reason in _HARD else Bounce.Kind.SOFT
    elif event.event_type == "deferred":
        kind = Bounce.Kind.SOFT
    else:
        return
    event_id = event.event_id or f"{event.message_id} {event.event_type} {event.timestamp}"
    note_bounce(
        email=email, kind=kind, event_id=f"{esp_name} {event_id}", detail=event.mta_response or event.description or ""
    )


@receiver(inbound)
def take_in_inbound(sender: Any, event: AnymailInboundEvent, esp_name: str, **_more: Any) -> None:
    message: AnymailInboundMessage = event.message
    recipients = [message.envelope_recipient] if message.envelope_recipient else [one.addr_spec for one in message.to]
    for recipient in recipients:
        with suppress(UnknownAddressError):  # the provider takes whatever comes for the domain
            take_in(message.as_bytes(), recipient=recipient, sender=message.envelope_sender or str(message["From"]))
