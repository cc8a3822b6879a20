"""A reply by mail becomes a reply beneath the comment, by whom the address belongs to (B17; decision 0011)."""

from urllib.parse import quote

import pytest
from django.utils import timezone

from comments.models import Comment
from readers.models import Reader
from subscriptions.mails import Personal, comment_mail
from subscriptions.models import Subscription
from subscriptions.outbox import send_due
from subscriptions.tasks import announce
from tests import factories
from tests.subscriptions.inbound.mails import ANSWER, BERTA, bring, owed, plain, proved, replies, told_of, written

# --- what it becomes -------------------------------------------------------------------------------------------------


def test_reply_stands_beneath_the_comment_it_answers(article, told):
    beneath = told_of(factories.comment(article, parent=told.comment), "carl@example.org")
    bring(told, written("Nein, das stimmt *nicht*."))
    bring(beneath, written(sender="Carl <carl@example.org>"))
    first, second = Comment.objects.order_by("pk")[2:]
    assert (first.parent, first.root, first.depth, first.number) == (told.comment, told.comment, 1, 3)
    assert (second.parent, second.root, second.depth, second.name) == (beneath.comment, told.comment, 2, "Carl")
    assert (first.name, first.email, first.badge, first.html) == (
        "Berta",
        BERTA,
        "",
        "<p>Nein, das stimmt <em>nicht</em>.</p>",
    )
    told.comment.refresh_from_db()
    assert told.comment.reply_count == 3
    assert owed() == 0  # what appears needs no mail


def test_nobody_speaks_for_the_house_by_mail(article, told):
    """A From is easily forged, and whoever gets our mail forwarded has the address to answer to."""
    factories.reader("Vera", BERTA, user=factories.editor(), email_confirmed_at=timezone.now())
    bring(told, written())
    reply = Comment.objects.get(parent=told.comment)
    assert (reply.reader.user.username, reply.badge) == ("redaktion", "")


def test_other_words_under_the_same_message_id_are_another_reply(told):
    for text in ("Das Erste.", "Das Zweite.", "Das Erste."):
        bring(told, written(text, Message_ID="<immer-dieselbe@example.org>"))
    assert replies(told) == [("published", "Das Erste."), ("published", "Das Zweite.")]


def test_others_are_told_of_it_and_its_author_is_not(article, told, letters):
    factories.subscription(article, "carl@example.org")
    bring(told, written())
    announce(comment_id=Comment.objects.get(parent=told.comment).pk)
    send_due()
    assert [letter.recipient for letter in letters()] == ["carl@example.org"]


def test_what_was_quoted_is_not_published(told):
    """Our mail holds links that only its reader may have."""
    personal = Personal.of(told, answered=None)
    ours = comment_mail(told.comment, kind="article", personal=personal).body
    quoted = "\n".join(f"> {line}".rstrip() for line in ours.splitlines())
    bring(told, written(f"{ANSWER}\n\nAm 01.05.2024 um 12:30 schrieb Anna über Newsroom:\n\n{quoted}\n"))
    assert replies(told) == [("published", ANSWER)]


def as_it_is(link: str) -> str:
    return link


def broken(link: str) -> str:
    return link.replace("/abo/", "/\nabo/")


def rewritten_by_outlook(link: str) -> str:
    return f"https://eur01.safelinks.protection.outlook.com/?url={quote(link, safe='')}&data=05"


def doubly_rewritten(link: str) -> str:
    return rewritten_by_outlook(quote(link, safe=""))


def rewritten_by_a_gateway(link: str) -> str:
    """Proofpoint's second way: - for %, _ for /."""
    url = quote(link, safe="/").replace("-", "-2D").replace("_", "-5F").replace("%", "-").replace("/", "_")
    return f"https://urldefense.proofpoint.com/v2/url?u={url}&d=x"


def without_scheme(link: str) -> str:
    return link.partition("://")[2]


@pytest.mark.parametrize(
    "arrives",
    [as_it_is, broken, rewritten_by_outlook, doubly_rewritten, rewritten_by_a_gateway, without_scheme],
)
@pytest.mark.parametrize("which", ["end_url", "manage_url"])
def test_what_looks_like_no_quote_but_holds_private_links_is_not_published(told, back, arrives, which):
    link = getattr(Personal.of(told, answered=None), which)
    bring(told, written(f"{ANSWER} Keine Mails mehr: {arrives(link)} Ende."))
    bring(told, written(f"{ANSWER} Geht an {told.mail_token('antwort').upper()}@antwort.example"))
    assert replies(told) == []
    assert ["mit Links, die nur Ihnen gehören" in plain(letter) for letter in back()] == [True, True]


@pytest.mark.parametrize("arrives", [as_it_is, broken, rewritten_by_outlook, rewritten_by_a_gateway, without_scheme])
@pytest.mark.parametrize(
    "token", ["8w-8CigOCc-uqHUHm2-K6lvog", "8w-8CigOCc_uqHUHm2_2DK6lvo", "8w-_______-AAAAAAA_b2D-5Fx"]
)
def test_token_of_many_dashes_is_found_too(told, back, monkeypatch, arrives, token):
    monkeypatch.setattr(Subscription, "token", lambda self, purpose: token)
    link = Personal.of(told, answered=None).end_url
    assert token in link
    bring(told, written(f"{ANSWER} Keine Mails mehr: {arrives(link)} Ende."))
    assert replies(told) == []
    assert "mit Links, die nur Ihnen gehören" in plain(back()[0])


# --- whose it is (decision 0011) -------------------------------------------------------------------------------------


def test_it_is_the_readers_who_proved_the_address(told):
    reader = proved()
    bring(told, written(sender=f"B. <{BERTA}>"))
    comment = Comment.objects.get(parent=told.comment)
    assert (comment.reader, comment.name) == (reader, "Berta Brecht")


def test_an_account_comes_before_a_guest(told):
    proved("Gast")
    account = proved("Konto", user=factories.User.objects.create_user("b", BERTA))
    bring(told, written())
    assert Comment.objects.get(parent=told.comment).reader == account


def test_who_only_typed_the_address_gets_nothing(told):
    """The subscription may hang on a stranger's cookie; the reply must not."""
    stranger = told.subscription.reader
    assert (stranger.email, stranger.email_confirmed_at) == (BERTA, None)
    bring(told, written())
    bring(told, written("Noch etwas."))
    mine = list(Comment.objects.filter(parent=told.comment))
    assert {comment.reader for comment in mine} == {Reader.objects.get(email=BERTA, email_confirmed_at__isnull=False)}
    assert [comment.may_be_edited_by(stranger) for comment in mine] == [False, False]
    stranger.refresh_from_db()
    assert (stranger.name, stranger.email_confirmed_at) == ("", None)


@pytest.mark.parametrize(
    "sender, name",
    [
        (f'"Berta B." <{BERTA}>', "Berta B."),
        (f"=?utf-8?q?Bert=C3=A4?= <{BERTA}>", "Bertä"),
        (f"{BERTA} <{BERTA}>", "Gast"),  # nobody's address appears beside what they wrote
        (f'"someone@example.org" <{BERTA}>', "Gast"),
        (f"=?utf-8?q?=E2=80=8B?= <{BERTA}>", "Gast"),
        (f'"{"x" * 200}" <{BERTA}>', "x" * 80),
        (f"www.berta.example <{BERTA}>", "www.berta.example"),  # which no mail could ask to change; shown without link
        (f"=?utf-8?q?a=0D=0Ab=00c=E2=80=AEd?= <{BERTA}>", "a bcd"),
    ],
)
def test_name_of_who_has_not_told_us_one(told, sender, name):
    raw = written().replace(f"From: Berta <{BERTA}>".encode(), f"From: {sender}".encode())
    bring(told, raw)
    assert [comment.name for comment in Comment.objects.filter(parent=told.comment)] == [name]
