"""A new comment: what is owed because of it is in the same transaction."""

import math
import uuid
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.models import Article
from comments.forms import Draft
from comments.models import Comment, Passage
from comments.screening import Circumstances, attempt, screen
from comments.services import Refused, publish, too_many
from comments.tasks import send_confirmation
from moderation.tasks import tell_on_duty
from newsroom.sql.prepared import Question, ask, execute
from newsroom.unasked import may_send_unasked
from readers.models import Reader
from subscriptions.models import Subscription
from subscriptions.services import subscribe

# Mails that ask to confirm one's comment, to one address over the whole site.
MAILS_PER_DAY = 10


def post_comment(
    *,
    article: Article,
    parent: Comment | None,
    reader: Reader,
    draft: Draft,
    how: Circumstances,
    passage: Passage | None = None,
) -> Comment:
    """Stores one comment with everything owed because of it, or finds the one the same submission made before.

    Raises Refused: closed meanwhile, parent gone, too many, or the form's key was used for another text.
    """
    submission = _Submission(article, parent, passage, reader, draft, how)
    try:
        with transaction.atomic():
            return _post(submission)
    except IntegrityError:
        # Fifty at once with one key: the constraint let one through, the others find it here (E7).
        earlier = submission.earlier(*ask(submission.same))
        if earlier is None:
            raise
        return earlier


def _post(submission: "_Submission") -> Comment:
    article, parent, passage, acting, draft, how = submission
    # From here on nobody else can write in this reader's name. The attempt counts whatever comes of it, and its row,
    # which is the whole network's, is not kept.
    known, reader, same = ask(
        attempt(acting, draft.name, how.network), Reader.objects.locking(acting), submission.same, ahead=1
    )
    earlier = submission.earlier(same)
    if earlier is not None:
        return earlier
    if not article.takes_comments:
        raise Refused(_("Die Kommentare zu diesem Artikel sind inzwischen geschlossen. Ihr Text steht noch hier."))
    if parent is not None and not parent.is_published:
        said = _("Der Kommentar, auf den Sie antworten, ist inzwischen entfernt worden.")
        if parent.state in (Comment.State.DELETED, Comment.State.TAKEN_BACK):
            said = _("Der Kommentar, auf den Sie antworten, ist inzwischen gelöscht worden.")
        goes_on = _("Ihr Text steht noch hier; wenn Sie ihn absenden, wird er ein eigener Kommentar.")
        raise Refused(f"{said} {goes_on}")
    verdict = screen(
        article=article,
        reader=acting,  # merged meanwhile, they may be an account, which a device's cookie does not speak for
        name=draft.name,
        email=draft.email,
        website=draft.website,
        body=draft.body,
        how=how,
        known=known,
    )
    if verdict.refused:
        raise too_many()
    comment = Comment(
        article=article,
        reader=reader,
        parent=parent,
        root=(parent.root or parent) if parent else None,
        depth=parent.depth + 1 if parent else 0,
        name=draft.name,
        email=draft.email,
        website=draft.website,
        badge="" if how.by_mail else badge_of(acting, article),
        body=draft.body,
        passage=passage,
        held_because=verdict.held_because,
        form_key=how.key.id if how.key else uuid.uuid4(),
    )
    comment.render()
    _keep_slow_mode(article, reader)
    _remember_guest(reader, draft)
    if passage is not None and passage.pk is None:
        comment.passage = Passage.objects.store(passage)
    wants_mails = bool(draft.notify and draft.email)
    if verdict.publishes:
        publish(comment, last=not wants_mails)
    else:
        _hold(comment, asks=verdict.needs_confirmation, network=how.network)
    # Last: it counts mails of the whole network, and whoever publishes may have to wait.
    if wants_mails:
        subscribe(
            article=article,
            reader=reader,
            kind=Subscription.Kind.REPLIES,
            email=draft.email,
            network=how.network,
            with_comment=True,
        )
    return comment


def _hold(comment: Comment, *, asks: bool, network: str) -> None:
    """Stores a new comment that nobody sees yet, with what is owed: a mail that `asks` for the address to be confirmed,
    or word to whoever is on duty."""
    if comment.held_because:  # what a moderator looks at anyway needs no mail
        asks = False
    elif asks and not may_send_unasked("confirmation", comment.email, network, per_day=MAILS_PER_DAY):
        asks, comment.held_because = False, [_("Zu viele Bestätigungsmails an diese Adresse")]
    comment.save()
    if asks:
        send_confirmation.defer(comment_id=comment.pk)
    elif comment.held_because:
        tell_on_duty(comment_id=comment.pk)


def badge_of(reader: Reader, article: Article) -> str:
    """As what a signed-in member of the house speaks: by what they may do."""
    if not reader.is_account or not reader.user.is_active:
        return ""
    if article.author.user_id == reader.user_id:
        return Comment.Badge.AUTHOR
    if reader.user.is_staff and reader.user.has_perm("articles.change_article"):
        return Comment.Badge.EDITOR
    if reader.user.is_staff and reader.user.has_perm("comments.change_comment"):
        return Comment.Badge.MODERATOR
    return ""


def _keep_slow_mode(article: Article, reader: Reader) -> None:
    """One comment a reader in so many seconds, where the editors want it so; who took one back may send another. Raises
    Refused."""
    if not article.slow_mode:
        return
    here, elsewhere = (
        written.filter(article=article).exclude(state=Comment.State.TAKEN_BACK).values("created_at")
        for written in (reader.comments, reader.comments_elsewhere)
    )
    latest = here.union(elsewhere).order_by("-created_at").values_list("created_at", flat=True).first()
    wait = article.slow_mode - (timezone.now() - latest).total_seconds() if latest else 0
    if wait > 0:
        sentence = _(
            "Zwischen zwei eigenen Kommentaren ist hier eine Pause (%(pause)s). Ihr Text steht noch hier;"
            " in %(wait)s können Sie ihn abschicken."
        )
        raise Refused(sentence % {"pause": article.get_slow_mode_display(), "wait": _wait_in_words(wait)}, 429)


def _wait_in_words(seconds: float) -> str:
    """Never too short: after it, the comment is taken."""
    if seconds <= 90:
        return ngettext("%d Sekunde", "%d Sekunden", math.ceil(seconds)) % math.ceil(seconds)
    return ngettext("%d Minute", "%d Minuten", math.ceil(seconds / 60)) % math.ceil(seconds / 60)


_SAME_SUBMISSION = """
    SELECT id FROM comments_comment WHERE form_key = %s
    UNION
    SELECT id FROM comments_comment WHERE reader_id = %s AND article_id = %s AND body = %s
      AND parent_id IS NOT DISTINCT FROM %s AND passage_id IS NOT DISTINCT FROM %s
      AND state IN ('held', 'published')
    UNION
    SELECT comment.id FROM comments_otherdevice AS device JOIN comments_comment AS comment ON comment.id = comment_id
    WHERE device.reader_id = %s AND article_id = %s AND body = %s
      AND parent_id IS NOT DISTINCT FROM %s AND passage_id IS NOT DISTINCT FROM %s
      AND state IN ('held', 'published')
"""


class _Submission(NamedTuple):
    article: Article
    parent: Comment | None
    passage: Passage | None
    reader: Reader
    draft: Draft
    how: Circumstances

    @property
    def same(self) -> Question:
        """What it made before: by its key, or by the same words in the same place (C10)."""
        passage = None
        if self.passage is not None:
            passage = self.passage.pk or 0  # one that is not stored yet has no comments
        words = [self.reader.pk, self.article.pk, self.draft.body, self.parent and self.parent.pk, passage]
        return Question(_SAME_SUBMISSION, [self.how.key and self.how.key.id, *words, *words])

    def earlier(self, same: list[tuple[int]]) -> Comment | None:
        """The comment it made before, among those that were found to be the `same`. Raises Refused."""
        pks = [pk for (pk,) in same]
        found = list(Comment.objects.with_article().filter(pk__in=pks).order_by("pk")) if pks else []
        for comment in found:
            if self.how.key and comment.form_key == self.how.key.id:
                wanted = self.article.pk, self.parent, self.draft.body
                if (comment.article_id, comment.parent, comment.body) != wanted:
                    raise Refused(
                        _(
                            "Mit diesem Formular wurde schon ein anderer Kommentar abgeschickt."
                            " Ihr neuer Text steht noch hier; schicken Sie ihn einfach noch einmal ab."
                        )
                    )
                return comment
        return found[0] if found else None


def _remember_guest(reader: Reader, draft: Draft) -> None:
    """What a guest called themselves, so that the next form need not ask. An account's address stays its own."""
    known = reader.is_account and reader.email
    gives_another = draft.email and draft.email.lower() != reader.email.lower() and not known
    if not gives_another and (reader.name, reader.website) == (draft.name, draft.website):
        return
    reader.name, reader.website = draft.name, draft.website
    if gives_another:
        reader.email, reader.email_confirmed_at = draft.email, None
    execute(
        "UPDATE readers_reader SET name = %s, website = %s, email = %s, email_confirmed_at = %s WHERE id = %s",
        [reader.name, reader.website, reader.email, reader.email_confirmed_at, reader.pk],
    )
