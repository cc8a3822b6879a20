"""Where allauth meets our readers: signing in makes the device's reader the account's, mails go by the queue, limits
keep no address, and the forms speak like the rest of the site."""

import hashlib
import hmac
from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode, urlsplit

from allauth.account import forms as allauth_forms
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache

from newsroom.addresses import NOT_COMPLETE, canonical_address
from newsroom.ratelimit import client_network
from newsroom.tasks import send_account_mail
from readers.device import current_reader, remember
from readers.models import User
from readers.services import sign_in

# Pages that somebody reads or writes on; others are reached by pressing something.
COME_BACK_TO = {"article", "thread", "write_comment", "reply"}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "incorrect_code": _("Dieser Code stimmt nicht. Bitte vergleichen Sie ihn noch einmal mit der Mail."),
        "too_many_login_attempts": _(
            "Das waren zu viele Versuche. Bitte fordern Sie in ein paar Minuten einen neuen Code an."
        ),
        "rate_limited": _("Das ging etwas schnell. Bitte warten Sie einen Moment und versuchen Sie es noch einmal."),
        "duplicate_email": _("Das ist schon die Adresse Ihres Kontos."),
        "email_taken": _("Zu dieser Adresse gibt es schon ein Konto. Ihre bisherige Adresse gilt weiter."),
    }

    def login(self, request: HttpRequest, user: User) -> None:
        device = current_reader(request)
        super().login(request, user)
        sign_in(user, device if device is not None and not device.is_account else None)
        remember(request, None)  # from here on the session says who this is

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The code was right. A reader who changed the address of their account writes from the new one at once."""
        confirmed = super().confirm_email(request, email_address)
        if confirmed and request.user.is_authenticated:
            sign_in(email_address.user, None)
        return confirmed

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        context = {"SITE_NAME": settings.SITE_NAME, "SITE_URL": settings.SITE_URL, "email": email, **context}
        message = self.render_mail(template_prefix, email, context)
        send_account_mail.defer(to=email, subject=message.subject, body=message.body)

    def send_account_already_exists_mail(self, email: str) -> None:
        """Without allauth's link for a new password: there are no passwords here."""
        self.send_mail("account/email/account_already_exists", email, {})

    def get_client_ip(self, request: HttpRequest) -> str:
        """What allauth's limits count by. It stands in the cache's keys, so it is an HMAC of the day (A22)."""
        day_key = f"{settings.SECRET_KEY}{timezone.now():%Y-%m-%d}".encode()
        return hmac.digest(day_key, f"account\x00{client_network(request)}".encode(), hashlib.sha256).hex()

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_email")


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


def is_canonical(address: str) -> None:
    """One mailbox, one spelling: otherwise each spelling has limits, and an account, of its own."""
    try:
        if canonical_address(address) == address.strip().lower():
            return
    except ValueError:
        pass
    raise ValidationError(NOT_COMPLETE, code="invalid")


class OurWords(forms.Form):
    """allauth's forms have an address or a code to ask for. (The browser's own bubbles would hide our sentences.)"""

    use_required_attribute = False
    email_label = _("E-Mail")
    is_alone = True  # on its page: whoever comes there begins to write

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.is_alone:
            next(iter(self.fields.values())).widget.attrs["autofocus"] = True
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            if isinstance(field, forms.EmailField):
                field.label = self.email_label
                field.validators.append(is_canonical)
                field.error_messages |= {
                    "required": _("Bitte nennen Sie Ihre E-Mail-Adresse."),
                    "invalid": NOT_COMPLETE,
                }
            else:
                field.error_messages |= {"required": _("Bitte geben Sie den Code aus der Mail ein.")}
                field.widget.attrs |= {"inputmode": "numeric"}


class LoginForm(OurWords, allauth_forms.LoginForm):
    pass


class SignupForm(OurWords, allauth_forms.SignupForm):
    pass


class RequestLoginCodeForm(OurWords, allauth_forms.RequestLoginCodeForm):
    pass


class ConfirmLoginCodeForm(OurWords, allauth_forms.ConfirmLoginCodeForm):
    pass


class ConfirmEmailVerificationCodeForm(OurWords, allauth_forms.ConfirmEmailVerificationCodeForm):
    pass


class AddEmailForm(OurWords, allauth_forms.AddEmailForm):
    email_label = _("Neue E-Mail-Adresse")
    is_alone = False
