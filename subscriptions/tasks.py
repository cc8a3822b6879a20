"""Jobs that tell people. Each takes an id, checks again that the mail is still wanted, and is safe to run twice."""

from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.exceptions import AlreadyEnqueued

from comments.models import Comment
from newsroom.mail import hand_over
from newsroom.models import Outbox
from newsroom.tasks import PATIENT
from subscriptions.mails import answer_held_mail, answer_refused_mail, manage_mail, opt_in_mail
from subscriptions.models import Consent, Delivery, Recipient, Subscription
from subscriptions.outbox import keep_alive, send_due

ROWS_AT_ONCE = 1000  # memory stays flat, however many are told


@app.task(retry=PATIENT)
def send_opt_in(subscription_id: int, with_comment: bool = False) -> None:
    """`with_comment`: only if anything of the reader's still stands there, or waits to."""
    subscription = Subscription.objects.select_related("article").filter(pk=subscription_id).first()
    if subscription is None or not subscription.is_pending:
        return
    if with_comment and not _has_written(subscription):
        Subscription.objects.filter(pk=subscription.pk).update(opt_in_sent_at=None)  # asked for again, it is owed again
        return
    message = opt_in_mail(subscription, Recipient.of(subscription.email))
    if hand_over(message):
        return  # no such mailbox: the wish ends by itself after 48 hours
    message_id = message.extra_headers["Message-ID"]
    Subscription.objects.filter(pk=subscription.pk).update(opt_in_message_id=message_id)
    subscription.consents.filter(event=Consent.Event.ASKED, at=subscription.asked_at).update(message_id=message_id)


def _has_written(subscription: Subscription) -> bool:
    there = [Comment.State.PUBLISHED, Comment.State.HELD]
    written = Comment.objects.filter(reader=subscription.reader_id, article=subscription.article_id)
    return written.filter(state__in=there).exists()


@app.task(retry=PATIENT)
def send_manage_link(email: str) -> None:
    """Only to who is subscribed; the page answers the same to all (C7)."""
    if Subscription.objects.filter(email=email).exists():
        hand_over(manage_mail(Recipient.of(email)))


@app.task(retry=PATIENT)
def send_answer_held(delivery_id: int, comment_id: int, answers: str) -> None:
    """To who replied by mail, where the page would have said it."""
    delivery = _delivery(delivery_id)
    comment = Comment.objects.filter(pk=comment_id, state=Comment.State.HELD).first()
    if delivery is not None and comment is not None:
        hand_over(answer_held_mail(delivery, comment, answers, Recipient.of(delivery.email)))


@app.task(retry=PATIENT)
def send_answer_refused(delivery_id: int, why: str, text: str, answers: str) -> None:
    """With what was written, which stands nowhere else."""
    delivery = _delivery(delivery_id)
    if delivery is not None:
        hand_over(answer_refused_mail(delivery, why, text, answers, Recipient.of(delivery.email)))


@app.task(retry=PATIENT)
def announce(comment_id: int) -> None:
    """Turns one published comment into one delivery for each address that wants to hear of it."""
    comment = Comment.objects.published().select_related("parent", "reader").filter(pk=comment_id).first()
    if comment is None:
        return
    now = timezone.now()
    doubtful = Outbox.now().set_aside_before
    told_before = doubtful is not None and comment.published_at < doubtful
    with transaction.atomic():
        told = Subscription.objects.told_about(comment).iterator(chunk_size=ROWS_AT_ONCE)
        while rows := list(islice(told, ROWS_AT_ONCE)):
            clocks = {row.email: row.clock for row in Recipient.objects.filter(email__in=[row.email for row in rows])}
            usual = Recipient().clock
            owed = []
            for row in rows:
                due_at = clocks.get(row.email, usual).due_at(row.rhythm, now)
                owed.append(
                    Delivery(
                        comment=comment,
                        subscription=row,
                        email=row.email,
                        due_at=due_at,
                        gathered=due_at > now,
                        state=Delivery.State.SET_ASIDE if told_before else Delivery.State.WAITING,
                    )
                )
            # A second run of this job finds the rows of the first: the constraint keeps it one mail an address.
            Delivery.objects.bulk_create(owed, ignore_conflicts=True)
        # Held again before it went out, and now approved: what was dropped is owed once more.
        dropped = Delivery.objects.filter(comment=comment, state=Delivery.State.DROPPED)
        for row in dropped.select_related("subscription"):
            row.due_at = Recipient.of(row.email).clock.due_at(row.subscription.rhythm, now)
            row.state, row.gathered, row.digest, row.attempts = Delivery.State.WAITING, row.due_at > now, None, 0
            row.save(update_fields=["state", "due_at", "gathered", "digest", "attempts"])
    wake()


@app.task(retry=PATIENT)
def hand_over_due(lane: int) -> None:
    """Sends what is due. Who is woken, and how often, does not matter: the rows say what is to be done."""
    if send_due():
        wake(lane)


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="look_for_due_mails")
def look_for_due_mails(timestamp: int) -> None:
    """For digests, for what is tried again, and for what a killed worker left behind."""
    if not keep_alive().is_paused and Delivery.objects.due(timezone.now()).exists():
        wake()


def _delivery(pk: int) -> Delivery | None:
    return Delivery.objects.select_related("comment__article", "subscription").filter(pk=pk).first()


def wake(*lanes: int) -> None:
    """So many jobs, so many connections to the mail server."""
    for lane in lanes or range(settings.MAIL_CONNECTIONS):
        try:
            with transaction.atomic():
                hand_over_due.configure(queueing_lock=f"hand_over_due {lane}").defer(lane=lane)
        except AlreadyEnqueued:
            pass
