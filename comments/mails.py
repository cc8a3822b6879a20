"""The mails about one's own comment."""

from datetime import date, timedelta

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from comments.models import Comment
from newsroom.mail import compose, site_url
from newsroom.tokens import make_token, token_matches


def comment_token(comment: Comment) -> str:
    return make_token("confirm comment", comment.pk, comment.email)


def comment_token_fits(comment: Comment, token: str) -> bool:
    return token_matches(token, "confirm comment", comment.pk, comment.email)


def owner_token(comment: Comment, made_on: date | None = None) -> str:
    return make_token("own comment", comment.pk, comment.email, str(made_on or timezone.localdate()))


def owner_token_fits(comment: Comment, token: str) -> bool:
    """For the day it was made and the two after it (B13)."""
    days = [timezone.localdate() - timedelta(days=ago) for ago in range(3)]
    return bool(comment.email) and any(constant_time_compare(token, owner_token(comment, day)) for day in days)


def owner_mail(comment: Comment) -> EmailMultiAlternatives:
    return compose(
        to=comment.email,
        subject=_("Ihr Kommentar zu „%s“") % comment.article.headline,
        template="comments/mail/owner",
        context={
            "comment": comment,
            "article": comment.article,
            "own_url": site_url(reverse("take_over_comment", args=[owner_token(comment)])),
        },
    )


def confirm_comment_mail(comment: Comment) -> EmailMultiAlternatives:
    return compose(
        to=comment.email,
        subject=_("Bitte bestätigen: Ihr Kommentar zu „%s“") % comment.article.headline,
        template="comments/mail/confirm",
        context={
            "comment": comment,
            "article": comment.article,
            "confirm_url": site_url(reverse("confirm_comment", args=[comment_token(comment)])),
        },
    )
