"""Who speaks as what, what the editors recommend, and the pause they may ask for."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Article, Author, Counters
from comments.models import Comment
from moderation.models import Decision
from moderation.services import pick, remove, unpick
from readers.models import User
from tests import factories

BACKEND = "django.contrib.auth.backends.ModelBackend"


def write_as(user: User | None, article: Article, body: str = "Wir klären das."):
    device = Client()
    if user:
        device.force_login(user, backend=BACKEND)
    return device.post(f"/artikel/{article.slug}/kommentieren/", factories.words(body))


def page_of(article: Article, query: str = "") -> str:
    return Client().get(f"/artikel/{article.slug}/{query}").text


# --- badges ----------------------------------------------------------------------------------------------------------


def staff(permission: str) -> User:
    user = User.objects.create_user("jemand", "jemand@example.org", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename=permission))
    return user


def test_the_articles_author_is_named_so(article):
    user = User.objects.create_user("ukin", "ukin@example.org")
    Author.objects.filter(pk=article.author_id).update(user=user)
    write_as(user, article)
    assert Comment.objects.get().badge == "author"
    assert '<b class="badge">Autor</b>' in page_of(article)


@pytest.mark.parametrize(
    "permission, badge, word",
    [("change_article", "editor", "Redaktion"), ("change_comment", "moderator", "Moderation")],
)
def test_staff_are_named_by_what_they_may_do(article, permission, badge, word):
    write_as(staff(permission), article)
    assert Comment.objects.get().badge == badge
    assert f'<b class="badge">{word}</b>' in page_of(article)


def test_readers_have_no_badge_whatever_they_call_themselves(article):
    account = User.objects.create_user("leserin", "leserin@example.org")
    for user in (None, account):
        write_as(user, article, f"Ich bin {user}.")
    Client().post(f"/artikel/{article.slug}/kommentieren/", factories.words(name="Redaktion", badge="editor"))
    assert set(Comment.objects.values_list("badge", flat=True)) == {""}
    assert 'class="badge"' not in page_of(article)


def test_badge_stays_when_someone_leaves_the_house(article):
    user = staff("change_article")
    write_as(user, article)
    User.objects.filter(pk=user.pk).update(is_staff=False)
    assert '<b class="badge">Redaktion</b>' in page_of(article)


# --- recommended by the editors --------------------------------------------------------------------------------------


def test_picked_one_is_listed_first_and_marked(article):
    factories.comment(article, "Gewöhnlich.")
    comment = factories.comment(article, "Ein *kluger* Gedanke.", name="Berta")
    editor = factories.editor()
    pick(comment, moderator=editor)
    page = page_of(article)
    assert page.index("Empfehlungen der Redaktion") < page.index('id="kommentar-1"')
    assert f'<a href="{comment.get_absolute_url()}">Ein kluger Gedanke.</a>' in page
    assert page.count("Empfehlung der Redaktion</b>") == 1
    unpick(comment, moderator=editor)
    assert "Empfehlung" not in page_of(article)
    assert list(Decision.objects.order_by("pk").values_list("action", flat=True)) == ["pick", "unpick"]


@pytest.mark.parametrize(("view", "listed"), [("eingeklappt", True), ("flach", True), ("inline", False)])
def test_picks_are_listed_first_in_every_view_of_the_whole_conversation(article, client, view, listed):
    comment = factories.comment(article, "Ein kluger Gedanke.")
    pick(comment, moderator=None)
    for query, begins in ((f"?ansicht={view}", True), (f"?ansicht={view}&seite=2", False)):
        page = client.get(f"{article.get_absolute_url()}{query}", follow=True).text
        assert ('class="picks"' in page) == (listed and begins)


def test_only_the_latest_three_are_listed_and_only_at_the_beginning(article):
    for number in range(5):
        comment = factories.comment(article, f"Gedanke {number}.")
        pick(comment, moderator=None)
        Comment.objects.filter(pk=comment.pk).update(picked_at=timezone.now() + timedelta(minutes=number))
    listed = page_of(article).partition('class="picks"')[2].partition("</ul>")[0]
    assert [number for number in range(5) if f"Gedanke {number}." in listed] == [2, 3, 4]
    assert 'class="picks"' not in page_of(article, "?seite=2")


def test_earlier_ones_are_folded_and_cost_no_further_query(article, django_assert_num_queries):
    def shown() -> str:
        Counters.objects.touch(article.pk)  # no page out of memory
        return page_of(article).partition('class="picks"')[2].partition("</section>")[0]

    def picks(numbers: range) -> None:
        for number in numbers:
            pick(factories.comment(article, f"Gedanke {number}."), moderator=None)

    picks(range(3))
    with CaptureQueriesContext(connection) as few:
        assert "<details" not in shown()
    picks(range(3, 5))
    with django_assert_num_queries(len(few)):
        folded = shown().partition("<summary>2 weitere Empfehlungen</summary>")[2]
    assert re.findall(r"Gedanke (\d+)\.", folded) == ["1", "0"]
    picks(range(5, 30))
    assert re.findall(r"Gedanke (\d+)\.", shown()) == [str(number) for number in range(29, 6, -1)]


def test_removed_one_is_not_recommended_any_more(article):
    comment = factories.comment(article)
    pick(comment, moderator=None)
    remove(comment, moderator=None, reason="Regel 1")
    assert "Empfehlung" not in page_of(article)


@pytest.mark.parametrize("state", ["held", "removed", "deleted"])
def test_what_nobody_can_read_is_not_picked(article, state):
    comment = factories.comment(article, state=state)
    pick(comment, moderator=None)
    comment.refresh_from_db()
    assert (comment.picked_at, Decision.objects.count()) == (None, 0)


def test_author_is_told_once_if_reachable(transactional_db, article, letters, run_jobs):
    proved = factories.reader("Berta", "berta@example.org", email_confirmed_at=timezone.now())
    typed = factories.reader("Carl", "carl@example.org")
    for reader in (proved, typed, factories.reader("Dora")):
        comment = factories.comment(article, reader=reader)
        pick(comment, moderator=None)
        pick(comment, moderator=None)
    run_jobs()
    [letter] = letters()
    assert (letter.recipient, letter.subject) == (
        "berta@example.org",
        "Die Redaktion empfiehlt Ihren Kommentar zu „Brücke gesperrt“",
    )


@pytest.mark.parametrize("confirmed", [True, False])
def test_author_is_told_where_they_confirmed_mails_about_answers(
    transactional_db, article, letters, run_jobs, confirmed
):
    """In whichever browser they opened that mail."""
    reader = factories.reader("Anna", "anna@example.org")
    comment = factories.comment(article, reader=reader, email="anna@example.org")
    times = {} if confirmed else {"confirmed_at": None}
    factories.subscription(article, "anna@example.org", kind="replies", reader=reader, **times)
    pick(comment, moderator=None)
    run_jobs()
    assert [letter.recipient for letter in letters()] == (["anna@example.org"] if confirmed else [])


def test_picked_in_the_admin(article, client):
    comment = factories.comment(article)
    client.force_login(factories.editor(), backend=BACKEND)
    change = f"/redaktion/comments/comment/{comment.pk}/change/"
    assert "Den Lesern empfehlen" in client.get(change).text
    client.post(f"/redaktion/comments/comment/{comment.pk}/entscheiden/", {"pick": "1"})
    assert Comment.objects.get().picked_at is not None
    assert "Empfehlung zurücknehmen" in client.get(change).text


# --- slow mode -------------------------------------------------------------------------------------------------------


def test_pause_between_ones_own_comments(article):
    Article.objects.update(slow_mode=60)
    device, other = Client(), Client()
    write = f"/artikel/{article.slug}/kommentieren/"
    assert device.post(write, factories.words("Eins.")).status_code == 302
    refused = device.post(write, factories.words("Zwei."))
    assert refused.status_code == 429
    assert "eine Pause (1 Minute)" in refused.text
    assert "\nZwei.</textarea>" in refused.text
    assert other.post(write, factories.words("Drei.")).status_code == 302
    Comment.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert device.post(write, factories.words("Zwei.")).status_code == 302


@pytest.mark.parametrize(
    ("pause", "ago", "left"),
    [
        (300, 10, "in 5 Minuten können Sie"),
        (300, 209, "in 2 Minuten können Sie"),
        (300, 211, "in 89 Sekunden können Sie"),
        (60, 10, "in 50 Sekunden können Sie"),
        (30, 29, "in 1 Sekunde können Sie"),
    ],
)
def test_pause_says_how_long_it_still_lasts(article, at, pause, ago, left):
    Article.objects.update(slow_mode=pause)
    device, now = Client(), timezone.now()
    device.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Eins."))
    Comment.objects.update(created_at=now - timedelta(seconds=ago))
    at(now)
    assert left in device.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Zwei.")).text


def test_who_took_one_back_may_send_it_changed(article, settings):
    settings.UNDO_SECONDS = 10
    Article.objects.update(slow_mode=300)
    device, write = Client(), f"/artikel/{article.slug}/kommentieren/"
    device.post(write, factories.words("Eins."))
    device.post(f"/kommentar/{Comment.objects.get().pk}/loeschen/", {"undo": "1"})
    assert device.post(write, factories.words("Eins, besser.")).status_code == 302
    assert device.post(write, factories.words("Zwei.")).status_code == 429


def test_same_submission_twice_is_not_a_second_comment_in_slow_mode(article):
    Article.objects.update(slow_mode=60)
    device, words = Client(), factories.words()
    answers = [device.post(f"/artikel/{article.slug}/kommentieren/", words).status_code for _ in range(2)]
    assert (answers, Comment.objects.count()) == ([302, 302], 1)


def test_who_moderates_finds_the_way_to_the_desk(article):
    comment = factories.comment(article)
    way = f'<a href="/redaktion/comments/comment/{comment.pk}/change/">Moderieren</a>'
    assert way not in page_of(article)
    desk = Client()
    desk.force_login(factories.editor())
    assert way in desk.get(article.get_absolute_url()).text


def test_the_house_finds_its_desk_from_every_page_and_nobody_else_does(article, desk, client):
    addresses = ["/", article.get_absolute_url(), f"{article.get_absolute_url()}kommentieren/", "/konto/email/"]
    assert ['<a href="/redaktion/">Zur Redaktion</a>' in desk.get(page).text for page in addresses] == [True] * 4
    client.force_login(User.objects.create_user("lea", "lea@example.org"))
    assert ["/redaktion/" in client.get(page).text for page in addresses] == [False] * 4


def test_an_editor_who_only_signed_in_to_the_admin_is_named_and_not_the_guest_of_before(article, client):
    client.post(f"{article.get_absolute_url()}kommentieren/", {"body": "Vorher.", "name": "Gast von vorher"})
    client.force_login(User.objects.create_user("anna", "anna@example.org", is_staff=True, first_name="Anna"))
    masthead = client.get(article.get_absolute_url()).text.split("</header>")[0]
    assert "data-account>Anna</a>" in masthead


@pytest.mark.parametrize(
    "body, shown",
    [
        ("> Fremde Worte.\n\nMeine Antwort.", "Meine Antwort."),
        ("Erst ich.\n\n> Dann\n>\n> > der davor\n>\n> und der.\n\nUnd *wieder* ich.", "Erst ich. Und wieder ich."),
        ("> Nur ein Zitat.", "Nur ein Zitat."),
    ],
)
def test_what_is_recommended_is_said_in_its_authors_own_words(article, body, shown):
    assert factories.comment(article, body).excerpt == shown
