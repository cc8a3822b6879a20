"""The admin site: Django's, in our words, with a limit on attempts to sign in."""

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from newsroom.ratelimit import client_network, count_up

# A password is guessed with millions of tries; a person mistypes a few times.
ATTEMPTS, WINDOW = 10, timedelta(minutes=15)


class LimitedAuthenticationForm(AdminAuthenticationForm):
    def clean(self) -> dict:
        who = f"{client_network(self.request)} {self.cleaned_data.get('username', '')}"
        if count_up("admin sign-in", who, window=WINDOW) > ATTEMPTS:
            raise ValidationError(_("Zu viele Versuche. Bitte warten Sie eine Viertelstunde."), code="limited")
        return super().clean()


class NewsroomAdminSite(admin.AdminSite):
    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = _("Redaktion")
    login_form = LimitedAuthenticationForm
