"""Who is there: a device, a guest with a name and an address, an account (DESIGN "One identity")."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from newsroom.addresses import canonical_address
from newsroom.sql.prepared import Given, Prepared, Question, ask


class User(AbstractUser):
    """An account: of a reader, who signs in by a mailed code, or of an editor, who may use the admin."""

    class Meta:
        verbose_name = _("Konto")
        verbose_name_plural = _("Konten")
        constraints = [
            # Two spellings of one address must not become two accounts (takeover by an unverified twin).
            models.UniqueConstraint(Lower("email"), name="user_email_once", condition=~Q(email="")),
        ]

    @property
    def known_as(self) -> dict[str, str]:
        """Name and address as a reader has them. Whoever made the account in the admin was asked for neither."""
        try:
            email = canonical_address(self.email)
        except ValueError:
            email = ""  # none that we could write to
        return {"name": self.get_full_name()[: Reader._meta.get_field("name").max_length], "email": email}


class ReaderQuerySet(models.QuerySet):
    def lock(self, reader: "Reader") -> "Reader":
        """The reader as stored now, locked until the commit; if it was merged meanwhile, the one it goes on as.

        Every service that writes for a reader begins with this, so that a merge never misses what is under way.
        """
        return ask(self.locking(reader))[0]

    def locking(self, reader: "Reader") -> Question:
        """What lock() asks, to be asked together with others."""
        question = _locked.question(pk=reader.pk)

        def go_on(rows: list[tuple]) -> "Reader":
            locked = next(iter(question.read(rows)), None)
            while locked is not None and locked.merged_into_id is not None:
                locked = _locked.first(pk=locked.merged_into_id)
            if locked is None:
                raise Reader.DoesNotExist
            return locked

        return question._replace(read=go_on)


_locked = Prepared(lambda: Reader.objects.select_for_update(no_key=True).filter(pk=Given("pk")))


class Reader(models.Model):
    """Who acts. Every vote, rating, comment, subscription and notice points to one.

    It begins as a device (a signed cookie, set at the first action), may give a name and an address (guest),
    may confirm the address by mail, may sign in (then `user` is set).
    """

    user = models.OneToOneField(
        User, on_delete=models.SET_NULL, null=True, blank=True, related_name="reader", verbose_name=_("Konto")
    )
    name = models.CharField(_("Name"), max_length=80, blank=True)
    email = models.EmailField(_("E-Mail"), blank=True)
    email_confirmed_at = models.DateTimeField(_("Adresse bestätigt am"), null=True, blank=True)
    website = models.URLField(_("Website"), blank=True)
    # A device that signed in or confirmed its address goes on as another reader; its old cookie leads there.
    merged_into = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, blank=True, related_name="merged", verbose_name=_("aufgegangen in")
    )
    created_at = models.DateTimeField(_("seit"), auto_now_add=True)

    objects = ReaderQuerySet.as_manager()

    class Meta:
        verbose_name = _("Leser")
        verbose_name_plural = pgettext_lazy("plural", "Leser")
        indexes = [models.Index(fields=["email"], name="reader_email", condition=~Q(email=""))]
        constraints = [
            models.CheckConstraint(name="reader_not_into_itself", condition=~Q(merged_into=F("id"))),
            # Or nobody could sign in to it any more.
            models.CheckConstraint(name="reader_account_stays", condition=Q(user=None) | Q(merged_into=None)),
            models.CheckConstraint(
                name="reader_confirmed_has_email", condition=Q(email_confirmed_at=None) | ~Q(email="")
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or f"#{self.pk}"

    @property
    def is_account(self) -> bool:
        return self.user_id is not None

    def owns(self, email: str) -> bool:
        """Has this reader proved, in this browser, that `email` is theirs?"""
        return bool(email) and self.email_confirmed_at is not None and self.email == email
