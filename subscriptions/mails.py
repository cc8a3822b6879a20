"""The mails to subscribers, each a named function; their words stand in templates/subscriptions/mail."""

import hashlib

from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.translation import gettext as _

from newsroom.mail import compose, mail_domain, site_url
from subscriptions.models import Delivery, Subscription


def opt_in_mail(subscription: Subscription) -> EmailMultiAlternatives:
    """Asks whether the address really wants this. No advertising in it (A26)."""
    return compose(
        to=subscription.email,
        subject=_("Bitte bestätigen: Benachrichtigungen zu „%s“") % subscription.article.headline,
        template="subscriptions/mail/opt_in",
        context={
            "subscription": subscription,
            "article": subscription.article,
            "article_url": site_url(subscription.article.get_absolute_url()),
            "confirm_url": site_url(reverse("confirm_subscription", args=[subscription.token("confirm")])),
        },
    )


def new_comment_mail(delivery: Delivery) -> EmailMultiAlternatives:
    """Tells of one new comment or reply, with the words it answers (B1, B3, B6-B8, B10)."""
    comment, subscription = delivery.comment, delivery.subscription
    article = comment.article
    end_url = site_url(reverse("end_subscription", args=[subscription.token("end")]))
    answers_me = subscription.kind == Subscription.Kind.REPLIES
    thread = _message_id("article", article.pk)
    parents = [_message_id("comment", comment.parent_id, delivery.email)] if comment.parent_id else []
    return compose(
        to=delivery.email,
        # Constant per article, so that mail clients which go by subject thread it too (B7).
        subject=_("Kommentare zu „%s“") % article.headline,
        template="subscriptions/mail/new_comment",
        context={
            "comment": comment,
            "parent": comment.parent,
            "article": article,
            "answers_me": answers_me,
            "comment_url": site_url(comment.get_absolute_url()),
            "end_url": end_url,
        },
        headers={
            "Message-ID": _message_id("comment", comment.pk, delivery.email),
            "In-Reply-To": parents[0] if parents else thread,
            "References": " ".join([thread, *parents]),
            "List-Id": f"<artikel-{article.pk}.{mail_domain()}>",
            "List-Archive": f"<{site_url(article.get_absolute_url())}>",
            "List-Unsubscribe": f"<{end_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
    )


def _message_id(event: str, pk: int, email: str = "") -> str:
    """The same event and recipient always give the same id: a mail sent twice after a crash is seen as one (B7)."""
    recipient = hashlib.sha256(email.lower().encode()).hexdigest()[:16] if email else "thread"
    return f"<{event}-{pk}.{recipient}@{mail_domain()}>"
