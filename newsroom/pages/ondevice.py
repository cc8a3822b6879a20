"""What a device is asked to keep for itself, in cookies that say nothing of whose it is (decision 0020)."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse


def keep_on_device(response: HttpResponse, name: str, value: str, *, httponly: bool = False) -> None:
    """For a year; an empty value takes it away."""
    if value:
        options = {"samesite": "Lax", "secure": settings.SECURE, "httponly": httponly}
        response.set_cookie(name, value, max_age=settings.READER_COOKIE_AGE, **options)
    else:
        response.delete_cookie(name, samesite="Lax")


def is_wished_elsewhere(request: HttpRequest) -> bool:
    """True for a form on a stranger's page. It brings no cookie of ours along, so what it wishes would replace what the
    device has kept; there is no token to tell it by, for these forms ask nobody to confirm."""
    return request.headers.get("Sec-Fetch-Site") == "cross-site"
