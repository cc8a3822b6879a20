"""A reply by mail is judged like any comment, and becomes one comment however often it comes."""

import re
from email import message_from_bytes

import pytest

from articles.models import Article
from comments.models import BlockedWord, Comment
from comments.screening import HELD_ABOVE_PER_READER, LIMIT_WINDOW, REFUSED_ABOVE_PER_READER, Circumstances
from comments.services import delete_comment, edit_comment
from moderation.services import approve, remove
from newsroom.markup import COMMENT_LIMIT
from newsroom.ratelimit import count_up
from subscriptions.models import Delivery
from tests import factories
from tests.subscriptions.inbound.mails import (
    ANSWER,
    BERTA,
    bring,
    close,
    hold_all,
    owed,
    plain,
    proved,
    replies,
    told_of,
    written,
)
from tests.together import at_once

# --- judged like any comment -----------------------------------------------------------------------------------------


def block_word(article: Article, told: Delivery) -> None:
    BlockedWord.objects.create(word="überzeugt")


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


def take_back(article: Article, told: Delivery) -> None:
    Article.objects.update(state=Article.State.DRAFT)


def remove_parent(article: Article, told: Delivery) -> None:
    remove(told.comment, moderator=factories.editor(), reason="Regel 1")


def slow_down(article: Article, told: Delivery) -> None:
    Article.objects.update(slow_mode=300)
    factories.comment(article, reader=proved())


@pytest.mark.parametrize(
    "meanwhile, why",
    [
        (close, "Die Kommentare zu diesem Artikel sind inzwischen geschlossen."),
        (take_back, "Die Kommentare zu diesem Artikel sind inzwischen geschlossen."),
        (remove_parent, "Der Kommentar, auf den Sie antworten, ist inzwischen entfernt worden."),
        (slow_down, "Zwischen zwei eigenen Kommentaren ist hier eine Pause (5 Minuten)."),
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
