"""What is reported and what was decided about it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from comments.models import Comment
from readers.models import Reader, User


class Notice(models.Model):
    """A report that a comment is unlawful or breaks the rules (DSA Art. 16)."""

    class Kind(models.TextChoices):
        UNLAWFUL = "unlawful", _("Rechtswidriger Inhalt")
        ABUSE = "abuse", _("Sexueller Missbrauch von Kindern")
        INSULT = "insult", _("Beleidigung oder Hass")
        SPAM = "spam", _("Werbung")
        OTHER = "other", _("Anderer Verstoß gegen die Regeln")

    class State(models.TextChoices):
        OPEN = "open", _("offen")
        DECIDED = "decided", _("entschieden")

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="notices", verbose_name=_("Kommentar"))
    reader = models.ForeignKey(
        Reader, on_delete=models.SET_NULL, null=True, blank=True, related_name="notices", verbose_name=_("Leser")
    )
    kind = models.CharField(_("Art"), max_length=10, choices=Kind)
    reason = models.TextField(_("Begründung"), max_length=3000)
    url = models.URLField(_("Adresse"), max_length=300)
    name = models.CharField(_("Name"), max_length=80, blank=True)
    email = models.EmailField(_("E-Mail"), blank=True)
    good_faith = models.BooleanField(_("nach bestem Wissen"))
    state = models.CharField(_("Stand"), max_length=10, choices=State, default=State.OPEN)
    # The one that counts: of what was removed and came back, the later.
    decision = models.ForeignKey(
        "Decision",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="notices",
        verbose_name=_("Entscheidung"),
    )
    created_at = models.DateTimeField(_("eingegangen"), auto_now_add=True)

    class Meta:
        verbose_name = _("Meldung")
        verbose_name_plural = _("Meldungen")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="notice_kind_valid", condition=Q(kind__in=["unlawful", "abuse", "insult", "spam", "other"])
            ),
            models.CheckConstraint(name="notice_state_valid", condition=Q(state__in=["open", "decided"])),
            models.CheckConstraint(name="notice_open_is_undecided", condition=~Q(state="open") | Q(decision=None)),
            # Art. 16(2): who reports child sexual abuse need not say who they are; everyone else does.
            models.CheckConstraint(name="notice_says_who", condition=Q(kind="abuse") | (~Q(name="") & ~Q(email=""))),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.get_kind_display()}"


class Decision(models.Model):
    """What a moderator did to a comment, and why. Rows are only ever added."""

    class Action(models.TextChoices):
        APPROVE = "approve", _("freigegeben")
        REMOVE = "remove", _("entfernt")
        RESTORE = "restore", _("wiederhergestellt")
        PICK = "pick", _("empfohlen")
        UNPICK = "unpick", _("Empfehlung zurückgenommen")
        DISMISS = "dismiss", _("nach Meldung stehen gelassen")

    class Occasion(models.TextChoices):
        """What led to a removal, as its author is told (Art. 17(3)(b), (c)): of a notice never whose."""

        NOTICE = "notice", _("Meldung")
        PROGRAM = "program", _("von einem Programm angehalten")
        REVIEW = "review", _("vor dem Erscheinen gelesen")
        STAFF = "staff", _("von der Redaktion gefunden")

    comment = models.ForeignKey(
        Comment, on_delete=models.CASCADE, related_name="decisions", verbose_name=_("Kommentar")
    )
    moderator = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="decisions", verbose_name=_("von")
    )
    action = models.CharField(_("Entscheidung"), max_length=10, choices=Action)
    reason = models.TextField(_("Grund"), blank=True)
    occasion = models.CharField(_("Anlass"), max_length=10, choices=Occasion, blank=True)  # of a removal
    created_at = models.DateTimeField(_("am"), auto_now_add=True)

    class Meta:
        verbose_name = _("Entscheidung")
        verbose_name_plural = _("Entscheidungen")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="decision_action_valid",
                condition=Q(action__in=["approve", "remove", "restore", "pick", "unpick", "dismiss"]),
            ),
            # Art. 17: nobody's words disappear without a reason.
            models.CheckConstraint(name="decision_removal_has_reason", condition=~Q(action="remove") | ~Q(reason="")),
            models.CheckConstraint(
                name="decision_occasion_valid",
                condition=Q(occasion="") | Q(action="remove", occasion__in=["notice", "program", "review", "staff"]),
            ),
        ]

    def __str__(self) -> str:
        return self.get_action_display()


def who_may_decide() -> models.QuerySet[User]:
    """Those of the house who may decide about comments."""
    return User.objects.with_perm("comments.change_comment").filter(is_staff=True)


class OnDutyQuerySet(models.QuerySet):
    def able(self) -> "OnDutyQuerySet":
        """Who may decide, and can be reached."""
        return self.filter(user__in=who_may_decide()).exclude(user__email="").select_related("user")


class OnDuty(models.Model):
    """An editor who gets held comments and reports by mail, and may decide from there."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="duty", verbose_name=_("Redakteur")
    )
    since = models.DateTimeField(_("seit"), auto_now_add=True)

    objects = OnDutyQuerySet.as_manager()

    class Meta:
        verbose_name = _("Person im Dienst")
        verbose_name_plural = _("Personen im Dienst")

    def __str__(self) -> str:
        return str(self.user)
