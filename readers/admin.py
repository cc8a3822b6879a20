from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
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


_DEEDS = {"view": _("ansehen"), "add": _("anlegen"), "change": _("ändern"), "delete": _("löschen")}


class RightsField(forms.ModelMultipleChoiceField):
    """Django names a permission once, at the first migration, half in English: "Can change Artikel"."""

    def label_from_instance(self, right: Permission) -> str:
        model = right.content_type.model_class()
        if model is None:  # of an app that was taken out
            return right.name
        return f"{model._meta.verbose_name_plural}: {_DEEDS.get(right.codename.partition('_')[0], right.name)}"


admin.site.unregister(Group)


@admin.register(Group)
class RightsAdmin(GroupAdmin):
    """Whoever may change their own group may do everything: that is the superusers' to decide."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def formfield_for_manytomany(self, db_field, request: HttpRequest, **options):
        """Rights at what stands at the desk, where they are looked at; and those that some group has already."""
        if db_field.name == "permissions":
            shown = ContentType.objects.get_for_models(*self.admin_site._registry, for_concrete_models=False).values()
            rights = Permission.objects.filter(Q(content_type__in=shown) | Q(group__isnull=False)).distinct()
            options |= {"queryset": rights, "form_class": RightsField}
        return super().formfield_for_manytomany(db_field, request, **options)


@admin.register(Reader)
class ReaderAdmin(ReadOnlyAdmin):
    list_display = ["__str__", "email", "email_confirmed_at", "created_at"]
    search_fields = ["name", "email"]
    fields = ["user", "name", "email", "email_confirmed_at", "website", "merged_into", "created_at"]
