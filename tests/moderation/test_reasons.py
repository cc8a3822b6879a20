"""Whoever reported a comment hears what was decided, and whoever wrote one that is removed hears why (A6 to A8; DSA
Art. 16(5) and 17)."""

import pytest
from django.db import transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from comments.models import Comment
from comments.services import withdraw
from moderation.models import Decision, Notice
from moderation.services import approve, dismiss, remove, restore
from moderation.tasks import OUTCOMES_PER_DAY, STATEMENTS_PER_DAY, send_outcome, send_statement
from readers.models import Reader
from tests import factories

REASON = "Hausregel 2: Niemand wird herabgesetzt."
OBJECTION = "http://localhost:8000/kontakt/"


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
    assert "Antworten anderer" not in said(letter) + letter.html


OCCASIONS = {
    "word": (["Gesperrtes Wort: böse"], "program", "Ein Programm hatte ihn angehalten, bevor er erschien"),
    "all are read": (["Alle Kommentare dieses Artikels werden geprüft"], "review", "Wir haben ihn gelesen, bevor"),
    "first": (["Erster Kommentar"], "review", "ein Programm war daran nicht beteiligt"),
    "waits for its address": ([], "review", "ein Programm war daran nicht beteiligt"),
}


@pytest.mark.parametrize("because, occasion, sentence", OCCASIONS.values(), ids=OCCASIONS)
def test_only_what_a_program_found_was_found_by_a_program(article, moderator, letters, because, occasion, sentence):
    remove(comment_of(article, state=Comment.State.HELD, held_because=because), moderator=moderator, reason=REASON)
    decision = Decision.objects.get()
    send_statement(decision_id=decision.pk)
    (letter,) = letters()
    assert decision.occasion == occasion
    assert all(sentence in version for version in (said(letter), letter.html))


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


def test_without_an_address_given_with_it_there_is_no_mail(article, moderator, letters):
    """Not to one that was typed into the same browser later: several people may use it."""
    carl = factories.reader("Carl")
    remove(factories.comment(article, reader=carl), moderator=moderator, reason=REASON)
    Reader.objects.filter(pk=carl.pk).update(email="dora@example.org")
    send_statement(decision_id=Decision.objects.get().pk)
    send_statement(decision_id=0)
    assert letters() == []


def test_bulk_advertising_mails_nobody_whose_address_it_gave(article, moderator, letters, run_jobs):
    comment = comment_of(article, proved=False)
    remove(comment, moderator=moderator, reason="Werbung", is_spam=True)
    run_jobs()
    assert (letters(), Comment.objects.get().state) == ([], "removed")


def test_restored_is_told_and_of_several_decisions_only_the_last(article, moderator, letters, run_jobs):
    comment = comment_of(article)
    notice(comment)
    remove(comment, moderator=moderator, reason="Erster Grund")
    restore(comment, moderator=moderator)
    run_jobs()
    told = {letter.recipient: letter for letter in letters()}
    assert told.keys() == {"anna@example.org", "berta@example.org"}
    mine, theirs = told["anna@example.org"], told["berta@example.org"]
    assert mine.subject == f"Ihr Kommentar zu „{article.headline}“ steht wieder da"
    assert "haben noch einmal entschieden" in said(mine)
    assert "Der Kommentar steht wieder da" in said(theirs)
    assert "entfernt." not in said(theirs)
    assert f"http://localhost:8000/kommentar/{comment.pk}/" in mine.text
    remove(comment, moderator=moderator, reason="Zweiter Grund")
    run_jobs()
    (again,) = [letter for letter in letters() if letter.subject not in (mine.subject, theirs.subject)]
    assert (again.recipient, "Zweiter Grund" in again.text) == ("anna@example.org", True)


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
    assert list(Decision.objects.get().notices.order_by("pk")) == list(Notice.objects.order_by("pk"))
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


def test_several_notices_from_one_address_are_one_mail_and_a_day_has_few(article, moderator, letters, run_jobs):
    comment = comment_of(article, proved=False)
    first, _second = notice(comment), notice(comment)
    remove(comment, moderator=moderator, reason=REASON, is_spam=True)
    run_jobs()
    assert [letter.subject for letter in letters()] == [f"Ihre Meldung Nr. {first.pk} ist entschieden"]
    for _ in range(OUTCOMES_PER_DAY + 1):
        dismiss(notice(comment_of(article)), moderator=moderator)
    run_jobs()
    assert len(letters()) == OUTCOMES_PER_DAY


def test_told_that_it_stays(article, moderator, letters, run_jobs):
    comment = comment_of(article)
    assert dismiss(notice(comment), moderator=moderator)
    assert not dismiss(Notice.objects.get(), moderator=moderator)
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


def test_held_again_it_is_decided_first(article, moderator):
    comment = comment_of(article)
    made = notice(comment)
    with transaction.atomic():
        withdraw(Comment.objects.lock(comment.pk), Comment.State.HELD)
    assert not dismiss(made, moderator=moderator)
    assert approve(comment, moderator=moderator)
    assert dismiss(made, moderator=moderator)


def test_without_an_address_nothing_is_owed(article, moderator, letters, run_jobs):
    comment = comment_of(article, proved=False)
    Notice.objects.create(comment=comment, kind="abuse", reason="…", url="http://localhost:8000/", good_faith=True)
    dismiss(Notice.objects.get(), moderator=moderator)
    run_jobs()
    assert (letters(), Notice.objects.get().state) == ([], "decided")


def test_left_standing_in_the_admin_is_told_too(article, desk, letters, run_jobs):
    made = notice(comment_of(article))
    page = desk.get(f"/redaktion/moderation/notice/{made.pk}/change/").text
    assert "Kommentar stehen lassen" in page
    address = f"/redaktion/moderation/notice/{made.pk}/stehen-lassen/"
    assert address in page
    assert desk.get(address).status_code == 302
    assert Notice.objects.get().state == "open"
    assert "Wer gemeldet hat, erfährt es per Mail." in desk.post(address, follow=True).text
    run_jobs()
    assert [letter.recipient for letter in letters()] == ["berta@example.org"]
    assert Decision.objects.get().action == "dismiss"
    answer = desk.post(address, follow=True).text
    assert "Das ist schon entschieden" in answer
    assert address not in answer


def test_comments_page_shows_what_was_reported(article, desk):
    made = notice(comment_of(article))
    page = desk.get(f"/redaktion/comments/comment/{made.comment_id}/change/").text
    assert made.reason in page
    assert f"/redaktion/moderation/notice/{made.pk}/change/" in page


def test_old_form_of_a_notice_opens_nothing_again(article, moderator, desk):
    comment = comment_of(article)
    made = notice(comment)
    remove(comment, moderator=moderator, reason=REASON)
    desk.post(f"/redaktion/moderation/notice/{made.pk}/change/", {"state": "open"})
    assert Notice.objects.get().state == "decided"


def test_whoever_removes_is_told_who_reads_the_reason(article, desk):
    comment = comment_of(article, proved=False)
    address = f"/redaktion/comments/comment/{comment.pk}/"
    assert "bekommt das wörtlich per Mail" in desk.get(f"{address}change/").text
    desk.post(f"{address}entscheiden/", {"remove": "1", "reason": REASON, "is_spam": "on"}, follow=True)
    assert not ProcrastinateJob.objects.filter(task_name="moderation.tasks.send_statement").exists()
    answer = desk.post(f"{address}entscheiden/", {"remove": "1", "reason": "Anders."}, follow=True).text
    assert "Kommentar entschieden" not in answer
    assert [row.reason for row in Decision.objects.all()] == [REASON]
