"""How things stand with the mails: for `manage.py mail_status` and for the admin."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from newsroom.models import Outbox, Suppression
from subscriptions.models import Delivery

WINDOW = timedelta(days=7)
DECADES = timedelta(days=50 * 365)  # so far ahead, and farther, newsroom.tasks puts mails off


@dataclass(frozen=True)
class Status:
    due: int  # waiting though their time has come
    oldest_due: datetime | None
    later: int  # waiting for their hour, or to be tried again
    ended: dict[str, int]  # by state, of the last seven days
    set_aside: int  # those of jobs included: opt-ins, confirmations
    suppressed_addresses: int
    last_errors: list[tuple[str, int]]  # what servers said about waiting and failed mails, the most frequent first
    paused_until: datetime | None
    paused_because: str
    workers_seen_at: datetime


def mail_status() -> Status:
    now = timezone.now()
    outbox = Outbox.now()
    waiting = Delivery.objects.filter(state=Delivery.State.WAITING)
    due = waiting.filter(due_at__lte=now).aggregate(count=Count("pk"), oldest=Min("due_at"))
    put_off = ProcrastinateJob.objects.filter(
        status="todo", task_name__contains=".send_", scheduled_at__gt=now + DECADES
    )
    recent = Delivery.objects.filter(created_at__gt=now - WINDOW)
    ended = dict(recent.values_list("state").annotate(Count("pk")))
    errors = recent.exclude(error="").exclude(state=Delivery.State.SENT).values_list("error")
    return Status(
        due=due["count"],
        oldest_due=due["oldest"],
        later=waiting.filter(due_at__gt=now).count(),
        ended={state: ended.get(state, 0) for state in ("sent", "dropped", "suppressed", "failed")},
        set_aside=Delivery.objects.filter(state=Delivery.State.SET_ASIDE).count() + put_off.count(),
        suppressed_addresses=Suppression.objects.standing().count(),
        last_errors=list(errors.annotate(count=Count("pk")).order_by("-count")[:5]),
        paused_until=outbox.paused_until if outbox.is_paused else None,
        paused_because=outbox.paused_because if outbox.is_paused else "",
        workers_seen_at=outbox.alive_at,
    )
