from django.core.mail import EmailMultiAlternatives
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from comments.models import Comment
from moderation.by_mail import Step, instruction_token
from moderation.models import Decision, Notice
from newsroom.mail import compose, mail_domain, site_url
from readers.models import User

_OBJECTIONS = "/kontakt/"  # says how to object
_NO_PROGRAM = gettext_lazy("Entschieden hat ein Mensch; ein Programm war daran nicht beteiligt.")
_LED_TO = {
    Decision.Occasion.NOTICE: (gettext_lazy("Anlass war eine Meldung."), _NO_PROGRAM),
    Decision.Occasion.REVIEW: (gettext_lazy("Wir haben ihn gelesen, bevor er erscheinen sollte."), _NO_PROGRAM),
    Decision.Occasion.STAFF: (gettext_lazy("Gefunden hat ihn die Redaktion selbst."), _NO_PROGRAM),
    Decision.Occasion.PROGRAM: (
        gettext_lazy("Ein Programm hatte ihn angehalten, bevor er erschien; entschieden hat ein Mensch."),
    ),
}


def notice_receipt_mail(notice: Notice) -> EmailMultiAlternatives:
    """Says at once that the notice arrived, and what happens next (DSA Art. 16(4))."""
    return compose(
        to=notice.email,
        subject=_("Ihre Meldung Nr. %d ist eingegangen") % notice.pk,
        template="moderation/mail/receipt",
        context={"notice": notice, "article": notice.comment.article},
    )


def outcome_mail(notice: Notice) -> EmailMultiAlternatives:
    """What was decided about a reported comment, and what one can do about it (DSA Art. 16(5), (6))."""
    comment = notice.comment
    return compose(
        to=notice.email,
        subject=_("Ihre Meldung Nr. %d ist entschieden") % notice.pk,
        template="moderation/mail/outcome",
        context={
            "notice": notice,
            "action": notice.decision.action,
            "reason": notice.decision.reason,
            "article": comment.article,
            "is_published": comment.is_published,
            "comment_url": site_url(comment.get_absolute_url()),
            **_redress(),
        },
        headers={"Message-ID": f"<outcome-{notice.pk}.{notice.decision_id}@{mail_domain()}>"},
    )


def statement_mail(decision: Decision, email: str, *, proved: bool) -> EmailMultiAlternatives:
    """Of a removal the statement of reasons (DSA Art. 17): what was done, why, who pointed at it, and what one can do
    about it. Of a restored comment that it is back. Only an address that is `proved` to be the author's gets the words
    again."""
    comment = decision.comment
    if decision.action == Decision.Action.RESTORE:
        subject, template = _("Ihr Kommentar zu „%s“ steht wieder da"), "moderation/mail/restored"
    elif comment.number is None:
        subject, template = _("Ihr Kommentar zu „%s“ ist nicht erschienen"), "moderation/mail/statement"
    else:
        subject, template = _("Ihr Kommentar zu „%s“ ist entfernt"), "moderation/mail/statement"
    return compose(
        to=email,
        subject=subject % comment.article.headline,
        template=template,
        context={
            "decision": decision,
            "comment": comment,
            "article": comment.article,
            "never_shown": comment.number is None,
            "proved": proved,
            "led_to": " ".join(map(str, _LED_TO.get(decision.occasion, ()))),
            "url": site_url(comment.get_absolute_url()),
            **_redress(),
        },
        headers={"Message-ID": f"<statement-{decision.pk}@{mail_domain()}>"},
    )


def pick_mail(comment: Comment, email: str) -> EmailMultiAlternatives:
    """Tells an author that the editors recommend their comment."""
    return compose(
        to=email,
        subject=_("Die Redaktion empfiehlt Ihren Kommentar zu „%s“") % comment.article.headline,
        template="moderation/mail/pick",
        context={"comment": comment, "article": comment.article, "url": site_url(comment.get_absolute_url())},
    )


def _redress() -> dict[str, str]:
    """What one can do about a decision (DSA Art. 16(5), 17(3)(f))."""
    return {
        "objection": _(
            "Wenn Sie anderer Meinung sind: Sie können sechs Monate lang Einspruch einlegen. Das kostet nichts und"
            " braucht keine Form, und darüber entscheidet wieder ein Mensch. Vor Gericht gehen können Sie außerdem"
            " jederzeit."
        ),
        "objection_url": site_url(_OBJECTIONS),
    }


def held_comment_mail(comment: Comment, editor: User, *, is_last: bool = False) -> EmailMultiAlternatives:
    """To the editor on duty: what waits, why, and a link for each decision. `is_last`: of this hour."""
    return compose(
        to=editor.email,
        subject=_("Wartet auf Sie: %(name)s zu „%(headline)s“")
        % {"name": comment.name, "headline": comment.article.headline},
        template="moderation/mail/held",
        context={
            "comment": comment,
            "article": comment.article,
            "approve_url": _order_url(Step.APPROVE, editor, comment),
            "remove_url": _order_url(Step.REMOVE, editor, comment),
            "admin_url": _admin_url(comment),
            "is_last": is_last,
        },
        # The same words, the same mail: a job that runs again sends no second one.
        headers={"Message-ID": f"<held-{comment.pk}-{comment.fingerprint}.{editor.pk}@{mail_domain()}>"},
    )


def notice_mail(notice: Notice, editor: User, *, is_last: bool = False) -> EmailMultiAlternatives:
    """To the editor on duty: what was reported. Never who reported it to anybody else (A8)."""
    comment = notice.comment
    return compose(
        to=editor.email,
        subject=_("Gemeldet: %(kind)s, zu „%(headline)s“")
        % {"kind": notice.get_kind_display(), "headline": comment.article.headline},
        template="moderation/mail/notice",
        context={
            "notice": notice,
            "comment": comment,
            "article": comment.article,
            "remove_url": _order_url(Step.REMOVE, editor, comment, notice),
            "dismiss_url": _order_url(Step.DISMISS, editor, comment, notice),
            "admin_url": _admin_url(comment),
            "is_last": is_last,
        },
        headers={"Message-ID": f"<notice-{notice.pk}.{editor.pk}@{mail_domain()}>"},
    )


def _order_url(step: Step, editor: User, comment: Comment, notice: Notice | None = None) -> str:
    return site_url(reverse("decide_by_mail", args=[instruction_token(step, editor, comment, notice)]))


def _admin_url(comment: Comment) -> str:
    return site_url(reverse("admin:comments_comment_change", args=[comment.pk]))
