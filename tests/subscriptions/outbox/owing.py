"""What is owed to subscribers, and how time passes for it."""

import logging
from datetime import timedelta

from django.db.models import F

from articles.models import Article
from comments.models import Comment
from newsroom.models import Outbox
from subscriptions.models import Delivery, Subscription
from subscriptions.tasks import announce
from tests import factories

WAITING, SENT, DROPPED, SUPPRESSED, FAILED, SET_ASIDE = (
    Delivery.State.WAITING,
    Delivery.State.SENT,
    Delivery.State.DROPPED,
    Delivery.State.SUPPRESSED,
    Delivery.State.FAILED,
    Delivery.State.SET_ASIDE,
)
UNKNOWN = "550 5.1.1 Diesen Empfaenger gibt es nicht"


def address(name: str) -> str:
    return f"{name}@example.org"


def addresses(names: str) -> list[str]:
    return [address(name) for name in names.split()]


def owe(article: Article, names: str, **fields) -> Comment:
    """A comment, and a mail about it to each of these subscribers, due in this (alphabetical) order."""
    for name in names.split():
        if not Subscription.objects.filter(article=article, email=address(name)).exists():
            factories.subscription(article, address(name))
    comment = factories.comment(article, **fields)
    announce(comment_id=comment.pk)
    return comment


def states(**which) -> dict[str, str]:
    return {row.email.partition("@")[0]: row.state for row in Delivery.objects.filter(**which)}


def later(**by: float) -> None:
    """Time passes, for what waits and for a pause."""
    past = timedelta(**by)
    Delivery.objects.update(due_at=F("due_at") - past)
    Outbox.objects.update(paused_until=F("paused_until") - past)


def critical(caplog) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.CRITICAL]
