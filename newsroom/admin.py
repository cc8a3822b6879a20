"""The worker's jobs."""

from collections.abc import Iterator
from contextlib import suppress

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from procrastinate.contrib.django import app as worker
from procrastinate.exceptions import ConnectorException

from newsroom.adminsite import ReadOnlyAdmin
from newsroom.models import Job

STATES = {
    "todo": _("wartet"),
    "doing": _("läuft"),
    "succeeded": _("erledigt"),
    "failed": _("gescheitert"),
    "cancelled": _("abgesagt"),
    "aborted": _("abgebrochen"),
}
EVENTS = STATES | {
    "deferred": _("aufgegeben"),
    "scheduled": _("auf später gelegt"),
    "started": _("begonnen"),
    "deferred_for_retry": _("noch einmal aufgegeben"),
    "abort_requested": _("soll abgebrochen werden"),
}


def _may_be_shown(argument: str) -> bool:
    """Never what stands in a mail: a code to sign in lets in whoever reads it; nor whom it goes to."""
    return argument.endswith("_id") or argument in {"lane", "timestamp"}


class JobStateFilter(admin.SimpleListFilter):
    title = _("Stand")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple]:
        return [("all", _("alle")), *STATES.items()]

    def choices(self, changelist: ChangeList) -> Iterator[dict]:
        unfinished, *others = super().choices(changelist)
        return iter([unfinished | {"display": _("unerledigt")}, *others])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """Unasked, what somebody may have to look at: every few seconds the worker finishes a job of the house."""
        if self.value() in STATES:
            return queryset.filter(status=self.value())
        return queryset if self.value() == "all" else queryset.filter(status__in=["todo", "doing", "failed"])


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """What the worker has to do and has done: looked at, tried again, called off."""

    list_display = ["task", "about", "state", "tries", "due_at"]
    list_filter = [JobStateFilter]
    fields = [*list_display, "history"]
    ordering = ["-pk"]
    actions = ["try_again", "call_off"]

    @admin.display(description=_("Aufgabe"), ordering="task_name")
    def task(self, job: Job) -> str:
        return job.task_name.rpartition(".")[2]

    @admin.display(description=_("Angaben"))
    def about(self, job: Job) -> str:
        return ", ".join(f"{name}: {value if _may_be_shown(name) else '…'}" for name, value in job.args.items())

    @admin.display(description=_("Versuche"), ordering="attempts")
    def tries(self, job: Job) -> int:
        return job.attempts

    @admin.display(description=_("Verlauf"))
    def history(self, job: Job) -> str:
        steps = job.procrastinateevent_set.order_by("at")
        events = [(localize(timezone.localtime(step.at)), EVENTS.get(step.type, step.type)) for step in steps]
        return format_html_join(mark_safe("<br>"), "{} {}", events)

    @admin.display(description=_("Stand"), ordering="status")
    def state(self, job: Job) -> str:
        return STATES.get(job.status, job.status)

    @admin.display(description=_("fällig"), ordering="scheduled_at")
    def due_at(self, job: Job) -> str:
        return localize(timezone.localtime(job.scheduled_at)) if job.scheduled_at else _("sofort")

    def has_act_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("newsroom.change_job")

    @admin.action(description=_("Noch einmal versuchen (nur gescheiterte)"), permissions=["act"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        changed = 0
        for job in queryset.filter(status="failed"):
            with suppress(ConnectorException):  # another one waits that does the same, or it is tried again already
                worker.job_manager.retry_job_by_id(job.pk, timezone.now(), job.priority, job.queue_name, job.lock)
                changed += 1
        self._say(request, changed)

    @admin.action(description=_("Absagen (nur wartende)"), permissions=["act"])
    def call_off(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        waiting = queryset.filter(status="todo")
        self._say(request, sum(worker.job_manager.cancel_job_by_id(job.pk) for job in waiting))

    def _say(self, request: HttpRequest, count: int) -> None:
        messages.success(request, ngettext("%d Auftrag geändert.", "%d Aufträge geändert.", count) % count)
