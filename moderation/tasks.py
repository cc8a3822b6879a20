from procrastinate.contrib.django import app

from comments.models import Comment
from moderation.mails import notice_receipt_mail, pick_mail
from moderation.models import Notice
from newsroom.mail import hand_over
from newsroom.tasks import PATIENT


@app.task(retry=PATIENT)
def send_notice_receipt(notice_id: int) -> None:
    notice = Notice.objects.select_related("comment__article").filter(pk=notice_id).first()
    if notice is not None and notice.email:
        hand_over(notice_receipt_mail(notice))


@app.task(retry=PATIENT)
def send_pick_mail(comment_id: int) -> None:
    """To an author whose address is proved: a stranger's, typed into the form, gets no praise it did not earn."""
    picked = Comment.objects.published().filter(picked_at__isnull=False).select_related("article", "reader")
    comment = picked.filter(pk=comment_id).first()
    if comment is not None and comment.reader.email_confirmed_at is not None:
        hand_over(pick_mail(comment))
