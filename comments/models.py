"""What readers write: comments, which form threads beneath an article, and the votes they get."""

import re
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinLengthValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from articles.models import Article, texts_of
from articles.passages import QUOTE_LIMIT, Quote
from newsroom.markup import comment_html, excerpt
from newsroom.sql.prepared import Given
from readers.models import Reader

EXCERPT = 160  # characters
PASSAGES_MARKED = 1_000  # of an article, so that its page costs the same however many there are
EDIT_WINDOW = timedelta(minutes=15)
_QUOTATION = re.compile(r"<blockquote>(?:(?!<blockquote>).)*?</blockquote>", re.DOTALL)
_BLOCK = re.compile(r"<(?!/?(?:a|em|strong|code)\b)")


def fingerprint_of(*words: str) -> str:
    return sha256("\0".join(words).encode()).hexdigest()[:16]


def undo_seconds() -> float:
    """How long a comment can be taken back: a fifth longer than its button says, whose press takes its way."""
    return 1.2 * settings.UNDO_SECONDS


class PassageQuerySet(models.QuerySet):
    def counted(self, article: Article) -> dict[Quote, int]:
        """How many published comments an article's passages have; at most the PASSAGES_MARKED most commented ones."""
        commented = self.filter(article=article, comment_count__gt=0).order_by("-comment_count")
        return {passage.quote: passage.comment_count for passage in commented[:PASSAGES_MARKED] if passage.block}

    def alike(self, passage: "Passage") -> "PassageQuerySet":
        return self.filter(article=passage.article_id, **passage.quote._asdict())

    def store(self, passage: "Passage") -> "Passage":
        """The passage, or the one that another reader stored for the same words at the same time."""
        return self.get_or_create(article_id=passage.article_id, **passage.quote._asdict())[0]


class Passage(models.Model):
    """A stretch of the article, as a W3C Web Annotation text quote selector, within one block of the text.

    What is quoted stays what its reader chose; `block` follows the words through every edit of the article.
    """

    article = models.ForeignKey(Article, on_delete=models.CASCADE, related_name="passages", verbose_name=_("Artikel"))
    # 1 for the first block, as in the anchor #absatz-1; null when the words are no longer in the article.
    block = models.PositiveIntegerField(_("Absatz"), null=True, blank=True)
    exact = models.CharField(_("Wortlaut"), max_length=QUOTE_LIMIT)
    prefix = models.CharField(max_length=100, blank=True)
    suffix = models.CharField(max_length=100, blank=True)
    question = models.CharField(_("Frage der Redaktion"), max_length=300, blank=True)
    comment_count = models.PositiveIntegerField(_("Kommentare"), default=0, editable=False)  # published ones

    objects = PassageQuerySet.as_manager()

    class Meta:
        verbose_name = _("Textstelle")
        verbose_name_plural = _("Textstellen")
        constraints = [
            models.CheckConstraint(
                name="passage_not_empty", condition=~Q(exact="") & (Q(block=None) | Q(block__gte=1))
            ),
            # By its hash: an index entry holds 2,700 bytes at most. Lost ones may be alike.
            models.UniqueConstraint("article", "block", MD5("exact"), "prefix", "suffix", name="passage_once"),
        ]
        indexes = [
            models.Index(
                name="passage_most_commented", fields=["article", "-comment_count"], condition=Q(comment_count__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return self.exact

    @property
    def quote(self) -> Quote:
        return Quote(self.block, self.exact, self.prefix, self.suffix)


class CommentQuerySet(models.QuerySet):
    def published(self) -> "CommentQuerySet":
        return self.filter(state=Comment.State.PUBLISHED)

    def on_published_articles(self, now: datetime | Given | None = None) -> "CommentQuerySet":
        now = timezone.now() if now is None else now
        return self.filter(article__state=Article.State.PUBLISHED, article__published_at__lte=now)

    def held(self) -> "CommentQuerySet":
        return self.filter(state=Comment.State.HELD)

    def for_a_moderator(self) -> "CommentQuerySet":
        return self.held().exclude(held_because=[])

    def unconfirmed(self) -> "CommentQuerySet":
        return self.held().filter(held_because=[])

    def in_versions(self) -> "CommentQuerySet":
        """Those with other words waiting beside their own (OtherDevice)."""
        return self.filter(pk__in=OtherDevice.objects.exclude(version="").values("comment"))

    def for_page(self) -> "CommentQuerySet":
        """With what a page shows of them; what was written is only needed to change it."""
        return self.select_related("passage").defer("body", "held_because", "email", "form_key", "created_at")

    def lock(self, pk: int) -> "Comment":
        """The comment as stored now, with its article, locked until the commit.

        Not against being referred to: an answer, which has locked the root already, may be on its way to it (deadlock).
        """
        return (
            self.select_for_update(no_key=True, of=("self",))
            .select_related("article")
            .defer(*texts_of("article"))
            .get(pk=pk)
        )

    def with_article(self) -> "CommentQuerySet":
        return self.select_related("article", "parent").defer(*texts_of("article"))


def _without_quotations(html: str) -> str:
    found = 1
    while found:  # those within others first
        html, found = _QUOTATION.subn("", html)
    return html


def _beginning(html: str) -> str:
    apart = _BLOCK.sub(r" \g<0>", html[: 10 * EXCERPT])  # or two paragraphs' words would be one
    return excerpt(" ".join(unescape(strip_tags(apart)).split()), EXCERPT)


class Comment(models.Model):
    """One comment. `number` counts within the article and is given when it is published, so numbers follow the
    order in which readers could see them, and a parent's number is always smaller than its replies'."""

    class State(models.TextChoices):
        HELD = "held", _("wird geprüft")
        PUBLISHED = "published", _("veröffentlicht")
        REMOVED = "removed", _("entfernt")
        DELETED = "deleted", _("gelöscht")
        TAKEN_BACK = "taken_back", _("zurückgezogen")  # before anyone was told: no tombstone says that it was there

    class Badge(models.TextChoices):
        AUTHOR = "author", _("Autor")  # of the article
        EDITOR = "editor", _("Redaktion")
        MODERATOR = "moderator", _("Moderation")

    # Without indexes of their own where another one below begins with the same column: each costs every post.
    article = models.ForeignKey(
        Article, on_delete=models.CASCADE, related_name="comments_all", verbose_name=_("Artikel"), db_index=False
    )
    reader = models.ForeignKey(
        Reader, on_delete=models.PROTECT, related_name="comments", verbose_name=_("Leser"), db_index=False
    )
    # Other devices it belonged to before a mailed link gave it to `reader`; they keep their rights (decision 0011).
    also_by = models.ManyToManyField(
        Reader, through="OtherDevice", related_name="comments_elsewhere", blank=True, editable=False
    )
    parent = models.ForeignKey(
        "self", on_delete=models.RESTRICT, null=True, blank=True, related_name="replies", verbose_name=_("Antwort auf")
    )
    root = models.ForeignKey(
        "self", on_delete=models.RESTRICT, null=True, blank=True, related_name="thread", editable=False, db_index=False
    )
    depth = models.PositiveSmallIntegerField(default=0, editable=False)
    number = models.PositiveIntegerField(_("Nummer"), null=True, blank=True, editable=False)
    thread_number = models.PositiveIntegerField(null=True, blank=True, editable=False)  # roots only

    name = models.CharField(_("Name"), max_length=80)
    email = models.EmailField(_("E-Mail"), blank=True)  # given with this comment; its reader may have another by now
    website = models.URLField(_("Website"), blank=True)
    body = models.TextField(_("Kommentar"), validators=[MinLengthValidator(1)])
    html = models.TextField(editable=False)
    passage = models.ForeignKey(
        Passage, on_delete=models.RESTRICT, null=True, blank=True, related_name="comments", verbose_name=_("Textstelle")
    )

    # Who wrote it, as what, when it was written: leaving the staff later does not change who spoke then.
    badge = models.CharField(_("Kennzeichen"), max_length=10, choices=Badge, blank=True, editable=False)

    state = models.CharField(_("Stand"), max_length=10, choices=State, default=State.HELD)
    held_because = ArrayField(models.CharField(max_length=80), default=list, blank=True, verbose_name=_("Grund"))
    score = models.PositiveIntegerField(_("Respekt"), default=0, editable=False)
    reply_count = models.PositiveIntegerField(_("Antworten"), default=0, editable=False)  # roots: published beneath

    # The form's key: the same submission sent twice finds the first one's comment.
    form_key = models.UUIDField(unique=True, editable=False)
    created_at = models.DateTimeField(_("geschrieben"), auto_now_add=True)
    published_at = models.DateTimeField(_("veröffentlicht"), null=True, blank=True)
    edited_at = models.DateTimeField(_("bearbeitet"), null=True, blank=True, editable=False)
    picked_at = models.DateTimeField(_("empfohlen"), null=True, blank=True, editable=False)  # by the editors

    objects = CommentQuerySet.as_manager()

    class Meta:
        verbose_name = _("Kommentar")
        verbose_name_plural = _("Kommentare")
        constraints = [
            models.CheckConstraint(
                name="comment_state_valid",
                condition=Q(state__in=["held", "published", "removed", "deleted", "taken_back"]),
            ),
            models.CheckConstraint(
                name="comment_root_or_reply",
                condition=Q(parent=None, root=None, depth=0)
                | Q(parent__isnull=False, root__isnull=False, depth__gte=1),
            ),
            models.CheckConstraint(name="comment_not_own_parent", condition=~Q(parent=F("id")) & ~Q(root=F("id"))),
            models.CheckConstraint(
                name="comment_published_is_numbered",
                condition=~Q(state="published") | Q(number__isnull=False, published_at__isnull=False),
            ),
            models.CheckConstraint(
                name="comment_thread_number_on_roots",
                condition=Q(thread_number=None) | Q(parent=None, number__isnull=False),
            ),
            models.CheckConstraint(
                name="comment_numbered_root_has_thread_number",
                condition=Q(number=None) | Q(parent__isnull=False) | Q(thread_number__isnull=False),
            ),
            models.CheckConstraint(
                name="comment_badge_valid", condition=Q(badge__in=["", "author", "editor", "moderator"])
            ),
            models.CheckConstraint(name="comment_says_something", condition=~Q(body="") & ~Q(name="")),
            models.UniqueConstraint(name="comment_number_once", fields=["article", "number"]),
            models.UniqueConstraint(name="comment_thread_number_once", fields=["article", "thread_number"]),
        ]
        indexes = [
            # A thread's replies in order; the roots in order of their votes; one person's comments.
            models.Index(name="comment_thread", fields=["root", "number"], condition=Q(root__isnull=False)),
            models.Index(
                name="comment_tombstones",
                fields=["root", "number"],
                condition=Q(state="deleted", root__isnull=False, number__isnull=False),
            ),
            models.Index(
                name="comment_most_voted", fields=["article", "-score", "-thread_number"], condition=Q(parent=None)
            ),
            models.Index(
                name="comment_inline", fields=["article", "thread_number"], condition=Q(passage__isnull=False)
            ),
            models.Index(name="comment_picked", fields=["article", "-picked_at"], condition=Q(picked_at__isnull=False)),
            models.Index(name="comment_held", fields=["-id"], condition=Q(state="held")),
            models.Index(name="comment_of_reader", fields=["reader", "article"]),
            models.Index(name="comment_held_of_reader", fields=["reader", "article"], condition=Q(state="held")),
        ]

    def __str__(self) -> str:
        number = f"#{self.number} " if self.number else ""
        return f"{number}{self.name}: {Truncator(self.body).chars(60)}"

    def get_absolute_url(self) -> str:
        """The permalink: it finds the page, order and anchor that show the comment now."""
        return f"/kommentar/{self.id}/"  # reverse() takes 25 µs, and a page asks hundreds of times

    @property
    def anchor(self) -> str:
        return f"kommentar-{self.number}" if self.number else self.waiting_anchor

    @property
    def waiting_anchor(self) -> str:
        """Of what its author sees while it is held; its place, if it had one, says that it is looked at."""
        return f"kommentar-wartet-{self.pk}"

    def forget_words(self) -> None:
        """What is kept says that it was there, and no more."""
        self.body = self.name = "–"
        self.html = self.website = self.email = ""

    @property
    def is_published(self) -> bool:
        return self.state == self.State.PUBLISHED

    @property
    def is_held(self) -> bool:
        return self.state == self.State.HELD

    @property
    def leaves_tombstone(self) -> bool:
        """Does its place go on saying that it was there, whether or not something stands beneath it?"""
        return self.state == self.State.DELETED and self.number is not None

    @property
    def is_unconfirmed(self) -> bool:
        """Held only until its author confirms the address; then it is published by itself."""
        return self.is_held and not self.held_because

    @property
    def excerpt(self) -> str:
        """The beginning of what its author says, as plain text, for a list: no quotation, unless that is all."""
        return _beginning(_without_quotations(self.html)) or _beginning(self.html)

    @property
    def editable_until(self) -> datetime:
        return (self.published_at or self.created_at) + EDIT_WINDOW

    @property
    def is_told_of(self) -> bool:
        """May subscribers have been mailed? Then it cannot be taken back any more as if it had never been written."""
        waited = timezone.now() - self.published_at if self.published_at else timedelta(0)
        return waited > timedelta(seconds=undo_seconds())

    def is_by(self, reader: Reader | None) -> bool:
        if reader is None:
            return False
        if self.reader_id == reader.pk:
            return True
        return self.other_devices.filter(reader=reader).exists()

    def may_be_read_by(self, reader: Reader) -> bool:
        """By one of its authors, while nobody else may: what the one wrote and is held, or taken back, is not there for
        the other. The right is asked for together with the words, which may be other ones by now."""
        if self.is_published or self.has_proved(reader):
            return True
        return self.other_devices.filter(reader=reader, has_words=True, comment__body=self.body).exists()

    def has_proved(self, reader: Reader) -> bool:
        """Has one of its authors proved the address it was written with, or got it through a link to that address?"""
        if self.reader_id == reader.pk or reader.owns(self.email):
            return True
        return self.other_devices.filter(reader=reader, proved=True).exists()

    def author_ids(self) -> list[int]:
        """Of its reader, and of who may change it besides: one query."""
        return [self.reader_id, *self.also_by.values_list("pk", flat=True)]

    def may_be_edited_by(self, reader: Reader | None) -> bool:
        """By its author, for a while, as long as readers are still to see it."""
        is_to_be_seen = (self.is_published or self.is_held) and timezone.now() < self.editable_until
        return is_to_be_seen and self.is_by(reader)

    def words_for(self, reader: Reader) -> str:
        """What one of its authors begins a change with: what it says; or, if they may not read that, what they wrote
        themselves and waits beside it, or what was public last."""
        if self.may_be_read_by(reader):
            return self.body
        beside = [device.version for device in self.waiting_beside if device.reader_id == reader.pk]
        return beside[0] if beside else self.public_words

    @property
    def public_words(self) -> str:
        """Those that readers read last; empty if they have read none."""
        if self.is_published:
            return self.body
        return self.revisions.order_by("-pk").values_list("body", flat=True).first() or ""

    @property
    def waiting_beside(self) -> list["OtherDevice"]:
        """Whose versions wait with a held comment: a moderator publishes one of them, or what it says itself."""
        return [device for device in self.other_devices.all() if device.version]

    @property
    def fingerprint(self) -> str:
        """Of its words, and those that wait beside them: whoever decides sends back which ones they read."""
        return fingerprint_of(self.body, *sorted(device.version for device in self.waiting_beside))

    def render(self) -> None:
        """Makes the HTML from the body. Raises markup.TooLong."""
        self.html = comment_html(self.body)


class OtherDevice(models.Model):
    """One that a comment belonged to before a mailed link gave it to another. Unless a link was opened on it too
    (`proved`), nobody knows whether both are the same person's; so what the one wrote and nobody may read yet, the
    other may not read either (`has_words`)."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="other_devices")
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="other_devices")
    has_words = models.BooleanField(default=True)  # wrote the ones that the comment has now
    proved = models.BooleanField(default=False)
    # What it wrote while it could not read the comment's: waits beside them until a moderator decides.
    version = models.TextField(_("Kommentar"), blank=True, default="", db_default="")
    version_html = models.TextField(blank=True, editable=False, default="", db_default="")
    version_because = ArrayField(
        models.CharField(max_length=80), default=list, db_default=[], blank=True, verbose_name=_("Grund")
    )

    class Meta:
        verbose_name = _("Anderes Gerät")
        verbose_name_plural = _("Andere Geräte")
        constraints = [
            models.UniqueConstraint(name="other_device_once", fields=["comment", "reader"]),
            models.CheckConstraint(
                name="other_device_version_rendered",
                condition=Q(version="", version_html="") | (~Q(version="") & ~Q(version_html="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader_id} → {self.comment_id}"


class Revision(models.Model):
    """What a comment said before its author changed it. Public: readers answered to these words."""

    comment = models.ForeignKey(
        Comment, on_delete=models.CASCADE, related_name="revisions", verbose_name=_("Kommentar")
    )
    body = models.TextField(_("Kommentar"))
    html = models.TextField(editable=False)
    replaced_at = models.DateTimeField(_("ersetzt"))

    class Meta:
        verbose_name = _("Frühere Fassung")
        verbose_name_plural = _("Frühere Fassungen")
        constraints = [models.CheckConstraint(name="revision_says_something", condition=~Q(body=""))]

    def __str__(self) -> str:
        return Truncator(self.body).chars(60)


class Vote(models.Model):
    """One reader's "Respekt" for one comment. Taking it back deletes the row."""

    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="votes", verbose_name=_("Kommentar"))
    reader = models.ForeignKey(  # without an index of its own: vote_once begins with it
        Reader, on_delete=models.CASCADE, related_name="votes", verbose_name=_("Leser"), db_index=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Stimme")
        verbose_name_plural = _("Stimmen")
        constraints = [models.UniqueConstraint(name="vote_once", fields=["reader", "comment"])]

    def __str__(self) -> str:
        return f"{self.reader_id} → {self.comment_id}"


class BlockedWord(models.Model):
    """A word, or the beginning of one, that holds a comment for a moderator."""

    word = models.CharField(
        _("Wort"), max_length=60, unique=True, help_text=_("Am Ende * für alle Wörter, die so beginnen.")
    )

    class Meta:
        verbose_name = _("Gesperrtes Wort")
        verbose_name_plural = _("Gesperrte Wörter")
        ordering = ["word"]

    def __str__(self) -> str:
        return self.word
