"""Mode "address confirmed first": the mail, the button, and what counts as confirmed (B12)."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from comments.mails import comment_token
from comments.models import BlockedWord, Comment
from comments.tasks import send_confirmation
from moderation.services import approve, remove
from readers.models import Reader
from tests import factories
from tests.comments.test_posting import write_url


@pytest.fixture
def article(db) -> Article:
    return factories.article(comment_mode=Article.CommentMode.CONFIRMED)


@pytest.fixture
def waiting(article, client) -> Comment:
    client.post(write_url(article), factories.words(body="Wartet.", email="anna@example.org"))
    return Comment.objects.get()


def link(comment: Comment) -> str:
    return f"/kommentar/ja/{comment_token(comment)}/"


def test_whole_way(transactional_db, client, letters, run_jobs):
    article = factories.article(comment_mode=Article.CommentMode.CONFIRMED)
    client.post(write_url(article), factories.words(body="Wartet *noch*.", email="anna@example.org"))
    assert "sobald Sie Ihre Adresse bestätigen" in client.get(f"/artikel/{article.slug}/").text
    run_jobs()
    (letter,) = letters()
    assert (letter.recipient, Comment.objects.get().state) == ("anna@example.org", "held")
    path = re.search(r"http://localhost:8000(/kommentar/ja/\S+)", letter.text)[1]
    page = client.get(path)
    assert "Ja, bitte veröffentlichen</button>" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert Comment.objects.get().state == "held"
    assert "<h1>Veröffentlicht</h1>" in client.post(path).text
    comment = Comment.objects.get()
    assert (comment.state, comment.number) == ("published", 1)
    assert Reader.objects.get().email_confirmed_at is not None


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_changes_nothing(waiting, method):
    assert getattr(Client(), method)(link(waiting)).status_code == 200
    assert Comment.objects.get().state == "held"


def test_closed_meanwhile_is_said(waiting, article):
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    for page in (Client().get(link(waiting)), Client().post(link(waiting))):
        assert "Die Kommentare sind inzwischen geschlossen" in page.text
        assert "<button" not in page.text.partition("<main")[2].partition("</main>")[0]
    assert Comment.objects.get().state == "held"
    Article.objects.update(comment_mode=Article.CommentMode.CONFIRMED)
    assert "<h1>Veröffentlicht</h1>" in Client().post(link(waiting)).text


def test_second_press_is_harmless(waiting, article):
    for _ in range(2):
        assert "<h1>Veröffentlicht</h1>" in Client(enforce_csrf_checks=True).post(link(waiting)).text
    article.counters.refresh_from_db()
    assert article.counters.comments == 1


def test_button_pressed_elsewhere_publishes_but_proves_nothing_for_the_device(waiting):
    Client().post(link(waiting))
    assert (Comment.objects.get().state, Reader.objects.get().email_confirmed_at) == ("published", None)


def test_address_is_needed(client, article):
    page = client.post(write_url(article), factories.words(email=""))
    assert page.status_code == 422
    assert "Für diesen Artikel brauchen wir Ihre E-Mail-Adresse" in page.text


def test_confirmed_address_needs_no_second_confirmation(waiting, client, article):
    client.post(link(waiting))
    client.post(write_url(article), factories.words(body="Noch einer.", email="Anna@example.org"))
    assert Comment.objects.latest("pk").state == "published"


def test_another_address_is_not_confirmed_by_the_first(waiting, client, article):
    client.post(link(waiting))
    client.post(write_url(article), factories.words(body="Als jemand anders.", email="berta@example.org"))
    other = Comment.objects.latest("pk")
    assert (other.state, other.reader.email_confirmed_at) == ("held", None)


def test_screening_has_its_say_all_the_same(client, article):
    client.post(write_url(article), factories.words(email="anna@example.org", subject="SEO"))
    comment = Comment.objects.get()
    assert "Ihr Kommentar wird geprüft" in Client().post(link(comment)).text
    comment.refresh_from_db()
    assert comment.state == "held"


def test_removed_meanwhile_stays_removed(waiting):
    remove(waiting, moderator=factories.editor(), reason="Regel 1")
    assert "Dieser Link gilt nicht mehr" in Client().post(link(waiting)).text
    waiting.refresh_from_db()
    assert waiting.state == "removed"


def test_tokens_of_others_publish_nothing(waiting, article):
    other = factories.comment(article, state=Comment.State.HELD, reader=factories.reader(email="eve@example.org"))
    number, _dash, signature = comment_token(waiting).partition("-")
    foreign = comment_token(other).partition("-")[2]
    subscription = factories.subscription(article, "anna@example.org", pk=waiting.pk)
    tokens = [f"{number}-{foreign}", f"{number}-", f"{number}-{signature}x", subscription.token("confirm")]
    for token in tokens:
        assert Client().post(f"/kommentar/ja/{token}/").status_code == 404
    assert set(Comment.objects.values_list("state", flat=True)) == {"held"}


def test_mail_is_not_sent_once_it_is_decided(waiting, letters):
    approve(waiting, moderator=factories.editor())
    send_confirmation(comment_id=waiting.pk)
    assert letters() == []


def test_mail_to_a_stranger_carries_no_advertisement(article, letters):
    """Whoever enters somebody else's address: the beginning as text, no link of theirs."""
    reader = factories.reader(email="victim@example.org")
    comment = factories.comment(article, "Kauft! " * 100 + "Ende", reader=reader, state=Comment.State.HELD)
    send_confirmation(comment_id=comment.pk)
    (letter,) = letters()
    assert "Ende" not in letter.text + letter.html
    assert re.findall(r'href="([^"]+)"', letter.html) == [f"http://localhost:8000{link(comment)}"]


def test_editor_without_an_address_is_asked_for_one(article):
    browser = Client()
    editor = factories.editor()
    editor.email = ""
    editor.save()
    browser.force_login(editor)
    browser.post(write_url(article), factories.words(body="", email=""))
    Reader.objects.create(user=editor)
    assert 'name="email"' in browser.get(f"/artikel/{article.slug}/").text
    assert browser.post(write_url(article), factories.words()).status_code == 422
    browser.post(write_url(article), factories.words(email="red@example.org"))
    comment = Comment.objects.get()
    assert (comment.state, comment.reader.email) == ("held", "red@example.org")


def test_account_is_not_asked_for_its_address(article):
    browser = Client()
    user = factories.editor()
    Reader.objects.create(user=user, email=user.email, email_confirmed_at=timezone.now())
    browser.force_login(user)
    assert 'name="email" value' not in browser.get(write_url(article)).text
    browser.post(write_url(article), factories.words(email="eve@example.org"))
    comment = Comment.objects.get()
    assert (comment.state, comment.reader.email) == ("published", user.email)


# --- what happened between the mail and the button -------------------------------------------------------------------


def seen_in(page: str) -> str:
    return re.search(r'name="seen" value="(\w+)"', page).group(1)


def test_words_changed_meanwhile_are_shown_before_they_are_published(waiting):
    """Whoever names a stranger's address must not have them publish what they never saw."""
    opened = Client().get(link(waiting)).text
    waiting.body = "Ganz anderes."
    waiting.render()
    waiting.save()
    again = Client().post(link(waiting), {"seen": seen_in(opened)}).text
    assert "Der Text wurde eben geändert." in again
    assert "Ganz anderes." in again
    assert Comment.objects.get().state == "held"
    Client().post(link(waiting), {"seen": seen_in(again)})
    assert Comment.objects.get().state == "published"


@pytest.mark.parametrize(
    "stricter, because",
    [
        (lambda: Article.objects.update(comment_mode="all_held"), "Alle Kommentare dieses Artikels werden geprüft"),
        (lambda: Article.objects.update(comment_mode="first_held"), "Erster Kommentar"),
        (lambda: BlockedWord.objects.create(word="wartet"), "Gesperrtes Wort: wartet"),
    ],
)
def test_rules_that_became_stricter_hold(waiting, stricter, because):
    stricter()
    page = Client().post(link(waiting), {"seen": seen_in(Client().get(link(waiting)).text)}).text
    assert "Ihr Kommentar wird geprüft" in page
    assert (Comment.objects.get().state, Comment.objects.get().held_because) == ("held", [because])
