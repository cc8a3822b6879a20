"""From a claimed row to the mail it owes: a comment's, composed once for all its recipients, or a digest."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import NamedTuple

from django.core.mail import EmailMessage
from django.utils import translation

from articles.models import texts_of
from comments.models import Comment
from newsroom.circular import Circular
from newsroom.pages.memory import Memory
from subscriptions.mails import Personal, comment_mail, digest_mail
from subscriptions.models import Delivery, Subscription

# Takes the row that is due longest, locked, with everything that is asked again at the moment of sending (E19). The
# versions change with any change of the comment, of what it answers, and of the article.
CLAIM = """
    WITH claimed AS MATERIALIZED (
        SELECT * FROM subscriptions_delivery due WHERE state = 'waiting' AND digest_id IS NULL AND due_at <= %s
            -- Of what one mail will hold only the first: two workers would make two mails of it.
            AND NOT (gathered AND attempts = 0 AND EXISTS (
                SELECT FROM subscriptions_delivery first
                WHERE first.email = due.email AND first.state = 'waiting' AND first.digest_id IS NULL
                    AND first.gathered AND first.attempts = 0
                    AND (first.due_at, first.id) < (due.due_at, due.id)
                    AND (SELECT article_id FROM comments_comment WHERE id = first.comment_id)
                        = (SELECT article_id FROM comments_comment WHERE id = due.comment_id)
            ))
        ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    SELECT claimed.id, claimed.gathered, claimed.attempts, claimed.email, claimed.comment_id, claimed.subscription_id,
        subscription.kind, subscription.confirmed_at IS NOT NULL AND subscription.ended_at IS NULL,
        COALESCE(recipient.language, ''),
        EXISTS (SELECT FROM newsroom_suppression WHERE email = claimed.email AND lifted_at IS NULL),
        COALESCE(head.comment_id, told.comment_id, before_head.comment_id, before.comment_id, comment.parent_id),
        concat_ws(' ', comment.xmin::text, parent.xmin::text, article.xmin::text)
    FROM claimed
    JOIN subscriptions_subscription subscription ON subscription.id = claimed.subscription_id
    JOIN comments_comment comment ON comment.id = claimed.comment_id
    JOIN articles_article article ON article.id = comment.article_id
    LEFT JOIN comments_comment parent ON parent.id = comment.parent_id
    LEFT JOIN subscriptions_delivery told ON told.comment_id = comment.parent_id AND told.email = claimed.email
    LEFT JOIN subscriptions_delivery head ON head.id = told.digest_id
    -- Nobody is told of their own comment: an answer to it hangs below what that one answered.
    LEFT JOIN subscriptions_delivery before
        ON told.id IS NULL AND before.comment_id = parent.parent_id AND before.email = claimed.email
    LEFT JOIN subscriptions_delivery before_head ON before_head.id = before.digest_id
    LEFT JOIN subscriptions_recipient recipient ON recipient.email = claimed.email
"""


class Claimed(NamedTuple):
    """A row of CLAIM."""

    pk: int
    gathered: bool
    attempts: int
    email: str
    comment_id: int
    subscription_id: int
    kind: str
    is_active: bool
    language: str
    suppressed: bool
    answered: int | None  # the comment whose Message-ID the mail about the answered one bore
    versions: str


@dataclass(frozen=True)
class Letter:
    """One mail: the rows it stands for, those of them that are still wanted, and how to compose it."""

    rows: list[int]
    wanted: list[int]
    compose: Callable[[], EmailMessage]


def letter(claimed: Claimed) -> Letter:
    if claimed.gathered:
        told = Delivery.objects.select_related("comment__article", "comment__parent", "subscription")
        told = told.defer(*texts_of("comment__article"))
        head = told.get(pk=claimed.pk)
        rows = [head, *told.filter(digest=head, state=Delivery.State.WAITING).order_by("pk")]
        wanted = [row for row in rows if row.is_wanted]
        if len(rows) > 1:
            return Letter([row.pk for row in rows], [row.pk for row in wanted], lambda: digest_mail(head, wanted))
    comment = _comment(claimed)
    is_wanted = claimed.is_active and comment.is_published and comment.article.is_public
    return Letter([claimed.pk], [claimed.pk] if is_wanted else [], lambda: _comment_mail(claimed, comment))


# --- the same mail to many -------------------------------------------------------------------------------------------

_comments: Memory[Comment] = Memory(1_000_000)
_circulars: Memory[Circular] = Memory(2_000_000)


def _comment(claimed: Claimed) -> Comment:
    """With its article and what it answers, asked of the database once for all its recipients."""
    comment = _comments.get(claimed.comment_id, claimed.versions)
    if comment is None:
        comment = Comment.objects.with_article().get(pk=claimed.comment_id)
        _comments.put(claimed.comment_id, claimed.versions, comment, size=20_000 + len(comment.html))
    return comment


def _comment_mail(claimed: Claimed, comment: Comment) -> EmailMessage:
    subscription = Subscription(pk=claimed.subscription_id, email=claimed.email)
    delivery = Delivery(pk=claimed.pk, comment_id=claimed.comment_id, subscription=subscription, email=claimed.email)
    personal = Personal.of(delivery, answered=claimed.answered)
    key = (claimed.comment_id, claimed.kind, translation.get_language(), bool(personal.answered_id))
    places = personal.placeholders()
    circular = _circulars.get(key, claimed.versions)
    if circular is None:
        model = comment_mail(comment, kind=claimed.kind, personal=places)
        circular = Circular(model, [getattr(places, field.name) for field in fields(places)])
        _circulars.put(key, claimed.versions, circular, size=circular.size)
    if not circular.is_faithful:
        return comment_mail(comment, kind=claimed.kind, personal=personal)
    pairs = {getattr(places, field.name): getattr(personal, field.name) for field in fields(places)}
    return circular.to({placeholder: word for placeholder, word in pairs.items() if placeholder})
