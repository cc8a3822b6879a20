"""What a link in a mail to the editor on duty lets its bearer do: one decision about one comment, as it was read."""

from dataclasses import dataclass
from datetime import timedelta

from django.core.signing import BadSignature, TimestampSigner
from django.db import models
from django.utils.translation import gettext_lazy as _

from comments.models import Comment
from moderation.models import Notice, OnDuty
from readers.models import User

VALID = timedelta(days=7)
_signer = TimestampSigner(salt="moderation.by_mail")


class Step(models.TextChoices):
    APPROVE = "approve", _("Freigeben")
    REMOVE = "remove", _("Entfernen")
    DISMISS = "dismiss", _("Stehen lassen")


@dataclass(frozen=True)
class Instruction:
    """Who may take which step, and which words they read."""

    step: Step
    editor: User
    comment: Comment
    notice: Notice | None
    as_seen: str


def instruction_token(step: Step, editor: User, comment: Comment, notice: Notice | None = None) -> str:
    return _signer.sign_object([step, editor.pk, comment.pk, notice and notice.pk, comment.fingerprint])


def read_instruction(token: str) -> Instruction | None:
    """None for a token that is not ours, too old, or of somebody who is not on duty any more."""
    try:
        step, editor, comment, notice, as_seen = _signer.unsign_object(token, max_age=VALID)
    except BadSignature:
        return None
    on_duty = OnDuty.objects.able().filter(user=editor).first()
    found = Comment.objects.select_related("article", "reader").filter(pk=comment).first()
    if on_duty is None or found is None:
        return None
    about = Notice.objects.filter(pk=notice).first() if notice else None
    return Instruction(Step(step), on_duty.user, found, about, as_seen)
