"""Jobs that tell people. Each takes an id, checks again that the mail is still wanted, and is safe to run twice."""

from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django import app

from comments.models import Comment
from newsroom.mail import hand_over
from newsroom.tasks import PATIENT
from subscriptions.mails import new_comment_mail, opt_in_mail
from subscriptions.models import Delivery, Subscription


@app.task(retry=PATIENT)
def send_opt_in(subscription_id: int) -> None:
    subscription = Subscription.objects.select_related("article").filter(pk=subscription_id).first()
    if subscription is None or not subscription.is_pending:
        return
    message = opt_in_mail(subscription)
    if hand_over(message):
        return  # no such mailbox: the wish ends by itself after 48 hours
    Subscription.objects.filter(pk=subscription.pk).update(opt_in_message_id=message.extra_headers["Message-ID"])


@app.task(retry=PATIENT)
def announce(comment_id: int) -> None:
    """Turns one published comment into one delivery for each address that wants to hear of it."""
    comment = Comment.objects.published().select_related("parent", "reader").filter(pk=comment_id).first()
    if comment is None:
        return
    with transaction.atomic():
        told = Subscription.objects.told_about(comment)
        rows = [Delivery(comment=comment, subscription=row, email=row.email) for row in told]
        # A second run of this job finds the rows of the first: the constraint keeps it one mail an address.
        Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
        owed = Delivery.objects.filter(comment=comment)
        # Held again before it went out, and now approved: what was dropped is owed once more.
        owed.filter(state=Delivery.State.DROPPED).update(state=Delivery.State.WAITING)
        waiting = list(owed.filter(state=Delivery.State.WAITING).values_list("pk", flat=True))
    # Only now: a worker's jobs are deferred over its own connection and may run before this transaction's rows are
    # there. Killed in between, this job is stalled, runs again and finds the rows waiting.
    if waiting:
        deliver.batch_defer(*({"delivery_id": pk} for pk in waiting))


@app.task(retry=PATIENT)
def deliver(delivery_id: int) -> None:
    """Sends one mail, if comment, subscription and consent still stand (E19)."""
    with transaction.atomic():
        # The row's lock keeps a second worker away while the mail server is answering.
        delivery = (
            Delivery.objects.select_for_update(of=("self",), skip_locked=True)
            .select_related("comment__article", "comment__parent", "subscription")
            .filter(pk=delivery_id, state=Delivery.State.WAITING)
            .first()
        )
        if delivery is None:
            return
        if delivery.comment.is_published and delivery.comment.article.is_public and delivery.subscription.is_active:
            delivery.error = hand_over(new_comment_mail(delivery))
            if delivery.error:
                delivery.state = Delivery.State.FAILED
            else:
                delivery.state, delivery.sent_at = Delivery.State.SENT, timezone.now()
        else:
            delivery.state = Delivery.State.DROPPED
        delivery.save(update_fields=["state", "sent_at", "error"])
