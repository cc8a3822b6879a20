"""One sentence for the next page ("Danke, Ihre Bewertung ist gespeichert"), kept in a cookie of ours."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage


class FlashStorage(CookieStorage):
    cookie_name = f"{settings.COOKIE_PREFIX}hinweis"
