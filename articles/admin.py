from contextlib import suppress
from copy import deepcopy
from datetime import datetime

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from articles.forms import ArticleForm, MarkdownForm, SiteTimeField, check_length
from articles.models import Article, ArticleQuerySet, Author, Page, Section, check_images
from articles.passages import questions, unread_questions
from articles.services import change_comment_mode, save_article
from newsroom.markup import TooLong, article_html


def _what_saving_refuses(article: Article) -> list[str]:
    """Of an article whose text is rendered already, if it is not too long for that."""
    try:
        check_length(article.source)
        check_images(article.html)
    except forms.ValidationError as error:
        return error.messages
    return []


def _chosen(model: type[Author] | type[Section], pk: str | None) -> Author | Section | None:
    """What a form names that nobody has checked."""
    try:
        return forms.ModelChoiceField(model.objects.all(), required=False).clean(pk)
    except forms.ValidationError:
        return None


def _chosen_time(request: HttpRequest) -> datetime | None:
    parts = [request.POST.get(f"published_at_{part}", "") for part in (0, 1)]
    try:
        return SiteTimeField(required=False).clean(parts)
    except forms.ValidationError:
        return None


class StateFilter(admin.SimpleListFilter):
    title = _("Stand")
    parameter_name = "stand"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("entwurf", _("Entwurf")), ("geplant", _("geplant")), ("oeffentlich", _("veröffentlicht"))]

    def queryset(self, request: HttpRequest, articles: ArticleQuerySet) -> ArticleQuerySet:
        planned = Q(state=Article.State.PUBLISHED, published_at__gt=timezone.now())
        wanted = {"entwurf": Q(state=Article.State.DRAFT), "geplant": planned}
        if self.value() == "oeffentlich":
            return articles.published()
        return articles.filter(wanted.get(self.value(), Q()))


# In the list, where a choice has as much room as a date.
SHORT_MODES = dict(Article.CommentMode.choices) | {
    Article.CommentMode.CONFIRMED: _("Adresse bestätigen"),
    Article.CommentMode.FIRST_HELD: _("erste prüfen"),
    Article.CommentMode.ALL_HELD: _("alle prüfen"),
}


class MarkdownAdmin(admin.ModelAdmin):
    form = MarkdownForm

    def get_fieldsets(self, request, obj=None) -> list:
        """To who may only look, the form's own field has nothing to say."""
        shown = deepcopy(super().get_fieldsets(request, obj))
        if obj is not None and not self.has_change_permission(request, obj):
            for _title, options in shown:
                options["fields"] = [name for name in options["fields"] if name != "seen"]
        return shown


@admin.register(Article)
class ArticleAdmin(MarkdownAdmin):
    form = ArticleForm
    list_display = ["headline", "author", "section", "shown_state", "published_at", "comment_mode", "comment_count"]
    list_filter = [StateFilter, "comment_mode", "section"]
    list_select_related = ["author", "section", "counters"]
    list_editable = ["comment_mode"]
    search_fields = ["headline", "source"]
    ordering = ["-created_at"]
    date_hierarchy = "published_at"
    show_full_result_count = False
    save_on_top = True
    formfield_overrides = {models.DateTimeField: {"form_class": SiteTimeField}}
    fieldsets = [
        (None, {"fields": ["headline", "summary", "source", "seen"]}),
        (_("Veröffentlichen"), {"fields": [("author", "section"), ("state", "published_at"), "slug"]}),
        (_("Kommentare"), {"fields": [("comment_mode", "slow_mode", "closes_at"), "question", "closing_note"]}),
    ]

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        if "slug" in form.base_fields:
            form.base_fields["slug"].required = False  # made from the headline
        return form

    def get_readonly_fields(self, request, obj=None):
        # People have bookmarked it, and mails link to it. Asked of the row: a form with an error has changed `obj`.
        stored = Article.objects.filter(pk=obj.pk).first() if obj is not None else None
        return ["slug"] if stored is not None and stored.has_lasting_address else []

    def formfield_for_choice_field(self, db_field, request, **options):
        # In the list: a row changed by somebody else since it was shown is not one that this editor has changed.
        if db_field.name in self.list_editable:
            options["show_hidden_initial"] = True
        return super().formfield_for_choice_field(db_field, request, **options)

    def get_changelist_formset(self, request: HttpRequest, **options):
        formset = super().get_changelist_formset(request, **options)
        formset.form.base_fields["comment_mode"].choices = SHORT_MODES.items()
        return formset

    def get_changeform_initial_data(self, request: HttpRequest) -> dict:
        own = Author.objects.filter(user=request.user).first()
        return {"author": own.pk if own else None, **super().get_changeform_initial_data(request)}

    def save_model(self, request, obj, form, change) -> None:
        if "source" in form.fields:
            save_article(obj)
        else:  # a row of the list
            change_comment_mode(obj, obj.comment_mode)

    def has_delete_permission(self, request, obj=None) -> bool:
        """Readers' words do not go with an article: once it has comments, it becomes a draft again and keeps them."""
        commented = obj is not None and obj.comments_all.exists()
        return not commented and super().has_delete_permission(request, obj)

    def get_view_on_site_url(self, obj=None) -> str | None:
        return super().get_view_on_site_url(obj) if obj is None or obj.is_public else None

    def get_urls(self):
        return [
            path("vorschau/", self.admin_site.admin_view(self.preview), name="articles_article_preview"),
            *super().get_urls(),
        ]

    def preview(self, request: HttpRequest) -> HttpResponse:
        """The article as it would look, from the form as it stands; nothing is stored."""
        if not (self.has_add_permission(request) or self.has_change_permission(request)):
            raise PermissionDenied
        article = Article(
            headline=request.POST.get("headline", ""),
            summary=request.POST.get("summary", ""),
            source=request.POST.get("source", ""),
            question=request.POST.get("question", ""),
            published_at=_chosen_time(request) or timezone.now(),
        )
        article.author = _chosen(Author, request.POST.get("author")) or Author(name="…")
        article.section = _chosen(Section, request.POST.get("section"))
        with suppress(TooLong):
            article.html = article_html(article.source)
        context = {"article": article, "text": article.html, "questions": questions(article.html)}
        context["unread"] = unread_questions(article.html)
        context["refused"] = _what_saving_refuses(article)
        return render(request, "articles/preview.html", context)

    @admin.display(description=_("Stand"), ordering="state")
    def shown_state(self, article: Article) -> str:
        if article.state == Article.State.DRAFT:
            return _("Entwurf")
        if article.is_public:
            return format_html('<a href="{}">{}</a>', article.get_absolute_url(), _("veröffentlicht"))
        return _("geplant")

    @admin.display(description=_("Zahl der Kommentare"), ordering="counters__comments")
    def comment_count(self, article: Article) -> int:
        return article.counters.comments


@admin.register(Author)
class AuthorAdmin(admin.ModelAdmin):
    list_display = ["name", "user"]
    search_fields = ["name"]
    autocomplete_fields = ["user"]


@admin.register(Section)
class SectionAdmin(admin.ModelAdmin):
    search_fields = ["name"]


@admin.register(Page)
class PageAdmin(MarkdownAdmin):
    list_display = ["title", "slug", "modified_at"]
    fields = ["title", "source", "seen"]

    def has_add_permission(self, request) -> bool:
        return False  # the pages' addresses are part of the site map

    def has_delete_permission(self, request, obj=None) -> bool:
        return False  # the law asks for each of them

    def save_model(self, request, obj, form, change) -> None:
        obj.render()
        obj.save()
