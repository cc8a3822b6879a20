"""The admin site: Django's, in our words, with a limit on attempts to sign in."""

from datetime import timedelta

from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from django.utils.translation import gettext_lazy as _

from newsroom.ratelimit import client_network, count_up, forget

# A password is guessed with millions of tries; a person mistypes a few times.
ATTEMPTS, ATTEMPTS_PER_NETWORK, WINDOW = 10, 60, timedelta(minutes=15)


class LimitedAuthenticationForm(AdminAuthenticationForm):
    def clean(self) -> dict:
        network = client_network(self.request)
        who = f"{network} {self.cleaned_data.get('username', '').casefold()}"
        per_name = count_up("admin sign-in", who, window=WINDOW)
        if per_name > ATTEMPTS or count_up("admin sign-in", network, window=WINDOW) > ATTEMPTS_PER_NETWORK:
            raise ValidationError(_("Zu viele Versuche. Bitte warten Sie eine Viertelstunde."), code="limited")
        cleaned = super().clean()
        forget("admin sign-in", who)  # whoever knows the password has guessed nothing
        return cleaned


class OfferedFilters(ChangeList):
    """A list answers to its own filters alone: every other lookup in its address (`?body__regex=((`) asks what is not
    shown, or ends in an error of the database."""

    def get_filters(self, request: HttpRequest) -> tuple:
        try:
            found = super().get_filters(request)
        except (ValueError, OverflowError) as error:  # a year that Python's calendar does not have, or not its next
            raise IncorrectLookupParameters(error) from error
        day = self.date_hierarchy
        dates = {f"{day}__gte", f"{day}__lt"} if day else set()
        if found[2].keys() - dates:  # what no filter has taken
            raise DisallowedModelAdminLookup("Not a filter of this list.")
        return found


# An editor's day, from top to bottom; what is not named here comes last.
ORDER = ["articles", "comments", "moderation", "ratings", "subscriptions", "newsroom", "readers"]


class NewsroomAdminSite(admin.AdminSite):
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = _("Redaktion")
    login_form = LimitedAuthenticationForm
    enable_nav_sidebar = False  # its width belongs to the texts

    def register(self, model_or_iterable, admin_class: type[admin.ModelAdmin] | None = None, **options) -> None:
        """With filters that hold for every list, those of other people's apps too."""
        options["get_changelist"] = lambda desk, request, **asked: OfferedFilters
        super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list:
        """Django's way from an object to its page asks for no right, and tells the address of what is not public."""
        ours = path("r/<int:content_type_id>/<path:object_id>/", self.admin_view(self._on_site), name="view_on_site")
        return [ours, *(url for url in super().get_urls() if getattr(url, "name", "") != "view_on_site")]

    def _on_site(self, request: HttpRequest, content_type_id: int, object_id: str) -> HttpResponse:
        kind = get_object_or_404(ContentType, pk=content_type_id)
        desk = self._registry.get(kind.model_class())
        found = desk.get_object(request, object_id) if desk and desk.has_view_permission(request) else None
        if found is None or not hasattr(found, "get_absolute_url"):
            raise Http404
        return redirect(found)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict | None = None) -> HttpResponse:
        """Of one app; headed by its name alone."""
        named = {config.label: config.verbose_name for config in apps.get_app_configs()}
        return super().app_index(request, app_label, {"title": named.get(app_label), **(extra_context or {})})

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict]:
        shown = super().get_app_list(request, app_label)
        return sorted(shown, key=lambda app: ORDER.index(app["app_label"]) if app["app_label"] in ORDER else len(ORDER))


class ReadOnlyAdmin(admin.ModelAdmin):
    """For what is evidence, or a machine's: looked at, never edited."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False
