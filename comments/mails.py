"""The mails about one's own comment."""

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.translation import gettext as _

from comments.models import Comment
from newsroom.mail import compose, site_url
from newsroom.tokens import make_token, token_matches


def comment_token(comment: Comment) -> str:
    return make_token("confirm comment", comment.pk, comment.reader.email.lower())


def comment_token_fits(comment: Comment, token: str) -> bool:
    return token_matches(token, "confirm comment", comment.pk, comment.reader.email.lower())


def confirm_comment_mail(comment: Comment) -> EmailMultiAlternatives:
    return compose(
        to=comment.reader.email,
        subject=_("Bitte bestätigen: Ihr Kommentar zu „%s“") % comment.article.headline,
        template="comments/mail/confirm",
        context={
            "comment": comment,
            "article": comment.article,
            "confirm_url": site_url(reverse("confirm_comment", args=[comment_token(comment)])),
        },
    )
