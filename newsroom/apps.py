from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class NewsroomConfig(AppConfig):
    name = "newsroom"


class AdminConfig(DjangoAdminConfig):
    """Puts our admin site, with its limit on sign-in attempts, in the place of Django's."""

    default_site = "newsroom.adminsite.NewsroomAdminSite"
