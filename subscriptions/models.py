"""Who is told, by whose consent, and the mails owed to them."""

from datetime import timedelta

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments.models import Comment
from newsroom.tokens import make_token, token_matches
from readers.models import Reader

# How long an opt-in mail can be answered (B13).
OPT_IN_VALID = timedelta(hours=48)


class SubscriptionQuerySet(models.QuerySet):
    def active(self) -> "SubscriptionQuerySet":
        return self.filter(confirmed_at__isnull=False, ended_at=None)

    def told_about(self, comment: Comment) -> "SubscriptionQuerySet":
        """Everyone to be told about `comment`: one row an address, the reply first; never the comment's author."""
        wants = Q(kind=Subscription.Kind.ARTICLE)
        if comment.parent_id:
            wants |= Q(kind=Subscription.Kind.REPLIES, reader_id=comment.parent.reader_id)
        told = self.active().filter(wants, article_id=comment.article_id).exclude(reader_id=comment.reader_id)
        # An unproved address counts too: hearing of one's own words is worse than a stranger's ruse to go unheard.
        if comment.reader.email:
            told = told.exclude(email=comment.reader.email.lower())
        return told.order_by("email", "-kind").distinct("email")


class Subscription(models.Model):
    """An address that wants to hear of an article's comments, and the proof that its owner asked for it (A25)."""

    class Kind(models.TextChoices):
        ARTICLE = "article", _("neuen Kommentaren")
        REPLIES = "replies", _("neuen Antworten auf meine Kommentare")

    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, related_name="subscriptions", verbose_name=_("Artikel")
    )
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="subscriptions", verbose_name=_("Leser"))
    kind = models.CharField(_("Art"), max_length=10, choices=Kind)
    email = models.EmailField(_("E-Mail"))

    wording = models.TextField(_("Wortlaut der Einwilligung"))
    form_url = models.URLField(_("Formular"), max_length=300)
    asked_at = models.DateTimeField(_("gewünscht am"), default=timezone.now)
    opt_in_sent_at = models.DateTimeField(_("Bestätigungsmail am"), null=True, blank=True)
    opt_in_message_id = models.CharField(max_length=200, blank=True)
    confirmed_at = models.DateTimeField(_("bestätigt am"), null=True, blank=True)
    ended_at = models.DateTimeField(_("beendet am"), null=True, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("Abonnement")
        verbose_name_plural = _("Abonnements")
        constraints = [
            models.UniqueConstraint(fields=["article", "email"], name="subscription_once", condition=Q(kind="article")),
            # "My" comments are one reader's: a stranger who names my address must not take my row over.
            models.UniqueConstraint(
                fields=["article", "reader", "email"], name="subscription_to_replies_once", condition=Q(kind="replies")
            ),
            models.CheckConstraint(name="subscription_kind_valid", condition=Q(kind__in=["article", "replies"])),
            # Addresses compare without regard to case; the database holds one spelling.
            models.CheckConstraint(name="subscription_email_lower", condition=~Q(email="") & Q(email=Lower("email"))),
        ]
        indexes = [
            models.Index(
                name="subscription_told",
                fields=["article", "kind", "reader"],
                condition=Q(confirmed_at__isnull=False, ended_at=None),
            ),
            models.Index(fields=["email"], name="subscription_email"),
        ]

    def __str__(self) -> str:
        return f"{self.email}: {self.get_kind_display()}"

    @property
    def wish(self) -> str:
        """What is wished for, said to the one who wishes: "Wir benachrichtigen Sie bei ..."."""
        return _("neuen Antworten auf Ihre Kommentare") if self.kind == self.Kind.REPLIES else _("neuen Kommentaren")

    @property
    def is_active(self) -> bool:
        return self.confirmed_at is not None and self.ended_at is None

    @property
    def is_pending(self) -> bool:
        """Asked for, not confirmed, and still confirmable."""
        return self.confirmed_at is None and self.ended_at is None and not self.opt_in_expired

    @property
    def opt_in_expired(self) -> bool:
        return timezone.now() > self.asked_at + OPT_IN_VALID

    def token(self, purpose: str) -> str:
        """For the links of its mails; `purpose` is "confirm" or "end". Bound to the address (B13); the one that
        confirms also to the time of asking, so that a later request makes the earlier mail's link worthless."""
        return make_token(purpose, self.pk, *self._bound(purpose))

    def token_fits(self, purpose: str, token: str) -> bool:
        return token_matches(token, purpose, self.pk, *self._bound(purpose))

    def _bound(self, purpose: str) -> tuple[str, ...]:
        return (self.email, self.asked_at.isoformat()) if purpose == "confirm" else (self.email,)


class Delivery(models.Model):
    """One mail owed to one address because of one comment."""

    class State(models.TextChoices):
        WAITING = "waiting", _("wartet")
        SENT = "sent", _("gesendet")
        DROPPED = "dropped", _("entfallen")
        FAILED = "failed", _("gescheitert")

    comment = models.ForeignKey(
        Comment, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("Kommentar")
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("Abonnement")
    )
    email = models.EmailField(_("E-Mail"))
    state = models.CharField(_("Stand"), max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(_("angelegt"), auto_now_add=True)
    sent_at = models.DateTimeField(_("gesendet am"), null=True, blank=True)
    error = models.CharField(_("Fehler"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("Zustellung")
        verbose_name_plural = _("Zustellungen")
        constraints = [
            # One mail per comment and address, however many subscriptions the address has.
            models.UniqueConstraint(fields=["comment", "email"], name="delivery_once"),
            models.CheckConstraint(
                name="delivery_state_valid", condition=Q(state__in=["waiting", "sent", "dropped", "failed"])
            ),
            models.CheckConstraint(
                name="delivery_sent_has_time", condition=~Q(state="sent") | Q(sent_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.comment_id} → {self.email}"
