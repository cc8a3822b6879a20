"""Consent to mails: asked for, confirmed, ended."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import Article
from newsroom.mail import site_url
from newsroom.prepared import fetch_one
from newsroom.unasked import may_send_unasked
from readers.models import Reader
from subscriptions.models import Subscription
from subscriptions.tasks import announce, send_opt_in

OPT_INS_PER_ADDRESS = 3  # a day, over the whole site (B14)
_ANYBODY = """
    SELECT FROM subscriptions_subscription
    WHERE article_id = %s AND confirmed_at IS NOT NULL AND ended_at IS NULL LIMIT 1
"""
# What shows that, when and to what somebody agreed (A25).
PROOF = ["wording", "form_url", "asked_at", "opt_in_sent_at", "opt_in_message_id", "confirmed_at", "ended_at"]


def subscribe(*, article: Article, reader: Reader, kind: str, email: str, network: str) -> Subscription:
    """Notes the wish and owes the opt-in mail; active at once only where the reader proved the address before.
    `email` is canonical (newsroom.addresses).

    The caller answers the same whatever happens here: known, unknown and pending addresses look alike (C7).
    """
    # An article is followed by an address, replies to "my" comments by a reader at an address.
    whose = {"reader": reader} if kind == Subscription.Kind.REPLIES else {}
    with transaction.atomic():
        row, created = Subscription.objects.select_for_update().get_or_create(
            article=article, kind=kind, email=email, **whose, defaults={"reader": reader, **_consent(article, kind)}
        )
        if row.is_active:
            return row
        if not created and not row.is_pending:
            for name, value in (_consent(article, kind) | {"confirmed_at": None, "ended_at": None}).items():
                setattr(row, name, value)
            row.opt_in_sent_at = None
            row.reader = reader
        if reader.owns(email):
            row.confirmed_at = timezone.now()
        row.save()
        if (
            not row.is_active
            and row.opt_in_sent_at is None
            and may_send_unasked("opt-in", email, network, per_day=OPT_INS_PER_ADDRESS)
        ):
            row.opt_in_sent_at = timezone.now()
            row.save(update_fields=["opt_in_sent_at"])
            send_opt_in.defer(subscription_id=row.pk)
    return row


def tell_subscribers(*, article_id: int, comment_id: int, in_seconds: int = 0) -> None:
    """Owes the job that tells who is subscribed now, if anybody is. Call in the transaction that publishes.

    Who subscribes afterwards is told of later comments: most articles' comments cost no job at all.
    """
    if fetch_one(_ANYBODY, [article_id]) is not None:
        later = {"schedule_in": {"seconds": in_seconds}} if in_seconds else {}
        announce.configure(**later).defer(comment_id=comment_id)


def confirm(subscription: Subscription) -> bool:
    """The button behind the opt-in mail. True if it is active now; safe to call twice."""
    if subscription.is_pending:
        subscription.confirmed_at = timezone.now()
        subscription.save(update_fields=["confirmed_at"])
    return subscription.is_active


def end(subscription: Subscription) -> None:
    """No mail to this address about this article after this, as the link in the mail says; safe to call twice (B3)."""
    same = Subscription.objects.filter(article=subscription.article_id, email=subscription.email)
    same.filter(ended_at=None).update(ended_at=timezone.now())


def hand_over(source: Reader, target: Reader, *, email: str | None = None) -> None:
    """All subscriptions of `source`, or those of one address, become those of `target`. Call in a transaction.

    Where both had the same one, a consent that was given outlives one that was not. No row is deleted: the links of
    mails already sent go on working (B13).
    """
    theirs = {(row.article_id, row.kind, row.email): row for row in target.subscriptions.all()}
    for row in source.subscriptions.all() if email is None else source.subscriptions.filter(email=email):
        same = theirs.get((row.article_id, row.kind, row.email))
        if same is None:
            row.reader = target
            row.save(update_fields=["reader"])
        elif row.is_active and not same.is_active:
            for name in PROOF:
                setattr(same, name, getattr(row, name))
            same.save(update_fields=PROOF)


def _consent(article: Article, kind: str) -> dict:
    """What is agreed to, word for word, where, and when (A25)."""
    wish = Subscription.Kind(kind).label
    return {
        "wording": _("Benachrichtige mich bei %(kind)s: „%(headline)s“") % {"kind": wish, "headline": article.headline},
        "form_url": site_url(article.get_absolute_url()),
        "asked_at": timezone.now(),
    }
