"""The mails to subscribers, each a named function; their words stand in templates/subscriptions/mail."""

import hashlib
import re
import secrets
from dataclasses import dataclass
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

_SECRET = secrets.token_hex(16)  # of this process
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


@dataclass(frozen=True)
class Personal:
    """What differs in the mails about one comment from one recipient to the next."""

    email: str
    message_id: str
    answered_id: str  # of the mail about what the comment answers; the article's where it answers nothing
    end_url: str
    manage_url: str
    answer_address: str = ""
    bounce_address: str = ""

    @classmethod
    def of(cls, delivery: Delivery, *, answered: int | None) -> "Personal":
        """`answered` is the comment whose Message-ID the mail about the answered one bore, None without one."""
        replies = {}
        if domain := settings.REPLY_DOMAIN:
            replies["answer_address"] = f"{delivery.mail_token('antwort')}@{domain}"
            replies["bounce_address"] = f"{delivery.mail_token('rueck')}@{domain}"
        return cls(
            email=delivery.email,
            message_id=_message_id("comment", delivery.comment_id, delivery.email),
            answered_id=_message_id("comment", answered, delivery.email) if answered else "",
            end_url=site_url(reverse("end_subscription", args=[delivery.subscription.token("end")])),
            manage_url=site_url(reverse("manage_subscriptions", args=[Recipient(email=delivery.email).token])),
            **replies,
        )

    def placeholders(self) -> "Personal":
        """As many words, none of them anybody's: for a mail that is composed once for all. Nobody can guess them, or a
        comment that holds one would be sent with each reader's own link in its place."""
        domain = f"{_SECRET}.invalid"
        return Personal(
            email=f"an-wen@{domain}",
            message_id=f"<welche-nachricht@{domain}>",
            answered_id=self.answered_id and f"<worauf@{domain}>",
            end_url=f"https://{domain}/ende/",
            manage_url=f"https://{domain}/alle/",
            answer_address=self.answer_address and f"antwort@{domain}",
            bounce_address=self.bounce_address and f"zurueck@{domain}",
        )


def comment_mail(comment: Comment, *, kind: str, personal: Personal) -> EmailMultiAlternatives:
    """Tells of one new comment or reply, with the words it answers, in the active language (B1, B3, B6-B8, B10)."""
    headers = {"From": sender_named(comment.name)}
    if personal.answer_address:
        headers["Reply-To"] = formataddr((settings.SITE_NAME, personal.answer_address))
    return _mail(
        comment,
        personal,
        template="subscriptions/mail/comment",
        context={
            "answers_me": kind == Subscription.Kind.REPLIES,
            "DELIMITER": DELIMITER,
            **_shown(comment, personal.answer_address),
        },
        headers=headers,
    )


def digest_mail(head: Delivery, deliveries: list[Delivery]) -> EmailMultiAlternatives:
    """Tells of what was gathered on one article, the first comment first. `head` gives the mail its Message-ID."""
    personal = Personal.of(head, answered=None)
    entries = []
    for delivery in sorted(deliveries, key=lambda row: row.comment.number or 0):
        answers_me = delivery.subscription.kind == Subscription.Kind.REPLIES
        address = Personal.of(delivery, answered=None).answer_address
        entries.append({"answers_me": answers_me, **_shown(delivery.comment, address)})
    return _mail(
        head.comment,
        personal,
        template="subscriptions/mail/digest",
        context={"answers_me": entries[0]["answers_me"], "entries": entries, "count": len(entries)},
        headers={},
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
    url = site_url((delivery.comment if delivery.comment.is_published else article).get_absolute_url())
    return compose(
        to=delivery.email,
        subject=_("Kommentare zu „%s“") % article.headline,
        template=template,
        context={"article": article, "url": url, **context},
        headers=headers,
    )


def _mail(
    comment: Comment, personal: Personal, *, template: str, context: dict, headers: dict[str, str]
) -> EmailMultiAlternatives:
    """What a mail about one comment and a digest have in common."""
    article = comment.article
    root = _message_id("article", article.pk)
    message = compose(
        to=personal.email,
        # Constant per article, so that mail clients which go by subject thread it too (B7).
        subject=_("Kommentare zu „%s“") % article.headline,
        template=template,
        context={
            "article": article,
            "conversation_url": site_url(f"{article.get_absolute_url()}#kommentare"),
            "end_url": personal.end_url,
            "manage_url": personal.manage_url,
            **context,
        },
        headers={
            "From": settings.DEFAULT_FROM_EMAIL,
            "Message-ID": personal.message_id,
            "In-Reply-To": personal.answered_id or root,
            "References": " ".join(filter(None, [root, personal.answered_id])),
            "List-Id": _list_id(article),
            "List-Archive": f"<{site_url(article.get_absolute_url())}>",
            "List-Unsubscribe": f"<{personal.end_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            **headers,
        },
    )
    if personal.bounce_address:
        message.from_email = personal.bounce_address  # of the envelope: servers return there what they cannot deliver
    return message


def _shown(comment: Comment, answer_address: str) -> dict:
    """One comment, as the templates show it. What is written to `answer_address` becomes a reply to it (B17)."""
    return {
        "comment": comment,
        "parent": comment.parent if comment.parent and comment.parent.is_published else None,
        "comment_url": site_url(comment.get_absolute_url()),
        "answer_url": site_url(reverse("reply", args=[comment.pk])),
        "answer_address": answer_address,
    }


def _list_id(article: Article) -> str:
    """Constant, also when the headline changes (RFC 2919)."""
    return f"<artikel-{article.pk}.{mail_domain()}>"


def _message_id(event: str, pk: int, email: str = "") -> str:
    """The same event and recipient always give the same id: a mail sent twice after a crash is seen as one (B7)."""
    recipient = hashlib.sha256(email.lower().encode()).hexdigest()[:16] if email else "thread"
    return f"<{event}-{pk}.{recipient}@{mail_domain()}>"
