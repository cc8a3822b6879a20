from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from readers.models import Reader, User

admin.site.register(User, UserAdmin)


@admin.register(Reader)
class ReaderAdmin(admin.ModelAdmin):
    list_display = ["__str__", "email", "email_confirmed_at", "created_at"]
    search_fields = ["name", "email"]
    readonly_fields = ["user", "name", "email", "email_confirmed_at", "website", "merged_into", "created_at"]

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
