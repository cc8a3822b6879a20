from procrastinate.contrib.django import app

from moderation.mails import notice_receipt_mail
from moderation.models import Notice
from newsroom.mail import hand_over
from newsroom.tasks import PATIENT


@app.task(retry=PATIENT)
def send_notice_receipt(notice_id: int) -> None:
    notice = Notice.objects.select_related("comment__article").filter(pk=notice_id).first()
    if notice is not None and notice.email:
        hand_over(notice_receipt_mail(notice))
