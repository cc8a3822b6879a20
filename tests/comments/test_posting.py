"""A comment on its way in: the shared form, the question, the key, what is stored, what an error keeps."""

import html
import re

import pytest
from django.test import Client

from articles.models import Article
from comments.models import Comment, Passage
from comments.threads import place_of
from readers.models import Reader
from tests import factories

WORDS = {"body": "Das überzeugt mich *nicht*.", "name": "Anna", "email": "", "website": "", "form_key": ""}


@pytest.fixture(autouse=True)
def time_to_read(settings) -> None:
    """Whoever is asked to confirm reads what; how long is a point of its own (test_screening)."""
    settings.WRITING_SECONDS = 0


def hidden_fields(page) -> dict[str, str]:
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in fields}


def post_as_guest(browser: Client, address: str, **words: str):
    """As without scripts: the first POST is asked to confirm, the second one counts."""
    question = browser.post(address, {**WORDS, **words})
    assert question.status_code == 403
    assert "Bitte bestätigen" in question.text
    return browser.post(address, hidden_fields(question))


def write_url(article: Article) -> str:
    return f"/artikel/{article.slug}/kommentieren/"


# --- what is stored --------------------------------------------------------------------------------------------------


def test_guest_comments_without_script(guest, article):
    answer = post_as_guest(guest, write_url(article))
    assert (answer.status_code, answer.url) == (302, f"/artikel/{article.slug}/#kommentar-1")
    comment = Comment.objects.get()
    assert (comment.name, comment.number, comment.html) == ("Anna", 1, "<p>Das überzeugt mich <em>nicht</em>.</p>")
    page = guest.get(f"/artikel/{article.slug}/")
    assert "1 Kommentar<" in page.text
    assert "Ihr Kommentar ist veröffentlicht." in page.text
    assert 'id="kommentar-1"' in page.text


def test_question_keeps_every_word_and_stores_nothing(guest, article):
    typed = {"body": 'Zwei\nZeilen & "Zeichen" <b>', "name": "Änne", "email": "a@example.org", "website": "example.org"}
    question = guest.post(write_url(article), {**WORDS, **typed, "notify": "on"})
    fields = hidden_fields(question)
    assert {name: fields[name] for name in typed} == typed
    assert fields["notify"] == "on"
    assert (Comment.objects.count(), Reader.objects.count()) == (0, 0)


def test_reply_names_its_parent_and_thread(guest, article):
    parent = factories.comment(article)
    post_as_guest(guest, f"/kommentar/{parent.pk}/antworten/")
    reply = Comment.objects.get(parent=parent)
    assert (reply.root, reply.depth, reply.number, reply.thread_number) == (parent, 1, 2, None)
    parent.refresh_from_db()
    assert parent.reply_count == 1


def test_each_of_many_replies_leads_to_its_place(client, article):
    root = factories.comment(article)
    for number in range(2, 7):
        answer = client.post(f"/kommentar/{root.pk}/antworten/", factories.words(body=f"Antwort {number}"))
        reply = Comment.objects.get(number=number)
        assert answer.url == place_of(reply)
        assert f'id="kommentar-{number}"' in client.get(answer.url).text
    assert answer.url == f"/artikel/{article.slug}/gespraech/1/#kommentar-6"


def test_reply_to_a_reply_belongs_to_the_same_thread(client, article):
    root = factories.comment(article)
    parent = factories.comment(article, parent=root)
    client.post(f"/kommentar/{parent.pk}/antworten/", factories.words())
    reply = Comment.objects.get(parent=parent)
    assert (reply.root, reply.depth) == (root, 2)
    root.refresh_from_db()
    assert root.reply_count == 2


def test_inline_comment_is_tied_to_its_paragraph(client, article):
    client.post(f"{write_url(article)}?absatz=2", factories.words())
    passage = Comment.objects.get().passage
    assert (passage.article, passage.block, passage.exact) == (article, 2, "Zweiter Absatz.")
    assert "Zweiter Absatz.</a></blockquote>" in client.get(f"/artikel/{article.slug}/?ansicht=inline").text


@pytest.mark.parametrize("block", ["0", "3", "99999999999", "-1", "x", "²", ""])
def test_paragraph_that_is_not_there_ties_to_nothing(client, article, block):
    client.post(f"{write_url(article)}?absatz={block}", factories.words())
    assert (Comment.objects.get().passage, Passage.objects.count()) == (None, 0)


def test_form_knows_the_guest_again(client, article):
    client.post(write_url(article), factories.words(name="Anna", email="anna@example.org", website="anna.example"))
    page = client.get(f"/artikel/{article.slug}/").text
    for value in ("Anna", "anna@example.org", "https://anna.example"):
        assert f'value="{value}"' in page


def test_text_is_normalised_before_it_is_stored(client, article):
    client.post(
        write_url(article), factories.words(body="Gu\u0308te\u200b!\r\n\r\nZwei\u202e\x07", name="A\u200bnna\n B")
    )
    comment = Comment.objects.get()
    assert (comment.body, comment.name) == ("G\u00fcte!\n\nZwei", "Anna B")


def test_pseudonym_is_enough(client, article):
    client.post(write_url(article), factories.words(name="Nachteule", email="", website=""))
    assert Comment.objects.get().name == "Nachteule"


def test_with_htmx_the_section_is_fetched_again(client, article):
    answer = client.post(write_url(article), factories.words(), headers={"HX-Request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["HX-Trigger"] == '{"newsroom:sent": {}, "newsroom:show": "kommentar-1"}'
    assert f'"path": "/artikel/{article.slug}/"' in answer.headers["HX-Location"]


# --- the same submission ---------------------------------------------------------------------------------------------


def test_same_submission_twice_is_one_comment_with_the_same_answer(client, article):
    words = factories.words()
    first, second = (client.post(write_url(article), words) for _ in range(2))
    assert (first.status_code, first.url) == (second.status_code, second.url) == (302, second.url)
    assert Comment.objects.count() == 1


def test_lost_answer_is_found_again_by_a_device_that_got_no_cookie(article):
    words = factories.words(body="Viele: https://a.example https://b.example https://c.example")  # held
    Client().post(write_url(article), words)
    again = Client()
    again.post(write_url(article), words)
    assert (Comment.objects.count(), Reader.objects.count()) == (1, 1)
    assert "Nur Sie sehen diesen Kommentar" in again.get(f"/artikel/{article.slug}/").text


def test_same_words_in_the_same_place_are_one_comment(client, article):
    for _ in range(2):
        client.post(write_url(article), factories.words(body="Falsch!"))
    assert Comment.objects.count() == 1


def test_same_words_in_another_place_are_another_comment(client, article):
    parent = factories.comment(article)
    other = factories.article()
    places = [
        write_url(article),
        f"{write_url(article)}?absatz=1",
        f"{write_url(article)}?absatz=2",
        f"/kommentar/{parent.pk}/antworten/",
        write_url(other),
    ]
    for place in places:
        client.post(place, factories.words(body="Falsch!"))
    assert Comment.objects.filter(body="Falsch!").count() == 5


def test_same_key_with_another_text_is_refused_and_can_be_sent_again(client, article):
    words = factories.words(body="Der erste Text.")
    client.post(write_url(article), words)
    refused = client.post(write_url(article), words | {"body": "Der zweite & letzte Text."})
    assert refused.status_code == 409
    assert "Der zweite &amp; letzte Text.</textarea>" in refused.text
    assert Comment.objects.count() == 1
    fresh = hidden_fields(refused)["form_key"]
    assert fresh != words["form_key"]
    client.post(write_url(article), words | {"body": "Der zweite & letzte Text.", "form_key": fresh})
    assert list(Comment.objects.order_by("pk").values_list("body", flat=True)) == [
        "Der erste Text.",
        "Der zweite & letzte Text.",
    ]


def test_same_key_in_another_place_is_refused(client, article):
    words = factories.words()
    client.post(write_url(article), words)
    comment = Comment.objects.get()
    for place in (write_url(factories.article()), f"/kommentar/{comment.pk}/antworten/"):
        assert client.post(place, words).status_code == 409
    assert Comment.objects.count() == 1


# --- meanwhile -------------------------------------------------------------------------------------------------------


def test_parent_removed_meanwhile_keeps_the_answer_and_shows_nothing_of_the_parent(client, article):
    parent = factories.comment(article, "Entferntes", name="Entfernte", state=Comment.State.REMOVED)
    refused = client.post(f"/kommentar/{parent.pk}/antworten/", factories.words(body="Meine lange Antwort."))
    assert refused.status_code == 409
    assert "inzwischen entfernt worden" in refused.text
    assert "Meine lange Antwort.</textarea>" in refused.text
    assert "Entfernte" not in refused.text
    assert "Entferntes" not in refused.text
    assert Comment.objects.count() == 1


def test_there_is_no_form_to_answer_a_removed_comment(client, article):
    parent = factories.comment(article, state=Comment.State.REMOVED)
    assert client.get(f"/kommentar/{parent.pk}/antworten/").status_code == 404


def test_article_closed_meanwhile_keeps_the_text(client, article):
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    refused = client.post(write_url(article), factories.words(body="Mein langer Text.", name="Anna"))
    assert refused.status_code == 409
    assert "inzwischen geschlossen" in refused.text
    assert "Mein langer Text.</textarea>" in refused.text
    assert 'value="Anna"' in refused.text
    assert Comment.objects.count() == 0


def test_article_closed_after_the_first_try_still_gives_the_first_answer(client, article):
    words = factories.words()
    first = client.post(write_url(article), words)
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    assert client.post(write_url(article), words).url == first.url


def test_article_taken_back_meanwhile_is_not_there(client, article):
    Article.objects.update(state=Article.State.DRAFT)
    assert client.post(write_url(article), factories.words()).status_code == 404
    assert Comment.objects.count() == 0


# --- errors ----------------------------------------------------------------------------------------------------------

WRONG = {
    "no text": ({"body": ""}, "body", "das Feld ist noch leer"),
    "only blanks": ({"body": " \n\t "}, "body", "das Feld ist noch leer"),
    "nothing visible": ({"body": "\u200b\u2800\u3164"}, "body", "das Feld ist noch leer"),
    "too long": ({"body": "x" * 5001}, "body", "5001 Zeichen"),
    "too long once normalised": ({"body": "\u0958" * 2501}, "body", "5002 Zeichen"),
    "no name": ({"name": ""}, "name", "Bitte nennen Sie einen Namen"),
    "invisible name": ({"name": "\u200b\u00ad"}, "name", "Bitte nennen Sie einen Namen"),
    "name too long": ({"name": "x" * 81}, "name", "höchstens 80"),
    "name too long once normalised": ({"name": "\u0958" * 41}, "name", "höchstens 80"),
    "a name that is an address": ({"name": "ｗww．sparkasse.de"}, "name", "gehört in das Feld „Website“"),
    "no address": ({"email": "anna@"}, "email", "keine vollständige E-Mail-Adresse"),
    "notify whom": ({"notify": "on"}, "email", "Wohin dürfen wir Antworten melden?"),
    "no website": ({"website": "javascript:alert(1)"}, "website", "keine Adresse einer Website"),
}


@pytest.mark.parametrize("wrong, field, sentence", WRONG.values(), ids=WRONG)
def test_error_stands_at_its_field_and_keeps_every_word(client, article, wrong, field, sentence):
    typed = {"body": "Bleibt stehen.", "name": "Anna", "website": "anna.example"} | wrong
    page = client.post(write_url(article), factories.words(**typed))
    assert page.status_code == 422
    errors = re.findall(r'<ul class="errorlist" id="(\w+)_error"><li>([^<]*)', page.text)
    assert [name for name, _text in errors] == [field]
    assert sentence in errors[0][1]
    control = re.search(rf'<(?:input|textarea)[^>]* name="{field}"[^>]*>', page.text)[0]
    assert 'aria-invalid="true"' in control
    assert f"{field}_error" in re.search(r'aria-describedby="([^"]*)"', control)[1].split()
    text = re.search(r'<textarea name="body"[^>]*>\n?([^<]*)</textarea>', page.text)[1]
    assert html.unescape(text).split() == typed["body"].split()
    for name in ("name", "email", "website"):
        shown = re.search(rf'name="{name}"(?: value="([^"]*)")?', page.text)[1] or ""
        assert shown.strip() == typed.get(name, "").strip()
    assert (Comment.objects.count(), Reader.objects.count()) == (0, 0)


def test_longest_words_are_stored_whole(client, article):
    body, name, website = "x" * 5000, "ä" * 80, "https://example.org/" + "w" * 180
    client.post(write_url(article), factories.words(body=body, name=name, website=website))
    comment = Comment.objects.get()
    assert (comment.body, comment.name, comment.website) == (body, name, website)


def test_with_htmx_an_error_is_the_form_alone(client, article):
    answer = client.post(write_url(article), factories.words(body=""), headers={"HX-Request": "true"})
    assert answer.status_code == 422
    assert answer.text.startswith('<form class="write"')


# --- preview ---------------------------------------------------------------------------------------------------------


def test_preview_shows_what_would_be_stored_and_stores_nothing(client, article):
    words = factories.words(body="> Zitat\n\nSiehe *www.example.org* & <b>so</b>.", email="a@example.org", notify="on")
    page = client.post(write_url(article), words | {"preview": "1"})
    assert page.status_code == 200
    shown = re.search(r'<div class="preview".*?<div class="text">(.*?)</div></div>', page.text, re.DOTALL)[1]
    assert (Comment.objects.count(), Reader.objects.count()) == (0, 0)
    assert hidden_fields(page)["form_key"] == words["form_key"]
    client.post(write_url(article), words)
    assert Comment.objects.get().html == shown


def test_preview_needs_no_name(client, article):
    page = client.post(write_url(article), {"body": "*So*", "name": "", "website": "kein Ort", "preview": "1"})
    assert (page.status_code, "<em>So</em>" in page.text, "errorlist" in page.text) == (200, True, False)


HINTS = {
    "open": None,
    "all_held": "liest die Redaktion jeden Kommentar",
    "first_held": "Wer hier zum ersten Mal schreibt",
    "confirmed": "sobald Sie Ihre E-Mail-Adresse bestätigen",
}


@pytest.mark.parametrize("mode", HINTS)
def test_form_says_what_happens_before_a_comment_appears(client, db, mode):
    article = factories.article(comment_mode=mode)
    page = client.get(f"/artikel/{article.slug}/").text
    assert [hint for hint in HINTS.values() if hint and hint in page] == [hint for hint in [HINTS[mode]] if hint]


def test_preview_shows_errors_too(client, article):
    page = client.post(write_url(article), factories.words(body="", preview="1"))
    assert page.status_code == 422
    assert 'id="body_error"' in page.text
