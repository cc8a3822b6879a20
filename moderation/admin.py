from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from moderation.models import Notice


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):
    list_display = ["__str__", "comment_link", "created_at", "state"]
    list_filter = ["state", "kind"]
    list_select_related = ["comment"]
    fields = ["kind", "reason", "comment_link", "url", "name", "email", "created_at", "state"]
    readonly_fields = ["kind", "reason", "comment_link", "url", "name", "email", "created_at"]

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False

    @admin.display(description=_("Kommentar"))
    def comment_link(self, notice: Notice) -> str:
        address = f"/redaktion/comments/comment/{notice.comment_id}/change/"
        return format_html('<a href="{}">{}</a>', address, notice.comment)
