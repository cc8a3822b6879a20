"""Sends what is owed: one mail at a time over one connection, each marked as sent before the next one begins.

The rows are the queue; jobs only wake who looks at them. So nothing waits for a job that died, several workers share
the work without a word (SKIP LOCKED), and what a killed worker leaves behind is at most one mail that the server has
and the row does not say so. That one goes out again, under the same Message-ID (E11).
"""

import logging
from datetime import timedelta
from time import monotonic

from django.conf import settings
from django.db import transaction
from django.db.models import F, Func, IntegerField, Q
from django.utils import timezone, translation

from newsroom.handover import About, Line, Refusal
from newsroom.models import Outbox, Suppression
from newsroom.sql.prepared import execute, fetch_one
from newsroom.tasks import call_off, put_off, take_up_again
from subscriptions.letters import CLAIM, Claimed, letter
from subscriptions.models import Delivery

logger = logging.getLogger(__name__)

# So many addresses' mails refused one after the other, and none taken: it is not about them (E15).
IN_A_ROW = 5
RETRY_FIRST, RETRY_AT_MOST = timedelta(seconds=30), timedelta(hours=2)
MOST_ATTEMPTS = 28  # about two days
PAUSE_FIRST, PAUSE_AT_MOST = timedelta(seconds=30), timedelta(minutes=15)
# No worker for so long: an outage, or a dump of earlier days was restored and these mails went out long ago (E20).
STANDSTILL = timedelta(hours=3)
BEAT = timedelta(minutes=1)  # workers say more often than this that they are there
# Of a digest's HTML, and of that what stands around each comment. Gmail cuts a mail off at 102 kB (B10).
DIGEST_BYTES, BYTES_AROUND = 85_000, 2_500


def send_due(*, seconds: float = 30) -> bool:
    """Sends until nothing is due, the server refuses, or the time is over: then, and only then, True."""
    until = monotonic() + seconds
    if keep_alive().is_paused:
        return False
    with Line() as line:
        run = _Run(line)
        while monotonic() < until:
            if not run.send_next():
                return False
    return True


class _Run:
    """What one stretch of sending has learned about the server."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self.refused: list[tuple[int, str, str]] = []  # delivery, address, answer: believed once another mail is taken
        self.troubled: set[str] = set()  # addresses, since a mail was last taken
        self.server_is_well = False

    def send_next(self) -> bool:
        """False if there is nothing to send, or no way to."""
        with transaction.atomic():
            # The row's lock keeps other workers away while the mail server is answering.
            row = fetch_one(CLAIM, [timezone.now()])
            if row is None:
                return False
            claimed = Claimed(*row)
            if claimed.gathered and claimed.attempts == 0:
                # Which comments share this mail is settled, and committed, before it goes out: were it sent twice,
                # it would be the same mail.
                _gather(claimed.pk)
                return True
            refusal = self._send(claimed)
        return True if refusal is None else self._learn(claimed, refusal)

    def _send(self, claimed: Claimed) -> Refusal | None:
        """Sends the mail of this row, if it is still wanted (E19), and marks what became of it."""
        mail = letter(claimed)
        if not mail.wanted:
            _mark(mail.rows, Delivery.State.DROPPED)
            return None
        if claimed.suppressed:
            _mark(mail.rows, Delivery.State.SUPPRESSED)
            return None
        try:
            with translation.override(claimed.language or settings.LANGUAGE_CODE):
                message = mail.compose()
            refusal = self.line.hand_over(message)
        except Exception:  # our mistake, and no reason to think ill of the server
            logger.exception("Delivery %s cannot be composed", claimed.pk)
            _try_later(claimed, mail.rows, "Die Mail lässt sich nicht schreiben; das Protokoll sagt, warum.")
            return None
        if refusal is None:
            _mark(mail.wanted, Delivery.State.SENT)
            _mark([pk for pk in mail.rows if pk not in mail.wanted], Delivery.State.DROPPED)
            self._taken()
        elif refusal.about is About.SERVER:
            # Behind the others, should it be about this mail after all.
            Delivery.objects.filter(pk=claimed.pk).update(due_at=timezone.now())
        else:
            _try_later(claimed, mail.rows, refusal.answer)
        return refusal

    def _taken(self) -> None:
        self.troubled.clear()
        if not self.server_is_well:
            self.server_is_well = True
            Outbox.objects.filter(pk=Outbox.ONLY).exclude(failures=0).update(
                failures=0, paused_until=None, paused_because=""
            )
        for pk, email, answer in self.refused:
            # The server takes mails: these refusals are about the addresses.
            Suppression.objects.suppress(email, Suppression.Reason.BOUNCED, answer)
            Delivery.objects.filter(Q(pk=pk) | Q(digest=pk)).update(state=Delivery.State.FAILED)
        self.refused = []

    def _learn(self, claimed: Claimed, refusal: Refusal) -> bool:
        """Goes on with the next mail, or pauses everything."""
        if refusal.about is About.RECIPIENT:
            self.refused.append((claimed.pk, claimed.email, refusal.answer))
        self.troubled.add(claimed.email)
        if refusal.about is About.SERVER or len(self.troubled) >= IN_A_ROW:
            pause(refusal.answer)
            return False
        return True


def pause(because: str) -> None:
    """Nobody sends for a while, a longer one each time. The alarm is in the log, in the admin and in mail_status."""
    with transaction.atomic():
        outbox = Outbox.objects.select_for_update().get(pk=Outbox.now().pk)
        if outbox.is_paused:
            return
        wait = min(PAUSE_FIRST * 2**outbox.failures, PAUSE_AT_MOST)
        outbox.paused_until, outbox.paused_because = timezone.now() + wait, because
        outbox.failures = min(outbox.failures + 1, 10)
        outbox.save(update_fields=["paused_until", "paused_because", "failures"])
        # Before the commit: whoever sees the pause finds the alarm, and a crash in between loses none.
        logger.critical("Mails pause for %d s, the mail server says: %s", wait.total_seconds(), because)


def resume() -> None:
    """A person has seen to it: on at once."""
    Outbox.objects.filter(pk=Outbox.ONLY).update(paused_until=None, paused_because="", failures=0)


def keep_alive() -> Outbox:
    """Says that workers are there, before anything is sent. After a long standstill nobody knows what of that which
    waited at its beginning went out since, by the database that this one may be an old copy of: it is set aside until a
    person says (E20)."""
    now = timezone.now()
    with transaction.atomic():
        outbox = Outbox.objects.select_for_update().get(pk=Outbox.now().pk)
        if now - outbox.alive_at > STANDSTILL:
            outbox.set_aside_before = outbox.alive_at + BEAT
            old = Delivery.objects.due(now).filter(created_at__lt=outbox.set_aside_before)
            count = old.update(state=Delivery.State.SET_ASIDE) + put_off(owed_before=outbox.set_aside_before)
            if count:
                logger.critical("No worker since %s: %d mails are set aside (mail_status)", outbox.alive_at, count)
        outbox.alive_at = now
        outbox.save(update_fields=["alive_at", "set_aside_before"])
    return outbox


def release_set_aside(*, send: bool) -> int:
    """It was an outage: send them. Or a restored dump: drop them. Returns how many."""
    aside = Delivery.objects.filter(state=Delivery.State.SET_ASIDE)
    with transaction.atomic():
        if send:
            return aside.update(state=Delivery.State.WAITING, due_at=timezone.now()) + take_up_again()
        Delivery.objects.filter(digest__in=aside).update(state=Delivery.State.DROPPED)
        return aside.update(state=Delivery.State.DROPPED) + call_off()


def _gather(pk: int) -> None:
    """Puts what else is due for this address and article into one mail with the claimed row; what one mail does not
    hold is left for another."""
    head = Delivery.objects.select_related("comment__article", "subscription").get(pk=pk)
    if not head.is_wanted:  # approved again it would come alone, and must not bear the id of a mail that went out
        _mark([pk], Delivery.State.DROPPED)
        return
    same = Delivery.objects.due(timezone.now()).untried()
    same = same.filter(email=head.email, gathered=True, comment__article=head.comment.article_id).exclude(pk=pk)
    same = same.annotate(size=Func("comment__html", function="octet_length", output_field=IntegerField()))
    room = DIGEST_BYTES - BYTES_AROUND - len(head.comment.html.encode())
    members = []
    for member, size in same.select_for_update(of=("self",), skip_locked=True).values_list("pk", "size"):
        room -= BYTES_AROUND + size
        if room < 0:
            break
        members.append(member)
    Delivery.objects.filter(pk__in=members).update(digest=head)
    Delivery.objects.filter(pk=pk).update(attempts=1)


def _mark(rows: list[int], state: Delivery.State) -> None:
    if rows:
        sent_at = timezone.now() if state == Delivery.State.SENT else None
        execute(
            "UPDATE subscriptions_delivery SET state = %s, sent_at = %s WHERE id = ANY (%s)", [state, sent_at, rows]
        )


def _try_later(claimed: Claimed, rows: list[int], answer: str) -> None:
    owed = Delivery.objects.filter(pk__in=rows)
    attempts = claimed.attempts + 1
    if attempts > MOST_ATTEMPTS:
        owed.update(state=Delivery.State.FAILED, error=answer)
        return
    wait = min(RETRY_FIRST * 4 ** min(attempts - 1, 8), RETRY_AT_MOST)
    owed.update(attempts=F("attempts") + 1, due_at=timezone.now() + wait, error=answer)
