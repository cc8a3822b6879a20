"""What a mail provider tells us through django-anymail: bounces, complaints, and mails that came for REPLY_DOMAIN.

Imported by the site map, and only where ANYMAIL has a WEBHOOK_SECRET: without one anybody could say anything (E18).
"""

import re
from contextlib import suppress
from typing import Any

from anymail.inbound import AnymailInboundMessage
from anymail.signals import AnymailInboundEvent, AnymailTrackingEvent, inbound, tracking
from django.conf import settings
from django.dispatch import receiver

from newsroom.addresses import canonical_address
from newsroom.handover import is_no_such_mailbox
from subscriptions.bounces import note_bounce
from subscriptions.inbound import MOST_RECIPIENTS, UnknownAddressError, take_in
from subscriptions.models import Bounce
from subscriptions.unread import keep_mails_as_they_came

keep_mails_as_they_came()

# Anymail calls every bounce of some providers "bounced"; what they themselves call it stands in the event.
_HARD = {"bounced", "invalid"}
_PASSES = re.compile(r"soft|transient|temporar", re.IGNORECASE)


@receiver(tracking)
def note_tracking(sender: Any, event: AnymailTrackingEvent, esp_name: str, **_more: Any) -> None:
    try:
        email = canonical_address(event.recipient or "")
    except ValueError:
        return
    if len(email) > 254 or not email.isprintable():
        return
    if event.event_type == "complained":
        kind = Bounce.Kind.COMPLAINT
    elif event.event_type in {"bounced", "rejected", "failed"}:
        kind = Bounce.Kind.HARD if _is_final(event) else Bounce.Kind.SOFT
    else:
        return  # "deferred" too: the provider goes on trying, and says so each time
    event_id = event.event_id or f"{event.message_id} {event.event_type} {event.timestamp}"
    detail = event.mta_response or event.description or ""
    note_bounce(email=email, kind=kind, event_id=f"{esp_name} {event_id}", detail=str(detail))


def _is_final(event: AnymailTrackingEvent) -> bool:
    told = event.esp_event if isinstance(event.esp_event, dict) else {}
    kinds = f"{event.description} {told.get('Type')} {told.get('event')}"
    said = str(event.mta_response or "")
    return event.reject_reason in _HARD and not _PASSES.search(kinds) and is_no_such_mailbox(said)


@receiver(inbound)
def take_in_inbound(sender: Any, event: AnymailInboundEvent, esp_name: str, **_more: Any) -> None:
    message: AnymailInboundMessage = event.message
    # Empty is the sender of what nobody may answer; None is a provider who does not say.
    sender = "not-told@invalid" if message.envelope_sender is None else message.envelope_sender
    for recipient in _recipients(message):
        with suppress(UnknownAddressError):  # the provider takes whatever comes for the domain
            take_in(message.raw, recipient=recipient, sender=sender)


def _recipients(message: AnymailInboundMessage) -> list[str]:
    """The envelope's; where the provider does not tell it, those of our addresses that stand in the mail's head."""
    if message.envelope_recipient:
        return [message.envelope_recipient]
    named = " ".join(str(value)[:5_000] for name, value in message.raw_items() if name.lower() in {"to", "cc"})
    ours = rf"[a-z0-9-]{{1,64}}@{re.escape(settings.REPLY_DOMAIN)}\b"
    return list(dict.fromkeys(re.findall(ours, named[:10_000], re.IGNORECASE)))[:MOST_RECIPIENTS]
