from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext as _

from comments.models import Comment
from moderation.models import Notice
from newsroom.mail import compose, site_url


def notice_receipt_mail(notice: Notice) -> EmailMultiAlternatives:
    """Says at once that the notice arrived, and what happens next (DSA Art. 16(4))."""
    return compose(
        to=notice.email,
        subject=_("Ihre Meldung Nr. %d ist eingegangen") % notice.pk,
        template="moderation/mail/receipt",
        context={"notice": notice, "article": notice.comment.article},
    )


def pick_mail(comment: Comment) -> EmailMultiAlternatives:
    """Tells an author that the editors recommend their comment."""
    return compose(
        to=comment.reader.email,
        subject=_("Die Redaktion empfiehlt Ihren Kommentar zu „%s“") % comment.article.headline,
        template="moderation/mail/pick",
        context={"comment": comment, "article": comment.article, "url": site_url(comment.get_absolute_url())},
    )
