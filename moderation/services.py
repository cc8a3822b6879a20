"""Decisions about comments, and notices that ask for one; and what the editors recommend. Each decision says whether it
was made: where another was faster, there is nothing left to decide."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import Counters
from comments.models import Comment
from comments.screening import held_by_program
from comments.services import publish, withdraw
from comments.versions import take_version
from moderation.models import Decision, Notice
from moderation.tasks import send_notice_receipt, send_outcome, send_pick_mail, send_statement, tell_on_duty
from newsroom.unasked import may_send_unasked
from readers.models import Reader, User

RECEIPTS_PER_DAY = 10  # to one address


class ChangedMeanwhileError(Exception):
    """The author changed the words after the moderator had read them."""


def approve(comment: Comment, *, moderator: User, as_seen: str | None = None, version: int | None = None) -> bool:
    """Publishes a held comment, by the same step as any other: with its own words, or with a `version` that waits
    beside them, by its OtherDevice's id. `as_seen`, here and below, is the fingerprint of the words that the moderator
    read; None where nobody read any. Raises ChangedMeanwhileError."""
    with transaction.atomic():
        comment = _lock(comment, as_seen)
        if not comment.is_held:
            return False
        which = _choose(comment, version)
        publish(comment)
        _decide(comment, moderator, Decision.Action.APPROVE, reason=which)
    return True


def remove(
    comment: Comment,
    *,
    moderator: User,
    reason: str,
    is_spam: bool = False,
    if_state: Comment.State | None = None,
    because_of: Notice | None = None,
) -> bool:
    """Takes a comment out of sight for a stated reason; its replies stay. Whoever reported it is told, and its author,
    unless it `is_spam`: bulk advertising, whose addresses are strangers' (DSA Art. 17(2)).

    With `if_state` only where it still is what the moderator saw, with `because_of` only where that notice is still
    open: decided meanwhile is decided.
    """
    with transaction.atomic():
        comment = Comment.objects.lock(comment.pk)
        if if_state is not None and comment.state != if_state:
            return False
        notices = list(comment.notices.filter(state=Notice.State.OPEN).order_by("pk"))
        if because_of is not None and because_of not in notices:
            return False
        if not (comment.is_held or comment.is_published):
            return False
        occasion = _occasion(comment, notices)
        withdraw(comment, Comment.State.REMOVED)
        decision = _decide(comment, moderator, Decision.Action.REMOVE, reason=reason, occasion=occasion)
        if not is_spam:
            send_statement.defer(decision_id=decision.pk)
        _settle(notices, decision)
    return True


def restore(comment: Comment, *, moderator: User, as_seen: str | None = None, version: int | None = None) -> bool:
    """Puts a removed comment back in its place, with its own words or a `version` of it, as approve() does; and tells
    whoever was told that it is gone. Raises ChangedMeanwhileError."""
    with transaction.atomic():
        comment = _lock(comment, as_seen)
        if comment.state != Comment.State.REMOVED:
            return False
        which = _choose(comment, version)
        notices = list(comment.notices.filter(decision__action=Decision.Action.REMOVE).order_by("pk"))
        publish(comment)
        decision = _decide(comment, moderator, Decision.Action.RESTORE, reason=which)
        send_statement.defer(decision_id=decision.pk)
        _settle(notices, decision)
    return True


def pick(comment: Comment, *, moderator: User, as_seen: str | None = None) -> bool:
    """Recommends a comment to the readers, and tells its author; telling them makes the next ones better (Wang and
    Diakopoulos 2022)."""
    with transaction.atomic():
        comment = _lock(comment, as_seen)
        if not comment.is_published or comment.picked_at is not None:
            return False
        _set_picked(comment, timezone.now(), moderator, Decision.Action.PICK)
        send_pick_mail.defer(comment_id=comment.pk)
    return True


def unpick(comment: Comment, *, moderator: User) -> bool:
    with transaction.atomic():
        comment = Comment.objects.lock(comment.pk)
        if comment.picked_at is None:
            return False
        _set_picked(comment, None, moderator, Decision.Action.UNPICK)
    return True


def dismiss(notice: Notice, *, moderator: User) -> bool:
    """The comment is not removed, and whoever reported it is told. Not while it is held: that is decided first."""
    with transaction.atomic():
        # Whoever removes it because of this notice waits, or has decided.
        comment = Comment.objects.lock(notice.comment_id)
        notices = list(Notice.objects.filter(pk=notice.pk, state=Notice.State.OPEN))
        if comment.is_held or not notices:
            return False
        _settle(notices, _decide(comment, moderator, Decision.Action.DISMISS))
    return True


def give_notice(notice: Notice, *, network: str) -> None:
    """Takes a reader's report; whoever left an address gets a receipt (A6), unless strangers flood that address."""
    with transaction.atomic():
        if notice.reader is not None:
            notice.reader = Reader.objects.lock(notice.reader)
        Comment.objects.lock(notice.comment_id)  # who decides about it meanwhile sees this notice, or comes before it
        notice.save()
        if notice.email and may_send_unasked("receipt", notice.email, network, per_day=RECEIPTS_PER_DAY):
            send_notice_receipt.defer(notice_id=notice.pk)
        tell_on_duty(notice_id=notice.pk)


def _lock(comment: Comment, as_seen: str | None) -> Comment:
    locked = Comment.objects.lock(comment.pk)
    if as_seen is not None and locked.fingerprint != as_seen:
        raise ChangedMeanwhileError
    return locked


def _choose(comment: Comment, version: int | None) -> str:
    """Gives the comment the words that are to be published; returns what the decision says of them."""
    if version is None:
        return ""
    for device in comment.waiting_beside:
        if device.pk == version:
            take_version(comment, device)
            return _("Die andere Fassung")
    raise ChangedMeanwhileError


def _decide(comment: Comment, moderator: User, action: Decision.Action, **details: str) -> Decision:
    return Decision.objects.create(comment=comment, moderator=moderator, action=action, **details)


def _set_picked(comment: Comment, moment: datetime | None, moderator: User, action: Decision.Action) -> None:
    comment.picked_at = moment
    comment.save(update_fields=["picked_at"])
    Counters.objects.touch(comment.article_id)
    _decide(comment, moderator, action)


def _occasion(comment: Comment, notices: list[Notice]) -> Decision.Occasion:
    if notices:
        return Decision.Occasion.NOTICE
    if comment.is_held:
        because = [*comment.held_because, *(reason for one in comment.waiting_beside for reason in one.version_because)]
        return Decision.Occasion.PROGRAM if held_by_program(because) else Decision.Occasion.REVIEW
    return Decision.Occasion.STAFF


def _settle(notices: list[Notice], decision: Decision) -> None:
    """These notices are answered by this decision. Who sent several about one comment gets one mail."""
    Notice.objects.filter(pk__in=[notice.pk for notice in notices]).update(
        state=Notice.State.DECIDED, decision=decision
    )
    first_of = {notice.email: notice for notice in reversed(notices) if notice.email}
    for notice in first_of.values():
        send_outcome.defer(notice_id=notice.pk, decision_id=decision.pk)
