"""Decisions about comments, and notices that ask for one."""

from django.db import transaction

from comments.models import Comment
from comments.services import publish, withdraw
from moderation.models import Decision, Notice
from moderation.tasks import send_notice_receipt
from newsroom.unasked import may_send_unasked
from readers.models import User

RECEIPTS_PER_DAY = 10  # to one address


def approve(comment: Comment, *, moderator: User) -> None:
    """Publishes a held comment, by the same step as any other."""
    with transaction.atomic():
        comment = Comment.objects.select_for_update().get(pk=comment.pk)
        if comment.is_held:
            publish(comment)
            Decision.objects.create(comment=comment, moderator=moderator, action=Decision.Action.APPROVE)


def remove(comment: Comment, *, moderator: User, reason: str) -> None:
    """Takes a comment out of sight for a stated reason; its replies stay."""
    with transaction.atomic():
        comment = Comment.objects.select_for_update().get(pk=comment.pk)
        if comment.is_held or comment.is_published:
            withdraw(comment, Comment.State.REMOVED)
            Decision.objects.create(comment=comment, moderator=moderator, action=Decision.Action.REMOVE, reason=reason)


def restore(comment: Comment, *, moderator: User) -> None:
    with transaction.atomic():
        comment = Comment.objects.select_for_update().get(pk=comment.pk)
        if comment.state == Comment.State.REMOVED:
            publish(comment)
            Decision.objects.create(comment=comment, moderator=moderator, action=Decision.Action.RESTORE)


def give_notice(notice: Notice, *, network: str) -> None:
    """Takes a reader's report; whoever left an address gets a receipt (A6), unless strangers flood that address."""
    with transaction.atomic():
        notice.save()
        if notice.email and may_send_unasked("receipt", notice.email, network, per_day=RECEIPTS_PER_DAY):
            send_notice_receipt.defer(notice_id=notice.pk)
