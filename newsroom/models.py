"""Tables of the leaf helpers."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from procrastinate.contrib.django.models import ProcrastinateJob


class Limit(models.Model):
    """How often a key was seen in a window of time; see newsroom.ratelimit. Unlogged: a crash may forget it."""

    key = models.BinaryField(max_length=32, primary_key=True)
    count = models.PositiveIntegerField()
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "Limit"

    def __str__(self) -> str:
        return f"{self.count} bis {self.until}"


class SuppressionQuerySet(models.QuerySet):
    def standing(self) -> "SuppressionQuerySet":
        return self.filter(lifted_at=None)

    def suppress(self, email: str, reason: str, detail: str = "") -> None:
        """Nothing more goes to this address (canonical); asking twice changes nothing."""
        self.bulk_create([Suppression(email=email, reason=reason, detail=detail[:300])], ignore_conflicts=True)


class Suppression(models.Model):
    """An address that mails are not sent to any more: it refuses them, or its owner called one spam (B15)."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", _("Die Adresse nimmt keine Mails an")
        BOUNCED_OFTEN = "bounced_often", _("Mehrmals war die Adresse nicht zu erreichen")
        COMPLAINED = "complained", _("Eine Mail wurde als Spam gemeldet")
        BY_HAND = "by_hand", _("Von der Redaktion eingetragen")

    email = models.EmailField(_("E-Mail"))
    reason = models.CharField(_("Grund"), max_length=15, choices=Reason, default=Reason.BY_HAND)
    detail = models.CharField(_("Wortlaut"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("seit"), auto_now_add=True)
    lifted_at = models.DateTimeField(_("aufgehoben am"), null=True, blank=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        verbose_name = _("gesperrte Adresse")
        verbose_name_plural = _("gesperrte Adressen")
        constraints = [
            models.UniqueConstraint(name="suppression_once", fields=["email"], condition=Q(lifted_at=None)),
            models.CheckConstraint(name="suppression_email_lower", condition=~Q(email="") & Q(email=Lower("email"))),
            models.CheckConstraint(
                name="suppression_reason_valid",
                condition=Q(reason__in=["bounced", "bounced_often", "complained", "by_hand"]),
            ),
        ]

    def __str__(self) -> str:
        return self.email


class Outbox(models.Model):
    """How the handing over of mails stands, for all workers together: one row."""

    ONLY = 1

    paused_until = models.DateTimeField(null=True)
    paused_because = models.CharField(max_length=300, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # since the server last took a mail
    alive_at = models.DateTimeField(default=timezone.now)
    # What was owed before this moment waits for a person: it may have gone out already (E20).
    set_aside_before = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "Postausgang"
        constraints = [models.CheckConstraint(name="outbox_only_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return self.paused_because or "Postausgang"

    @classmethod
    def now(cls) -> "Outbox":
        return cls.objects.get_or_create(pk=cls.ONLY)[0]

    @property
    def is_paused(self) -> bool:
        return self.paused_until is not None and self.paused_until > timezone.now()


class Job(ProcrastinateJob):
    """procrastinate's jobs, as the admin shows them."""

    class Meta:
        proxy = True
        verbose_name = _("Auftrag")
        verbose_name_plural = _("Aufträge")

    def __str__(self) -> str:
        return f"{self.task_name.rpartition('.')[2]} {self.pk}"
