"""The mails about one's own comment."""

from datetime import date, timedelta

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from comments.models import Comment
from newsroom.mail import compose, site_url
from newsroom.tokens import make_token, token_matches


def comment_token(comment: Comment) -> str:
    return make_token("confirm comment", comment.pk, comment.email)


def comment_token_fits(comment: Comment, token: str) -> bool:
    return token_matches(token, "confirm comment", comment.pk, comment.email)


def owner_token(comment: Comment, made_on: date | None = None) -> str:
    """Whose it is belongs to it, and since when their address is proved: once a device has taken the comment over, no
    other one can with the same link, even if the first has taken it back meanwhile."""
    return make_token("own comment", comment.pk, *_whose(comment), str(made_on or timezone.localdate()))


def owner_token_fits(comment: Comment, token: str) -> bool:
    """For the day it was made and the two after it (B13)."""
    days = [str(timezone.localdate() - timedelta(days=ago)) for ago in range(3)]
    fits = [token_matches(token, "own comment", comment.pk, *_whose(comment), day) for day in days]
    return bool(comment.email) and any(fits)


def _whose(comment: Comment) -> tuple[str, str, str]:
    return comment.email, str(comment.reader_id), str(comment.reader.email_confirmed_at)


def owner_mail(comment: Comment) -> EmailMultiAlternatives:
    subject = _("Ihr Kommentar zu „%s“") % comment.article.headline
    return _to_author(comment, subject, "owner", reverse("take_over_comment", args=[owner_token(comment)]))


def confirm_comment_mail(comment: Comment) -> EmailMultiAlternatives:
    subject = _("Bitte bestätigen: Ihr Kommentar zu „%s“") % comment.article.headline
    return _to_author(comment, subject, "confirm", reverse("confirm_comment", args=[comment_token(comment)]))


def _to_author(comment: Comment, subject: str, template: str, link: str) -> EmailMultiAlternatives:
    """A mail about one comment, with one link."""
    context = {"comment": comment, "article": comment.article, "url": site_url(link)}
    return compose(to=comment.email, subject=subject, template=f"comments/mail/{template}", context=context)
