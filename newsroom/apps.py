from django.apps import AppConfig, apps
from django.contrib import admin
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class NewsroomConfig(AppConfig):
    name = "newsroom"


class AdminConfig(DjangoAdminConfig):
    """Puts our admin site, with its limit on sign-in attempts, in the place of Django's."""

    default_site = "newsroom.adminsite.NewsroomAdminSite"

    def ready(self) -> None:
        super().ready()
        # It speaks English only and shows what stands in mails that wait; newsroom.admin has ours.
        admin.site.unregister(apps.get_model("procrastinate", "ProcrastinateJob"))
