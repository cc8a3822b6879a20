"""Where allauth meets our readers: signing in makes the device's reader the account's, and mails go by the queue."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from newsroom.tasks import send_account_mail
from readers.device import current_reader, remember
from readers.models import User
from readers.services import sign_in


class AccountAdapter(DefaultAccountAdapter):
    def login(self, request: HttpRequest, user: User) -> None:
        device = current_reader(request)
        super().login(request, user)
        sign_in(user, device if device is not None and not device.is_account else None)
        remember(request, None)  # from here on the session says who this is

    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        context = {"SITE_NAME": settings.SITE_NAME, "SITE_URL": settings.SITE_URL, "email": email, **context}
        message = self.render_mail(template_prefix, email, context)
        send_account_mail.defer(to=email, subject=message.subject, body=message.body)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_email")
