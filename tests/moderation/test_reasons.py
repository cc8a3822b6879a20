"""Whoever reported a comment hears what was decided, and whoever wrote one that is removed hears why (A6 to A8; DSA
Art. 16(5) and 17)."""

import pytest
from django.test import Client
from django.utils import timezone

from comments.models import Comment
from moderation.models import Decision, Notice
from moderation.services import dismiss, remove, restore
from moderation.tasks import STATEMENTS_PER_DAY, send_outcome, send_statement
from readers.models import User
from tests import factories

REASON = "Hausregel 2: Niemand wird herabgesetzt."
OBJECTION = "http://localhost:8000/kontakt/"


@pytest.fixture
def moderator(db) -> User:
    return factories.editor()


def comment_of(article, *, proved: bool = True, **fields) -> Comment:
    reader = factories.reader("Anna", "anna@example.org", email_confirmed_at=timezone.now() if proved else None)
    return factories.comment(article, "Böse Worte.", reader=reader, **fields)


def notice(comment: Comment, email: str = "berta@example.org") -> Notice:
    return Notice.objects.create(
        comment=comment, kind="insult", reason="Beleidigt Frau X.", url="http://localhost:8000/", name="Berta",
        email=email, good_faith=True,
    )  # fmt: skip


def said(letter) -> str:
    return " ".join(letter.text.split())


# --- to the author ---------------------------------------------------------------------------------------------------


def test_author_is_told_why_and_what_to_do(article, moderator, letters, run_jobs):
    comment = comment_of(article)
    remove(comment, moderator=moderator, reason=REASON)
    run_jobs()
    (letter,) = letters()
    assert (letter.recipient, letter.subject) == (
        "anna@example.org",
        f"Ihr Kommentar zu „{article.headline}“ ist entfernt",
    )
    for version in (said(letter), letter.html):
        assert REASON in version
        assert "Böse Worte." in version
        assert "Gefunden hat ihn die Redaktion selbst." in version
        assert "ein Programm war daran nicht beteiligt" in version
        assert "sechs Monate lang Einspruch" in version
        assert OBJECTION in version
    assert dict(letter.headers)["Auto-Submitted"] == "auto-generated"


def test_what_was_held_did_not_appear(article, moderator, letters, run_jobs):
    remove(comment_of(article, state=Comment.State.HELD), moderator=moderator, reason=REASON)
    run_jobs()
    (letter,) = letters()
    assert letter.subject == f"Ihr Kommentar zu „{article.headline}“ ist nicht erschienen"
    assert "Ein Programm hatte ihn angehalten; entschieden hat ein Mensch." in said(letter)
    assert "Antworten anderer" not in said(letter) + letter.html


def test_nobody_learns_who_reported(article, moderator, letters, run_jobs):
    comment = comment_of(article)
    remove(comment, moderator=moderator, reason=REASON, because_of=notice(comment))
    run_jobs()
    (statement,) = [letter for letter in letters() if letter.recipient == "anna@example.org"]
    assert "Anlass war eine Meldung." in said(statement)
    for version in (statement.text, statement.html, str(statement.headers)):
        assert "berta" not in version.lower()
        assert "Frau X" not in version


def test_unproved_address_gets_none_of_the_words_and_few_mails(article, moderator, letters, run_jobs):
    for _ in range(STATEMENTS_PER_DAY + 1):
        remove(comment_of(article, proved=False), moderator=moderator, reason=REASON)
    run_jobs()
    assert len(letters()) == STATEMENTS_PER_DAY
    assert all(REASON in said(letter) and "Böse" not in letter.text + letter.html for letter in letters())


def test_no_address_no_mail_and_restored_before_it_went(article, moderator, letters):
    remove(factories.comment(article, reader=factories.reader("Carl")), moderator=moderator, reason=REASON)
    restored = comment_of(article)
    remove(restored, moderator=moderator, reason=REASON)
    restore(restored, moderator=moderator)
    for decision in Decision.objects.all():
        send_statement(decision_id=decision.pk)
    send_statement(decision_id=0)
    assert letters() == []


def test_run_twice_it_is_the_same_mail(article, moderator, letters):
    remove(comment_of(article), moderator=moderator, reason=REASON)
    for _ in range(2):
        send_statement(decision_id=Decision.objects.get().pk)
    first, second = letters()
    assert dict(first.headers)["Message-ID"] == dict(second.headers)["Message-ID"]


# --- to whoever reported ---------------------------------------------------------------------------------------------


def test_everyone_who_reported_it_is_told_it_is_gone(article, moderator, letters, run_jobs):
    comment = comment_of(article)
    first = notice(comment)
    notice(comment, email="dora@example.org")
    remove(comment, moderator=moderator, reason=REASON)
    run_jobs()
    assert Decision.objects.get().notice == first
    outcomes = {letter.recipient: letter for letter in letters() if letter.recipient != "anna@example.org"}
    assert outcomes.keys() == {"berta@example.org", "dora@example.org"}
    letter = outcomes["berta@example.org"]
    assert letter.subject == f"Ihre Meldung Nr. {first.pk} ist entschieden"
    for version in (said(letter), letter.html):
        assert "Der Kommentar ist entfernt." in version
        assert REASON in version
        assert "Entschieden hat ein Mensch aus der Redaktion" in version
        assert OBJECTION in version
        assert "anna" not in version.lower()


def test_told_that_it_stays(article, moderator, letters, run_jobs):
    comment = comment_of(article)
    dismiss(notice(comment), moderator=moderator)
    dismiss(Notice.objects.get(), moderator=moderator)
    run_jobs()
    (letter,) = letters()
    assert "Der Kommentar bleibt stehen." in said(letter)
    assert f"http://localhost:8000/kommentar/{comment.pk}/" in letter.text


def test_author_deleted_it_meanwhile(article, moderator, letters):
    comment = comment_of(article)
    dismiss(notice(comment), moderator=moderator)
    Comment.objects.filter(pk=comment.pk).update(state=Comment.State.DELETED)
    send_outcome(notice_id=Notice.objects.get().pk, decision_id=Decision.objects.get().pk)
    (letter,) = letters()
    assert "Der Kommentar steht nicht mehr auf der Seite." in said(letter)
    assert "/kommentar/" not in letter.text + letter.html


def test_without_an_address_nothing_is_owed(article, moderator, letters, run_jobs):
    comment = comment_of(article, proved=False)
    Notice.objects.create(comment=comment, kind="abuse", reason="…", url="http://localhost:8000/", good_faith=True)
    dismiss(Notice.objects.get(), moderator=moderator)
    run_jobs()
    assert (letters(), Notice.objects.get().state) == ([], "decided")


def test_decided_in_the_admin_is_told_too(article, moderator, letters, run_jobs):
    made = notice(comment_of(article))
    desk = Client()
    desk.force_login(moderator)
    address = f"/redaktion/moderation/notice/{made.pk}/change/"
    assert "Beides sagen wir dem, der ihn gemeldet hat, per Mail." in desk.get(address).text
    assert desk.post(address, {"state": "decided"}).status_code == 302
    run_jobs()
    assert [letter.recipient for letter in letters()] == ["berta@example.org"]
    assert Decision.objects.get().action == "dismiss"
