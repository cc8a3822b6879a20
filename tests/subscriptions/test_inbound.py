"""A reply by mail becomes a reply beneath the comment; whatever else comes in does no harm (B17)."""

import random
import re
import uuid
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import BlockedWord, Comment
from comments.screening import HELD_ABOVE_PER_READER, LIMIT_WINDOW, REFUSED_ABOVE_PER_READER, Circumstances
from comments.services import delete_comment, edit_comment
from moderation.models import OnDuty
from moderation.services import approve, remove
from newsroom.mailbox import Letter
from newsroom.markup import COMMENT_LIMIT
from newsroom.models import Limit
from newsroom.ratelimit import count_up
from readers.models import Reader
from subscriptions.inbound import MAILS_BACK, UnknownAddressError, take_in
from subscriptions.mails import Personal, comment_mail
from subscriptions.models import Delivery
from subscriptions.outbox import send_due
from subscriptions.services import end
from subscriptions.tasks import announce
from tests import factories
from tests.comments.test_hostile_input import NASTY, SCRIPTS, Danger, bytes_of
from tests.together import at_once

BERTA = "berta@example.org"
ANSWER = "Das überzeugt mich nicht."
Back = Callable[[], list[Letter]]


@pytest.fixture(autouse=True)
def reply_domain(settings) -> None:
    settings.REPLY_DOMAIN = "antwort.example"


@pytest.fixture
def told(article) -> Delivery:
    return told_of(factories.comment(article, "Stimmt das?", name="Anna"))


@pytest.fixture
def back(letters) -> Back:
    """What goes back to who wrote, by the jobs that are owed."""

    def sent() -> list[Letter]:
        for job in ProcrastinateJob.objects.filter(task_name__contains=".send_answer_").order_by("pk"):
            app.tasks[job.task_name](**job.args)
        return letters()

    return sent


def told_of(comment: Comment, email: str = BERTA, **fields) -> Delivery:
    """A mail about this comment that the subscriber has."""
    row = factories.subscription(comment.article, email, **fields)
    return Delivery.objects.create(
        comment=comment, subscription=row, email=email, state=Delivery.State.SENT, sent_at=timezone.now()
    )


def written(text: str = ANSWER, *, sender: str = f"Berta <{BERTA}>", **headers: str) -> bytes:
    """A mail as a mail program sends it; `X_Name` stands for the header X-Name, one that is "" is left out."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = sender
    fields = {"Subject": "Re: Kommentare", "Message-ID": f"<{uuid.uuid4()}@example.org>", "To": "a@antwort.example"}
    for name, value in (fields | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            mail[name] = value
    mail.set_content(text)
    return mail.as_bytes()


def bring(delivery: Delivery, raw: bytes, *, sender: str = BERTA) -> None:
    take_in(raw, recipient=f"{delivery.mail_token('antwort')}@antwort.example", sender=sender)


def replies(delivery: Delivery) -> list[tuple[str, str]]:
    return list(Comment.objects.filter(parent=delivery.comment).order_by("pk").values_list("state", "body"))


def owed() -> int:
    return ProcrastinateJob.objects.filter(task_name__contains=".send_answer_").count()


def plain(letter: Letter) -> str:
    return " ".join(letter.text.split())


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


# --- whose it is (decision 0011) -------------------------------------------------------------------------------------


def proved(name: str = "Berta Brecht", **fields) -> Reader:
    return factories.reader(name, BERTA, email_confirmed_at=timezone.now(), **fields)


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
        (f"=?utf-8?q?a=0D=0Ab=00c=E2=80=AEd?= <{BERTA}>", "a bcd"),
    ],
)
def test_name_of_who_has_not_told_us_one(told, sender, name):
    raw = written().replace(f"From: Berta <{BERTA}>".encode(), f"From: {sender}".encode())
    bring(told, raw)
    assert [comment.name for comment in Comment.objects.filter(parent=told.comment)] == [name]


# --- judged like any comment -----------------------------------------------------------------------------------------


def block_word(article: Article, told: Delivery) -> None:
    BlockedWord.objects.create(word="überzeugt")


def hold_all(article: Article, told: Delivery) -> None:
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)


def hold_first(article: Article, told: Delivery) -> None:
    Article.objects.update(comment_mode=Article.CommentMode.FIRST_HELD)


@pytest.mark.parametrize("setting", [block_word, hold_all, hold_first])
def test_held_and_its_author_is_told(article, told, back, setting):
    setting(article, told)
    raw = written()
    bring(told, raw)
    assert replies(told) == [("held", ANSWER)]
    (letter,) = back()
    headers = dict(letter.headers)
    assert letter.recipient == BERTA
    assert "ist angekommen. Bevor sie erscheint, sieht sie sich jemand aus der Redaktion an." in plain(letter)
    assert f"> {ANSWER}" in letter.text
    assert ANSWER in letter.html
    assert headers["In-Reply-To"] == message_from_bytes(raw)["Message-ID"]
    assert headers["Auto-Submitted"] == "auto-generated"
    assert letter.subject == "Kommentare zu „Brücke gesperrt“"


def test_approved_before_the_mail_went_needs_none(article, told, back):
    hold_all(article, told)
    bring(told, written())
    approve(Comment.objects.get(parent=told.comment), moderator=factories.editor())
    assert back() == []


def test_proved_by_the_mail_itself_nothing_waits_for_a_confirmation(article, told):
    Article.objects.update(comment_mode=Article.CommentMode.CONFIRMED)
    bring(told, written())
    assert (replies(told), owed()) == ([("published", ANSWER)], 0)


def close(article: Article, told: Delivery) -> None:
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)


def take_back(article: Article, told: Delivery) -> None:
    Article.objects.update(state=Article.State.DRAFT)


def remove_parent(article: Article, told: Delivery) -> None:
    remove(told.comment, moderator=factories.editor(), reason="Regel 1")


def slow_down(article: Article, told: Delivery) -> None:
    Article.objects.update(slow_mode=600)
    factories.comment(article, reader=proved())


@pytest.mark.parametrize(
    "meanwhile, why",
    [
        (close, "Die Kommentare zu diesem Artikel sind inzwischen geschlossen."),
        (take_back, "Die Kommentare zu diesem Artikel sind inzwischen geschlossen."),
        (remove_parent, "Der Kommentar, auf den Sie antworten, ist inzwischen entfernt worden."),
        (slow_down, "In diesem Gespräch kann jeder nur alle 600 Sekunden schreiben."),
    ],
)
def test_refused_with_the_reason_and_the_words(article, told, back, meanwhile, why):
    meanwhile(article, told)
    bring(told, written())
    assert replies(told) == []
    (letter,) = back()
    assert letter.recipient == BERTA
    assert "Ihre Antwort zu „Brücke gesperrt“ ist nicht erschienen." in plain(letter)
    assert why in plain(letter)
    assert (f"/kommentar/{told.comment_id}/" in letter.text) == Comment.objects.get(pk=told.comment_id).is_published
    assert f"> {ANSWER}" in letter.text
    assert ANSWER in letter.html


def test_too_long_goes_back_whole(told, back):
    text = "Wort " * (COMMENT_LIMIT // 5) + "Schluss"
    bring(told, written(text))
    assert replies(told) == []
    (letter,) = back()
    assert f"Ihr Kommentar ist zu lang: {len(text)} Zeichen, höchstens {COMMENT_LIMIT} gehen." in plain(letter)
    assert plain(letter).count("Wort") == COMMENT_LIMIT // 5
    assert "Schluss" in letter.html


@pytest.mark.parametrize(
    "before, states, subject",
    [(HELD_ABOVE_PER_READER, ["held"], "wird noch angesehen"), (REFUSED_ABOVE_PER_READER, [], "nicht erschienen")],
)
def test_many_in_a_short_time_are_held_then_refused(told, back, before, states, subject):
    reader = proved()
    for _ in range(before):
        count_up("comment", f"reader {reader.pk}", window=LIMIT_WINDOW)
    bring(told, written())
    assert [state for state, _body in replies(told)] == states
    (letter,) = back()
    assert f"Ihre Antwort {subject}" in re.sub("ist (?=nicht)|<.*?>", "", letter.html).replace("  ", " ")


def test_nothing_written_is_said_so(told, back):
    bring(told, written("\n\n> Stimmt das?\n"))
    assert replies(told) == []
    assert [letter.recipient for letter in back()] == [BERTA]


# --- once ------------------------------------------------------------------------------------------------------------


def another_way(raw: bytes) -> bytes:
    """The same mail as a second server brings it."""
    return b"Received: from b.example by a.example\r\nX-Spam: no\r\n" + raw


@pytest.mark.parametrize("again", [bytes, another_way])
@pytest.mark.parametrize("setting, mails", [(None, 0), (hold_all, 1), (close, 1)])
def test_brought_twice_is_one_comment_and_one_mail(article, told, setting, mails, again):
    if setting:
        setting(article, told)
    raw = written()
    for each in (raw, again(raw), raw):
        bring(told, each)
    assert (len(replies(told)), owed()) == (0 if setting is close else 1, mails)


@pytest.mark.parametrize("text", ["", ANSWER])
def test_brought_twice_a_mail_that_is_not_theirs_or_says_nothing_is_one_mail(told, text):
    raw = written(text, sender="eve@example.org" if text else BERTA)
    bring(told, raw)
    bring(told, raw)
    assert (replies(told), owed()) == ([], 1)


def test_brought_again_after_its_parent_was_removed_is_still_one_reply(told):
    """Our 250 got lost, and the server sends again what stands there already."""
    raw = written()
    bring(told, raw)
    remove(told.comment, moderator=factories.editor(), reason="Regel 1")
    told.refresh_from_db()
    bring(told, raw)
    assert (len(replies(told)), owed()) == (1, 0)


def author_changes(comment: Comment) -> None:
    how = Circumstances(key=None, network="192.0.2.0/24")
    edit_comment(comment=comment, reader=comment.reader, body="Anders gesagt.", how=how)


def author_deletes(comment: Comment) -> None:
    delete_comment(comment=comment, reader=comment.reader)


def editor_removes(comment: Comment) -> None:
    remove(comment, moderator=factories.editor(), reason="Regel 1")


@pytest.mark.parametrize("meanwhile", [author_changes, author_deletes, editor_removes])
def test_brought_again_after_it_changed_it_does_not_come_back(told, meanwhile):
    raw = written()
    bring(told, raw)
    meanwhile(Comment.objects.get(parent=told.comment))
    before = replies(told)
    bring(told, raw)
    assert (replies(told), owed()) == (before, 0)


def test_without_a_message_id_the_same_words_are_the_same_reply(told):
    raw = written(Message_ID="")
    bring(told, raw)
    bring(told, another_way(raw))
    assert replies(told) == [("published", ANSWER)]


def test_many_at_once_are_one(transactional_db, article, told):
    hold_all(article, told)
    raw = written()
    at_once(12, lambda _number: bring(told, raw))
    assert (replies(told), owed()) == ([("held", ANSWER)], 1)


def test_same_message_id_in_another_place_is_another_reply(article, told):
    other = told_of(factories.comment(article), rhythm="daily", kind="replies")
    raw = written()
    bring(told, raw)
    bring(other, raw)
    assert (replies(told), replies(other)) == ([("published", ANSWER)],) * 2


# --- which address ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelled", [str.upper, str.title, "<{}>".format, " {} ".format])
def test_address_in_another_spelling(told, spelled):
    take_in(written(), recipient=spelled(f"{told.mail_token('antwort')}@antwort.example"), sender=BERTA)
    assert replies(told) == [("published", ANSWER)]


def foreign_addresses(told: Delivery, other: Delivery) -> dict[str, str]:
    own, foreign = told.mail_token("antwort"), other.mail_token("antwort")
    purpose, pk, signature = own.split("-")
    moved = Delivery(pk=told.pk, email="eve@example.org")
    return {
        "another's signature": f"{purpose}-{pk}-{foreign.rpartition('-')[2]}",
        "another address's": moved.mail_token("antwort"),
        "another purpose's": f"antwort-{told.mail_token('rueck').partition('-')[2]}",
        "unknown purpose": f"ende-{pk}-{signature}",
        "no signature": f"{purpose}-{pk}-",
        "shortened": own[:-1],
        "lengthened": f"{own}a",
        "nobody's": f"{purpose}-zzzz-{signature}",
        "beyond bigint": f"{purpose}-zzzzzzzzzzzzz-{signature}",
        "digits that are none": f"{purpose}-²-{signature}",
        "Kelvin": own.replace("k", "\u212a") if "k" in own else "\u212a",
        "nothing": "",
        "a person's": "redaktion",
    }


def test_addresses_that_are_not_ours_are_unknown(article, told):
    other = told_of(factories.comment(article), "carl@example.org")
    addresses = {name: f"{local}@antwort.example" for name, local in foreign_addresses(told, other).items()}
    own = told.mail_token("antwort")
    addresses |= {"another domain": f"{own}@example.org", "beneath our domain": f"{own}@x.antwort.example"}
    addresses |= {"no domain": own, "empty": "", "two": f"{own}@antwort.example@example.org"}
    addresses |= {name: f"antwort-{value}@antwort.example" for name, value in NASTY.items()}
    addresses |= {f"{name} behind": f"{own}{value}@antwort.example" for name, value in NASTY.items()}
    for address in addresses.values():
        with pytest.raises(UnknownAddressError):
            take_in(written(), recipient=address, sender=BERTA)
    assert (replies(told), owed()) == ([], 0)


def test_without_a_domain_for_replies_there_are_no_addresses(told, settings):
    settings.REPLY_DOMAIN = ""
    for domain in ("antwort.example", ""):
        with pytest.raises(UnknownAddressError):
            take_in(written(), recipient=f"{told.mail_token('antwort')}@{domain}", sender=BERTA)


def test_what_is_gone_has_no_address(told):
    address = f"{told.mail_token('antwort')}@antwort.example"
    told.delete()
    with pytest.raises(UnknownAddressError):
        take_in(written(), recipient=address, sender=BERTA)


# --- from whom -------------------------------------------------------------------------------------------------------

NOT_THEIRS = {
    "another address": b"From: Eve <eve@example.org>\r\n",
    "the name poses as the address": b'From: "berta@example.org" <eve@example.org>\r\n',
    "two addresses": b"From: berta@example.org, eve@example.org\r\n",
    "two headers": b"From: Berta <berta@example.org>\r\nFrom: Eve <eve@example.org>\r\n",
    "two headers, the other first": b"From: eve@example.org\r\nFrom: berta@example.org\r\n",
    "address in the name": b"From: berta@example.org <eve@example.org>\r\n",
    "a group": b"From: Freunde: berta@example.org;\r\n",
    "another's folded": b"From: Berta\r\n <eve@example.org>\r\n",
    "look-alike domain": "From: berta@exampl\u0435.org\r\n".encode(),
    "sub-address": b"From: berta+x@example.org\r\n",
    "none": b"",
    "Sender alone": b"Sender: berta@example.org\r\nReply-To: berta@example.org\r\n",
}


def test_token_alone_does_not_suffice(told, back):
    for number, head in enumerate(NOT_THEIRS.values()):
        Limit.objects.all().delete()
        bring(told, head + b"Message-ID: <%d@example.org>\r\n\r\nKauft billige Uhren.\r\n" % number)
        assert (replies(told), owed()) == ([], number + 1)
    letters = back()
    assert {letter.recipient for letter in letters} == {BERTA}  # never whoever wrote
    for letter in letters:
        assert "ist nicht erschienen" in plain(letter)
        assert "Uhren" not in letter.text + letter.html


@pytest.mark.parametrize("sender", ["BERTA@Example.ORG", "Berta <Berta@EXAMPLE.org>", '"B, B" <berta@example.org>'])
def test_another_spelling_of_their_address_is_theirs(told, sender):
    bring(told, written(sender=sender))
    assert len(replies(told)) == 1


def test_ended_is_said_to_who_answers_and_to_nobody_else(told, back):
    end(told.subscription)
    told.refresh_from_db()
    bring(told, written(sender="Eve <eve@example.org>"))
    bring(told, written(""))
    assert owed() == 0
    bring(told, written())
    assert replies(told) == []
    (letter,) = back()
    assert "Sie haben diese Benachrichtigungen beendet" in plain(letter)
    assert f"> {ANSWER}" in letter.text


# --- from nobody -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["", "<>", " <> ", "MAILER-DAEMON"])
def test_from_an_empty_envelope_nothing_is_taken(told, sender):
    bring(told, written(), sender=sender)
    bring(told, written("", sender="eve@example.org"), sender=sender)
    assert (replies(told), owed()) == ([], 0)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated"},
        {"X_Auto_Response_Suppress": "All"},
        {"Precedence": "bulk"},
        {"List_Id": "<x.example.org>"},
        {"Return_Path": "<>"},
        {"Subject": "Automatische Antwort: Kommentare"},
    ],
)
@pytest.mark.parametrize("sender", [f"Berta <{BERTA}>", "eve@example.org", "MAILER-DAEMON@example.org"])
def test_what_a_machine_wrote_is_dropped_without_a_word(told, headers, sender):
    bring(told, written("Ich bin bis Montag nicht da.", sender=sender, **headers))
    assert (replies(told), owed()) == ([], 0)


@pytest.mark.parametrize("lost", [(), ("Auto-Submitted", "X-Auto-Response-Suppress", "List-Id")])
def test_our_own_mail_is_dropped(told, settings, letters, lost):
    settings.DEFAULT_FROM_EMAIL = f"Newsroom <{BERTA}>"  # the worst case: ours is from who subscribed
    message = comment_mail(told.comment, kind="article", personal=Personal.of(told, answered=None)).message()
    for name in lost:
        del message[name]
    bring(told, message.as_bytes())
    assert (replies(told), owed()) == ([], 0)


def test_a_colleagues_mail_is_not_ours(told, settings):
    """Thunderbird makes Message-IDs with the domain of the sender."""
    settings.DEFAULT_FROM_EMAIL = "Newsroom <newsroom@example.org>"
    bring(told, written(Message_ID="<2b1c8f0e-1111-2222-3333-444455556666@example.org>"))
    assert replies(told) == [("published", ANSWER)]


def test_two_programs_that_answer_each_other_come_to_an_end(told, back):
    for number in range(MAILS_BACK + 3):
        bring(told, written(f"Nummer {number}", sender="eve@example.org"))
    letters = back()
    assert [letter.recipient for letter in letters] == [BERTA] * MAILS_BACK
    # And an answer to them finds no address of ours.
    assert {dict(letter.headers).get("Reply-To") for letter in letters} == {None}
    assert {letter.sender for letter in letters} == {"Newsroom <newsroom@localhost>"}


# --- whatever it holds -----------------------------------------------------------------------------------------------

HEADERS_OF_OTHERS = {
    "another header": "<a@b>\r\nBcc: eve@example.org",
    "in one line": "<a@b> Bcc: eve@example.org",
    "encoded": "=?utf-8?q?<a@b>=0D=0ABcc:_eve@example.org?=",
    "two": "<a@b> <c@d>",
    "no brackets": "a@b",
    "beyond ASCII": "<ä@b>",
    "NUL": "<a\x00@b>",
    "surrogates": "<a\udcff@b>",
    "long": f"<{'a' * 250}@b>",
    "very long": f"<{'a' * 2000}@b>",
    "brackets within": "<a<b>@c>",
}


def test_their_message_id_writes_no_header_of_ours(article, told, back):
    hold_all(article, told)
    for number, message_id in enumerate(HEADERS_OF_OTHERS.values()):
        raw = written(f"Nummer {number}", Message_ID="")
        bring(told, raw.replace(b"Subject:", b"Message-ID: " + bytes_of(message_id) + b"\r\nSubject:"))
        Limit.objects.all().delete()
    letters = back()
    assert len(letters) == len(HEADERS_OF_OTHERS)
    ours = ["X-Envelope-From", "X-Envelope-To", "Content-Type", "MIME-Version", "Subject", "From", "To", "Date"]
    ours += ["Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "References"]
    for letter in letters:
        assert sorted(name for name, _value in letter.headers if name != "In-Reply-To") == sorted(ours)
        answered = dict(letter.headers).get("In-Reply-To", "")
        assert answered in ("", "<a@b>") or answered.endswith("@without-message-id.invalid>")
        assert "eve@example.org" not in str(letter.headers)


BROKEN = {
    "empty": b"",
    "no head": b"hello",
    "no body": f"From: {BERTA}\r\n\r\n".encode(),
    "head only": f"From: {BERTA}".encode(),
    "binary": bytes(range(256)) * 100,
    "NUL": f"From: {BERTA}\r\nSubject: a\0b\r\n\r\na\0b\0".encode(),
    "only NUL": f"From: {BERTA}\r\n\r\n".encode() + b"\0" * 1000,
    "surrogates": f"From: {BERTA}\r\n\r\n".encode() + b"\xed\xb2\x80\xed\xa0\x80 hallo",
    "utf-7 surrogates": f"From: {BERTA}\r\nContent-Type: text/plain; charset=utf-7\r\n\r\n+2AA-a+3AA- b".encode(),
    "utf-16": f"From: {BERTA}\r\nContent-Type: text/plain; charset=utf-16\r\n\r\n".encode() + b"\x00\xd8a\x00",
    "unknown charset": f"From: {BERTA}\r\nContent-Type: text/plain; charset=klingonisch\r\n\r\nqo'".encode(),
    "a codec that is no charset": f"From: {BERTA}\r\nContent-Type: text/plain; charset=zlib\r\n\r\nx".encode(),
    "no base64": f"From: {BERTA}\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!".encode(),
    "only a picture": f"From: {BERTA}\r\nContent-Type: image/png\r\n\r\n\x89PNG".encode("latin-1"),
    "multipart without an end": f'From: {BERTA}\r\nContent-Type: multipart/mixed; boundary="x"\r\n\r\n--x'.encode(),
    "multipart without a boundary": f"From: {BERTA}\r\nContent-Type: multipart/mixed\r\n\r\nx".encode(),
    "too large": written("x " * 200_000),
    "large headers": f"From: {BERTA}\r\n".encode() + b"X-A: b\r\n" * 30_000 + b"\r\nhallo",
    "an endless line": f"From: {BERTA}\r\n\r\n".encode() + b"a" * 150_000,
    "newlines": f"From: {BERTA}\r\n\r\n".encode() + b"\n" * 150_000,
    "carriage returns": f"From: {BERTA}\r\n\r\n".encode() + b"a\r" * 50_000,
    "10,000 marks": f"From: {BERTA}\r\n\r\na".encode() + "\u0301".encode() * 10_000,
}


def test_broken_mail_is_never_an_error(told):
    """Either it becomes a reply, or the subscriber is told; the server that brought it need not try again."""
    for number, (name, raw) in enumerate(BROKEN.items()):
        Limit.objects.all().delete()
        bring(told, raw)
        assert len(replies(told)) + owed() == number + 1, name


def test_a_mail_damaged_anywhere_is_never_an_error(told):
    rng = random.Random(7)
    whole = written("Schöne Grüße, und zwar viele.", sender=f"=?utf-8?q?Bert=C3=A4?= <{BERTA}>")
    for _ in range(40):
        raw = bytearray(whole)
        for _ in range(rng.randint(1, 8)):
            at = rng.randrange(len(raw))
            raw[at : at + rng.choice([0, 1, 5])] = rng.choice(
                [b"\0", b"\r\n", b"\xff", b"\n\n", b"=?", b"", b'"', b"<"]
            )
        bring(told, bytes(raw))
    assert {state for state, _body in replies(told)} <= {"published", "held"}


def test_whatever_stands_in_any_header_is_never_an_error(told):
    names = [b"Subject", b"Message-ID", b"Content-Type", b"Content-Transfer-Encoding", b"Auto-Submitted"]
    for value in NASTY.values():
        text = bytes_of(value.replace("\r\n", " ")[:5000])
        bring(told, b"From: " + text + b"\r\n\r\nhallo\r\n")
        bring(told, f"From: {BERTA}\r\n".encode() + b"".join(name + b": " + text + b"\r\n" for name in names))
        bring(told, f"From: {BERTA}\r\n\r\n".encode() + text, sender=f"{value}@x")
    assert {state for state, _body in replies(told)} <= {"published", "held"}


def test_script_in_a_reply_runs_nowhere(article, told, letters):
    editor = factories.editor()
    OnDuty.objects.create(user=editor)
    factories.subscription(article, "carl@example.org")
    for payload in SCRIPTS:
        name = payload.replace("\\", "").replace('"', "")
        raw = written(payload).replace(f"From: Berta <{BERTA}>".encode(), f'From: "{name}" <{BERTA}>'.encode())
        bring(told, raw)
        assert Comment.objects.latest("pk").body == payload
        Reader.objects.filter(email_confirmed_at__isnull=False).update(name="")  # the next name is asked again
    all_of_them = "\n\n".join(SCRIPTS)
    html = EmailMessage(policy=policy.SMTP)
    html["From"], html["Message-ID"] = BERTA, f"<{uuid.uuid4()}@x>"
    html.set_content(f"<p>Auch das: {all_of_them}</p>", subtype="html")
    bring(told, html.as_bytes())
    hold_all(article, told)
    bring(told, written(f"Und {all_of_them}"))
    held = Comment.objects.held().get()
    close(article, told)
    bring(told, written(f"Noch {all_of_them}"))

    desk = Client()
    desk.force_login(editor)
    pages = [Client().get(f"/artikel/{article.slug}/"), desk.get(f"/redaktion/comments/comment/{held.pk}/change/")]
    assert [page.status_code for page in pages] == [200, 200]
    assert [Danger(page.text).found for page in pages] == [[], []]
    announce(comment_id=Comment.objects.published().latest("pk").pk)
    announce(comment_id=Comment.objects.filter(parent=told.comment).earliest("pk").pk)
    send_due()
    for job in ProcrastinateJob.objects.filter(task_name__contains=".send_").order_by("pk"):
        app.tasks[job.task_name](**job.args)
    sent = letters()
    assert Counter(letter.recipient for letter in sent) == {"carl@example.org": 2, BERTA: 2, editor.email: 1}
    assert [Danger(letter.html).found for letter in sent] == [[]] * len(sent)
