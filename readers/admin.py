from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from readers.models import Reader, User


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

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **options):
        if db_field.name == "groups":
            options["widget"] = forms.CheckboxSelectMultiple
            options["help_text"] = ""
        return super().formfield_for_manytomany(db_field, request, **options)


@admin.register(Reader)
class ReaderAdmin(admin.ModelAdmin):
    list_display = ["__str__", "email", "email_confirmed_at", "created_at"]
    search_fields = ["name", "email"]
    readonly_fields = ["user", "name", "email", "email_confirmed_at", "website", "merged_into", "created_at"]

    def has_add_permission(self, request) -> bool:
        return False

    def has_delete_permission(self, request, obj=None) -> bool:
        return False
