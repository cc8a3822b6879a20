"""Who is told, by whose consent, and the mails owed to them."""

from contextlib import AbstractContextManager
from datetime import datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.signing import BadSignature, TimestampSigner
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from articles.models import Article
from comments.models import Comment
from newsroom.tokens import address_token_matches, make_address_token, make_token, token_matches
from readers.models import Reader
from subscriptions.rhythm import Clock, Rhythm

# How long an opt-in mail can be answered (B13).
OPT_IN_VALID = timedelta(hours=48)
# Ticked where a comment is written; what is agreed to is kept to the word (A25).
TICKED_WITH_COMMENT = _("Benachrichtige mich bei Antworten auf meinen Kommentar")
TICKED_FOR_ALL = _("und auf meine anderen hier")
# How long who ended it may say, where they ended it, that it was a mistake; later they subscribe anew.
SECOND_THOUGHTS = timedelta(hours=1)
# How long the link to all subscriptions, which every mail carries, opens them.
MANAGE_LINK_VALID = timedelta(days=30)
_manage_signer = TimestampSigner(salt="subscriptions.manage")


class SubscriptionQuerySet(models.QuerySet):
    def active(self) -> "SubscriptionQuerySet":
        return self.filter(confirmed_at__isnull=False, ended_at=None)

    def told_about(self, comment: Comment) -> "SubscriptionQuerySet":
        """Everyone to be told about `comment`: one row an address, the reply first; never the comment's author."""
        wants = Q(kind=Subscription.Kind.ARTICLE)
        if comment.parent_id:
            wants |= Q(kind=Subscription.Kind.REPLIES, reader__in=comment.parent.author_ids())
        told = self.active().filter(wants, article_id=comment.article_id).exclude(reader__in=comment.author_ids())
        # An unproved address counts too: hearing of one's own words is worse than a stranger's ruse to go unheard.
        if comment.reader.email:
            told = told.exclude(email=comment.reader.email.lower())
        return told.order_by("email", "-kind").distinct("email")


class Subscription(models.Model):
    """An address that wants to hear of an article's comments, and the proof that its owner asked for it (A25)."""

    class Kind(models.TextChoices):
        ARTICLE = "article", _("neue Kommentare")
        REPLIES = "replies", _("Antworten auf eigene Kommentare")

        @property
        def ticked(self) -> str:
            """As somebody says it: "Benachrichtige mich bei ..."."""
            mine = _("neuen Antworten auf meine Kommentare")
            return mine if self == self.REPLIES else _("neuen Kommentaren")

    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, related_name="subscriptions", verbose_name=_("Artikel")
    )
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="subscriptions", verbose_name=_("Leser"))
    kind = models.CharField(_("Art"), max_length=10, choices=Kind)
    email = models.EmailField(_("E-Mail"))
    rhythm = models.CharField(_("Wie oft"), max_length=10, choices=Rhythm, default=Rhythm.AT_ONCE)

    wording = models.TextField(_("Wortlaut der Einwilligung"))
    form_url = models.URLField(_("Formular"), max_length=300)
    asked_at = models.DateTimeField(_("gewünscht am"), default=timezone.now)
    opt_in_sent_at = models.DateTimeField(_("Bestätigungsmail am"), null=True, blank=True)
    opt_in_message_id = models.CharField(max_length=200, blank=True)
    confirmed_at = models.DateTimeField(_("bestätigt am"), null=True, blank=True)
    ended_at = models.DateTimeField(_("beendet am"), null=True, blank=True)
    # Until somebody ends it once more: nobody takes back for others what they meant.
    resumable = models.BooleanField(default=False, db_default=False, editable=False)

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
            models.CheckConstraint(
                name="subscription_rhythm_valid", condition=Q(rhythm__in=["at_once", "hourly", "daily"])
            ),
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
    def may_be_resumed(self) -> bool:
        """Ended a moment ago, by nobody since, and active before."""
        if not self.resumable or self.confirmed_at is None or self.ended_at is None:
            return False
        return timezone.now() < self.ended_at + SECOND_THOUGHTS

    @property
    def opt_in_expired(self) -> bool:
        return timezone.now() > self.asked_at + OPT_IN_VALID

    def token(self, purpose: str) -> str:
        """For the links of its mails; `purpose` is "confirm", "end" or "resume". Bound to the address (B13); the one
        that confirms also to the time of asking, so that a later request makes the earlier mail's link worthless, and
        the one that resumes to the end it takes back."""
        return make_token(purpose, self.pk, *self._bound(purpose))

    def token_fits(self, purpose: str, token: str) -> bool:
        return token_matches(token, purpose, self.pk, *self._bound(purpose))

    def _bound(self, purpose: str) -> tuple[str, ...]:
        moment = {"confirm": self.asked_at, "resume": self.ended_at}.get(purpose)
        return (self.email, moment.isoformat()) if moment else (self.email,)


class Consent(models.Model):
    """What somebody agreed to or withdrew, when and how; rows are only added (A25). The proof outlives a renewal of
    the subscription, which overwrites its own times."""

    class Event(models.TextChoices):
        ASKED = "asked", _("gewünscht")
        CONFIRMED = "confirmed", _("bestätigt")
        ENDED = "ended", _("beendet")

    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="consents", verbose_name=_("Abonnement")
    )
    event = models.CharField(_("Ereignis"), max_length=10, choices=Event)
    how = models.CharField(_("Weg"), max_length=100)
    wording = models.TextField(_("Wortlaut"), blank=True)
    form_url = models.URLField(_("Formular"), max_length=300, blank=True)
    message_id = models.CharField(_("Bestätigungsmail"), max_length=200, blank=True)
    at = models.DateTimeField(_("am"), default=timezone.now)

    class Meta:
        verbose_name = _("Einwilligung")
        verbose_name_plural = _("Einwilligungen")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="consent_event_valid", condition=Q(event__in=["asked", "confirmed", "ended"]))
        ]

    def __str__(self) -> str:
        return f"{self.get_event_display()} {timezone.localtime(self.at):%d.%m.%Y %H:%M}"


@cache
def known_zones() -> frozenset[str]:
    """11 ms, each time it is asked of the files."""
    return frozenset(available_timezones())


def _is_zone(name: str) -> None:
    if name and name not in known_zones():
        raise ValidationError(_("Diese Zeitzone gibt es nicht."))


class Recipient(models.Model):
    """How the owner of an address wants to be written to. Who never chose has no row (`of`)."""

    DAILY_AT = time(7)

    email = models.EmailField(_("E-Mail"), unique=True)
    language = models.CharField(_("Sprache"), max_length=10, blank=True, choices=settings.LANGUAGES)
    time_zone = models.CharField(_("Zeitzone"), max_length=50, blank=True, validators=[_is_zone])
    quiet_from = models.TimeField(_("Ruhe von"), null=True, blank=True)
    quiet_until = models.TimeField(_("Ruhe bis"), null=True, blank=True)
    daily_at = models.TimeField(_("Tägliche Mail um"), default=DAILY_AT)

    class Meta:
        verbose_name = _("Empfänger")
        verbose_name_plural = pgettext_lazy("plural", "Empfänger")
        constraints = [
            models.CheckConstraint(name="recipient_email_lower", condition=~Q(email="") & Q(email=Lower("email"))),
            models.CheckConstraint(
                name="recipient_quiet_both",
                condition=Q(quiet_from=None, quiet_until=None) | Q(quiet_from__isnull=False, quiet_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.email

    @classmethod
    def of(cls, email: str) -> "Recipient":
        return cls.objects.filter(email=email).first() or cls(email=email)

    @property
    def token(self) -> str:
        """Opens the page of everything that goes to this address (B13)."""
        return _manage_signer.sign_object(self.email)

    @classmethod
    def by_token(cls, token: str) -> "Recipient | None":
        try:
            return cls.of(_manage_signer.unsign_object(token, max_age=MANAGE_LINK_VALID))
        except BadSignature:
            return None

    def language_active(self) -> AbstractContextManager:
        return translation.override(self.language or settings.LANGUAGE_CODE)

    @property
    def clock(self) -> Clock:
        zone = self.time_zone if self.time_zone in known_zones() else settings.TIME_ZONE
        return Clock(ZoneInfo(zone), self.quiet_from, self.quiet_until, self.daily_at)


class DeliveryQuerySet(models.QuerySet):
    def due(self, now: datetime) -> "DeliveryQuerySet":
        """What is to be sent, the longest due first; of a digest its head alone, which stands for all."""
        return self.filter(state=Delivery.State.WAITING, digest=None, due_at__lte=now).order_by("due_at", "pk")

    def untried(self) -> "DeliveryQuerySet":
        """Waiting, and surely in no mail yet."""
        return self.filter(state=Delivery.State.WAITING, attempts=0, digest=None)


class Delivery(models.Model):
    """One mail owed to one address because of one comment; or its place in a digest, which is one mail for several."""

    class State(models.TextChoices):
        WAITING = "waiting", _("wartet")
        SENT = "sent", _("gesendet")
        DROPPED = "dropped", _("entfallen")
        SUPPRESSED = "suppressed", _("Adresse gesperrt")
        FAILED = "failed", _("gescheitert")
        SET_ASIDE = "set_aside", _("zurückgestellt")

    comment = models.ForeignKey(
        Comment, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("Kommentar")
    )
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("Abonnement")
    )
    email = models.EmailField(_("E-Mail"))
    state = models.CharField(_("Stand"), max_length=10, choices=State, default=State.WAITING)
    created_at = models.DateTimeField(_("angelegt"), auto_now_add=True)
    due_at = models.DateTimeField(_("fällig"), default=timezone.now)
    gathered = models.BooleanField(_("gesammelt"), default=False)  # may share a mail with others due by then
    digest = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="members", verbose_name=_("gesammelt mit")
    )
    attempts = models.PositiveSmallIntegerField(_("Versuche"), default=0)
    sent_at = models.DateTimeField(_("gesendet am"), null=True, blank=True)
    error = models.CharField(_("Fehler"), max_length=300, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("Zustellung")
        verbose_name_plural = _("Zustellungen")
        constraints = [
            # One mail per comment and address, however many subscriptions the address has.
            models.UniqueConstraint(fields=["comment", "email"], name="delivery_once"),
            models.CheckConstraint(
                name="delivery_state_valid",
                condition=Q(state__in=["waiting", "sent", "dropped", "suppressed", "failed", "set_aside"]),
            ),
            models.CheckConstraint(
                name="delivery_sent_has_time", condition=~Q(state="sent") | Q(sent_at__isnull=False)
            ),
            models.CheckConstraint(name="delivery_not_its_own_digest", condition=~Q(digest=F("id"))),
        ]
        indexes = [
            models.Index(name="delivery_due", fields=["due_at", "id"], condition=Q(state="waiting", digest=None)),
            models.Index(name="delivery_of_address", fields=["email"], condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return f"{self.comment_id} → {self.email}"

    @property
    def is_wanted(self) -> bool:
        """Asked again at the moment of sending (E19)."""
        return self.comment.is_published and self.comment.article.is_public and self.subscription.is_active

    def mail_token(self, purpose: str) -> str:
        """The local part of an address that belongs to this mail: "antwort" for replies, "rueck" for bounces."""
        return make_address_token(purpose, self.pk, self.email)

    def mail_token_fits(self, purpose: str, token: str) -> bool:
        return address_token_matches(token, purpose, self.pk, self.email)


class Bounce(models.Model):
    """A mail that came back, or a complaint, as a provider or a mail server told us; each event once (E18)."""

    class Kind(models.TextChoices):
        HARD = "hard", _("unzustellbar")
        SOFT = "soft", _("vorübergehend unzustellbar")
        COMPLAINT = "complaint", _("als Spam gemeldet")

    email = models.EmailField(_("E-Mail"))
    kind = models.CharField(_("Art"), max_length=10, choices=Kind)
    event_id = models.CharField(max_length=200, unique=True)
    detail = models.CharField(_("Wortlaut"), max_length=300, blank=True)
    at = models.DateTimeField(_("am"), auto_now_add=True)

    class Meta:
        verbose_name = _("Rückläufer")
        verbose_name_plural = pgettext_lazy("plural", "Rückläufer")
        indexes = [models.Index(name="bounce_of_address", fields=["email", "at"])]
        constraints = [
            models.CheckConstraint(name="bounce_kind_valid", condition=Q(kind__in=["hard", "soft", "complaint"]))
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.email}"
