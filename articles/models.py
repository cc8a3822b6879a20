"""What readers read: articles with their author and section, passages of them, and the site's own pages."""

import re
from contextlib import suppress
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from newsroom.markup import TooLong, article_html, excerpt, without_questions
from newsroom.sql.prepared import Given, fetch_one
from newsroom.text.characters import lookalikes
from newsroom.text.slugs import german_slug

# A time at the ends of Python's calendar cannot be turned into UTC or back: one article would break every list.
YEARS = range(1900, 2200)
_IMAGE = re.compile(r'<img [^>]*?src="([^"]*)"')


class Author(models.Model):
    name = models.CharField(_("Name"), max_length=120, unique=True)
    # The name as the eye takes it: nobody else is to write under one that looks like it.
    likeness = models.TextField(editable=False, db_default="", default="")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="author",
        verbose_name=_("Konto"),
        help_text=_("Verbindet den Namen mit einem Konto, damit eigene Kommentare als „Autor“ erscheinen."),
    )

    class Meta:
        verbose_name = _("Autorin oder Autor")
        verbose_name_plural = _("Autorinnen und Autoren")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args, **kwargs) -> None:
        self.likeness = "".join(lookalikes(self.name)[0])
        super().save(*args, **kwargs)


class Section(models.Model):
    name = models.CharField(_("Name"), max_length=80, unique=True)

    class Meta:
        verbose_name = _("Ressort")
        verbose_name_plural = _("Ressorts")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ArticleQuerySet(models.QuerySet):
    def published(self, now: datetime | Given | None = None) -> "ArticleQuerySet":
        return self.filter(state=Article.State.PUBLISHED, published_at__lte=timezone.now() if now is None else now)

    def newest_first(self) -> "ArticleQuerySet":
        return self.order_by("-published_at", "-pk")

    def older_than(self, pk: int) -> "ArticleQuerySet":
        """Those that come after the article `pk` in newest_first()."""
        last = Article.objects.filter(pk=pk).values_list("published_at", flat=True).first()
        return self.filter(Q(published_at__lt=last) | Q(published_at=last, pk__lt=pk)) if last else self.none()

    def for_page(self) -> "ArticleQuerySet":
        """With everything the byline and the counters show, in one query."""
        return self.select_related("author", "section", "counters")


def texts_of(article: str) -> list[str]:
    """The long columns of a related article, which nothing but its own page shows: for defer()."""
    return [f"{article}__source", f"{article}__html"]


def check_images(html: str) -> None:
    """Readers load nothing from anybody else, so no browser would show other servers' images: ValidationError."""
    foreign = [url for url in _IMAGE.findall(html) if not url.startswith(("/", f"{settings.SITE_URL}/"))]
    if foreign:
        sentence = _(
            "Bilder von anderen Servern zeigt die Seite nicht, denn die sähen, wer sie liest: %(url)s."
            " Legen Sie Bilder auf Ihren eigenen Server; ihre Adressen beginnen dann mit %(own)s/ oder nur mit /."
        )
        raise ValidationError({"source": sentence % {"url": ", ".join(foreign), "own": settings.SITE_URL}})


def check_images_of(source: str) -> None:
    with suppress(TooLong):  # which is an error of its own
        check_images(article_html(source))


class Article(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("Entwurf")
        PUBLISHED = "published", _("veröffentlicht")

    class CommentMode(models.TextChoices):
        OPEN = "open", _("offen")
        CONFIRMED = "confirmed", _("erst nach Bestätigung der Adresse")
        FIRST_HELD = "first_held", _("erste Kommentare werden geprüft")
        ALL_HELD = "all_held", _("alle Kommentare werden geprüft")
        CLOSED = "closed", _("geschlossen")

    headline = models.CharField(_("Überschrift"), max_length=200)
    slug = models.SlugField(
        _("Adresse"),
        max_length=120,
        unique=True,
        help_text=_("Letzter Teil der Adresse. Bleibt, wie sie ist, sobald der Artikel veröffentlicht war."),
    )
    summary = models.TextField(
        _("Vorspann"), max_length=500, blank=True, help_text=_("Leer: der Anfang des ersten Absatzes.")
    )
    author = models.ForeignKey(Author, on_delete=models.PROTECT, related_name="articles", verbose_name=_("Autor"))
    section = models.ForeignKey(
        Section, on_delete=models.PROTECT, null=True, blank=True, related_name="articles", verbose_name=_("Ressort")
    )
    source = models.TextField(
        _("Text"),
        help_text=_("In Markdown. [[Worte]]{Frage?} stellt den Lesern eine Frage zu diesen Worten."),
    )
    html = models.TextField(editable=False)

    state = models.CharField(_("Stand"), max_length=10, choices=State, default=State.DRAFT)
    published_at = models.DateTimeField(
        _("Zeitpunkt"), null=True, blank=True, help_text=_("Leer: sofort. In der Zukunft: dann erst.")
    )
    created_at = models.DateTimeField(_("angelegt"), auto_now_add=True)
    modified_at = models.DateTimeField(_("geändert"), auto_now=True)

    comment_mode = models.CharField(_("Kommentare"), max_length=12, choices=CommentMode, default=CommentMode.OPEN)
    slow_mode = models.PositiveSmallIntegerField(
        _("Pause"),
        choices=[(0, _("keine")), (30, _("30 Sekunden")), (60, _("1 Minute")), (300, _("5 Minuten"))],
        default=0,
        help_text=_("So lange muss man bis zum nächsten eigenen Kommentar warten."),
    )
    closes_at = models.DateTimeField(
        _("Kommentare bis"), null=True, blank=True, help_text=_("Leer: ohne Ende. Danach kann man sie nur noch lesen.")
    )
    closed_at = models.DateTimeField(null=True, editable=False)  # since when an editor has them closed
    closing_note = models.CharField(
        _("Schlusswort"),
        max_length=300,
        blank=True,
        db_default="",
        help_text=_("Steht dort, wo das Formular stand, wenn die Kommentare geschlossen sind: warum sie es sind."),
    )
    question = models.CharField(
        _("Frage an die Leser"), max_length=300, blank=True, help_text=_("Steht über dem Kommentarformular.")
    )

    objects = ArticleQuerySet.as_manager()

    class Meta:
        verbose_name = _("Artikel")
        verbose_name_plural = pgettext_lazy("plural", "Artikel")
        constraints = [
            models.CheckConstraint(name="article_state_valid", condition=Q(state__in=["draft", "published"])),
            models.CheckConstraint(
                name="article_published_has_time", condition=Q(state="draft") | Q(published_at__isnull=False)
            ),
            models.CheckConstraint(
                name="article_comment_mode_valid",
                condition=Q(comment_mode__in=["open", "confirmed", "first_held", "all_held", "closed"]),
            ),
            models.CheckConstraint(name="article_slow_mode_valid", condition=Q(slow_mode__in=[0, 30, 60, 300])),
        ]
        indexes = [models.Index(fields=["-published_at", "-id"], name="article_newest")]

    def __str__(self) -> str:
        return self.headline

    def get_absolute_url(self) -> str:
        return reverse("article", args=[self.slug])

    def clean(self) -> None:
        check_images_of(self.source)

    @property
    def is_public(self) -> bool:
        return self.state == self.State.PUBLISHED and self.published_at <= timezone.now()

    @property
    def was_public(self) -> bool:
        """It may be a draft again."""
        return self.published_at is not None and self.published_at <= timezone.now()

    @property
    def has_lasting_address(self) -> bool:
        """Somebody may know it: a reader, or whoever was told when it is to appear."""
        return self.was_public or self.state == self.State.PUBLISHED

    @property
    def takes_comments(self) -> bool:
        return self.is_public and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """By an editor, or because its time is over."""
        is_over = self.closes_at is not None and self.closes_at <= timezone.now()
        return is_over or self.comment_mode == self.CommentMode.CLOSED

    @property
    def closed_since(self) -> datetime | None:
        """When its readers could write for the last time; None if that is not known, or they never could."""
        moments = [moment for moment in (self.closed_at, self.closes_at) if moment is not None]
        if not self.is_closed or not moments or self.published_at is None:
            return None
        return min(moments) if self.published_at < min(moments) <= timezone.now() else None

    @property
    def closing_reason(self) -> str:
        """Why nobody can write here any more: the editors' words, or what is known without them."""
        if self.closing_note:
            return self.closing_note
        over = self.closes_at is not None and self.closes_at <= timezone.now()
        if over and (self.closed_at is None or self.closes_at <= self.closed_at):
            return _("Dieser Artikel stand nur für eine begrenzte Zeit zur Diskussion.")
        if self.closed_since is None and not self.counters.last_number:
            return _("Zu diesem Artikel hat die Redaktion keine Diskussion vorgesehen.")
        return _("Die Redaktion hat die Diskussion beendet.")

    @property
    def teaser(self) -> str:
        """The summary, or the beginning of the text where the editor wrote none."""
        if self.summary:
            return self.summary
        first_paragraph = re.split(r"\r?\n\s*\n", self.source.strip(), maxsplit=1)[0]
        return excerpt(without_questions(first_paragraph), 240)

    def render(self) -> None:
        """Makes what is derived from what was written. Raises markup.TooLong."""
        if not self.slug:
            self.slug = german_slug(self.headline, self._meta.get_field("slug").max_length)
        self.html = article_html(self.source)


# Counts one more published comment, which opens a thread or does not; returns its numbers. The row lock is what makes
# them gapless; it lasts until the commit, so it comes late in the transaction (measured: 2,900 posts/s with the counter
# last, 1,570 with it first).
# `{after}` is for what must have been done before, as a FROM clause.
NUMBER_COMMENT = """
    UPDATE articles_counters SET comments = comments + 1, last_number = last_number + 1,
        last_thread = last_thread + %s::int, activity = activity + 1
    {after} WHERE article_id = %s
    RETURNING last_number AS number, CASE WHEN %s THEN last_thread END AS thread_number
"""


class CountersQuerySet(models.QuerySet):
    def number_comment(self, article_id: int, *, opens_thread: bool) -> tuple[int, int | None]:
        """Counts one more published comment; returns its number and, for a root, its thread number."""
        return fetch_one(NUMBER_COMMENT.format(after=""), [opens_thread, article_id, opens_thread])

    def touch(self, article_id: int, **changes: int) -> None:
        """Adds `changes` to the named counters and marks the article's page as changed."""
        self.filter(article_id=article_id).update(
            activity=F("activity") + 1, **{name: F(name) + change for name, change in changes.items()}
        )


class Counters(models.Model):
    """What readers' actions count up; apart from the article, so that a vote never rewrites its text."""

    article = models.OneToOneField(Article, on_delete=models.CASCADE, primary_key=True, related_name="counters")
    comments = models.PositiveIntegerField(default=0)  # published now
    last_number = models.PositiveIntegerField(default=0)  # the newest comment's number; never falls
    last_thread = models.PositiveIntegerField(default=0)  # the newest thread's number; never falls
    ratings = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(default=0)  # the sum of all ratings
    activity = models.PositiveBigIntegerField(default=0)  # every visible change; the page's ETag comes from it

    objects = CountersQuerySet.as_manager()

    class Meta:
        # Of all that goes with an article, this is what the admin names before deleting one.
        verbose_name = _("Zählerstand")
        verbose_name_plural = _("Zählerstände")
        constraints = [
            models.CheckConstraint(
                name="counters_stars_fit_ratings",
                condition=Q(stars__gte=F("ratings")) & Q(stars__lte=5 * F("ratings")),
            ),
            models.CheckConstraint(name="counters_comments_numbered", condition=Q(comments__lte=F("last_number"))),
        ]

    def __str__(self) -> str:
        return _("Kommentare: %(comments)d, Bewertungen: %(ratings)d") % {
            "comments": self.comments,
            "ratings": self.ratings,
        }

    @property
    def average(self) -> float:
        """Mean of the stars, 1 to 5; 0.0 where nobody has rated yet."""
        return self.stars / self.ratings if self.ratings else 0.0


class Page(models.Model):
    """A page of the site itself: imprint, privacy, house rules, contact. Shipped with text, edited in the admin."""

    slug = models.SlugField(_("Adresse"), unique=True)
    title = models.CharField(_("Titel"), max_length=120)
    source = models.TextField(_("Text"), help_text=_("In Markdown."))
    html = models.TextField(editable=False)
    modified_at = models.DateTimeField(_("geändert"), auto_now=True)

    class Meta:
        verbose_name = _("Seite")
        verbose_name_plural = _("Seiten")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return f"/{self.slug}/"

    def clean(self) -> None:
        check_images_of(self.source)

    def render(self) -> None:
        self.html = article_html(self.source)
