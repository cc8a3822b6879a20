import re
from collections.abc import Iterable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from articles.models import texts_of
from comments.models import Comment, Revision
from moderation.forms import RemovalForm
from moderation.models import Decision, Notice, OnDuty, who_may_decide
from moderation.services import ChangedMeanwhileError, approve, dismiss, pick, remove, restore, unpick

_ID = re.compile(r"[0-9]{1,18}")


def _whole(body: str) -> str:
    """Every word: half a sentence may say the opposite."""
    return format_html('<div class="comment-body">{}</div>', body)


class DecisionInline(admin.TabularInline):
    model = Decision
    fields = readonly_fields = ["created_at", "action", "reason", "occasion", "moderator"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None) -> bool:
        return False


class NoticeInline(DecisionInline):
    model = Notice
    fields = readonly_fields = ["created_at", "kind", "reason", "state"]
    show_change_link = True


class RevisionInline(DecisionInline):
    model = Revision
    fields = readonly_fields = ["replaced_at", "body"]

    def has_view_permission(self, request, obj=None) -> bool:
        return True  # to whoever may see the comment


@admin.register(Comment)
class CommentAdmin(admin.ModelAdmin):
    """Comments are read, searched and decided here. Nobody's words are rewritten: all fields are read-only."""

    list_display = ["excerpt", "name", "article_link", "created_at", "state_and_reason"]
    list_filter = ["state"]
    list_select_related = ["article"]
    list_per_page = 50
    show_full_result_count = False
    search_fields = ["body", "name", "article__headline", "email", "reader__email"]
    search_help_text = _("Sucht in Text, Name, Überschrift und E-Mail-Adresse.")
    ordering = ["-pk"]
    actions = ["approve_selected", "remove_selected", "restore_selected", "pick_selected", "unpick_selected"]
    fields = [
        "shown_state",
        "because",
        "shown_body",
        "versions",
        "article_link",
        "answers",
        "name",
        "email",
        "website",
        "created_at",
        "edited_at",
        "picked_at",
    ]
    readonly_fields = fields
    inlines = [NoticeInline, RevisionInline, DecisionInline]

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False  # removing leaves a reason and a trace, deleting would not

    def save_model(self, request, obj, form, change) -> None:
        """Nothing: the page's buttons lead to decide(). A row written back whole would undo what its author, or
        somebody who voted, does at this moment."""

    def log_change(self, request, obj, message) -> None:
        """Nothing: decisions are kept, and a log of names and words would outlive their deletion (A24)."""

    def get_queryset(self, request) -> QuerySet:
        comments = super().get_queryset(request).select_related("article", "parent", "reader")
        comments = comments.exclude(state=Comment.State.TAKEN_BACK, html__gt="")  # its words are its author's again
        return comments.prefetch_related("other_devices").defer(*texts_of("article"))

    def get_fields(self, request, obj=None) -> list[str]:
        """Without those that have nothing to say."""
        silent = set()
        if obj is None or not obj.is_held:
            silent.add("because")
        if obj is None or not obj.waiting_beside:
            silent.add("versions")
        return [name for name in self.fields if name not in silent]

    def get_inlines(self, request, obj=None) -> list[type[admin.TabularInline]]:
        """Those with something in them: the buttons are beneath."""
        return [inline for inline in self.inlines if inline.model.objects.filter(comment=obj).exists()]

    def get_view_on_site_url(self, obj=None) -> str | None:
        return super().get_view_on_site_url(obj) if obj is None or obj.is_published else None

    def get_urls(self):
        return [
            path("<int:pk>/entscheiden/", self.admin_site.admin_view(self.decide), name="comments_comment_decide"),
            *super().get_urls(),
        ]

    def decide(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One comment, one button: approve, remove with a reason, restore, recommend."""
        comment = get_object_or_404(Comment, pk=pk)
        if request.method == "POST" and self.has_change_permission(request, comment):
            if "remove" in request.POST:
                form = RemovalForm(request.POST)
                if not form.is_valid():
                    return self._ask_reason(request, Comment.objects.filter(pk=pk), form, status=422)
                self._decide_each(request, [comment], remove, **form.cleaned_data)
            if _ID.fullmatch(version := request.POST.get("version", "")):
                decision = approve if comment.is_held else restore
                self._decide_each(request, [comment], decision, version=int(version))
            for name, decision in {"approve": approve, "restore": restore, "pick": pick, "unpick": unpick}.items():
                if name in request.POST:
                    self._decide_each(request, [comment], decision)
            if comment.is_held and not Comment.objects.held().filter(pk=pk).exists():  # on to the next one
                return redirect(reverse("admin:comments_comment_changelist", query={"state__exact": "held"}))
        return redirect(reverse("admin:comments_comment_change", args=[pk]))

    @admin.action(description=_("Freigeben"), permissions=["change"])
    def approve_selected(self, request: HttpRequest, comments: QuerySet) -> None:
        unconfirmed = comments.unconfirmed().count()
        waiting = comments.for_a_moderator().order_by("pk")
        several = list(waiting.in_versions().values_list("pk", flat=True))
        self._decide_each(request, waiting.exclude(pk__in=several), approve)
        if unconfirmed:  # their authors were told that it is up to them
            text = ngettext(
                "%d Kommentar wartet noch auf die Bestätigung seiner Adresse und ist nicht freigegeben.",
                "%d Kommentare warten noch auf die Bestätigung ihrer Adressen und sind nicht freigegeben.",
                unconfirmed,
            )
            messages.warning(request, text % unconfirmed)
        if several:  # the list shows one of them
            text = ngettext(
                "Von %d Kommentar warten zwei Fassungen, er ist nicht freigegeben;"
                " bitte öffnen Sie ihn und wählen Sie eine.",
                "Von %d Kommentaren warten zwei Fassungen, sie sind nicht freigegeben;"
                " bitte öffnen Sie sie und wählen Sie je eine.",
                len(several),
            )
            messages.warning(request, text % len(several))

    @admin.action(description=_("Wiederherstellen"), permissions=["change"])
    def restore_selected(self, request: HttpRequest, comments: QuerySet) -> None:
        self._decide_each(request, comments.filter(state=Comment.State.REMOVED).order_by("pk"), restore)

    @admin.action(description=_("Den Lesern empfehlen"), permissions=["change"])
    def pick_selected(self, request: HttpRequest, comments: QuerySet) -> None:
        self._decide_each(request, comments.published().filter(picked_at=None).order_by("pk"), pick)

    @admin.action(description=_("Empfehlung zurücknehmen"), permissions=["change"])
    def unpick_selected(self, request: HttpRequest, comments: QuerySet) -> None:
        self._decide_each(request, comments.filter(picked_at__isnull=False).order_by("pk"), unpick)

    @admin.action(description=_("Entfernen …"), permissions=["change"])
    def remove_selected(self, request: HttpRequest, comments: QuerySet) -> HttpResponse | None:
        form = RemovalForm(request.POST if "reason" in request.POST else None)
        if not form.is_valid():
            return self._ask_reason(request, comments, form)
        shown = comments.filter(state__in=[Comment.State.HELD, Comment.State.PUBLISHED])
        self._decide_each(request, shown, remove, **form.cleaned_data)
        return None

    def _decide_each(self, request: HttpRequest, comments: Iterable[Comment], decision, **details) -> None:
        seen = dict(value.split(":", 1) for value in request.POST.getlist("seen") if ":" in value)
        decided = changed = 0
        for comment in comments:
            if decision in (approve, restore, pick):  # what makes words public or praises them
                details["as_seen"] = seen.get(str(comment.pk))
            try:
                decided += decision(comment, moderator=request.user, **details)
            except ChangedMeanwhileError:
                changed += 1
        if decided:
            messages.success(request, self._decided[decision](decided) % decided)
        if changed:
            text = ngettext(
                "%d Kommentar hat sich geändert, seit Sie ihn gelesen haben. Er ist nicht entschieden;"
                " bitte lesen Sie ihn noch einmal.",
                "%d Kommentare haben sich geändert, seit Sie sie gelesen haben. Sie sind nicht entschieden;"
                " bitte lesen Sie sie noch einmal.",
                changed,
            )
            messages.warning(request, text % changed)

    _decided = {
        approve: lambda count: ngettext("%d Kommentar freigegeben.", "%d Kommentare freigegeben.", count),
        remove: lambda count: ngettext("%d Kommentar entfernt.", "%d Kommentare entfernt.", count),
        restore: lambda count: ngettext("%d Kommentar wiederhergestellt.", "%d Kommentare wiederhergestellt.", count),
        pick: lambda count: ngettext("%d Kommentar empfohlen.", "%d Kommentare empfohlen.", count),
        unpick: lambda count: ngettext("%d Empfehlung zurückgenommen.", "%d Empfehlungen zurückgenommen.", count),
    }

    def _ask_reason(self, request, comments: QuerySet, form: RemovalForm, status: int = 200) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("Kommentare entfernen"),
            "comments": comments,
            "form": form,
            "opts": self.model._meta,
        }
        return render(request, "moderation/admin_remove.html", context, status=status)

    @admin.display(description=_("Kommentar"))
    def excerpt(self, comment: Comment) -> str:
        text = comment.body if len(comment.body) <= 120 else comment.body[:120] + " …"
        return format_html("{}{}", text, self.seen(comment))

    @admin.display(description=_("Text"))
    def shown_body(self, comment: Comment) -> str:
        return _whole(comment.body)

    @admin.display(description=_("Andere Fassung, von einem Gerät ohne bestätigte Adresse"))
    def versions(self, comment: Comment) -> str:
        """Written on a device that cannot read what the comment says: one of them is to be published."""
        why = gettext("Warum sie wartet:")
        rows = [(_whole(device.version), why, ", ".join(device.version_because)) for device in comment.waiting_beside]
        return format_html_join("", "{}<p>{} {}</p>", rows)

    def seen(self, comment: Comment) -> str:
        """For a form: which words of which comment are shown."""
        return format_html('<input type="hidden" name="seen" value="{}:{}">', comment.pk, comment.fingerprint)

    @admin.display(description=_("Artikel"), ordering="article")
    def article_link(self, comment: Comment) -> str:
        address = comment.get_absolute_url() if comment.number else comment.article.get_absolute_url()
        return format_html('<a href="{}">{}</a>', address, comment.article.headline)

    @admin.display(description=_("Antwort auf"))
    def answers(self, comment: Comment) -> str:
        return str(comment.parent) if comment.parent else "–"

    @admin.display(description=_("E-Mail"))
    def email(self, comment: Comment) -> str:
        return comment.email or comment.reader.email or "–"

    @admin.display(description=_("Stand"), ordering="state")
    def shown_state(self, comment: Comment) -> str:
        return comment.get_state_display()

    @admin.display(description=_("Stand"), ordering="state")
    def state_and_reason(self, comment: Comment) -> str:
        because = self.because(comment)
        return f"{comment.get_state_display()}: {because}" if because else comment.get_state_display()

    @admin.display(description=_("Warum er wartet"))
    def because(self, comment: Comment) -> str:
        if not comment.is_held:
            return ""
        return ", ".join(comment.held_because) or _("Der Autor muss noch seine Adresse bestätigen")


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):
    list_display = ["__str__", "comment_link", "created_at", "state"]
    list_filter = ["state", "kind"]
    list_select_related = ["comment"]
    fields = readonly_fields = [
        "kind",
        "reason",
        "comment_link",
        "comment_body",
        "url",
        "name",
        "email",
        "created_at",
        "state",
        "decision",
    ]

    def get_urls(self):
        dismissal = self.admin_site.admin_view(self.dismiss)
        return [path("<int:pk>/stehen-lassen/", dismissal, name="moderation_notice_dismiss"), *super().get_urls()]

    def dismiss(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The one decision that is about a notice alone; removing is about its comment."""
        notice = get_object_or_404(Notice, pk=pk)
        if request.method == "POST" and self.has_change_permission(request, notice):
            if dismiss(notice, moderator=request.user):
                messages.success(request, _("Entschieden. Wer gemeldet hat, erfährt es per Mail."))
            else:
                messages.warning(
                    request, _("Das ist schon entschieden, oder der Kommentar wartet selbst noch auf Sie.")
                )
        return redirect(reverse("admin:moderation_notice_change", args=[pk]))

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @admin.display(description=_("Kommentar"))
    def comment_link(self, notice: Notice) -> str:
        address = reverse("admin:comments_comment_change", args=[notice.comment_id])
        return format_html('<a href="{}">{}</a>', address, notice.comment)

    @admin.display(description=_("Text"))
    def comment_body(self, notice: Notice) -> str:
        return _whole(notice.comment.body)


@admin.register(OnDuty)
class OnDutyAdmin(admin.ModelAdmin):
    """Who gets held comments and reports by mail."""

    list_display = ["user", "email", "since"]
    list_select_related = ["user"]
    fields = ["user"]

    def formfield_for_foreignkey(self, db_field, request: HttpRequest, **options):
        if db_field.name == "user":
            options["queryset"] = who_may_decide().exclude(email="")
            options["help_text"] = _("Wer eine E-Mail-Adresse hat und über Kommentare entscheiden darf.")
        return super().formfield_for_foreignkey(db_field, request, **options)

    @admin.display(description=_("E-Mail"))
    def email(self, row: OnDuty) -> str:
        return row.user.email
