"""A form that comes back is no faster than its writer was; what is gone says that it is gone."""

import re

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from comments.models import Comment
from comments.services import delete_comment
from moderation.services import remove
from newsroom.pages.formkey import new_form_key, read_form_key
from tests import factories
from tests.comments.test_posting import write_url


def key_in(page: str) -> str:
    return re.search(r'name="form_key" value="([^"]+)"', page).group(1)


@pytest.fixture(autouse=True)
def as_on_a_site(settings):
    settings.WRITING_SECONDS = 3
    settings.UNDO_SECONDS = 10


def test_whose_answer_had_nothing_to_answer_sends_it_at_once(client, article):
    parent = factories.comment(article, state=Comment.State.REMOVED)
    refused = client.post(f"/kommentar/{parent.pk}/antworten/", factories.words(body="Lang überlegt."))
    client.post(write_url(article), factories.words(body="Lang überlegt.", form_key=key_in(refused.text)))
    assert Comment.objects.latest("pk").state == "published"


def test_being_refused_makes_nobody_slower_than_they_were(client, article):
    """A program that is refused once is held as before."""
    parent = factories.comment(article, state=Comment.State.REMOVED)
    at_once = factories.words(body="Billig!", form_key=new_form_key())
    refused = client.post(f"/kommentar/{parent.pk}/antworten/", at_once)
    client.post(write_url(article), factories.words(body="Billig!", form_key=key_in(refused.text)))
    assert Comment.objects.latest("pk").state == "held"


def test_taken_back_and_sent_again_at_once(article):
    device = Client()
    device.post(write_url(article), factories.words())
    taken_back = device.post(f"/kommentar/{Comment.objects.get().pk}/loeschen/", {"undo": "1"}).text
    assert "autofocus" in re.search(r"<textarea[^>]*>", taken_back).group()
    device.post(write_url(article), factories.words(body="Besser so.", form_key=key_in(taken_back)))
    assert Comment.objects.get(body="Besser so.").state == "published"


def test_taken_back_when_comments_had_closed_the_words_are_still_shown(article):
    device = Client()
    device.post(write_url(article), factories.words(body="Schöne Worte."))
    Article.objects.update(closes_at=timezone.now())
    page = device.post(f"/kommentar/{Comment.objects.get().pk}/loeschen/", {"undo": "1"}).text
    assert "Ihr Kommentar ist zurückgezogen." in page
    assert "Schöne Worte.</textarea>" in page
    assert "sind geschlossen" in page


def test_key_of_a_form_that_comes_back_is_as_old_and_another():
    first = read_form_key(factories.form_key(age=60))
    again = read_form_key(new_form_key(instead_of=first))
    assert again.id != first.id
    assert again.age == pytest.approx(first.age, abs=1)
    assert read_form_key(new_form_key(instead_of=read_form_key(new_form_key(confirmed=True)))).age is None


# --- gone ------------------------------------------------------------------------------------------------------------

ADDRESSES = ["melden/", "antworten/", "bearbeiten/", "loeschen/", "meiner/", "verlauf/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_deleted_comment_says_so_and_leads_to_the_article(client, article, address):
    comment = factories.comment(article, "Geheimes.", name="Wilma")
    delete_comment(comment=comment, reader=comment.reader)
    page = client.get(f"/kommentar/{comment.pk}/{address}")
    assert page.status_code == 404
    assert "von seiner Autorin oder seinem Autor gelöscht" in page.text
    assert f'href="{article.get_absolute_url()}#kommentare"' in page.text
    assert not {"Geheimes", "Wilma"} & set(re.findall(r"\w+", page.text))


def test_link_to_a_deleted_comment_leads_to_its_tombstone(client, article):
    root = factories.comment(article)
    for comment in (root, factories.comment(article, parent=root)):
        delete_comment(comment=comment, reader=comment.reader)
        page = client.get(f"/kommentar/{comment.pk}/", follow=True)
        _before, anchor, after = page.text.partition(f'<article id="kommentar-{comment.number}"')
        assert anchor
        assert after.partition("</article>")[0].count("gelöscht.") == 1


def test_removed_comment_says_so(client, article):
    comment = factories.comment(article)
    remove(comment, moderator=None, reason="Regel 1")
    assert "von der Redaktion entfernt" in client.get(f"/kommentar/{comment.pk}/").text


@pytest.mark.parametrize("address", ADDRESSES)
def test_of_what_nobody_saw_there_is_no_trace(client, article, address):
    held = factories.comment(article, state=Comment.State.HELD)
    nowhere = client.get(f"/kommentar/999999/{address}")
    assert client.get(f"/kommentar/{held.pk}/{address}").text == nowhere.text
    remove(held, moderator=None, reason="Regel 1")
    assert client.get(f"/kommentar/{held.pk}/{address}").text == nowhere.text


def test_nor_of_a_hidden_article(client, article):
    comment = factories.comment(article)
    delete_comment(comment=comment, reader=comment.reader)
    Article.objects.update(state=Article.State.DRAFT)
    assert "gelöscht" not in client.get(f"/kommentar/{comment.pk}/").text
