"""A comment changed on two devices while one may not read the other's words: both versions wait, a moderator publishes
one (decision 0011)."""

import re

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from articles.models import Article
from comments import own
from comments.mails import owner_token
from comments.models import BlockedWord, Comment, OtherDevice
from comments.services import confirm_comment
from moderation.mails import held_comment_mail
from moderation.models import Decision, OnDuty
from moderation.services import approve, remove
from readers.merging import merge
from readers.models import Reader
from tests import factories
from tests.comments.own import change, page_of, the_comment

CASINO = "Gesperrtes Wort: casino"
UNPROVED = "Auf einem Gerät geändert, das die Adresse nicht bestätigt hat"


@pytest.fixture
def hidden_words(other) -> Client:
    """The device that has opened the link wrote what is held; the other one may not read it."""
    BlockedWord.objects.create(word="pillen")
    change(other, "Geheime Pillen.")
    assert (the_comment().state, the_comment().body) == ("held", "Geheime Pillen.")
    return other


def test_what_the_owner_wrote_and_nobody_may_read_yet_stays_unseen(article, author, hidden_words):
    """By whoever typed the address once."""
    assert "Geheime" in page_of(article, hidden_words)
    edit, delete = (f"/kommentar/{the_comment().pk}/{act}/" for act in ("bearbeiten", "loeschen"))
    preview = {"body": "Anders.", "form_key": factories.form_key(), "preview": "1"}
    answers = [author.get(edit), author.get(delete), author.post(edit, preview), change(author, "Anders.", follow=True)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert not any("Geheime" in page for page in (*[answer.text for answer in answers], page_of(article, author)))
    approve(the_comment(), moderator=factories.editor())
    assert "Geheime" in author.get(edit).text


def test_it_may_change_the_comment_all_the_same_beginning_with_what_was_public(article, author, hidden_words):
    edit = f"/kommentar/{the_comment().pk}/bearbeiten/"
    assert edit in page_of(article, author)
    form = author.get(edit).text
    assert ("\nErste *Fassung*.</textarea>" in form, "Geheime" in form) == (True, False)
    assert "Was Sie hier schreiben, wartet daneben" in form
    answer = change(author, "Von dort.", follow=True)
    assert "Ihre Änderung ist gespeichert" in answer.text
    assert (the_comment().state, the_comment().body) == ("held", "Geheime Pillen.")
    assert "\nVon dort.</textarea>" in author.get(edit).text
    change(author, "Von dort, besser.")
    for device, words in ((author, (0, 1)), (hidden_words, (1, 1)), (Client(), (0, 0))):
        page = page_of(article, device)
        assert (page.count("Geheime"), page.count("Von dort, besser.")) == words


def test_saving_what_was_public_changes_nothing(article, author, hidden_words):
    answer = change(author, "Erste *Fassung*.", follow=True)
    assert "Sie haben nichts geändert" in answer.text
    assert the_comment().waiting_beside == []


def test_what_neither_was_public_nor_is_its_own_is_begun_anew(db):
    article = factories.article(comment_mode=Article.CommentMode.ALL_HELD)
    phone, other = Client(), Client()
    phone.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Alt.", email="anna@example.org"))
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    change(other, "Neu.")
    edit = f"/kommentar/{the_comment().pk}/bearbeiten/"
    assert "\n</textarea>" in phone.get(edit).text
    change(phone, "Neuer.")
    assert [device.version for device in the_comment().waiting_beside] == ["Neuer."]


def test_editors_on_duty_read_both(article, author, hidden_words, moderator):
    OnDuty.objects.create(user=moderator)
    first = held_comment_mail(the_comment(), moderator)
    change(author, "Von dort.")
    mail = held_comment_mail(the_comment(), moderator)
    assert mail.extra_headers["Message-ID"] != first.extra_headers["Message-ID"]
    for text in (mail.body, mail.alternatives[0][0]):
        assert ("Geheime Pillen." in text, "Von dort." in text) == (True, True)
    approve_url = re.search(r"Freigeben:\n\S+?//[^/]+(\S+)", mail.body)[1]
    page = Client().get(approve_url).text
    assert ("Geheime Pillen." in page, "Von dort." in page) == (True, True)
    change(author, "Von dort, anders.")
    assert "Der Text hat sich geändert" in Client().post(approve_url).text
    assert the_comment().is_held


@pytest.mark.parametrize(("button", "published"), [("approve", "Geheime Pillen."), ("version", "Von dort.")])
def test_a_moderator_chooses_between_both(article, author, hidden_words, desk, button, published):
    change(author, "Von dort.")
    comment, address = the_comment(), f"/redaktion/comments/comment/{the_comment().pk}/"
    page = desk.get(f"{address}change/").text
    assert ("Geheime Pillen." in page, "Von dort." in page, "Die andere Fassung freigeben" in page) == (True,) * 3
    (device,) = comment.waiting_beside
    sent = {button: device.pk, "seen": re.findall(r'name="seen" value="([^"]+)"', page)}
    change(author, "Anders.")
    assert "bitte lesen Sie ihn noch einmal" in desk.post(f"{address}entscheiden/", sent, follow=True).text
    change(author, "Von dort.")
    desk.post(f"{address}entscheiden/", sent)
    assert (the_comment().state, the_comment().body, the_comment().waiting_beside) == ("published", published, [])
    assert (published in page_of(article), "bearbeitet" in page_of(article)) == (True, True)
    history = Client().get(f"/kommentar/{comment.pk}/verlauf/").text
    assert ("Geheime" in history, "Von dort." in history) == (button == "approve", button == "version")
    for device in (author, hidden_words):
        assert published in device.get(f"/kommentar/{comment.pk}/bearbeiten/").text
        assert "Daneben wartet" not in page_of(article, device)


def test_two_versions_are_not_approved_among_others(article, author, hidden_words, desk):
    """The list shows one of them."""
    change(author, "Von dort.")
    other = factories.comment(article, state="held", held_because=["Erster Kommentar"])
    chosen = {"action": "approve_selected", "_selected_action": [the_comment().pk, other.pk]}
    assert "Auf zwei Geräten verschieden geändert" in desk.get("/redaktion/comments/comment/").text
    answer = desk.post("/redaktion/comments/comment/", chosen, follow=True)
    assert "Von 1 Kommentar warten zwei Fassungen" in answer.text
    other.refresh_from_db()
    assert (the_comment().state, other.state) == ("held", "published")


def test_confirming_the_address_publishes_neither(db):
    """What waits for nothing else is published by that, and the other version would be lost."""
    article = factories.article(comment_mode=Article.CommentMode.CONFIRMED)
    phone, other = Client(), Client()
    phone.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Alt.", email="anna@example.org"))
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    edit = f"/kommentar/{the_comment().pk}/bearbeiten/"
    other.post(edit, {"body": "Neu.", "form_key": factories.form_key()})
    assert the_comment().is_unconfirmed
    change(phone, "Neuer.")
    confirm_comment(the_comment())
    (device,) = the_comment().waiting_beside
    assert (the_comment().state, the_comment().body, device.version) == ("held", "Neu.", "Neuer.")
    assert Comment.objects.for_a_moderator().count() == 1


def test_a_version_that_is_none_publishes_nothing(article, author, hidden_words, desk):
    change(author, "Von dort.")
    for version in ("0", "x", "9" * 20, "9" * 5000, str(the_comment().pk + 10_000)):
        desk.post(f"/redaktion/comments/comment/{the_comment().pk}/entscheiden/", {"version": version})
        assert the_comment().is_held


def test_proved_afterwards_both_versions_are_its_own(article, author, hidden_words):
    """And go on waiting: nobody has decided, and no words are lost."""
    change(author, "Von dort.")
    author.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    form = author.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text
    assert (
        "\nGeheime Pillen.</textarea>" in form,
        "Daneben wartet, was auf einem Gerät" in form,
        "Von dort." in form,
    ) == (True,) * 3
    page = page_of(article, author)
    assert (page.count("Geheime"), page.count("Von dort.")) == (1, 1)
    change(author, "Ganz anders.")
    (device,) = the_comment().waiting_beside
    assert (the_comment().body, device.version) == ("Ganz anders.", "Von dort.")
    third = Client()  # and on to the next device
    assert third.post(f"/kommentar/mein/{owner_token(the_comment())}/").status_code == 302
    (device,) = the_comment().waiting_beside
    assert device.version == "Von dort."
    approve(the_comment(), moderator=factories.editor(), version=device.pk)
    assert (the_comment().body, the_comment().waiting_beside) == ("Von dort.", [])
    assert not OtherDevice.objects.filter(reader=the_comment().reader).exists()


def test_readers_who_become_one_lose_no_version(article, author, hidden_words):
    phone = the_comment().also_by.get()
    change(author, "Von dort.")
    tablet = factories.reader("Anna", "anna@tablet.example")
    OtherDevice.objects.create(comment=the_comment(), reader=tablet)
    with transaction.atomic():
        merge(phone, tablet)
    (device,) = the_comment().waiting_beside
    assert (device.reader, device.version) == (tablet, "Von dort.")


def test_deleted_takes_the_version_along(article, author, hidden_words):
    change(author, "Von dort.")
    hidden_words.post(f"/kommentar/{the_comment().pk}/loeschen/")
    assert not OtherDevice.objects.exclude(version="").exists()


def test_unseen_words_are_not_taken_back_into_a_form(article, author, hidden_words):
    """Nor deleted by a button that promises to keep them."""
    page = page_of(article, author)
    assert ("/loeschen/" in page, 'name="undo"' in page) == (True, False)
    answer = author.post(f"/kommentar/{the_comment().pk}/loeschen/", {"undo": "1"}, follow=True)
    assert ("Geheime" in answer.text, "Kommentar löschen?" in answer.text) == (False, True)
    assert "Auch was auf dem anderen Gerät geschrieben wurde, verschwindet." in answer.text
    assert the_comment().state == "held"


def test_words_that_change_between_two_questions_stay_unseen(article, author, hidden_words, monkeypatch):
    """The right to read them and the words come in one answer: what was shared a moment ago counts for nothing."""
    change(author, "Von dort.")
    marks_of = own._marks_of

    def too_late(*arguments):
        votes, _shared, comments = marks_of(*arguments)
        return votes, comments

    monkeypatch.setattr(own, "_marks_of", too_late)
    assert "Geheime" in page_of(article, hidden_words)
    assert "Geheime" not in page_of(article, author)


def test_words_taken_back_on_the_other_device_stay_unseen(article, author, hidden_words, settings):
    """They are kept for a while, for the form."""
    settings.UNDO_SECONDS = 10
    undo = f"/kommentar/{the_comment().pk}/loeschen/"
    for _press in range(2):
        assert "Geheime Pillen.</textarea>" in hidden_words.post(undo, {"undo": "1"}).text
    assert the_comment().state == "taken_back"
    assert "Geheime" not in author.post(undo, {"undo": "1"}, follow=True).text
    edit = {"body": "Anders.", "form_key": factories.form_key()}
    assert "Geheime" not in author.post(f"/kommentar/{the_comment().pk}/bearbeiten/", edit).text


def test_saving_what_was_public_takes_the_version_away_again(article, author, hidden_words):
    change(author, "Von dort.")
    assert "Auf zwei Geräten verschieden geändert" in the_comment().held_because
    change(author, "Erste *Fassung*.")
    assert the_comment().waiting_beside == []
    assert "Auf zwei Geräten verschieden geändert" not in the_comment().held_because


def test_moderators_are_told_whose_it_is_and_what_was_found_in_it(article, author, hidden_words, desk, moderator):
    BlockedWord.objects.create(word="casino")
    change(author, "Ins Casino.")
    change(hidden_words, "Andere Pillen.")
    comment = the_comment()
    (device,) = comment.waiting_beside
    for reasons in (comment.held_because, device.version_because):
        reasons[:] = [reason for reason in reasons if "Schneller" not in reason]
    assert comment.held_because == ["Gesperrtes Wort: pillen", "Auf zwei Geräten verschieden geändert"]
    assert device.version_because == [CASINO, UNPROVED]
    page = desk.get(f"/redaktion/comments/comment/{comment.pk}/change/").text
    assert "Andere Fassung, von einem Gerät ohne bestätigte Adresse" in page
    mail = held_comment_mail(comment, moderator)
    for text in (page, mail.body, mail.alternatives[0][0]):
        assert CASINO in " ".join(text.split())
    remove(comment, moderator=moderator, reason="Regel 1")
    assert Decision.objects.get().occasion == "program"


def test_reasons_go_with_the_version(article, author, hidden_words):
    before = the_comment().held_because
    BlockedWord.objects.create(word="casino")
    change(author, "Ins Casino.")
    change(author, "Erste *Fassung*.")
    assert the_comment().held_because == before


@pytest.mark.parametrize("button", ["restore", "version"])
def test_removing_takes_both_and_either_can_come_back(article, author, hidden_words, desk, button):
    change(author, "Von dort.")
    address = "/redaktion/comments/comment/"
    chosen = {"action": "remove_selected", "_selected_action": [the_comment().pk]}
    page = desk.post(address, chosen).text
    assert ("Geheime Pillen." in page, "Von dort." in page) == (True, True)
    desk.post(address, chosen | {"remove": "1", "reason": "Regel 1"}, follow=True)
    assert the_comment().state == "removed"
    page = desk.get(f"{address}{the_comment().pk}/change/").text
    assert "Mit der anderen Fassung wiederherstellen" in page
    (device,) = the_comment().waiting_beside
    seen = re.findall(r'name="seen" value="([^"]+)"', page)
    desk.post(f"{address}{the_comment().pk}/entscheiden/", {button: device.pk, "seen": seen})
    body = "Von dort." if button == "version" else "Geheime Pillen."
    assert (the_comment().state, the_comment().body, the_comment().waiting_beside) == ("published", body, [])


def test_the_owners_form_shows_the_other_version(article, author, hidden_words):
    change(author, "Von dort.")
    assert "<p>Von dort.</p>" in hidden_words.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text


@pytest.mark.parametrize("what", ["bearbeiten", "loeschen"])
def test_words_decided_against_a_moment_ago_stay_unseen(article, author, hidden_words, monkeypatch, what):
    """The page has read them, and its device may read the comment by now: other words."""
    change(author, "Von dort.")
    is_by, decided = Comment.is_by, []

    def decide_meanwhile(comment: Comment, reader: Reader) -> bool:
        if not decided:
            (device,) = the_comment().waiting_beside
            decided.append(approve(the_comment(), moderator=factories.editor(), version=device.pk))
        return is_by(comment, reader)

    monkeypatch.setattr(Comment, "is_by", decide_meanwhile)
    assert "Geheime" not in author.get(f"/kommentar/{the_comment().pk}/{what}/").text
    assert decided == [True]


def test_who_proved_the_address_otherwise_reads_it(article, author, hidden_words):
    phone = the_comment().also_by.get()
    Reader.objects.filter(pk=phone.pk).update(email_confirmed_at=timezone.now())
    assert "Geheime" in page_of(article, author)
    assert "\nGeheime Pillen.</textarea>" in author.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text


# --- changed in another window ---------------------------------------------------------------------------------------


def form_of(device: Client) -> dict[str, str]:
    page = device.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text
    return {"seen": re.search(r'name="seen" value="(\w+)"', page)[1], "form_key": factories.form_key()}


@pytest.mark.parametrize("held", [True, False])
def test_what_was_changed_meanwhile_is_not_written_over_unseen(article, author, other, held):
    opened = form_of(other)
    words = {"body": "Von dort.", "form_key": factories.form_key()}
    (author if held else other).post(f"/kommentar/{the_comment().pk}/bearbeiten/", words)
    assert the_comment().is_held == held
    edit = f"/kommentar/{the_comment().pk}/bearbeiten/"
    refused = other.post(edit, opened | {"body": "Von hier."})
    assert (refused.status_code, the_comment().body) == (409, "Von dort.")
    assert "inzwischen geändert worden" in refused.text
    assert ("\nVon hier.</textarea>" in refused.text, "<p>Von dort.</p>" in refused.text) == (True, True)
    seen = re.search(r'name="seen" value="(\w+)"', refused.text)[1]
    assert other.post(edit, opened | {"body": "Von hier.", "seen": seen}).status_code == 302
    assert the_comment().body == "Von hier."


def test_what_it_may_not_read_does_not_count_as_changed(article, author, other):
    """Its words go beside them anyway, and nothing is said of what is there."""
    opened = form_of(author)
    BlockedWord.objects.create(word="pillen")
    change(other, "Geheime Pillen.")
    answer = author.post(f"/kommentar/{the_comment().pk}/bearbeiten/", opened | {"body": "Von dort."})
    assert answer.status_code == 302
    (device,) = the_comment().waiting_beside
    assert device.version == "Von dort."


def test_nobody_is_asked_where_nothing_is_written_over(db):
    """It began with its own words, and may not read the ones that took their place."""
    article = factories.article(comment_mode=Article.CommentMode.ALL_HELD)
    phone, laptop = Client(), Client()
    phone.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Alt.", email="anna@example.org"))
    laptop.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    opened = form_of(phone)
    change(laptop, "Neu.")
    assert phone.post(f"/kommentar/{the_comment().pk}/bearbeiten/", opened | {"body": "Anders."}).status_code == 302
    (device,) = the_comment().waiting_beside
    assert (the_comment().body, device.version) == ("Neu.", "Anders.")
