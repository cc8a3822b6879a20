"""One's own comment: taken back, changed, deleted."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article, Counters
from comments import own
from comments.models import BlockedWord, Comment, Revision
from comments.screening import Circumstances
from comments.services import edit_comment
from comments.tasks import forget_taken_back
from moderation.services import approve, pick, remove
from tests import factories
from tests.comments.own import change, page_of, the_comment


def age(minutes: float) -> None:
    moment = timezone.now() - timedelta(minutes=minutes)
    Comment.objects.update(created_at=moment, published_at=moment)


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
    page = change(author, the_comment().body, follow=True).text
    assert ("Sie haben nichts geändert." in page, "Ihre Änderung" in page) == (True, False)
    assert (the_comment().edited_at, Revision.objects.count()) == (None, 0)
    assert Client().get(f"/kommentar/{the_comment().pk}/verlauf/").status_code == 404


def test_a_change_sent_twice_has_changed_something(article, author):
    """By a double click; the page shown is the second one's."""
    address = f"/kommentar/{the_comment().pk}/bearbeiten/"
    seen = re.search(r'name="seen" value="(\w+)"', author.get(address).text)[1]
    for _ in range(2):
        answer = author.post(address, {"body": "Neu.", "form_key": "", "seen": seen}, follow=True)
        assert ("Ihre Änderung ist veröffentlicht" in answer.text, "nichts geändert" in answer.text) == (True, False)
    assert the_comment().revisions.count() == 1


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


def test_while_it_is_held_again_its_place_says_so_and_keeps_the_replies(article, author):
    BlockedWord.objects.create(word="pillen")
    factories.comment(article, "Eine Antwort.", parent=the_comment())
    change(author, "Kauft Pillen.")
    page = page_of(article)
    assert ("wird gerade von der Redaktion geprüft" in page, "Eine Antwort." in page) == (True, True)
    assert ("gelöscht." in page, "entfernt." in page) == (False, False)
    # Its author reads it there, and once.
    page = page_of(article, author)
    assert page.index("geprüft.") < page.index("Kauft Pillen.") < page.index("Eine Antwort.")
    assert (page.count("Kauft Pillen."), page.count(f'id="{the_comment().anchor}"')) == (1, 1)
    shown = author.get(the_comment().get_absolute_url()).url
    assert f'id="{shown.partition("#")[2]}" class="comment held"' in page


def test_while_it_is_held_again_a_link_to_it_is_told_so(article, author):
    """A subscriber's mail, or a search, may lead there; without replies its place is empty."""
    BlockedWord.objects.create(word="pillen")
    change(author, "Kauft Pillen.")
    answer = Client().get(the_comment().get_absolute_url())
    assert (answer.status_code, "wird gerade von der Redaktion geprüft" in answer.text) == (404, True)
    assert "Pillen" not in answer.text


@pytest.mark.parametrize("replies", [0, 1])
def test_deleted_while_it_is_held_again_the_page_says_so_at_once(article, author, replies):
    BlockedWord.objects.create(word="pillen")
    for _ in range(replies):
        factories.comment(article, "Eine Antwort.", parent=the_comment())
    change(author, "Kauft Pillen.")
    assert "gelöscht." not in page_of(article)
    author.post(f"/kommentar/{the_comment().pk}/loeschen/")
    page = page_of(article)
    assert ("gelöscht." in page, "geprüft." in page) == (True, False)


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


def test_taken_back_twice_has_the_words_for_a_while_then_leads_to_the_form(article, author, settings):
    """By a double click, or that page loaded again."""
    settings.UNDO_SECONDS = 10
    undo = f"/kommentar/{the_comment().pk}/loeschen/"
    for _ in range(3):
        assert "\nErste *Fassung*.</textarea>" in author.post(undo, {"undo": "1"}).text
    job = ProcrastinateJob.objects.get(task_name="comments.tasks.forget_taken_back")
    assert timedelta(minutes=14) < job.scheduled_at - timezone.now() <= timedelta(minutes=15)
    forget_taken_back(**job.args)
    assert (the_comment().body, the_comment().name, the_comment().email) == ("–", "–", "")
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
    assert (answer.status_code, answer.url) == (302, f"/artikel/{article.slug}/#kommentar-1")
    comment.refresh_from_db()
    assert (comment.state, comment.body, comment.name, comment.html) == ("deleted", "–", "–", "")
    assert (comment.email, comment.website, comment.revisions.count()) == ("", "", 0)
    assert Counters.objects.get().comments == 0
    assert "Zweite Fassung" not in page_of(article)


@pytest.mark.parametrize("replies", [0, 1])
def test_deleted_one_leaves_a_tombstone_and_keeps_the_replies(article, author, replies):
    for _ in range(replies):
        factories.comment(article, "Eine Antwort.", parent=the_comment())
    author.post(f"/kommentar/{the_comment().pk}/loeschen/")
    page = page_of(article)
    assert "von seiner Autorin oder seinem Autor gelöscht" in page
    assert page.count("Eine Antwort.") == replies
    assert "Erste <em>" not in page
    assert "Noch hat niemand etwas geschrieben." not in page


@pytest.mark.parametrize("replies", [0, 1])
def test_taken_back_it_leaves_one_only_where_somebody_answered_already(article, author, settings, replies):
    settings.UNDO_SECONDS = 10
    for _ in range(replies):
        factories.comment(article, "Eine Antwort.", parent=the_comment())
    author.post(f"/kommentar/{the_comment().pk}/loeschen/", {"undo": "1"})
    page = page_of(article)
    assert page.count("von seiner Autorin oder seinem Autor gelöscht") == page.count("Eine Antwort.") == replies
    permalink = Client().get(f"/kommentar/{the_comment().pk}/")
    assert permalink.status_code == (302 if replies else 404)


def test_what_nobody_saw_leaves_none(article):
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words())
    answer = device.post(f"/kommentar/{the_comment().pk}/loeschen/")
    assert (the_comment().state, answer.url) == ("deleted", f"/artikel/{article.slug}/#kommentare")
    assert "gelöscht." not in page_of(article)
    assert Client().get(f"/kommentar/{the_comment().pk}/").status_code == 404


def test_deleting_works_at_any_age_and_twice(article, author):
    age(60 * 24 * 400)
    answers = [author.post(f"/kommentar/{the_comment().pk}/loeschen/", follow=True).text for _ in range(2)]
    assert all("Ihr Kommentar ist gelöscht." in answer for answer in answers)
    assert Counters.objects.get().comments == 0
    assert Client().post(f"/kommentar/{the_comment().pk}/loeschen/").status_code == 404


def test_removed_comment_is_not_changed_by_its_author(article, author):
    """Nor are the words lost that were typed meanwhile."""
    remove(the_comment(), moderator=factories.editor(), reason="Regel 1")
    answer = change(author, "Neu.")
    assert (answer.status_code, "\nNeu.</textarea>" in answer.text) == (409, True)
    assert "wurde von der Redaktion entfernt" in answer.text
    assert the_comment().body == "Erste *Fassung*."
    assert author.post(f"/kommentar/{the_comment().pk}/loeschen/").status_code == 404
    assert change(Client(), "Neu.").status_code == 404


def test_what_was_typed_stays_also_where_nobody_has_seen_the_comment(article):
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Alt."))
    remove(the_comment(), moderator=factories.editor(), reason="Regel 1")
    answer = change(device, "Neu.")
    assert (answer.status_code, "\nNeu.</textarea>" in answer.text) == (409, True)
    assert "Diesen Kommentar gibt es nicht mehr" in answer.text


def test_desk_does_not_show_what_was_taken_back(article, author, desk, settings):
    settings.UNDO_SECONDS = 10
    assert "Erste *Fassung*" in desk.get("/redaktion/comments/comment/").text
    author.post(f"/kommentar/{the_comment().pk}/loeschen/", {"undo": "1"})
    assert "Erste *Fassung*" not in desk.get("/redaktion/comments/comment/").text
    assert "Erste *Fassung*" not in desk.get(f"/redaktion/comments/comment/{the_comment().pk}/change/").text


def test_history_stays_while_it_is_held_again(article, author):
    BlockedWord.objects.create(word="pillen")
    change(author, "Kauft Pillen.")
    page = Client().get(f"/kommentar/{the_comment().pk}/verlauf/")
    assert ("Erste <em>" in page.text, "Pillen" in page.text) == (True, False)
    assert "wird gerade von der Redaktion geprüft" in page.text


def test_a_change_of_what_waits_for_the_address_says_so(db):
    article = factories.article(comment_mode=Article.CommentMode.CONFIRMED)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words(email="anna@example.org"))
    words = {"body": "Neu.", "form_key": factories.form_key()}
    answer = device.post(f"/kommentar/{the_comment().pk}/bearbeiten/", words, follow=True).text
    assert "sobald Sie Ihre Adresse bestätigen" in answer
    assert "Ihre Änderung ist gespeichert. Jemand" not in answer


@pytest.mark.parametrize("word", ["bearbeiten", "loeschen", "meiner", "verlauf"])
def test_held_comment_is_there_for_its_author_only(article, word):
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    device = Client()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words())
    address = f"/kommentar/{the_comment().pk}/{word}/"
    assert Client().get(address).status_code == 404
    assert device.get(address).status_code == (404 if word == "verlauf" else 200)


def test_two_changes_at_once_lose_neither_text(transactional_db, article, author):
    """The second finds the first's words as the earlier version."""
    how = Circumstances(key=None, network="test")
    reader = the_comment().reader
    stale = the_comment()
    edit_comment(comment=stale, reader=reader, body="Eins.", how=how)
    edit_comment(comment=stale, reader=reader, body="Zwei.", how=how)
    assert list(Revision.objects.order_by("pk").values_list("body", flat=True)) == ["Erste *Fassung*.", "Eins."]


# --- at any size -----------------------------------------------------------------------------------------------------


def test_ones_own_on_a_page_are_not_looked_for_among_all_that_one_wrote(article):
    """PostgreSQL's plan for readers who wrote as much as most do: it is the one for whoever wrote thousands, too. In a
    table as small as here it would be right anyway; that it looks at the page's first must not be for it to choose."""
    factories.comment(article)
    places = iter(range(1, 20))
    sql = re.sub("%s", lambda _: f"${next(places)}", own._OWN.sql)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE comments_comment; SET LOCAL enable_seqscan = off")
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE own (bigint[], bigint, bigint, bigint, bigint, bigint[], bigint, text) AS {sql}")
        cursor.execute("EXPLAIN EXECUTE own ('{1}', 1, 1, 1, 1, '{1}', 1, '')")
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE own")
    assert re.search(r"Subquery Scan on shown .*\n *Filter: .*reader_id.*\n.*comments_comment_pkey", plan)
    assert "comment_of_reader" not in plan
