"""Decisions about comments, and notices that ask for one; and what the editors recommend."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from articles.models import Counters
from comments.models import Comment
from comments.services import publish, withdraw
from moderation.models import Decision, Notice
from moderation.tasks import send_notice_receipt, send_outcome, send_pick_mail, send_statement, tell_on_duty
from newsroom.unasked import may_send_unasked
from readers.models import User

RECEIPTS_PER_DAY = 10  # to one address


class ChangedMeanwhileError(Exception):
    """The author changed the words after the moderator had read them."""


def approve(comment: Comment, *, moderator: User, as_seen: str | None = None) -> None:
    """Publishes a held comment, by the same step as any other. `as_seen`, here and below, is the fingerprint of the
    words that the moderator read; None where nobody read any. Raises ChangedMeanwhileError."""
    with transaction.atomic():
        comment = _lock(comment, as_seen)
        if comment.is_held:
            publish(comment)
            Decision.objects.create(comment=comment, moderator=moderator, action=Decision.Action.APPROVE)


def remove(
    comment: Comment,
    *,
    moderator: User,
    reason: str,
    if_state: Comment.State | None = None,
    because_of: Notice | None = None,
) -> None:
    """Takes a comment out of sight for a stated reason, and tells its author and whoever reported it; its replies stay.
    With `if_state` only where it still is what the moderator saw, with `because_of` only where that notice is still
    open: decided meanwhile is decided."""
    with transaction.atomic():
        comment = Comment.objects.lock(comment.pk)
        if if_state is not None and comment.state != if_state:
            return
        if because_of is not None and not comment.notices.filter(pk=because_of.pk, state=Notice.State.OPEN).exists():
            return
        if comment.is_held or comment.is_published:
            open_notices = list(comment.notices.filter(state=Notice.State.OPEN).order_by("pk"))
            decision = Decision(comment=comment, moderator=moderator, action=Decision.Action.REMOVE, reason=reason)
            decision.notice = because_of or next(iter(open_notices), None)
            decision.was_held = comment.is_held
            withdraw(comment, Comment.State.REMOVED)
            decision.save()
            send_statement.defer(decision_id=decision.pk)
            for notice in open_notices:
                _settle(notice, decision)


def restore(comment: Comment, *, moderator: User) -> None:
    with transaction.atomic():
        comment = Comment.objects.lock(comment.pk)
        if comment.state == Comment.State.REMOVED:
            publish(comment)
            Decision.objects.create(comment=comment, moderator=moderator, action=Decision.Action.RESTORE)


def pick(comment: Comment, *, moderator: User, as_seen: str | None = None) -> None:
    """Recommends a comment to the readers, and tells its author; telling them makes the next ones better (Wang and
    Diakopoulos 2022)."""
    with transaction.atomic():
        comment = _lock(comment, as_seen)
        if comment.is_published and comment.picked_at is None:
            _set_picked(comment, timezone.now(), moderator, Decision.Action.PICK)
            send_pick_mail.defer(comment_id=comment.pk)


def unpick(comment: Comment, *, moderator: User) -> None:
    with transaction.atomic():
        comment = Comment.objects.lock(comment.pk)
        if comment.picked_at is not None:
            _set_picked(comment, None, moderator, Decision.Action.UNPICK)


def _lock(comment: Comment, as_seen: str | None) -> Comment:
    locked = Comment.objects.lock(comment.pk)
    if as_seen is not None and locked.fingerprint != as_seen:
        raise ChangedMeanwhileError
    return locked


def _set_picked(comment: Comment, moment: datetime | None, moderator: User, action: str) -> None:
    comment.picked_at = moment
    comment.save(update_fields=["picked_at"])
    Counters.objects.touch(comment.article_id)
    Decision.objects.create(comment=comment, moderator=moderator, action=action)


def dismiss(notice: Notice, *, moderator: User) -> None:
    """The comment stays, and whoever reported it is told; safe to call twice."""
    with transaction.atomic():
        Comment.objects.lock(notice.comment_id)  # whoever removes it because of this notice waits, or has decided
        if Notice.objects.filter(pk=notice.pk, state=Notice.State.OPEN).exists():
            decision = Decision(comment=notice.comment, moderator=moderator, action=Decision.Action.DISMISS)
            decision.notice = notice
            decision.save()
            _settle(notice, decision)


def _settle(notice: Notice, decision: Decision) -> None:
    Notice.objects.filter(pk=notice.pk).update(state=Notice.State.DECIDED)
    if notice.email:
        send_outcome.defer(notice_id=notice.pk, decision_id=decision.pk)


def give_notice(notice: Notice, *, network: str) -> None:
    """Takes a reader's report; whoever left an address gets a receipt (A6), unless strangers flood that address."""
    with transaction.atomic():
        notice.save()
        if notice.email and may_send_unasked("receipt", notice.email, network, per_day=RECEIPTS_PER_DAY):
            send_notice_receipt.defer(notice_id=notice.pk)
        tell_on_duty(notice_id=notice.pk)
