"""Mails that come to us: a reply to one of ours becomes a reply beneath the comment, a returned one a bounce.

However a mail came in (listener, pipe, webhook), `take_in` is where it goes. What it acknowledges is stored; what it
cannot store for the moment it raises, and the sender's server tries again.
"""

import hashlib
import re
import uuid
from datetime import timedelta
from urllib.parse import unquote

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from procrastinate.tasks import Task

from comments.forms import CommentForm
from comments.models import Comment
from comments.posting import post_comment
from comments.screening import Circumstances
from comments.services import Refused
from newsroom.addresses import canonical_address
from newsroom.answers import HEAD_BYTES, Answer, Unreadable, read_answer
from newsroom.mail import mail_domain, site_url
from newsroom.pages.formkey import FormKey
from newsroom.ratelimit import count_up
from newsroom.text.characters import normalise_line, shows_something
from newsroom.tokens import address_token_parts
from readers.services import reader_at
from subscriptions.bounces import note_bounce
from subscriptions.models import Bounce, Delivery, Recipient
from subscriptions.returned import read_returned
from subscriptions.tasks import send_answer_held, send_answer_refused

MOST_RECIPIENTS = 20  # of one mail
# Mails back to one subscriber: whatever two programs do to each other ends here.
MAILS_BACK, MAILS_BACK_WINDOW = 10, timedelta(days=1)
SURELY_NO_WORD = 8  # letters and digits of a token in a row
LONGEST_ECHO = 20_000  # characters of what somebody wrote that go back to them
# Not by its domain alone: a reader who works for the newspaper writes from there too.
_OUR_MESSAGE_ID = re.compile(rb"^message-id:\s*<comment-\d+\.[0-9a-f]{16}@([^>\s]+)>", re.IGNORECASE | re.MULTILINE)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")


class UnknownAddressError(Exception):
    """No address of ours, or not any more."""


def find_recipient(address: str) -> tuple[str, Delivery]:
    """The purpose ("antwort", "rueck") and the mail that an address of ours belongs to. Raises UnknownAddressError."""
    local, _at, domain = address.strip().strip("<>").rpartition("@")
    if not settings.REPLY_DOMAIN or domain.lower() != settings.REPLY_DOMAIN.lower() or not local.isascii():
        raise UnknownAddressError(address)
    purpose, pk = address_token_parts(local)
    if purpose not in {"antwort", "rueck"} or pk is None or pk >= 2**63:
        raise UnknownAddressError(address)
    delivery = Delivery.objects.select_related("comment__article", "subscription").filter(pk=pk).first()
    if delivery is None or not delivery.mail_token_fits(purpose, local):
        raise UnknownAddressError(address)
    return purpose, delivery


def take_in(raw: bytes, *, recipient: str, sender: str) -> None:
    """Takes one mail for one recipient; `sender` is the envelope's, empty for what nobody may answer.

    Raises UnknownAddressError, and database errors.
    """
    purpose, delivery = find_recipient(recipient)
    if purpose == "rueck":
        _take_returned(delivery, raw)
    elif "@" in sender:  # Postfix's pipe writes the empty one as MAILER-DAEMON
        _take_answer(delivery, raw)


def _take_returned(delivery: Delivery, raw: bytes) -> None:
    returned = read_returned(raw)
    if returned is not None:
        kind = Bounce.Kind.HARD if returned.is_final else Bounce.Kind.SOFT
        note_bounce(email=delivery.email, kind=kind, event_id=f"returned {delivery.pk}", detail=returned.detail)


def _take_answer(delivery: Delivery, raw: bytes) -> None:
    if _is_ours(raw):
        return
    try:
        answer = read_answer(raw)
    except Unreadable as unreadable:
        _refuse(delivery, str(unreadable), mail=hashlib.sha256(raw).hexdigest())
        return
    if answer.is_automatic:
        return
    if not _is_from(answer, delivery.email):
        # Whoever forwards our mail forwards its token; the answer goes to the subscriber, not to a stranger.
        _refuse(
            delivery,
            _("Sie kam von einer anderen Adresse. Bitte antworten Sie von der Adresse, an die wir geschrieben haben."),
            mail=answer.key,
        )
        return
    if not delivery.subscription.is_active:
        why = _(
            "Sie haben diese Benachrichtigungen beendet; deshalb nehmen wir auf diesem Weg keine Antworten mehr an."
        )
        _refuse(delivery, why, mail=answer.key, answer=answer)
        return
    try:
        comment = _post(delivery, answer)
    except Refused as refused:
        _refuse(delivery, str(refused), mail=answer.key, answer=answer)
    else:
        if comment.is_held:
            details = {"comment_id": comment.pk, "answers": answer.message_id}
            _write_back(send_answer_held, delivery, mail=answer.key, **details)


def _post(delivery: Delivery, answer: Answer) -> Comment:
    """By the same form, screening and transaction as any comment. Raises Refused."""
    # The same mail, brought twice, is the same submission, whatever became of its comment meanwhile.
    key = uuid.uuid5(uuid.NAMESPACE_URL, f"{delivery.pk} {answer.key}")
    earlier = Comment.objects.filter(form_key=key).first()
    if earlier is not None:
        return earlier
    if not delivery.comment.is_published:
        raise Refused(_("Der Kommentar, auf den Sie antworten, ist inzwischen entfernt worden."))
    if _holds_private_links(answer.text, delivery):
        raise Refused(
            _(
                "Darin stand noch ein Teil unserer Mail, mit Links, die nur Ihnen gehören. Bitte schreiben Sie Ihre"
                " Antwort über das Zitat."
            )
        )
    article = delivery.comment.article
    reader = reader_at(delivery.email, name=_name(answer))
    form = CommentForm(
        {"body": answer.text, "name": reader.name, "email": delivery.email, "website": reader.website},
        article=article,
        reader=reader,
    )
    if not form.is_valid():
        raise Refused(" ".join(error for errors in form.errors.values() for error in errors))
    how = Circumstances(key=FormKey(id=key, age=None), network=f"mail {delivery.email}", by_mail=True)
    return post_comment(article=article, parent=delivery.comment, reader=reader, draft=form.draft(), how=how)


def _holds_private_links(text: str, delivery: Delivery) -> bool:
    """What no client's way of quoting was recognised by must not become public. Mail programs break links, and some
    gateways write them anew: so their secrets are looked for too, letters and digits alone."""
    private = [site_url("/abo/"), site_url("/abos/"), f"@{settings.REPLY_DOMAIN}"]
    seen = "".join(unquote(text).lower().split())
    if any(link.lower() in seen for link in private):
        return True
    address, _rest = Recipient.of(delivery.email).token.split(":", 1)
    tokens = [address, delivery.subscription.token("end"), delivery.mail_token("antwort")]
    # Whole, for a token may have so many dashes that no part of it is long; and its longest part, for what writes links
    # anew may put something else in place of a dash.
    secrets = [_letters(token) for token in tokens]
    secrets += [max(re.split("[^A-Za-z0-9]", token), key=len).lower() for token in tokens]
    letters = [_letters(text), _letters(_DASH_OF_GATEWAYS.sub("", text))]
    return any(secret in run for secret in secrets if len(secret) >= SURELY_NO_WORD for run in letters)


_DASH_OF_GATEWAYS = re.compile("-(2D|5F)", re.IGNORECASE)  # Proofpoint's - and _


def _letters(text: str) -> str:
    return re.sub("[^A-Za-z0-9]", "", text).lower()


def _name(answer: Answer) -> str:
    """For who has not told us one: as their mail program calls them."""
    name = normalise_line(answer.sender_name)[:80].strip()
    return name if shows_something(name) and "@" not in name else _("Gast")


def _is_from(answer: Answer, email: str) -> bool:
    try:
        return canonical_address(answer.sender) == email
    except ValueError:
        return False


def _is_ours(raw: bytes) -> bool:
    """Our own mail, come back by a detour on which it perhaps lost the headers that say so."""
    ours = _OUR_MESSAGE_ID.search(_END_OF_HEAD.split(raw[:HEAD_BYTES], 1)[0])
    return ours is not None and ours[1].decode(errors="replace") == mail_domain()


def _refuse(delivery: Delivery, why: str, *, mail: str, answer: Answer | None = None) -> None:
    """Tells the subscriber that nothing appeared, and why, with what they wrote: nothing is lost. `answer` is None
    where it may be a stranger's; of strangers' nobody hears who ended the subscription."""
    if answer is not None:
        echo = {"text": answer.text[:LONGEST_ECHO], "answers": answer.message_id}
        _write_back(send_answer_refused, delivery, mail=mail, why=why, **echo)
    elif delivery.subscription.is_active:
        _write_back(send_answer_refused, delivery, mail=mail, why=why, text="", answers="")


def _write_back(task: Task, delivery: Delivery, *, mail: str, **details: int | str) -> None:
    """Owes the subscriber one mail about one of theirs, however often it is brought; and not too many in a day."""
    with transaction.atomic():  # counted and owed, or neither
        times = count_up("mail back", f"mail {delivery.pk} {mail}", window=MAILS_BACK_WINDOW)
        if times == 1 and count_up("mail back", f"address {delivery.email}", window=MAILS_BACK_WINDOW) <= MAILS_BACK:
            task.defer(delivery_id=delivery.pk, **details)
