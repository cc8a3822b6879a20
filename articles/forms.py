"""What editors write: the forms of the admin."""

from datetime import date, datetime, time
from itertools import chain, count

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from articles.models import YEARS, Article
from newsroom.markup import ARTICLE_LIMIT
from newsroom.text.slugs import german_slug


class MarkdownForm(forms.ModelForm):
    """For what several editors may have open at once: the first to save is not undone by the second unasked."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)  # modified_at, of what the form was opened with

    class Media:
        js = ["redaktion.js"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["seen"].initial = self.instance.modified_at.isoformat()

    def clean_source(self) -> str:
        source = self.cleaned_data["source"]
        check_length(source)
        return source

    def clean(self) -> dict:
        cleaned = super().clean()
        seen = cleaned.get("seen")
        if seen and self.instance.pk:
            rows = self._meta.model.objects.select_for_update(no_key=True)
            now = rows.values_list("modified_at", flat=True).get(pk=self.instance.pk)
            if now.isoformat() != seen:
                self.data = self.data.copy()
                self.data[self.add_prefix("seen")] = now.isoformat()
                self.add_error(
                    None,
                    _(
                        "Inzwischen hat jemand etwas anderes gesichert. Was Sie geschrieben haben, steht noch hier:"
                        " Vergleichen Sie beides in einem zweiten Fenster. Sichern Sie noch einmal, gilt Ihre Fassung."
                    ),
                )
        return cleaned


def check_length(source: str) -> None:
    if len(source) > ARTICLE_LIMIT:
        raise ValidationError(_("Der Text ist zu lang: höchstens %d Zeichen gehen.") % ARTICLE_LIMIT)


class SiteTimeField(forms.SplitDateTimeField):
    """A time by the site's clock, which in one hour of autumn shows every time twice and in spring leaves an hour out:
    the first of the two, the hour after. Django's own field refuses both, and with them the rest of the form."""

    def compress(self, parts: list[date | time | None]) -> datetime | None:
        if not parts:
            return None
        day, hour = parts
        if day in self.empty_values:
            raise ValidationError(self.error_messages["invalid_date"], code="invalid_date")
        if hour in self.empty_values:
            raise ValidationError(self.error_messages["invalid_time"], code="invalid_time")
        if day.year not in YEARS:
            raise ValidationError(_("Dieses Jahr gibt es im Kalender nicht."))
        return timezone.make_aware(datetime.combine(day, hour))


class ArticleForm(MarkdownForm):
    class Meta:
        model = Article
        fields = "__all__"  # noqa: DJ007 (the admin's fieldsets say which)
        widgets = {
            "source": forms.Textarea(attrs={"rows": 30, "class": "vLargeTextField markdown"}),
            "summary": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
            "headline": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "question": forms.TextInput(attrs={"class": "vLargeTextField"}),
            "closing_note": forms.TextInput(attrs={"class": "vLargeTextField"}),
        }

    def clean_published_at(self) -> datetime | None:
        moment = self._kept("published_at")
        if moment is None and self.cleaned_data.get("state") == Article.State.PUBLISHED:
            return timezone.now()
        return moment

    def clean_closes_at(self) -> datetime | None:
        return self._kept("closes_at")

    def _kept(self, name: str) -> datetime | None:
        """A form shows a time to the second, and not which of two it is: one that nobody touched stays what it was."""
        return self.cleaned_data[name] if name in self.changed_data else getattr(self.instance, name)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if settings.COMMENT_DAYS and "closes_at" in self.fields and not self.instance.was_public:
            self.fields["closes_at"].help_text = _("Leer: %d Tage nach der Veröffentlichung.") % settings.COMMENT_DAYS

    def clean(self) -> dict:
        """The address is made here and not only when saving, so that one in use is no error."""
        cleaned = super().clean()
        if "slug" in self.fields and not cleaned.get("slug") and "slug" not in self.errors:
            # Not there at all: when this form was opened, it could not be changed.
            keeps = self.instance.pk and self.add_prefix("slug") not in self.data
            cleaned["slug"] = self.instance.slug if keeps else free_slug(cleaned.get("headline", ""))
        published_at, closes_at = cleaned.get("published_at"), cleaned.get("closes_at")
        if published_at and closes_at and closes_at <= published_at:
            self.add_error("closes_at", _("Das liegt vor der Veröffentlichung: Dann kann niemand etwas schreiben."))
        return cleaned


def free_slug(headline: str) -> str:
    """An address made from the headline that no article has: "neuer-radweg", "neuer-radweg-2"."""
    longest = Article._meta.get_field("slug").max_length
    first, stem = german_slug(headline, longest), german_slug(headline, longest - len("-99999"))
    alike = Article.objects.filter(Q(slug=first) | Q(slug__startswith=f"{stem}-"))
    taken = set(alike.values_list("slug", flat=True))
    return next(slug for slug in chain([first], (f"{stem}-{n}" for n in count(2))) if slug not in taken)
