"""What happens to a comment: published, changed, deleted, voted for; one function and one transaction each.

How a new one comes is comments.posting.
"""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import NUMBER_COMMENT, Counters
from comments.models import Comment, OtherDevice, Passage, Vote, fingerprint_of, undo_seconds
from comments.screening import Circumstances, attempt, rules_by_now, screen, unproved, waits_for_proof
from comments.tasks import TAKEN_BACK_KEPT, forget_taken_back, send_owner_mail
from comments.versions import settle_versions, with_versions, write_version
from moderation.tasks import tell_on_duty
from newsroom.sql.prepared import Found, Question, ask, execute, fetch_all, fetch_one, insertion
from newsroom.unasked import may_send_unasked
from readers.models import Reader
from subscriptions.services import telling

OWNER_LINKS_PER_DAY = 3


class Refused(Exception):
    """A comment that cannot be taken. Says, to the reader, why and what to do; `status` is the HTTP answer."""

    status = 409

    def __init__(self, message: str, status: int | None = None):
        super().__init__(message)
        self.status = status or self.status


class ChangedElsewhere(Refused):
    """Another window, or another device of the same author's, has changed the words meanwhile."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "Ihr Kommentar ist inzwischen geändert worden, in einem anderen Fenster oder auf einem anderen Gerät;"
                " weiter unten steht, was jetzt gilt. Ihr Text steht noch hier: Speichern Sie noch einmal, wenn er an"
                " dessen Stelle treten soll."
            )
        )


def too_many() -> Refused:
    return Refused(
        _(
            "Das waren sehr viele Kommentare in kurzer Zeit. Ihr Text steht noch hier;"
            " bitte versuchen Sie es in zehn Minuten wieder."
        ),
        429,
    )


def publish(comment: Comment, *, last: bool = False) -> None:
    """Makes a comment visible: with a new number, the counters and the job that tells subscribers; or, if it had a
    number before, in its old place.

    Call in a transaction; with `last` if it does nothing more. Locked are the root's row or the passage's (only roots
    have one) and then the counters', here and everywhere in this order (no deadlock).
    """
    was_held = comment.is_held
    comment.state = Comment.State.PUBLISHED
    if comment.pk is not None:
        settle_versions(comment)
    if comment.number is not None:
        _count_visible(comment, +1)
        comment.save()
        if was_held:  # changed before anyone was told; who was told already is not told again (delivery_once)
            ask(telling(comment))
        return
    comment.published_at = timezone.now()
    tells = telling(comment, in_seconds=undo_seconds())
    if comment.pk is None:
        _count_at_passage(comment, +1)
        ask(_numbering(comment), tells, last=last)
    else:
        _count_in_place(comment, +1)
        comment.number, comment.thread_number = Counters.objects.number_comment(
            comment.article_id, opens_thread=comment.parent_id is None
        )
        comment.save()
        ask(tells)


def withdraw(comment: Comment, state: Comment.State) -> None:
    """Takes a published or held comment out of sight: removed, deleted, or held again. Call in a transaction."""
    if comment.is_published:
        _count_visible(comment, -1)
    elif comment.number is not None:  # its place says what became of it
        Counters.objects.touch(comment.article_id)
    comment.state = state
    comment.save()


def edit_comment(
    *, comment: Comment, reader: Reader, body: str, how: Circumstances, as_seen: str | None = None
) -> Comment:
    """The author's new words, screened like the first; the old ones stay readable. `as_seen` is the fingerprint of the
    words that they began with. Raises Refused."""
    # Committed before anything is locked: its row is the whole network's (decision 0019).
    (known,) = ask(attempt(reader, comment.name, how.network))
    with transaction.atomic():
        reader = Reader.objects.lock(reader)
        comment = Comment.objects.lock(comment.pk)
        if not comment.may_be_edited_by(reader):
            raise Refused(
                _("Dieser Kommentar lässt sich nicht mehr ändern. Ihr Text steht noch hier, falls Sie ihn brauchen.")
            )
        held_back = unproved(comment, reader)
        stored = comment.words_for(reader)
        if body == stored and (held_back or not waits_for_proof(comment)):
            return comment
        if stored and body != stored and as_seen not in (None, fingerprint_of(stored)):
            raise ChangedElsewhere
        verdict = screen(
            article=comment.article,
            reader=reader,
            name=comment.name,
            email=comment.email,
            website=comment.website,
            body=body,
            how=how,
            known=known,
        )
        if verdict.refused:
            raise too_many()
        if not comment.may_be_read_by(reader):  # nor written over
            write_version(comment, reader, body, verdict.held_because + held_back)
            Counters.objects.touch(comment.article_id)
            tell_on_duty(comment_id=comment.pk)
            return comment
        verdict.held_because += held_back
        comment.other_devices.update(has_words=Q(reader=reader))
        now = timezone.now()
        if comment.is_published:  # words that were held stay unpublished, also as an earlier version
            comment.revisions.create(body=comment.body, html=comment.html, replaced_at=now)
        if comment.number is not None:
            comment.edited_at = now
        comment.body = body
        comment.picked_at = None  # other words were recommended
        comment.render()
        if verdict.held_because:
            comment.held_because = with_versions(comment, verdict.held_because)
            withdraw(comment, Comment.State.HELD)
            tell_on_duty(comment_id=comment.pk)
        elif comment.number is not None and waits_for_proof(comment):
            comment.held_because = []
            publish(comment)
        else:
            comment.save()
            Counters.objects.touch(comment.article_id)
            if comment.is_held and comment.held_because:  # links in the mail sent before are for other words
                tell_on_duty(comment_id=comment.pk)
    return comment


def delete_comment(*, comment: Comment, reader: Reader, as_if_never: bool = False) -> None:
    """The author's own deleting: the words go, a tombstone keeps the replies. Taken back in the first seconds it is
    `as_if_never` written, and leaves one only where there are replies already; its words go a little later. Safe to
    call twice."""
    with transaction.atomic():
        reader = Reader.objects.lock(reader)
        comment = Comment.objects.lock(comment.pk)
        if not comment.is_by(reader) or not (comment.is_published or comment.is_held):
            return
        comment.revisions.all().delete()
        settle_versions(comment)
        if as_if_never:  # they stand in the form again, also where that page is loaded again
            forget_taken_back.configure(schedule_in=TAKEN_BACK_KEPT).defer(comment_id=comment.pk)
        else:
            comment.forget_words()
        comment.picked_at = None
        comment.votes.all().delete()  # for words that are gone; and a tombstone heads no order
        comment.score = 0
        withdraw(comment, Comment.State.TAKEN_BACK if as_if_never else Comment.State.DELETED)


def confirm_comment(comment: Comment, *, as_seen: str | None = None) -> None:
    """Its author confirmed the address. Publishes what only waited for that, or holds it for a moderator where the
    rules say so by now; safe to call twice. `as_seen` is the fingerprint of the words that were confirmed: other ones,
    written meanwhile, go on waiting."""
    with transaction.atomic():
        comment = Comment.objects.lock(comment.pk)
        if not comment.is_unconfirmed or not comment.article.takes_comments:
            return
        if as_seen is not None and as_seen != comment.fingerprint:
            return
        comment.held_because = rules_by_now(comment)
        if comment.held_because:
            comment.save()
            tell_on_duty(comment_id=comment.pk)
        else:
            publish(comment)


def send_owner_link(*, comment: Comment, email: str, network: str) -> None:
    """To `email`, if `comment` was written with it. The job looks: here all addresses must take the same time (C7)."""
    if may_send_unasked("owner", email, network, per_day=OWNER_LINKS_PER_DAY):
        send_owner_mail.defer(comment_id=comment.pk, email=email)


def vote(*, comment: Comment, reader: Reader, wanted: bool) -> Comment:
    """Gives or takes back a reader's "Respekt"; asking twice changes nothing, and one's own comment gets none. Returns
    the comment with its score."""
    with transaction.atomic():
        reader = Reader.objects.lock(reader)
        if wanted:
            counted = fetch_one(_GIVE_VOTE, [reader.pk, timezone.now(), comment.pk, reader.pk, reader.pk])
        else:
            counted = fetch_one(_TAKE_VOTE_BACK, [comment.pk, reader.pk])
        if counted is not None:
            (comment.score,) = counted
            Counters.objects.touch(comment.article_id)
    return comment


# Both count only what they change; the new score, or no row.
_GIVE_VOTE = """
    WITH given AS (
        INSERT INTO comments_vote (comment_id, reader_id, created_at)
        SELECT id, %s, %s FROM comments_comment WHERE id = %s AND reader_id <> %s
          AND id <> ALL (ARRAY(SELECT comment_id FROM comments_otherdevice WHERE reader_id = %s))
        ON CONFLICT DO NOTHING RETURNING comment_id
    )
    UPDATE comments_comment SET score = score + 1 FROM given WHERE id = given.comment_id RETURNING score
"""
# The comment is locked before the vote, as by whoever deletes it (no deadlock).
_TAKE_VOTE_BACK = """
    WITH locked AS (SELECT id FROM comments_comment WHERE id = %s FOR NO KEY UPDATE),
        taken AS (DELETE FROM comments_vote USING locked WHERE comment_id = locked.id AND reader_id = %s
                  RETURNING comment_id)
    UPDATE comments_comment SET score = score - 1 FROM taken WHERE id = taken.comment_id RETURNING score
"""


# A version that waits for a moderator is kept, also for who has the comment itself by now.
_KEEP_FOR = """
    WITH gone AS (DELETE FROM comments_otherdevice WHERE reader_id = %s RETURNING *)
    INSERT INTO comments_otherdevice AS mine
        (comment_id, reader_id, has_words, proved, version, version_html, version_because)
    SELECT comment_id, %s, has_words, proved, version, version_html, version_because
    FROM gone JOIN comments_comment AS comment ON comment.id = comment_id
    WHERE comment.reader_id <> %s OR version <> ''
    ON CONFLICT (comment_id, reader_id) DO UPDATE SET
        has_words = mine.has_words OR excluded.has_words, proved = mine.proved OR excluded.proved,
        version = mine.version || excluded.version, version_html = mine.version_html || excluded.version_html,
        version_because = mine.version_because || excluded.version_because
"""
_KEEP_NOT_TWICE = """
    DELETE FROM comments_otherdevice AS also USING comments_comment AS comment
    WHERE comment.id = comment_id AND also.reader_id = %s AND comment.reader_id = %s AND also.version = ''
"""
_DROP_VOTES = """
    WITH dropped AS (DELETE FROM comments_vote WHERE {which} RETURNING comment_id),
        lost AS (SELECT comment_id, count(*) AS votes FROM dropped GROUP BY comment_id)
    UPDATE comments_comment SET score = score - votes FROM lost WHERE id = comment_id RETURNING article_id
"""


def lock_given(sources: Collection[Reader], target: Reader) -> None:
    """All comments that change when `sources` give theirs to `target`, at once, and answers before what they answer, as
    whoever takes one out of sight locks it before its root (no deadlock)."""
    readers = [*sources, target]
    votes = Vote.objects.filter(reader__in=readers)
    doubled = votes.values("comment").annotate(given=Count("pk")).filter(given__gt=1)
    for_oneself = votes.filter(Q(comment__reader__in=readers) | Q(comment__also_by__in=readers))
    shared = OtherDevice.objects.filter(reader__in=sources)
    # One after the other, each by an index of its own: with OR between them, PostgreSQL reads the whole table.
    given = set(Comment.objects.filter(reader__in=sources).values_list("pk", flat=True))
    given.update(*[found.values_list("comment", flat=True) for found in (doubled, for_oneself, shared)])
    locked = Comment.objects.select_for_update(no_key=True).filter(pk__in=given)
    list(locked.order_by(F("parent").desc(nulls_last=True), "-pk").values_list("pk", flat=True))


def give_to(source: Reader, target: Reader) -> dict[int, dict[str, int]]:
    """All comments and votes of `source` become those of `target`, who has one vote a comment and none for their own.
    Call with the comments locked (lock_given); returns what is to be counted, by article (CountersQuerySet.touch)."""
    losing = _drop_votes(
        "reader_id = %s AND comment_id IN (SELECT comment_id FROM comments_vote WHERE reader_id = %s)", source, target
    )
    Comment.objects.filter(reader=source).update(reader=target)
    execute(_KEEP_FOR, [source.pk, target.pk, target.pk])
    execute(_KEEP_NOT_TWICE, [target.pk, target.pk])
    Vote.objects.filter(reader=source).update(reader=target)
    return losing | _drop_votes_for_oneself(target)


def give_written_to(source: Reader, target: Reader, *, email: str) -> dict[int, dict[str, int]]:
    """What `source` wrote with this address becomes `target`'s, and `source` may still change it (decision 0011).
    Called, and returns, as give_to()."""
    written = list(Comment.objects.filter(reader=source, email=email).values_list("pk", flat=True))
    Comment.objects.filter(pk__in=written).update(reader=target)
    # Who has a comment that others had before has it through a link.
    proved = set(OtherDevice.objects.filter(comment__in=written).values_list("comment", flat=True))
    devices = [OtherDevice(comment_id=pk, reader=source, proved=pk in proved) for pk in written]
    OtherDevice.objects.bulk_create(
        devices, update_conflicts=True, unique_fields=["comment", "reader"], update_fields=["has_words", "proved"]
    )
    target.other_devices.filter(comment__in=written, version="").delete()
    return _drop_votes_for_oneself(target)


def _drop_votes_for_oneself(reader: Reader) -> dict[int, dict[str, int]]:
    own = "SELECT id FROM comments_comment WHERE reader_id = %s"
    own += " UNION ALL SELECT comment_id FROM comments_otherdevice WHERE reader_id = %s"
    return _drop_votes(f"reader_id = %s AND comment_id IN ({own})", reader, reader, reader)


def _drop_votes(which: str, *readers: Reader) -> dict[int, dict[str, int]]:
    """From comments that are locked."""
    rows = fetch_all(_DROP_VOTES.format(which=which), [reader.pk for reader in readers])
    return {article_id: {} for (article_id,) in rows}


# publish()'s steps in one statement: with sixteen readers writing at once, nothing of Python runs while the counters'
# row is locked. `place` comes first because `found` reads what it returns.
_COUNT_AND_NUMBER = f"""
    place AS (UPDATE comments_comment SET reply_count = reply_count + 1 WHERE id = %s RETURNING id),
    found AS ({NUMBER_COMMENT.format(after="FROM (SELECT count(*) FROM place) AS placed")})
"""


def _numbering(comment: Comment) -> Question:
    """Stores a new comment, counted and numbered."""
    opens_thread = comment.parent_id is None
    parameters = [comment.root_id, opens_thread, comment.article_id, opens_thread]
    return insertion(comment, Found(("number", "thread_number"), _COUNT_AND_NUMBER, parameters))


def _count_visible(comment: Comment, change: int) -> None:
    _count_in_place(comment, change)
    Counters.objects.touch(comment.article_id, comments=change)


def _count_in_place(comment: Comment, change: int) -> None:
    if comment.root_id:
        execute("UPDATE comments_comment SET reply_count = reply_count + %s WHERE id = %s", [change, comment.root_id])
    _count_at_passage(comment, change)


def _count_at_passage(comment: Comment, change: int) -> None:
    if comment.passage_id:
        Passage.objects.filter(pk=comment.passage_id).update(comment_count=F("comment_count") + change)
