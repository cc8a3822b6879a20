from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext as _

from moderation.models import Notice
from newsroom.mail import compose


def notice_receipt_mail(notice: Notice) -> EmailMultiAlternatives:
    """Says at once that the notice arrived, and what happens next (DSA Art. 16(4))."""
    return compose(
        to=notice.email,
        subject=_("Ihre Meldung Nr. %d ist eingegangen") % notice.pk,
        template="moderation/mail/receipt",
        context={"notice": notice, "article": notice.comment.article},
    )
