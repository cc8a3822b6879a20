from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from newsroom.adminsite import ReadOnlyAdmin
from readers.models import Reader, User


def _is_above(account: User | None, user: User) -> bool:
    """Whoever sets a colleague's password could do what they may do."""
    return account is not None and account.is_staff and account != user and not user.is_superuser


@admin.register(User)
class AccountAdmin(UserAdmin):
    """What somebody may do is said by groups: of single permissions nobody remembers why they were given."""

    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Person"), {"fields": ["first_name", "last_name", "email"]}),
        (_("Rechte"), {"fields": ["is_active", "is_staff", "groups", "is_superuser"]}),
        (_("Zeiten"), {"fields": ["last_login", "date_joined"]}),
    ]
    filter_horizontal = []

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Who may give rights away is said by the superusers: the right to change accounts is not the right to all."""
        return [] if request.user.is_superuser else ["is_staff", "is_superuser", "groups"]

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return not _is_above(obj, request.user) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return not _is_above(obj, request.user) and super().has_delete_permission(request, obj)

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **options):
        if db_field.name == "groups":
            options["widget"] = forms.CheckboxSelectMultiple
            options["help_text"] = ""
        return super().formfield_for_manytomany(db_field, request, **options)


@admin.register(Reader)
class ReaderAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "email", "email_confirmed_at", "created_at"]
    search_fields = ["name", "email"]
    fields = ["user", "name", "email", "email_confirmed_at", "website", "merged_into", "created_at"]
