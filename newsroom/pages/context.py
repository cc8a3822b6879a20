"""What every page shows of the site itself."""

from django.conf import settings
from django.http import HttpRequest

from newsroom.pages.scriptwords import first_script_address


def site(request: HttpRequest | None = None) -> dict:
    return {
        "SITE_NAME": settings.SITE_NAME,
        "SITE_URL": settings.SITE_URL,
        "LANGUAGE_CODE": settings.LANGUAGE_CODE,
        "MAILBOX": bool(settings.MAILBOX),
        "WRITING_MS": round(settings.WRITING_SECONDS * 1000),
        "FIRST_SCRIPT": first_script_address,
    }
