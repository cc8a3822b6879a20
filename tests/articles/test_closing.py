"""Closed comments say since when and why; an article may close by itself."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from articles.models import Article
from articles.services import change_comment_mode, save_article
from comments.models import Comment
from tests import factories
from tests.comments.test_posting import write_url

# Later than now: what the tests publish is public then.
EVENING = datetime(2030, 11, 27, 18, 30, tzinfo=ZoneInfo("Europe/Berlin"))
CLOSED = "Die Kommentare zu diesem Artikel sind geschlossen."
SINCE = "Schreiben konnte man hier bis 27. November 2030, 18:30 Uhr."
# Where the editors wrote no word why.
BY_HAND = "<p>Die Redaktion hat die Diskussion beendet.</p>"
BY_TIME = "<p>Dieser Artikel stand nur für eine begrenzte Zeit zur Diskussion.</p>"
NEVER_OPEN = "<p>Zu diesem Artikel hat die Redaktion keine Diskussion vorgesehen.</p>"


def page(client, article: Article, **headers: str):
    return client.get(f"/artikel/{article.slug}/", headers=headers)


def notice(text: str) -> str:
    """What stands where the form stood."""
    return " ".join(text.partition('<div class="notice"><p>')[2].partition("</div>")[0].split())


def close(article: Article, *, why: str = "") -> None:
    article.comment_mode, article.closing_note = Article.CommentMode.CLOSED, why
    save_article(article)


def test_an_editor_closes_with_a_word_why(article, client, at):
    factories.comment(article)
    at(EVENING)
    close(article, why="Die Debatte ist <geführt>.")
    why = f"{CLOSED} Lesen können Sie sie weiterhin. {SINCE}</p> <p>Die Debatte ist &lt;geführt&gt;.</p>"
    assert notice(page(client, article).text) == why
    assert notice(client.get(write_url(article)).text) == why


def test_nothing_to_read_is_not_offered(article, client, at):
    at(EVENING)
    close(article)
    assert notice(page(client, article).text) == f"{CLOSED} {SINCE}</p> {BY_HAND}"
    assert 'id="abonnieren"' not in page(client, article).text  # there will be nothing to tell


def test_what_was_never_open_says_nothing_of_a_time(db, client):
    article = factories.article(comment_mode=Article.CommentMode.CLOSED)
    assert notice(page(client, article).text) == f"{CLOSED} </p> {NEVER_OPEN}"


def test_what_was_closed_nobody_knows_when_says_who_did_it(article, client):
    factories.comment(article)
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    assert notice(page(client, article).text) == f"{CLOSED} Lesen können Sie sie weiterhin. </p> {BY_HAND}"


def test_closed_by_hand_after_its_time_it_is_closed_because_of_that(article, client, at):
    factories.comment(article)
    article.closes_at = EVENING
    save_article(article)
    at(EVENING + timedelta(days=1))
    close(article)
    assert notice(page(client, article).text).endswith(f"{SINCE}</p> {BY_TIME}")


def test_published_after_its_time_was_over_it_is_closed_because_of_that(db, client):
    article = factories.article(closes_at=timezone.now() - timedelta(days=1))
    assert notice(page(client, article).text) == f"{CLOSED} </p> {BY_TIME}"


def test_a_conversation_of_its_own_says_it_too(article, client, at):
    factories.comment(article)
    at(EVENING)
    assert notice(client.get(f"{article.get_absolute_url()}gespraech/1/").text) == ""
    close(article, why="Genug.")
    assert notice(client.get(f"{article.get_absolute_url()}gespraech/1/").text).endswith(f"{SINCE}</p> <p>Genug.</p>")


def test_where_nothing_can_come_nothing_is_to_be_sorted(db, client):
    article = factories.article(comment_mode=Article.CommentMode.CLOSED)
    assert 'id="ordnung"' not in page(client, article).text
    factories.comment(article)
    assert 'id="ordnung"' in page(client, article).text


def test_saved_again_it_is_closed_since_the_first_time(article, at):
    at(EVENING)
    close(article)
    at(EVENING + timedelta(days=1))
    save_article(article)
    assert Article.objects.get().closed_at == EVENING


def test_open_again_it_was_never_closed(article, client, at):
    at(EVENING)
    close(article)
    article.comment_mode = Article.CommentMode.OPEN
    save_article(article)
    assert Article.objects.get().closed_at is None
    assert "<textarea" in page(client, article).text


def test_closes_by_itself_at_its_time(article, client, at):
    """Also the page that browsers and the house have kept: nothing of it has changed but the time."""
    article.closes_at = timezone.now() + timedelta(days=1)
    save_article(article)
    before = page(client, article)
    assert "Schreiben können Sie hier bis" in before.text
    assert page(client, article, if_none_match=before["ETag"]).status_code == 304
    at(article.closes_at)
    after = page(client, article, if_none_match=before["ETag"])
    assert after.status_code == 200
    assert "<textarea" not in after.text
    day = timezone.localtime(article.closes_at)
    assert notice(after.text).startswith(f"{CLOSED} Schreiben konnte man hier bis")
    assert notice(after.text).endswith(f"{day:%H:%M} Uhr.</p> {BY_TIME}")


def test_who_sends_too_late_keeps_their_words(article, client, at):
    article.closes_at = timezone.now() + timedelta(days=1)
    save_article(article)
    at(article.closes_at)
    late = client.post(write_url(article), factories.words(body="Zu spät."))
    assert "sind inzwischen geschlossen. Ihr Text steht noch hier." in late.text
    assert "noch hier. Dieser Artikel stand nur für eine begrenzte Zeit zur Diskussion.</p>" in late.text
    assert "Zu spät.</textarea>" in late.text
    assert not Comment.objects.exists()


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
@pytest.mark.parametrize("button", [{}, {"preview": "1"}])
def test_who_sends_too_late_is_offered_nothing_that_cannot_work(article, client, headers, button):
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    late = client.post(write_url(article), factories.words(body="Zu spät.") | button, headers=headers).text
    assert ("geschlossen" in late, "Zu spät.</textarea>" in late) == (True, True)
    assert ("Kommentar absenden" in late, 'name="preview"' in late, 'name="notify"' in late) == (False, False, False)
    assert f'href="/artikel/{article.slug}/#kommentare">Zum Artikel</a>' in late


def test_closed_by_hand_before_its_time_is_closed_since_then(article, at):
    at(EVENING)
    article.closes_at = EVENING + timedelta(days=3)
    close(article)
    assert article.closed_since == EVENING
    at(EVENING + timedelta(days=9))
    assert article.closed_since == EVENING


def test_closed_again_by_hand_it_is_closed_since_then(article, at):
    """And what was closed before anybody noted when is not closed since it was last saved."""
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    article = Article.objects.get()
    save_article(article)
    assert article.closed_at is None


# --- after so many days ----------------------------------------------------------------------------------------------


@pytest.fixture
def two_weeks(settings) -> timedelta:
    settings.COMMENT_DAYS = 14
    return timedelta(days=14)


def test_the_site_says_for_how_long(db, two_weeks, at):
    article = factories.article(state=Article.State.DRAFT)
    assert article.closes_at is None
    article.state, article.published_at = Article.State.PUBLISHED, EVENING
    save_article(article)
    assert article.closes_at == EVENING + two_weeks
    article.published_at += timedelta(days=30)  # put off
    save_article(article)
    assert article.closes_at == article.published_at + two_weeks


def test_the_editor_has_the_last_word(db, two_weeks, at):
    article = factories.article(closes_at=EVENING)
    assert article.closes_at == EVENING
    article.closes_at = None  # for ever
    save_article(article)
    for state in (Article.State.DRAFT, Article.State.PUBLISHED):
        article.state = state
        save_article(article)
    assert Article.objects.get().closes_at is None


def test_form_says_what_empty_means(desk, two_weeks, article):
    assert "Leer: 14 Tage nach der Veröffentlichung." in desk.get("/redaktion/articles/article/add/").text
    assert "Leer: ohne Ende." in desk.get(f"/redaktion/articles/article/{article.pk}/change/").text


def test_list_changes_nothing_else(article):
    """Somebody may have saved the article between the list's reading and its writing."""
    old = Article.objects.get()
    article.headline = "Neu"
    save_article(article)
    change_comment_mode(old, Article.CommentMode.CLOSED)
    stored = Article.objects.get()
    assert (stored.headline, stored.comment_mode) == ("Neu", "closed")
    assert stored.closed_at is not None
