"""Consent to mails: asked for, confirmed, changed, ended."""

from contextlib import suppress
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import Article
from comments.models import Comment
from newsroom.mail import site_url
from newsroom.sql.prepared import Question
from newsroom.unasked import may_send_unasked
from readers.models import Reader
from subscriptions.models import (
    TICKED_FOR_ALL,
    TICKED_WITH_COMMENT,
    Consent,
    Delivery,
    DeliveryQuerySet,
    Recipient,
    Subscription,
    SubscriptionQuerySet,
)
from subscriptions.rhythm import Rhythm
from subscriptions.tasks import announce, send_manage_link, send_opt_in

OPT_INS_PER_ADDRESS = 3  # a day, over the whole site (B14)
MANAGE_LINKS_PER_DAY = 3
NOBODY = 0  # no row's id: a job that finds nothing to do
CHOICES = ["daily_at", "quiet_from", "quiet_until", "time_zone", "language"]
# As procrastinate's own defer() does it.
_TELLING = """
    SELECT procrastinate_defer_jobs_v1(ARRAY[ROW(
        %s::text, %s::text, %s::int, NULL, NULL, jsonb_build_object('comment_id', id), %s::timestamptz
    )]::procrastinate_job_to_defer_v1[])
    FROM comments_comment
    WHERE form_key = %s AND EXISTS (
        SELECT FROM subscriptions_subscription
        WHERE article_id = %s AND confirmed_at IS NOT NULL AND ended_at IS NULL
    )
"""
# What shows that, when and to what somebody agreed (A25).
PROOF = ["wording", "form_url", "asked_at", "opt_in_sent_at", "opt_in_message_id", "confirmed_at", "ended_at"]


def subscribe(
    *, article: Article, reader: Reader, kind: str, email: str, network: str, with_comment: bool = False
) -> Subscription:
    """Notes the wish and owes the opt-in mail; active at once only where the reader proved the address before.
    `email` is canonical (newsroom.addresses). A wish that came `with_comment` ends with it, if that is taken back
    before the mail went.

        the row was        address proved by the reader    typed by anybody
        not there          active at once                  pending, one opt-in mail
        pending            active now                      stays; a mail only if none went
        expired or ended   asked anew, active              asked anew, one opt-in mail
        active             stays                           stays

    The caller answers the same whatever happens here: known, unknown and pending addresses look alike (C7).
    """
    with transaction.atomic():
        reader = Reader.objects.lock(reader)
        # An article is followed by an address, replies to "my" comments by a reader at an address.
        whose = {"reader": reader} if kind == Subscription.Kind.REPLIES else {}
        row, created = Subscription.objects.select_for_update().get_or_create(
            article=article, kind=kind, email=email, **whose, defaults={"reader": reader, **_consent(article, kind)}
        )
        was_active = row.is_active
        is_new = created or not (was_active or row.is_pending)
        if is_new and not created:
            for name, value in (_consent(article, kind) | {"confirmed_at": None, "ended_at": None}).items():
                setattr(row, name, value)
            row.opt_in_sent_at = None
            row.reader = reader
        if reader.owns(email) and not was_active:
            row.confirmed_at = timezone.now()
        row.save()
        if is_new:
            # What was ticked, to the word; what is confirmed says more.
            ticked = f"{TICKED_WITH_COMMENT} {TICKED_FOR_ALL}: „{article.headline}“"
            asked = {"wording": ticked if with_comment else row.wording, "form_url": row.form_url, "at": row.asked_at}
            _record(row, Consent.Event.ASKED, how=_("Formular auf der Seite"), **asked)
        if row.is_active and not was_active:
            _record(row, Consent.Event.CONFIRMED, how=_("Adresse in diesem Browser schon bewiesen"))
        if not reader.owns(email):
            if not created:
                _store_nothing(row)
            _ask(row, network, with_comment)
    return row


def wants_replies(reader: Reader, comment: Comment) -> bool:
    """Did the reader ask for mails about answers with this comment?"""
    asked = Subscription.objects.filter(article=comment.article_id, reader=reader, kind=Subscription.Kind.REPLIES)
    with_it = asked.filter(email=comment.email, ended_at=None, asked_at__gte=comment.created_at)
    return bool(comment.email) and with_it.exists()


class _TakenBackError(Exception):
    pass


def _store_nothing(row: Subscription) -> None:
    """What storing a new subscription takes, taken back: whoever enters a stranger's address must not tell from the
    time it takes whether it is known (C7)."""
    with suppress(_TakenBackError), transaction.atomic():
        for _statement in range(2):
            row.consents.create(event=Consent.Event.ASKED, how="")
        raise _TakenBackError


def _ask(row: Subscription, network: str, with_comment: bool) -> None:
    """Owes the opt-in mail, if one is due; with the same statements if not (C7)."""
    is_due = not row.is_active and row.opt_in_sent_at is None
    is_due &= may_send_unasked("opt-in", row.email, network, per_day=OPT_INS_PER_ADDRESS, is_due=is_due)
    if is_due:
        row.opt_in_sent_at = timezone.now()
    row.save(update_fields=["opt_in_sent_at"])
    send_opt_in.defer(subscription_id=row.pk if is_due else NOBODY, with_comment=with_comment)


def telling(comment: Comment, *, in_seconds: float = 0) -> Question:
    """Owes the job that tells who is subscribed now, if anybody is: most articles' comments cost no job at all. Ask in
    the transaction that publishes; with storing a new comment, or after it.

    Who subscribes afterwards is told of later comments.
    """
    due_at = timezone.now() + timedelta(seconds=in_seconds) if in_seconds else None
    job = announce.configure().job
    # By the key of its form: a new comment has no number yet where this is written.
    return Question(_TELLING, [job.queue, job.task_name, job.priority, due_at, comment.form_key, comment.article_id])


def confirm(subscription: Subscription, *, rhythm: str = Rhythm.AT_ONCE) -> bool:
    """The button behind the opt-in mail. True if it is active now; safe to call twice."""
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(pk=subscription.pk)
        if row.is_pending:
            row.confirmed_at, row.rhythm = timezone.now(), rhythm
            row.save(update_fields=["confirmed_at", "rhythm"])
            agreed = {"wording": row.wording, "form_url": row.form_url}
            _record(row, Consent.Event.CONFIRMED, how=_("Knopf auf der Seite aus der Bestätigungsmail"), **agreed)
    subscription.refresh_from_db()
    return subscription.is_active


def end(subscription: Subscription, *, how: str = "") -> bool:
    """No mail to this address about this article after this, as the link in the mail says; safe to call twice (B3).
    True if this ended it."""
    return subscription.pk in _end(
        Subscription.objects.filter(article=subscription.article_id, email=subscription.email), how
    )


def end_all(email: str, *, how: str = "") -> None:
    """No mail to this address about any article."""
    _end(Subscription.objects.filter(email=email), how)


def resume(subscription: Subscription) -> None:
    """Takes back what end() ended just now, in the words that were agreed to; safe to call twice."""
    with transaction.atomic():
        together = Subscription.objects.filter(article=subscription.article_id, email=subscription.email)
        ended = together.filter(ended_at=subscription.ended_at).select_for_update().order_by("pk")
        for row in ended:
            if row.may_be_resumed:
                row.confirmed_at, row.ended_at, row.resumable = timezone.now(), None, False
                row.save(update_fields=["confirmed_at", "ended_at", "resumable"])
                again = {"wording": row.wording, "form_url": row.form_url}
                _record(row, Consent.Event.CONFIRMED, how=_("Knopf gleich nach dem Abbestellen"), **again)
    subscription.refresh_from_db()


def choose_rhythm(subscription: Subscription, rhythm: str) -> None:
    """From now on, and for what is waiting: nothing is lost, and what may be in a mail already stays there (B16)."""
    if rhythm == subscription.rhythm:
        return
    with transaction.atomic():
        row = Subscription.objects.select_for_update().get(pk=subscription.pk)
        row.rhythm = rhythm
        row.save(update_fields=["rhythm"])
        _plan_anew(row.deliveries, Recipient.of(row.email), rhythm)


def keep_recipient(recipient: Recipient) -> None:
    """Stores how an address wants to be written to; what is waiting follows."""
    with transaction.atomic():
        # Not save(): pressed twice, both would insert.
        chosen = {name: getattr(recipient, name) for name in CHOICES}
        recipient, _created = Recipient.objects.update_or_create(email=recipient.email, defaults=chosen)
        for rhythm in Rhythm.values:
            waiting = Delivery.objects.filter(email=recipient.email, subscription__rhythm=rhythm)
            _plan_anew(waiting, recipient, rhythm)


def send_manage_mail(*, email: str, network: str) -> None:
    """A link to all subscriptions of this address. The caller answers the same whether there are any (C7)."""
    if may_send_unasked("manage", email, network, per_day=MANAGE_LINKS_PER_DAY):
        send_manage_link.defer(email=email)


def consents_of(email: str) -> list[dict]:
    """Everything this address agreed to and withdrew, for its owner (A23, A25): one dict an event, in order."""
    rows = Consent.objects.filter(subscription__email=email).select_related("subscription__article")
    return [
        {
            "article": site_url(row.subscription.article.get_absolute_url()),
            "kind": row.subscription.get_kind_display(),
            "event": row.event,
            "at": row.at.isoformat(),
            "how": row.how,
            "wording": row.wording,
            "form_url": row.form_url,
            "message_id": row.message_id,
        }
        for row in rows
    ]


def _end(rows: SubscriptionQuerySet, how: str) -> set[int]:
    """Returns which this ended. Whoever says it last has the last word, also where it is ended already."""
    with transaction.atomic():
        meant = list(rows.filter(Q(ended_at=None) | Q(resumable=True)).select_for_update().order_by("pk"))
        ended = {row.pk for row in meant if row.ended_at is None}
        Subscription.objects.filter(pk__in=[row.pk for row in meant]).update(resumable=False)
        Subscription.objects.filter(pk__in=ended).update(ended_at=timezone.now(), resumable=True)
        for row in meant:
            if row.pk in ended:
                _record(row, Consent.Event.ENDED, how=how or _("Link in der Mail"))
    return ended


def _plan_anew(deliveries: DeliveryQuerySet, recipient: Recipient, rhythm: str) -> None:
    now = timezone.now()
    due_at = recipient.clock.due_at(rhythm, now)
    # What is due already may be in a mail that the server took from a worker which died.
    deliveries.untried().filter(due_at__gt=now).update(due_at=due_at, gathered=due_at > now)


def _record(subscription: Subscription, event: Consent.Event, **what: str) -> None:
    subscription.consents.create(event=event, **what)


def give_to(source: Reader, target: Reader, *, email: str | None = None) -> None:
    """All subscriptions of `source`, or those of one address, become those of `target`. Call in a transaction.

    Where both had the same one, a consent that was given outlives one that was not. No row is deleted: the links of
    mails already sent go on working (B13).
    """
    theirs = {(row.article_id, row.kind, row.email): row for row in target.subscriptions.all()}
    for row in source.subscriptions.all() if email is None else source.subscriptions.filter(email=email):
        same = theirs.get((row.article_id, row.kind, row.email))
        if same is None:
            row.reader = target
            row.save(update_fields=["reader"])
        elif row.is_active and not same.is_active:
            for name in PROOF:
                setattr(same, name, getattr(row, name))
            same.save(update_fields=PROOF)


def follow_address(reader: Reader, *, old: str, new: str) -> None:
    """The account of `reader` has another address, proved like the first: its mails go there from now on, in the same
    rhythm. Call in a transaction.

    New rows, so that the links of mails already sent end what they belong to; what was ended at the new address before
    stays ended.
    """
    chosen = Recipient.objects.filter(email=old).first()
    if chosen is not None and not Recipient.objects.filter(email=new).exists():
        chosen.pk, chosen.email, chosen._state.adding = None, new, True
        chosen.save()
    how = _("Neue Adresse des Kontos")
    theirs = Q(reader=reader) | Q(kind=Subscription.Kind.ARTICLE)  # an article is followed by an address
    for row in Subscription.objects.active().filter(theirs, email=old).select_for_update().order_by("pk"):
        whose = {"reader": reader} if row.kind == Subscription.Kind.REPLIES else {}
        there, _new = Subscription.objects.select_for_update().get_or_create(
            article_id=row.article_id, kind=row.kind, email=new, **whose, defaults={"reader": reader}
        )
        now = timezone.now()
        if not there.is_active and not _ended_by_its_owner(there, how):
            there.reader, there.confirmed_at, there.ended_at, there.resumable = reader, now, None, False
            there.wording, there.form_url, there.rhythm = row.wording, row.form_url, row.rhythm
            there.save()
            _record(there, Consent.Event.CONFIRMED, how=how, wording=row.wording, form_url=row.form_url)
        if there.is_active:
            waiting = row.deliveries.untried().exclude(comment__deliveries__email=new)
            waiting.update(subscription=there, email=new)
        row.ended_at, row.resumable = now, False
        row.save(update_fields=["ended_at", "resumable"])
        _record(row, Consent.Event.ENDED, how=how)


def _ended_by_its_owner(row: Subscription, moved: str) -> bool:
    """And not only because the account went on elsewhere."""
    if row.ended_at is None:
        return False
    last = row.consents.filter(event=Consent.Event.ENDED).order_by("pk").last()
    return last is None or last.how != moved


def _consent(article: Article, kind: str) -> dict:
    """What is agreed to, word for word, where, and when (A25)."""
    wish = Subscription.Kind(kind).ticked
    return {
        "wording": _("Benachrichtige mich bei %(kind)s: „%(headline)s“") % {"kind": wish, "headline": article.headline},
        "form_url": site_url(article.get_absolute_url()),
        "asked_at": timezone.now(),
    }
