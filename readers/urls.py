"""Of allauth's addresses those an account without a password needs. Whoever signs in comes back to where they were."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode, urlsplit

from allauth.account import views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, path, resolve
from django.views.decorators.cache import never_cache

# Pages that somebody reads or writes on; others are reached by pressing something.
COME_BACK_TO = {"article", "thread", "write_comment", "reply"}


def from_here(view: Callable) -> Callable:
    """Asked for without `next`, by a link on a page of ours, it is that page. (In the link itself it would make every
    page longer.)"""

    @wraps(view)
    def wrapped(request: HttpRequest, *args, **kwargs) -> HttpResponse:
        try:
            page = urlsplit(request.headers.get("Referer", ""))
            comes_back = page.netloc == request.get_host() and resolve(page.path).url_name in COME_BACK_TO
        except (ValueError, Resolver404):
            comes_back = False
        if request.method != "GET" or "next" in request.GET or not comes_back:
            return view(request, *args, **kwargs)
        address = f"{page.path}?{page.query}" if page.query else page.path
        return redirect(f"{request.path}?{urlencode({'next': address})}")

    return never_cache(wrapped)


urlpatterns = [
    path("login/", from_here(views.login), name="account_login"),
    path("login/code/", from_here(views.request_login_code), name="account_request_login_code"),
    path("login/code/confirm/", views.confirm_login_code, name="account_confirm_login_code"),
    path("logout/", views.logout, name="account_logout"),
    path("inactive/", views.account_inactive, name="account_inactive"),
    path("signup/", from_here(views.signup), name="account_signup"),
    path("email/", views.email, name="account_email"),
    path("confirm-email/", views.email_verification_sent, name="account_email_verification_sent"),
]
