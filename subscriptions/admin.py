from django.contrib import admin

from subscriptions.models import Delivery, Subscription


class ReadOnlyAdmin(admin.ModelAdmin):
    """Consent and deliveries are evidence: looked at, never edited."""

    show_full_result_count = False

    def has_add_permission(self, request) -> bool:
        return False

    def has_change_permission(self, request, obj=None) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ["email", "article", "kind", "asked_at", "confirmed_at", "ended_at"]
    list_filter = ["kind"]
    list_select_related = ["article"]
    search_fields = ["email"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["email", "comment", "state", "created_at", "sent_at", "error"]
    list_filter = ["state"]
    list_select_related = ["comment"]
    search_fields = ["email"]
