from django.db import transaction
from procrastinate.contrib.django import app

from comments.mails import confirm_comment_mail, owner_mail
from comments.models import Comment
from newsroom.mail import hand_over
from newsroom.tasks import PATIENT

TAKEN_BACK_KEPT = {"minutes": 15}


@app.task(retry=PATIENT)
def send_confirmation(comment_id: int) -> None:
    """Asks a guest to confirm their address before the comment is published (mode "confirmed")."""
    comment = Comment.objects.held().select_related("article", "reader").filter(pk=comment_id).first()
    if comment is None or not comment.email:
        return
    hand_over(confirm_comment_mail(comment))


@app.task(retry=PATIENT)
def forget_taken_back(comment_id: int) -> None:
    """Its author has had the words in the form again, to go on with them."""
    with transaction.atomic():
        comment = Comment.objects.select_for_update(no_key=True).filter(pk=comment_id).first()
        if comment is not None and comment.state == Comment.State.TAKEN_BACK:
            comment.forget_words()
            comment.save()


@app.task(retry=PATIENT)
def send_owner_mail(comment_id: int, email: str) -> None:
    """A link with which a guest may change their comment on another device, if it was written with this address."""
    theirs = (
        Comment.objects.filter(pk=comment_id, email=email, reader__user=None)
        .select_related("article", "reader")
        .first()
    )
    if email and theirs is not None and (theirs.is_published or theirs.is_held):
        hand_over(owner_mail(theirs))
