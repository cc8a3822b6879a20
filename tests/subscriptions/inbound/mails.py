"""Replies as mail programs send them, to mails that subscribers have."""

import uuid
from collections.abc import Callable
from email import policy
from email.message import EmailMessage

from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import Comment
from newsroom.mailbox import Letter
from readers.models import Reader
from subscriptions.inbound import take_in
from subscriptions.models import Delivery
from tests import factories

BERTA = "berta@example.org"
ANSWER = "Das überzeugt mich nicht."
Back = Callable[[], list[Letter]]


def told_of(comment: Comment, email: str = BERTA, **fields) -> Delivery:
    """A mail about this comment that the subscriber has."""
    row = factories.subscription(comment.article, email, **fields)
    return Delivery.objects.create(
        comment=comment, subscription=row, email=email, state=Delivery.State.SENT, sent_at=timezone.now()
    )


def written(text: str = ANSWER, *, sender: str = f"Berta <{BERTA}>", **headers: str) -> bytes:
    """A mail as a mail program sends it; `X_Name` stands for the header X-Name, one that is "" is left out."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = sender
    fields = {"Subject": "Re: Kommentare", "Message-ID": f"<{uuid.uuid4()}@example.org>", "To": "a@antwort.example"}
    for name, value in (fields | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()


def bring(delivery: Delivery, raw: bytes, *, sender: str = BERTA) -> None:
    take_in(raw, recipient=f"{delivery.mail_token('antwort')}@antwort.example", sender=sender)


def replies(delivery: Delivery) -> list[tuple[str, str]]:
    return list(Comment.objects.filter(parent=delivery.comment).order_by("pk").values_list("state", "body"))


def owed() -> int:
    return ProcrastinateJob.objects.filter(task_name__contains=".send_answer_").count()


def plain(letter: Letter) -> str:
    return " ".join(letter.text.split())


def proved(name: str = "Berta Brecht", **fields) -> Reader:
    return factories.reader(name, BERTA, email_confirmed_at=timezone.now(), **fields)


def hold_all(article: Article, told: Delivery) -> None:
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)


def close(article: Article, told: Delivery) -> None:
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
