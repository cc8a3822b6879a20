"""Every mail that this site sends, with sample data, for looking at; only under `make run`."""

from collections.abc import Callable
from datetime import UTC, datetime

from allauth.account.adapter import get_adapter
from csp.decorators import csp_replace
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

import comments.mails
import moderation.mails
import subscriptions.mails
from articles.models import Article
from comments.models import Comment
from moderation.models import Decision, Notice
from readers.models import Reader, User
from subscriptions.models import Delivery, Recipient, Subscription

NOBODY = 0  # no row has this key, so no link of a sample leads to one
WHEN = datetime(2026, 7, 23, 9, 30, tzinfo=UTC)


@never_cache
@require_safe
def gallery(request: HttpRequest) -> HttpResponse:
    letters = [(name, title, make()) for name, (title, make) in _samples().items()]
    return render(request, "newsroom/samples.html", {"letters": letters})


# As for the mails in the mailbox: shown as sent, with their own styles, in a sandbox.
@csp_replace({"sandbox": ["allow-popups", "allow-top-navigation-by-user-activation"], "style-src": ["'unsafe-inline'"]})
@never_cache
@require_safe
def sample_html(request: HttpRequest, name: str) -> HttpResponse:
    if name not in _samples():
        raise Http404
    message = _samples()[name][1]()
    html = next((part.content for part in getattr(message, "alternatives", [])), None)
    return HttpResponse(html or message.body, content_type="text/html" if html else "text/plain; charset=utf-8")


def _samples() -> dict[str, tuple[str, Callable[[], EmailMessage]]]:
    mails = subscriptions.mails
    article = Article(pk=NOBODY, slug="muster", headline="Lukaschenko trifft Putin: Wird Weißrussland zum Puffer?")
    berta = Reader(pk=NOBODY, name="Berta", email="berta@muster.invalid")
    question = _comment(article, "Berta", "Und wer fragt eigentlich die Leute, die *dort* wohnen?")
    answer = _comment(article, "Anna Müller", _ANSWER, parent=question)
    other = _comment(article, "Carl", "Ein Puffer ist etwas, wogegen man fährt.")
    for comment in (question, answer, other):
        comment.reader = berta
    me = Recipient(email=berta.email)
    row = Subscription(pk=NOBODY, article=article, kind="replies", email=me.email, reader=berta)
    told = [Delivery(pk=NOBODY, comment=one, subscription=row, email=me.email) for one in (other, answer)]
    personal = [mails.Personal.of(one, answered=NOBODY) for one in told]
    notice = Notice(
        pk=NOBODY,
        comment=other,
        kind="insult",
        reason="Das ist gegen Regel 2.",
        name="Dora",
        email="dora@muster.invalid",
    )
    removal = Decision(pk=NOBODY, comment=other, action="remove", occasion="notice", reason=_REASON)
    back = Decision(pk=NOBODY, comment=other, action="restore")
    notice.decision = removal
    editor = User(pk=NOBODY, username="redaktion", email="redaktion@muster.invalid")
    other.held_because = ["Gesperrtes Wort: Puffer"]
    codes = {"SITE_NAME": settings.SITE_NAME, "SITE_URL": settings.SITE_URL, "email": me.email, "code": "12345678"}
    refusal = _("Die Kommentare zu diesem Artikel sind inzwischen geschlossen. Ihr Text steht noch hier.")
    return {
        "bestaetigen": (_("Bestätigung eines Abonnements"), lambda: mails.opt_in_mail(row, me)),
        "antwort": (_("Eine Antwort"), lambda: mails.comment_mail(answer, kind=row.kind, personal=personal[1])),
        "kommentar": (_("Ein Kommentar"), lambda: mails.comment_mail(other, kind="article", personal=personal[0])),
        "sammlung": (_("Mehrere auf einmal"), lambda: mails.digest_mail(told[0], told)),
        "abos": (_("Alle Abonnements"), lambda: mails.manage_mail(me)),
        "wartet": (_("Antwort per Mail: wird angesehen"), lambda: mails.answer_held_mail(told[1], answer, "", me)),
        "abgelehnt": (
            _("Antwort per Mail: nicht erschienen"),
            lambda: mails.answer_refused_mail(told[1], refusal, answer.body, "", me),
        ),
        "kommentar-bestaetigen": (
            _("Bestätigung eines Kommentars"),
            lambda: comments.mails.confirm_comment_mail(question),
        ),
        "eigener": (_("Der eigene Kommentar auf anderem Gerät"), lambda: comments.mails.owner_mail(question)),
        "empfehlung": (
            _("Empfehlung der Redaktion"),
            lambda: moderation.mails.pick_mail(question, question.reader.email),
        ),
        "eingang": (_("Eingang einer Meldung"), lambda: moderation.mails.notice_receipt_mail(notice)),
        "entschieden": (_("Entscheidung über eine Meldung"), lambda: moderation.mails.outcome_mail(notice)),
        "entfernt": (
            _("Begründung an den Autor"),
            lambda: moderation.mails.statement_mail(removal, berta.email, proved=True),
        ),
        "wieder-da": (
            _("Der Kommentar steht wieder da"),
            lambda: moderation.mails.statement_mail(back, berta.email, proved=True),
        ),
        "dienst-wartet": (_("An den Dienst: wartet"), lambda: moderation.mails.held_comment_mail(other, editor)),
        "dienst-meldung": (_("An den Dienst: gemeldet"), lambda: moderation.mails.notice_mail(notice, editor)),
        "code": (
            _("Code zum Anmelden"),
            lambda: get_adapter().render_mail("account/email/login_code", me.email, codes),
        ),
    }


_REASON = "Regel 2: Wir werten niemanden ab."
_ANSWER = """\
Das überzeugt mich nicht. Wer „Puffer“ sagt, denkt an Karten und nicht an Menschen:

> die Leute, die *dort* wohnen

- haben keine Wahl gehabt,
- und gefragt hat sie niemand.

Mehr dazu steht unter https://www.example.org/minsk."""


def _comment(article: Article, name: str, body: str, parent: Comment | None = None) -> Comment:
    comment = Comment(
        pk=NOBODY, article=article, name=name, body=body, parent=parent, email="berta@muster.invalid", created_at=WHEN
    )
    comment.state, comment.number, comment.published_at = Comment.State.PUBLISHED, 1, WHEN
    comment.render()
    return comment
