"""The mails to subscribers, each a named function; their words stand in templates/subscriptions/mail."""

import hashlib
import re
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.translation import gettext as _

from articles.models import Article
from comments.models import Comment
from newsroom.answers import DELIMITER
from newsroom.mail import compose, mail_domain, sender_named, site_url
from subscriptions.models import Delivery, Recipient, Subscription

# Somebody else's, and to stand in a header of ours.
_MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,250}>")


def opt_in_mail(subscription: Subscription, recipient: Recipient) -> EmailMultiAlternatives:
    """Asks whether the address really wants this. No advertising in it (A26)."""
    with recipient.language_active():
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


def comment_mail(delivery: Delivery, recipient: Recipient) -> EmailMultiAlternatives:
    """Tells of one new comment or reply, with the words it answers (B1, B3, B6-B8, B10)."""
    comment = delivery.comment
    parent = comment.parent
    root = _message_id("article", comment.article_id)
    answered = [_message_id("comment", _told_with(delivery), delivery.email)] if parent else []
    with recipient.language_active():
        return _mail(
            delivery,
            recipient,
            template="subscriptions/mail/comment",
            context={**_shown(delivery), "DELIMITER": DELIMITER},
            headers={
                "From": sender_named(comment.name),
                "In-Reply-To": answered[0] if answered else root,
                "References": " ".join([root, *answered]),
                **_reply_to(delivery),
            },
        )


def digest_mail(head: Delivery, deliveries: list[Delivery], recipient: Recipient) -> EmailMultiAlternatives:
    """Tells of what was gathered on one article, the first comment first. `head` gives the mail its Message-ID."""
    root = _message_id("article", head.comment.article_id)
    with recipient.language_active():
        entries = [_shown(delivery) for delivery in sorted(deliveries, key=lambda row: row.comment.number or 0)]
        return _mail(
            head,
            recipient,
            template="subscriptions/mail/digest",
            context={"entries": entries, "count": len(entries)},
            headers={"In-Reply-To": root, "References": root},
        )


def manage_mail(recipient: Recipient) -> EmailMultiAlternatives:
    """The link to all subscriptions of an address, for whoever asked for it on the site."""
    with recipient.language_active():
        return compose(
            to=recipient.email,
            subject=_("Ihre Benachrichtigungen von %s") % settings.SITE_NAME,
            template="subscriptions/mail/manage",
            context={"url": site_url(reverse("manage_subscriptions", args=[recipient.token]))},
        )


def answer_held_mail(
    delivery: Delivery, comment: Comment, answers: str, recipient: Recipient
) -> EmailMultiAlternatives:
    """To who replied by mail: somebody will look at it first. `answers` is the Message-ID of the reply."""
    with recipient.language_active():
        return _to_answerer(delivery, answers, "subscriptions/mail/held", {"text": comment.body, "html": comment.html})


def answer_refused_mail(
    delivery: Delivery, why: str, text: str, answers: str, recipient: Recipient
) -> EmailMultiAlternatives:
    """To who replied by mail: nothing appeared, why, and what they wrote, so that nothing is lost."""
    with recipient.language_active():
        return _to_answerer(delivery, answers, "subscriptions/mail/refused", {"why": why, "text": text})


def _to_answerer(delivery: Delivery, answers: str, template: str, context: dict) -> EmailMultiAlternatives:
    article = delivery.comment.article
    told = [_message_id("article", article.pk), _message_id("comment", delivery.comment_id, delivery.email)]
    headers = {"References": " ".join(told)}
    if _MESSAGE_ID.fullmatch(answers):
        headers = {"In-Reply-To": answers, "References": " ".join([*told, answers])}
    url = site_url(delivery.comment.get_absolute_url())
    return compose(
        to=delivery.email,
        subject=_("Kommentare zu „%s“") % article.headline,
        template=template,
        context={"article": article, "url": url, **context},
        headers=headers,
    )


def _mail(
    delivery: Delivery, recipient: Recipient, *, template: str, context: dict, headers: dict[str, str]
) -> EmailMultiAlternatives:
    """What a mail about one comment and a digest have in common."""
    article, subscription = delivery.comment.article, delivery.subscription
    end_url = site_url(reverse("end_subscription", args=[subscription.token("end")]))
    message = compose(
        to=delivery.email,
        # Constant per article, so that mail clients which go by subject thread it too (B7).
        subject=_("Kommentare zu „%s“") % article.headline,
        template=template,
        context={
            "article": article,
            "article_url": site_url(article.get_absolute_url()),
            "answers_me": subscription.kind == Subscription.Kind.REPLIES,
            "end_url": end_url,
            "manage_url": site_url(reverse("manage_subscriptions", args=[recipient.token])),
            **context,
        },
        headers={
            "Message-ID": _message_id("comment", delivery.comment_id, delivery.email),
            "List-Id": _list_id(article),
            "List-Archive": f"<{site_url(article.get_absolute_url())}>",
            "List-Unsubscribe": f"<{end_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            **headers,
        },
    )
    if settings.REPLY_DOMAIN:
        message.from_email = (
            f"{delivery.mail_token('rueck')}@{settings.REPLY_DOMAIN}"  # the envelope's: bounces name it
        )
        message.extra_headers.setdefault("From", settings.DEFAULT_FROM_EMAIL)
    return message


def _shown(delivery: Delivery) -> dict:
    """One comment, as the templates show it."""
    comment = delivery.comment
    parent = comment.parent if comment.parent and comment.parent.is_published else None
    return {
        "comment": comment,
        "parent": parent,
        "answers_me": delivery.subscription.kind == Subscription.Kind.REPLIES,
        "comment_url": site_url(comment.get_absolute_url()),
        "answer_url": site_url(reverse("reply", args=[comment.pk])),
        "answer_address": _answer_address(delivery),
    }


def _reply_to(delivery: Delivery) -> dict[str, str]:
    address = _answer_address(delivery)
    return {"Reply-To": formataddr((settings.SITE_NAME, address))} if address else {}


def _answer_address(delivery: Delivery) -> str:
    """What is written to it becomes a reply to this comment, if it comes from the subscriber (B17)."""
    return f"{delivery.mail_token('antwort')}@{settings.REPLY_DOMAIN}" if settings.REPLY_DOMAIN else ""


def _told_with(delivery: Delivery) -> int:
    """The comment whose Message-ID the mail about the answered comment bore: its own, or the first of its digest."""
    parent_id = delivery.comment.parent_id
    told = Delivery.objects.filter(comment=parent_id, email=delivery.email, digest__isnull=False)
    return told.values_list("digest__comment", flat=True).first() or parent_id


def _list_id(article: Article) -> str:
    """Constant, also when the headline changes (RFC 2919)."""
    return f"<artikel-{article.pk}.{mail_domain()}>"


def _message_id(event: str, pk: int, email: str = "") -> str:
    """The same event and recipient always give the same id: a mail sent twice after a crash is seen as one (B7)."""
    recipient = hashlib.sha256(email.lower().encode()).hexdigest()[:16] if email else "thread"
    return f"<{event}-{pk}.{recipient}@{mail_domain()}>"
