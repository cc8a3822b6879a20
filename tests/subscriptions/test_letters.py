"""A mail that is addressed to many is the mail that would have been composed for each."""

import email
import re
from email import policy

import pytest
from django.db import connection
from django.utils import timezone

from subscriptions.letters import CLAIM, Claimed, letter
from subscriptions.mails import Personal, comment_mail
from subscriptions.models import Delivery
from tests import factories

LONG_LINE = "Donaudampfschifffahrt " * 100  # over 998 bytes: the body becomes quoted-printable


def read(raw: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Headers and bodies, without what is the moment's or chance: date and boundary."""
    message = email.message_from_bytes(raw, policy=policy.default)
    headers = [(name, re.sub("=+[0-9]+=+", "", str(value))) for name, value in message.items() if name != "Date"]
    return headers, [untimed(part.get_content()) for part in message.iter_parts()]


def untimed(text: str) -> str:
    """The link to all subscriptions holds the second in which it was made."""
    return re.sub(r"/abos/[^/]+/", "/abos/", text)


@pytest.mark.parametrize("reply_domain", ["", "antwort.example.org"])
@pytest.mark.parametrize("body", ["Ein *kurzer* Text.\n\n> Zitat", LONG_LINE])
def test_each_gets_what_would_have_been_composed_for_them_alone(article, settings, body, reply_domain):
    settings.REPLY_DOMAIN = reply_domain
    parent = factories.comment(article, "Eine Frage?", name="Dora")
    comment = factories.comment(article, body, name="Anna Müller", parent=parent)
    for name in ("berta", "carla"):
        row = factories.subscription(article, f"{name}@example.org")
        delivery = Delivery.objects.create(comment=comment, subscription=row, email=row.email)
        claimed = claim(delivery)
        assert (claimed.pk, claimed.answered) == (delivery.pk, parent.pk)
        sent = letter(claimed).compose()
        alone = comment_mail(comment, kind=row.kind, personal=Personal.of(delivery, answered=parent.pk))
        assert read(sent.message().as_bytes(linesep="\r\n")) == read(alone.message().as_bytes(linesep="\r\n"))
        assert (sent.to, sent.from_email, sent.subject) == (alone.to, alone.from_email, alone.subject)
        # What a provider's interface is given instead of the bytes.
        assert (untimed(sent.body), sent.extra_headers) == (untimed(alone.body), alone.extra_headers)
        assert ".invalid" not in sent.message().as_bytes(linesep="\r\n").decode().lower()


@pytest.mark.parametrize("told", [True, False])
def test_answer_to_their_own_comment_hangs_below_what_they_answered(article, told):
    """Of their own no mail was sent, so no mail program could find it."""
    row = factories.subscription(article)
    first = factories.comment(article, "Anton meint das.")
    if told:
        Delivery.objects.create(comment=first, subscription=row, email=row.email)
    own = factories.comment(article, "Berta nicht.", parent=first, reader=row.reader)
    answer = factories.comment(article, "Anton doch.", parent=own)
    claimed = claim(Delivery.objects.create(comment=answer, subscription=row, email=row.email))
    assert claimed.answered == (first.pk if told else own.pk)


def test_what_changed_is_in_the_next_mail(article):
    comment = factories.comment(article, "Erst so.")
    row = factories.subscription(article)
    delivery = Delivery.objects.create(comment=comment, subscription=row, email=row.email)
    assert "Erst so." in letter(claim(delivery)).compose().body
    comment.body = "Dann so."
    comment.render()
    comment.save()
    assert "Dann so." in letter(claim(delivery)).compose().body
    article.headline = "Neue Überschrift"
    article.save()
    assert letter(claim(delivery)).compose().subject == "Kommentare zu „Neue Überschrift“"


def claim(delivery: Delivery) -> Claimed:
    Delivery.objects.exclude(pk=delivery.pk).update(state=Delivery.State.DROPPED)
    with connection.cursor() as cursor:
        cursor.execute(CLAIM, [timezone.now()])
        return Claimed(*cursor.fetchone())


def test_a_comment_cannot_hold_what_is_exchanged(article):
    """Or a link in it would carry each reader's own address and links to wherever its author likes."""
    comment = factories.comment(article, "https://evil.example/?a=an-wen@platzhalter.invalid")
    row = factories.subscription(article)
    places = Personal.of(Delivery(pk=1, comment=comment, subscription=row, email=row.email), answered=None)
    secret = places.placeholders().email.partition("@")[2].removesuffix(".invalid")
    assert (len(secret), places.placeholders()) == (32, places.placeholders())
    delivery = Delivery.objects.create(comment=comment, subscription=row, email=row.email)
    sent = letter(claim(delivery)).compose()
    assert "a=an-wen@platzhalter.invalid" in sent.body
    assert sent.alternatives[0].content.count(row.email) == 0
