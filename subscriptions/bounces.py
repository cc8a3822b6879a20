"""Mails that came back, and complaints: whoever cannot or does not want to be reached is not written to again (B15)."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from newsroom.models import Suppression
from newsroom.text.characters import normalise_line
from subscriptions.models import Bounce
from subscriptions.services import end_all

# A full mailbox or a server that is away passes; five mails in a month that did not arrive do not.
SOFT_BOUNCES, SOFT_WINDOW = 5, timedelta(days=30)


def note_bounce(*, email: str, kind: str, event_id: str, detail: str = "") -> bool:
    """Takes note of one event about an address (canonical). The same event again, in whatever order, changes nothing:
    then the answer is False (E18)."""
    event_id, detail = normalise_line(event_id)[:200], normalise_line(detail)[:300]  # servers send NUL too
    with transaction.atomic():
        _event, is_new = Bounce.objects.get_or_create(
            event_id=event_id, defaults={"email": email, "kind": kind, "detail": detail}
        )
        if not is_new:
            return False
        if kind == Bounce.Kind.COMPLAINT:
            end_all(email, how=_("als Spam gemeldet"))
            Suppression.objects.suppress(email, Suppression.Reason.COMPLAINED, detail)
        elif kind == Bounce.Kind.HARD:
            Suppression.objects.suppress(email, Suppression.Reason.BOUNCED, detail)
        elif _soft_bounces(email) >= SOFT_BOUNCES:
            Suppression.objects.suppress(email, Suppression.Reason.BOUNCED_OFTEN, detail)
    return True


def _soft_bounces(email: str) -> int:
    """Since the address was last let go, and not longer ago than the window."""
    since = timezone.now() - SOFT_WINDOW
    lifted = Suppression.objects.filter(email=email, lifted_at__isnull=False).order_by("-lifted_at").first()
    if lifted is not None:
        since = max(since, lifted.lifted_at)
    return Bounce.objects.filter(email=email, kind=Bounce.Kind.SOFT, at__gt=since).count()
