"""Of allauth's addresses those an account without a password needs."""

from allauth.account import views
from django.urls import path

from readers.accounts import from_here

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
