from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from articles.models import texts_of
from newsroom.addresses import AddressField
from newsroom.adminsite import ReadOnlyAdmin
from newsroom.models import Suppression
from subscriptions.models import Bounce, Consent, Delivery, Recipient, Subscription
from subscriptions.outbox import release_set_aside, resume
from subscriptions.status import mail_status
from subscriptions.tasks import wake


class ConsentInline(admin.TabularInline):
    model = Consent
    fields = readonly_fields = ["at", "event", "how", "wording", "form_url", "message_id"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ["email", "article", "kind", "rhythm", "asked_at", "confirmed_at", "ended_at"]
    list_filter = ["kind", "rhythm"]
    list_select_related = ["article"]
    search_fields = ["email"]
    inlines = [ConsentInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).defer(*texts_of("article"))


@admin.register(Recipient)
class RecipientAdmin(ReadOnlyAdmin):
    list_display = ["email", "language", "time_zone", "quiet_from", "quiet_until", "daily_at"]
    search_fields = ["email"]


@admin.register(Bounce)
class BounceAdmin(ReadOnlyAdmin):
    list_display = ["email", "kind", "at", "detail"]
    list_filter = ["kind"]
    search_fields = ["email"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Every mail owed, and how things stand as a whole."""

    list_display = ["email", "comment", "state", "created_at", "due_at", "sent_at", "attempts", "error"]
    list_filter = ["state"]
    list_select_related = ["comment"]
    search_fields = ["email"]
    change_list_template = "subscriptions/admin_deliveries.html"

    def get_urls(self) -> list:
        own = [path("stand/", self.admin_site.admin_view(self.status), name="subscriptions_status")]
        return own + super().get_urls()

    def status(self, request: HttpRequest) -> HttpResponse:
        """What is waiting, sent, failed, suppressed; and the switches for when something is wrong."""
        if not self.has_view_permission(request):
            return redirect("admin:index")
        decides = request.user.has_perm("subscriptions.change_delivery")
        if request.method == "POST" and decides:
            if "resume" in request.POST:
                resume()
                messages.success(request, _("Es geht weiter."))
            elif {"send", "drop"} & set(request.POST):
                count = release_set_aside(send="send" in request.POST)
                messages.success(request, ngettext("%d Mail entschieden.", "%d Mails entschieden.", count) % count)
            wake()
            return redirect("admin:subscriptions_status")
        context = {
            **self.admin_site.each_context(request),
            "title": _("Stand der Mails"),
            "opts": self.model._meta,
            "status": mail_status(),
            "decides": decides,
        }
        return render(request, "subscriptions/admin_status.html", context)


@admin.register(Suppression)
class SuppressionAdmin(admin.ModelAdmin):
    """Addresses that get no mail any more, why and since when; and the way back."""

    list_display = ["email", "reason", "created_at", "detail", "lifted_at"]
    list_filter = ["reason", ("lifted_at", admin.EmptyFieldListFilter)]
    search_fields = ["email"]
    fields = ["email", "detail"]
    search_help_text = _("An diese Adressen geht keine Mail mehr. Kommentieren können ihre Inhaber weiterhin.")
    actions = ["lift"]
    show_full_result_count = False

    def formfield_for_dbfield(self, db_field, request, **options):
        if db_field.name == "email":
            return AddressField(label=db_field.verbose_name, max_length=254)
        return super().formfield_for_dbfield(db_field, request, **options)

    def has_change_permission(self, request, obj=None) -> bool:
        return obj is None and super().has_change_permission(request, obj)  # the list's action, no rewriting

    def has_delete_permission(self, request, obj=None) -> bool:
        return False  # lifted is not forgotten

    def save_model(self, request: HttpRequest, obj: Suppression, form, change: bool) -> None:
        if Suppression.objects.standing().filter(email=obj.email).exists():
            messages.warning(request, _("Diese Adresse ist schon gesperrt."))
            obj.pk = Suppression.objects.standing().get(email=obj.email).pk
        else:
            super().save_model(request, obj, form, change)

    @admin.action(description=_("Wieder zulassen"), permissions=["change"])
    def lift(self, request: HttpRequest, rows: QuerySet) -> None:
        count = rows.filter(lifted_at=None).update(lifted_at=timezone.now())
        text = ngettext("%d Adresse bekommt wieder Mails.", "%d Adressen bekommen wieder Mails.", count)
        messages.success(request, text % count)
