"""One's own comment: taken back, changed, deleted; on the device it was written with, or through a mailed link."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article, Counters
from comments.mails import owner_token
from comments.models import BlockedWord, Comment, Revision
from comments.screening import Circumstances
from comments.services import edit_comment
from moderation.services import approve, pick, remove
from newsroom.mailbox import Letter
from readers.models import Reader
from tests import factories


@pytest.fixture
def author(article) -> Client:
    """A device that has just written the article's first comment."""
    device = Client()
    words = factories.words("Erste *Fassung*.", email="anna@example.org", website="example.org")
    device.post(f"/artikel/{article.slug}/kommentieren/", words)
    return device


def the_comment() -> Comment:
    return Comment.objects.order_by("pk").first()


def change(device: Client, body: str, **options):
    return device.post(f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": body, "form_key": ""}, **options)


def age(minutes: float) -> None:
    moment = timezone.now() - timedelta(minutes=minutes)
    Comment.objects.update(created_at=moment, published_at=moment)


def page_of(article: Article, device: Client | None = None) -> str:
    return (device or Client()).get(f"/artikel/{article.slug}/").text


# --- changing --------------------------------------------------------------------------------------------------------


def test_only_its_author_sees_the_tools(article, author):
    edit, delete = (f"/kommentar/{the_comment().pk}/{word}/" for word in ("bearbeiten", "loeschen"))
    assert (edit in page_of(article, author), delete in page_of(article, author)) == (True, True)
    assert (edit in page_of(article), delete in page_of(article)) == (False, False)
    stranger = Client()
    stranger.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    assert (edit in page_of(article, stranger), delete in page_of(article, stranger)) == (False, False)


def test_change_is_published_and_the_old_words_stay_readable(article, author):
    answer = change(author, "Zweite **Fassung**.")
    comment = the_comment()
    assert (answer.status_code, answer.url) == (302, comment.get_absolute_url())
    assert (comment.body, comment.html) == ("Zweite **Fassung**.", "<p>Zweite <strong>Fassung</strong>.</p>")
    assert (comment.number, comment.is_published) == (1, True)
    page = page_of(article)
    assert "Zweite <strong>" in page
    assert "Erste <em>" not in page
    history = Client().get(f"/kommentar/{comment.pk}/verlauf/")
    assert f'href="{comment.get_absolute_url()}verlauf/">bearbeitet</a>' in page
    assert history.text.index("Zweite <strong>") < history.text.index("Erste <em>")


def test_saving_the_same_words_changes_nothing(article, author):
    change(author, the_comment().body)
    assert (the_comment().edited_at, Revision.objects.count()) == (None, 0)
    assert Client().get(f"/kommentar/{the_comment().pk}/verlauf/").status_code == 404


def test_preview_of_a_change_stores_nothing(article, author):
    answer = author.post(f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": "*Neu*", "preview": "1"})
    assert "<em>Neu</em>" in answer.text
    assert the_comment().body == "Erste *Fassung*."


@pytest.mark.parametrize("body", ["", "   ", "\u200b", "x" * 5001])
def test_what_cannot_be_posted_cannot_be_changed_into(article, author, body):
    assert change(author, body).status_code == 422
    assert the_comment().body == "Erste *Fassung*."


@pytest.mark.parametrize("minutes, status", [(14.9, 302), (15.1, 409)])
def test_after_fifteen_minutes_it_stands(article, author, minutes, status):
    age(minutes)
    answer = change(author, "Neu.")
    assert (answer.status_code, the_comment().body) == (status, "Neu." if status == 302 else "Erste *Fassung*.")
    if status == 409:
        assert "lässt sich nicht mehr ändern" in answer.text
        assert "\nNeu.</textarea>" in answer.text  # nothing typed is lost


@pytest.mark.parametrize("button", [{}, {"preview": "1"}])
def test_too_late_offers_nothing_that_cannot_work(article, author, button):
    age(15.1)
    fields = {"body": "Neu.", "form_key": ""} | button
    page = author.post(f"/kommentar/{the_comment().pk}/bearbeiten/", fields).text
    assert ("Ihr Text steht noch hier" in page, "\nNeu.</textarea>" in page) == (True, True)
    assert ("Änderung speichern" in page, "Sie können den Kommentar bis" in page) == (False, False)
    assert f'href="{the_comment().get_absolute_url()}">Zum Kommentar</a>' in page


def test_form_says_until_when_and_the_page_how_long(article, author):
    age(10.5)
    assert "(noch 5 Minuten)" in page_of(article, author)
    age(16)
    assert "Bearbeiten" not in page_of(article, author)
    assert "in den ersten 15 Minuten" in author.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text


def test_strangers_change_and_delete_nothing(article, author):
    """By its id (CVE-2022-43492, 2023-46311)."""
    stranger = Client()
    stranger.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    for device in (Client(), stranger):
        answers = [change(device, "Feindlich."), device.post(f"/kommentar/{the_comment().pk}/loeschen/")]
        assert [answer.status_code for answer in answers] == [403, 403]
        assert [
            device.get(f"/kommentar/{the_comment().pk}/{act}/").status_code for act in ("bearbeiten", "loeschen")
        ] == [
            403,
            403,
        ]
    assert (the_comment().body, the_comment().state) == ("Erste *Fassung*.", "published")


def test_change_needs_a_token(article, author):
    """CVE-2021-24806: edited by a form on another site."""
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = author.cookies
    assert change(strict, "Feindlich.").status_code == 403
    assert the_comment().body == "Erste *Fassung*."


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", "[x](javascript:alert(1))", "<img src=x onerror=y>"])
def test_hostile_text_is_as_harmless_as_in_a_new_comment(article, author, hostile):
    """Isso #1083: the way through editing was left unescaped."""
    change(author, hostile)
    assert "<script" not in the_comment().html
    assert "<img" not in the_comment().html
    assert 'href="javascript' not in the_comment().html


def test_changed_words_are_screened_and_held(article, author):
    BlockedWord.objects.create(word="pillen")
    answer = change(author, "Kauft Pillen.")
    assert (answer.status_code, the_comment().state, the_comment().number) == (302, "held", 1)
    assert (Counters.objects.get().comments, Counters.objects.get().last_number) == (0, 1)
    assert "Pillen" not in page_of(article)
    assert "Nur Sie sehen diesen Kommentar" in page_of(article, author)


def test_held_one_returns_to_its_number_and_people_are_told_once(article, author):
    BlockedWord.objects.create(word="pillen")
    change(author, "Kauft Pillen.")
    approve(the_comment(), moderator=factories.editor())
    assert (the_comment().state, the_comment().number) == ("published", 1)
    assert (Counters.objects.get().comments, Counters.objects.get().last_number) == (1, 1)


def test_held_words_are_not_published_as_an_earlier_version(article, author):
    BlockedWord.objects.create(word="pillen")
    change(author, "Kauft Pillen.")
    change(author, "Doch nicht.")
    assert the_comment().is_held
    approve(the_comment(), moderator=factories.editor())
    history = Client().get(f"/kommentar/{the_comment().pk}/verlauf/").text
    assert "Doch nicht." in history
    assert "Erste <em>" in history  # this was public
    assert "Pillen" not in history


def test_recommended_are_the_words_not_what_they_become(article, author):
    pick(the_comment(), moderator=factories.editor())
    change(author, "Etwas ganz anderes.")
    assert the_comment().picked_at is None
    assert "Empfehlung der Redaktion" not in page_of(article)


def test_change_of_a_held_comment_leaves_no_trace_of_what_nobody_read(article):
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Tippfeler."))
    change(device, "Tippfehler.")
    assert (the_comment().body, the_comment().state, the_comment().edited_at) == ("Tippfehler.", "held", None)
    assert Revision.objects.count() == 0


def test_many_changes_are_limited(article, author):
    answers = [change(author, f"Fassung {number}.").status_code for number in range(60)]
    assert answers[0] == 302
    assert answers[-1] == 429


def test_changing_refreshes_the_page_for_everyone(article, author):
    etag = Client().get(f"/artikel/{article.slug}/").headers["ETag"]
    change(author, "Neu.")
    assert Client().get(f"/artikel/{article.slug}/").headers["ETag"] != etag


# --- taking back, deleting -------------------------------------------------------------------------------------------


def test_undo_is_offered_for_ten_seconds(article, author, settings):
    settings.UNDO_SECONDS = 10
    assert ">Zurückziehen</button>" in page_of(article, author)
    age(0.2)
    assert ">Zurückziehen</button>" not in page_of(article, author)


def test_nobody_is_mailed_before_that(article, settings):
    settings.UNDO_SECONDS = 10
    factories.subscription(article)
    before = timezone.now()
    Client().post(f"/artikel/{article.slug}/kommentieren/", factories.words())
    job = ProcrastinateJob.objects.get(task_name="subscriptions.tasks.announce")
    assert timedelta(seconds=10) <= job.scheduled_at - before < timedelta(seconds=15)


def test_taken_back_before_anyone_is_told(transactional_db, article, letters, run_jobs):
    factories.subscription(article)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words())
    device.post(f"/kommentar/{the_comment().pk}/loeschen/")
    run_jobs()
    assert letters() == []


def test_taken_back_the_wish_for_mails_waits_in_the_form(transactional_db, article, letters, run_jobs, settings):
    """Nobody is asked to confirm mails about answers to a comment that is not there, and sent again it is asked."""
    settings.UNDO_SECONDS = 10
    device = Client()
    wish = {"email": "anna@example.org", "notify": "on"}
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words(**wish))
    form = device.post(f"/kommentar/{the_comment().pk}/loeschen/", {"undo": "1"}).text
    assert re.search(r'<input[^>]*name="notify"[^>]*checked', form)
    run_jobs()
    assert letters() == []
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words(**wish))
    run_jobs()
    assert [letter.recipient for letter in letters()] == ["anna@example.org"]


def test_taken_back_without_a_tick_has_none(article, settings):
    """Also where an earlier comment was sent with it: what one agrees to, one ticks."""
    settings.UNDO_SECONDS = 10
    device, write = Client(), f"/artikel/{article.slug}/kommentieren/"
    device.post(write, factories.words("Mit.", email="anna@example.org", notify="on"))
    device.post(write, factories.words("Ohne.", email="anna@example.org"))
    form = device.post(f"/kommentar/{Comment.objects.get(body='Ohne.').pk}/loeschen/", {"undo": "1"}).text
    assert "Ohne." in form
    assert not re.search(r'<input[^>]*name="notify"[^>]*checked', form)


@pytest.mark.parametrize("seconds, taken_back", [(8, True), (11, True), (12, False)])
def test_taken_back_only_before_anyone_is_told(article, author, settings, seconds, taken_back):
    settings.UNDO_SECONDS = 10
    age(seconds / 60)
    answer = author.post(f"/kommentar/{the_comment().pk}/loeschen/", {"undo": "1"})
    assert (the_comment().is_published, answer.status_code) == ((False, 200) if taken_back else (True, 409))
    asks = "Kommentar löschen?" in answer.text and "vielleicht schon bekommen" in answer.text
    assert asks is not taken_back


def test_what_nobody_has_seen_can_be_taken_back_later(article, settings):
    settings.UNDO_SECONDS = 10
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Wartet."))
    Comment.objects.update(created_at=timezone.now() - timedelta(hours=1))
    assert "Wartet.</textarea>" in device.post(f"/kommentar/{the_comment().pk}/loeschen/", {"undo": "1"}).text


def test_taken_back_twice_leads_to_the_form(article, author, settings):
    settings.UNDO_SECONDS = 10
    undo = f"/kommentar/{the_comment().pk}/loeschen/"
    author.post(undo, {"undo": "1"})
    again = author.post(undo, {"undo": "1"})
    assert (again.status_code, again.url) == (302, f"/artikel/{article.slug}/#kommentar-schreiben")
    stranger = Client()
    stranger.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    assert [device.post(undo, {"undo": "1"}).status_code for device in (stranger, Client())] == [404, 404]


def test_deleting_asks_first_and_takes_the_words_away(article, author):
    comment = the_comment()
    change(author, "Zweite Fassung.")
    assert author.get(f"/kommentar/{comment.pk}/loeschen/").status_code == 200
    assert the_comment().is_published
    answer = author.post(f"/kommentar/{comment.pk}/loeschen/")
    assert (answer.status_code, answer.url) == (302, f"/artikel/{article.slug}/#kommentare")
    comment.refresh_from_db()
    assert (comment.state, comment.body, comment.name, comment.html) == ("deleted", "–", "–", "")
    assert (comment.email, comment.website, comment.revisions.count()) == ("", "", 0)
    assert Counters.objects.get().comments == 0
    assert 'id="kommentar-1"' not in page_of(article)


def test_deleted_one_with_replies_leaves_a_tombstone(article, author):
    factories.comment(article, "Eine Antwort.", parent=the_comment())
    author.post(f"/kommentar/{the_comment().pk}/loeschen/")
    page = page_of(article)
    assert "von seiner Autorin oder seinem Autor gelöscht" in page
    assert "Eine Antwort." in page
    assert "Erste <em>" not in page


def test_deleting_works_at_any_age_and_twice(article, author):
    age(60 * 24 * 400)
    answers = [author.post(f"/kommentar/{the_comment().pk}/loeschen/").status_code for _ in range(2)]
    assert (answers, Counters.objects.get().comments) == ([302, 404], 0)


def test_removed_comment_is_not_changed_by_its_author(article, author):
    remove(the_comment(), moderator=factories.editor(), reason="Regel 1")
    assert [
        change(author, "Neu.").status_code,
        author.post(f"/kommentar/{the_comment().pk}/loeschen/").status_code,
    ] == [
        404,
        404,
    ]


# --- on another device -----------------------------------------------------------------------------------------------


def ask(email: str) -> str:
    answer = Client().post(f"/kommentar/{the_comment().pk}/meiner/", {"email": email})
    assert answer.status_code == 200
    return answer.text


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name="comments.tasks.send_owner_mail").count()


def test_only_the_right_address_gets_a_link_and_nobody_learns_which(
    transactional_db, article, author, letters, run_jobs
):
    wrong, right = ask("eve@example.org"), ask("anna@example.org")
    assert (wrong, jobs()) == (right, 2)  # as much work for the one as for the other (C7)
    run_jobs()
    assert [letter.recipient for letter in letters()] == ["anna@example.org"]


def test_comment_of_an_account_has_no_link(transactional_db, article, author, letters, run_jobs):
    reader = the_comment().reader
    reader.user = factories.editor("anna")
    reader.save()
    ask("anna@example.org")
    run_jobs()
    assert letters() == []
    assert author.get(f"/kommentar/mein/{owner_token(the_comment())}/").status_code == 404


def test_a_strangers_page_makes_nobody_somebody_else(article, author):
    """By a form that sends its visitors to its own mailed link."""
    visitor = Client(enforce_csrf_checks=True)
    link = f"/kommentar/mein/{owner_token(the_comment())}/"
    assert visitor.post(link).status_code == 403
    assert "leser" not in visitor.cookies
    token = visitor.get(link).text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert visitor.post(link, {"csrfmiddlewaretoken": token}).status_code == 302
    assert visitor.get(f"/kommentar/{the_comment().pk}/bearbeiten/").status_code == 200


def test_links_are_limited(article, author):
    for _ in range(9):
        ask("anna@example.org")
    assert jobs() == 3


def test_mailed_link_gives_the_rights_to_another_device(transactional_db, article, author, letters, run_jobs):
    ask("anna@example.org")
    run_jobs()
    [letter] = [each for each in letters() if "Ihr Kommentar" in each.subject]
    link = link_in(letter)
    other = Client()
    assert other.get(link).status_code == 200
    assert change(other, "Neu.").status_code == 403  # GET gives nothing (B12)
    assert other.post(link).status_code == 302
    assert change(other, "Neu.").status_code == 302
    assert the_comment().body == "Neu."


def link_in(letter: Letter) -> str:
    return next(word for word in letter.text.split() if "/kommentar/mein/" in word).removeprefix(
        "http://localhost:8000"
    )


def test_what_the_other_device_did_goes_along(article, author):
    other = Client()
    other.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Vom Telefon."))
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    assert set(Comment.objects.values_list("reader", flat=True)) == {the_comment().reader_id}


@pytest.mark.parametrize("proved", [False, True])
@pytest.mark.parametrize("email", ["", "eve@example.org", "anna@example.org"])
def test_a_link_gives_its_writer_nothing(article, author, email, proved):
    """Whoever typed an address, their own or a stranger's, gets no rights over what the one who opens the link did."""
    eve = Client()
    eve.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Eves Wort.", email=email))
    eves = Comment.objects.get(body="Eves Wort.")
    if proved:
        Reader.objects.filter(pk=the_comment().reader_id).update(email_confirmed_at=timezone.now())
    eve.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    assert change(eve, "Geändert.").status_code == 302
    one_person = proved and email == "anna@example.org"  # both devices proved this address
    for act in ("bearbeiten", "loeschen"):
        assert author.get(f"/kommentar/{eves.pk}/{act}/").status_code == (200 if one_person else 403)


def test_what_else_the_writer_did_stays_theirs(article, author):
    author.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Anderes.", email="mallory@example.org"))
    other = Client()
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    others = Comment.objects.get(body="Anderes.")
    assert author.get(f"/kommentar/{others.pk}/bearbeiten/").status_code == 200
    assert other.get(f"/kommentar/{others.pk}/bearbeiten/").status_code == 403


def test_replies_are_still_mailed_to_the_address(article, author):
    row = factories.subscription(article, "anna@example.org", kind="replies", reader=the_comment().reader)
    other = Client()
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    row.refresh_from_db()
    assert row.reader == the_comment().reader
    assert row.is_active


@pytest.mark.parametrize("word", ["bearbeiten", "loeschen", "meiner", "verlauf"])
def test_held_comment_is_there_for_its_author_only(article, word):
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words())
    address = f"/kommentar/{the_comment().pk}/{word}/"
    assert Client().get(address).status_code == 404
    assert device.get(address).status_code == (404 if word == "verlauf" else 200)


def test_account_takes_the_guest_in(article, author):
    user = factories.editor("anna")
    other = Client()
    other.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    other.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    assert (the_comment().reader.user, change(other, "Neu.").status_code) == (user, 302)


def test_link_dies_after_three_days_and_when_the_comment_is_gone(article, author):
    for days, status in [(0, 200), (2, 200), (3, 404)]:
        token = owner_token(the_comment(), made_on=timezone.localdate() - timedelta(days=days))
        assert Client().get(f"/kommentar/mein/{token}/").status_code == status
    token = owner_token(the_comment())
    author.post(f"/kommentar/{the_comment().pk}/loeschen/")
    assert Client().get(f"/kommentar/mein/{token}/").status_code == 404


def test_forged_links_give_nothing(article, author):
    good = owner_token(the_comment())
    for token in (good[:-1] + ("A" if good[-1] != "A" else "B"), "1-x", "zz", owner_token(factories.comment(article))):
        assert Client().post(f"/kommentar/mein/{token}/").status_code == 404


def test_two_changes_at_once_lose_neither_text(transactional_db, article, author):
    """The second finds the first's words as the earlier version."""
    how = Circumstances(key=None, network="test")
    reader = the_comment().reader
    stale = the_comment()
    edit_comment(comment=stale, reader=reader, body="Eins.", how=how)
    edit_comment(comment=stale, reader=reader, body="Zwei.", how=how)
    assert list(Revision.objects.order_by("pk").values_list("body", flat=True)) == ["Erste *Fassung*.", "Eins."]


def test_link_is_worth_nothing_to_a_third_device(article, author):
    """Whoever finds it later in a mailbox, or in a proxy's log, has no rights over what its first user wrote since."""
    link = f"/kommentar/mein/{owner_token(the_comment())}/"
    first, third = Client(), Client()
    assert first.post(link).status_code == 302
    assert third.post(link).status_code == 404
    assert third.get(f"/kommentar/{the_comment().pk}/bearbeiten/").status_code == 403
    # The device that has them is led to the comment.
    assert first.get(link).url.endswith(f"#{the_comment().anchor}")
    assert first.get(f"/kommentar/{the_comment().pk}/bearbeiten/").status_code == 200
