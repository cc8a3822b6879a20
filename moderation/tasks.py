from collections.abc import Callable
from datetime import timedelta

from django.core.mail import EmailMessage
from django.db import transaction
from procrastinate.contrib.django import app

from comments.models import Comment
from moderation.mails import (
    held_comment_mail,
    notice_mail,
    notice_receipt_mail,
    outcome_mail,
    pick_mail,
    statement_mail,
)
from moderation.models import Decision, Notice, OnDuty
from newsroom.addresses import limit_key
from newsroom.mail import hand_over
from newsroom.ratelimit import count_up
from newsroom.tasks import PATIENT
from readers.models import User
from subscriptions.models import Subscription

MAILS_PER_HOUR = 30  # to one editor
OUTCOMES_PER_DAY, STATEMENTS_PER_DAY = 20, 3  # to an address that nobody has proved


@app.task(retry=PATIENT)
def send_notice_receipt(notice_id: int) -> None:
    notice = Notice.objects.select_related("comment__article").filter(pk=notice_id).first()
    if notice is not None and notice.email:
        hand_over(notice_receipt_mail(notice))


def tell_on_duty(*, comment_id: int | None = None, notice_id: int | None = None) -> None:
    """Owes every editor on duty a mail about a held comment or a report. Call in the transaction that made it."""
    for editor_id in OnDuty.objects.able().values_list("user", flat=True):
        if notice_id is not None:
            send_notice.defer(notice_id=notice_id, editor_id=editor_id)
        else:
            send_held_comment.defer(comment_id=comment_id, editor_id=editor_id)


@app.task(retry=PATIENT)
def send_held_comment(comment_id: int, editor_id: int) -> None:
    comment = Comment.objects.held().select_related("article", "parent").filter(pk=comment_id).first()
    on_duty = OnDuty.objects.able().filter(user=editor_id).first()
    if comment is not None and on_duty is not None:
        _send_within_limit(on_duty.user, lambda is_last: held_comment_mail(comment, on_duty.user, is_last=is_last))


@app.task(retry=PATIENT)
def send_notice(notice_id: int, editor_id: int) -> None:
    notice = Notice.objects.select_related("comment__article").filter(pk=notice_id, state=Notice.State.OPEN).first()
    on_duty = OnDuty.objects.able().filter(user=editor_id).first()
    if notice is not None and on_duty is not None:
        _send_within_limit(on_duty.user, lambda is_last: notice_mail(notice, on_duty.user, is_last=is_last))


def _send_within_limit(editor: User, compose: Callable[[bool], EmailMessage]) -> None:
    """Whoever floods us does not flood the editor; the last mail of an hour says that it is the last."""
    with transaction.atomic():  # what the mail server did not take is not counted
        count = count_up("mail on duty", f"editor {editor.pk}", window=timedelta(hours=1))
        if count <= MAILS_PER_HOUR:
            hand_over(compose(count == MAILS_PER_HOUR))


@app.task(retry=PATIENT)
def send_outcome(notice_id: int, decision_id: int) -> None:
    """To whoever reported a comment: what was decided (DSA Art. 16(5)), if that still counts. Nobody proved it."""
    notices = Notice.objects.select_related("comment__article", "decision").filter(decision=decision_id)
    notice = notices.filter(pk=notice_id).first()
    if notice is not None and notice.email:
        _send_few("outcome", notice.email, OUTCOMES_PER_DAY, lambda: outcome_mail(notice))


@app.task(retry=PATIENT)
def send_statement(decision_id: int) -> None:
    """To an author: why their comment was removed (DSA Art. 17), or that it is back. The address may be a stranger's,
    typed into the form: it gets few of them, and none of the words."""
    counted = Decision.objects.filter(action__in=[Decision.Action.REMOVE, Decision.Action.RESTORE])
    decision = counted.select_related("comment__article", "comment__reader").filter(pk=decision_id).first()
    if decision is None or counted.filter(comment=decision.comment_id, pk__gt=decision.pk).exists():
        return
    reader = decision.comment.reader
    if reader.email_confirmed_at is not None:
        hand_over(statement_mail(decision, reader.email, proved=True))
    elif email := decision.comment.email:
        _send_few("statement", email, STATEMENTS_PER_DAY, lambda: statement_mail(decision, email, proved=False))


def _send_few(kind: str, email: str, most: int, compose: Callable[[], EmailMessage]) -> None:
    with transaction.atomic():  # what the mail server did not take is not counted
        if count_up(f"{kind} mail", f"address {limit_key(email)}", window=timedelta(days=1)) <= most:
            hand_over(compose())


@app.task(retry=PATIENT)
def send_pick_mail(comment_id: int) -> None:
    """To an author whose address is proved, or who confirmed there that answers may be mailed: a stranger's, typed into
    the form, gets no praise it did not earn."""
    picked = Comment.objects.published().filter(picked_at__isnull=False).select_related("article", "reader")
    comment = picked.filter(pk=comment_id).first()
    if comment is None:
        return
    answers = Subscription.objects.active().filter(kind=Subscription.Kind.REPLIES, reader=comment.reader)
    if comment.reader.email_confirmed_at is not None:
        hand_over(pick_mail(comment, comment.reader.email))
    elif comment.email and answers.filter(email=comment.email).exists():
        hand_over(pick_mail(comment, comment.email))
