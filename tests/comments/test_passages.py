"""Comments on passages: the address of the form, what is stored, what the article shows of them."""

import html
import re
from datetime import timedelta
from io import StringIO
from urllib.parse import quote, urlencode

import pytest
from django.core.management import call_command
from django.test import Client

from articles.models import Article
from articles.services import save_article
from comments.models import Comment, Passage
from comments.services import delete_comment
from moderation.services import approve, remove, restore
from tests import factories

SOURCE = """Der Rat tagt. Der Rat schweigt.

Die [[Brücke am Hafen]]{Soll sie <bleiben>?} ist alt.

- eins
- zwei"""


@pytest.fixture
def article(db) -> Article:
    return factories.article(source=SOURCE)


@pytest.fixture
def asked(article) -> Passage:
    return Passage.objects.get(question="Soll sie <bleiben>?")


def write_url(article: Article, **query: str) -> str:
    return f"{article.get_absolute_url()}kommentieren/?{urlencode(query)}"


def text(article: Article) -> str:
    """The article as its page shows it."""
    page = Client().get(article.get_absolute_url()).text
    return page[page.index('<div class="text">') : page.index("</article>")]


def link(part: str, name: str) -> str:
    return html.unescape(re.search(rf'<a class="{name}[^>]* href="([^"]*)"', part)[1])


# --- writing about chosen words --------------------------------------------------------------------------------------


def test_chosen_words_are_quoted_on_the_form_and_stored_with_what_stands_around(article, client):
    address = write_url(article, absatz=1, wortlaut="Der Rat", davor="tagt. ", danach=" schweigt.")
    form = client.get(address).text
    assert '<blockquote class="passage">Der Rat</blockquote>' in form
    assert "Stelle kommentieren</h2>" in form
    client.post(address, factories.words())
    passage = Comment.objects.get().passage
    assert tuple(passage.quote) == (1, "Der Rat", "Der Rat tagt. ", " schweigt.")
    assert f'<a href="{article.get_absolute_url()}#absatz-1">Der Rat</a></blockquote>' in (
        client.get(f"{article.get_absolute_url()}?ansicht=inline").text
    )


def test_same_words_are_one_passage(article):
    for _ in range(2):
        Client().post(write_url(article, absatz=3, wortlaut="eins zwei"), factories.words())
    assert (Comment.objects.count(), Passage.objects.filter(question="").count()) == (2, 1)
    assert Passage.objects.get(question="").comment_count == 2


def test_words_that_are_not_there_mean_the_paragraph(article, client):
    client.post(write_url(article, absatz=1, wortlaut="Bürgermeisterin"), factories.words())
    assert Comment.objects.get().passage.exact == "Der Rat tagt. Der Rat schweigt."


def test_long_choice_is_cut_and_says_so(db, client):
    article = factories.article(source="Wort " * 300)
    sentence = "Ihre Stelle war länger als 600 Zeichen; zitiert wird ihr Anfang."
    assert sentence in client.get(write_url(article, absatz=1, wortlaut="Wort " * 121)).text
    assert sentence not in client.get(write_url(article, absatz=1, wortlaut="Wort " * 120)).text
    client.post(write_url(article, absatz=1, wortlaut="Wort " * 140), factories.words())
    assert Comment.objects.get().passage.exact == ("Wort " * 120).strip()


def test_refused_comment_leaves_no_passage(article, client):
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    assert client.post(write_url(article, absatz=1), factories.words()).status_code == 409
    assert (Comment.objects.count(), Passage.objects.filter(question="").count()) == (0, 0)


def test_answer_to_a_comment_is_tied_to_nothing(article, client, asked):
    root = factories.comment(article, passage=asked)
    client.post(f"/kommentar/{root.pk}/antworten/?absatz=1&wortlaut=Rat", factories.words())
    assert Comment.objects.get(parent=root).passage is None


HOSTILE = ["9" * 100_000, "\x00", "<script>alert(1)</script>", "' OR 1=1 --", "\udc80", "\u202e" * 5000, "²", "-1", ""]


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", ["absatz", "wortlaut", "davor", "danach"])
def test_nothing_in_the_address_is_an_error_of_ours(article, client, name, value):
    query = {"absatz": "1", "wortlaut": "Der Rat"} | {name: value}
    query = "&".join(f"{key}={quote(text.encode('utf-8', 'surrogatepass'))}" for key, text in query.items())
    address = f"{article.get_absolute_url()}kommentieren/?{query}"
    statuses = {client.get(address).status_code, client.post(address, factories.words()).status_code}
    assert statuses == ({400} if value == "\x00" else {200, 302})
    stored = [tuple(passage.quote) for passage in Passage.objects.filter(question="")]
    kept = {
        "absatz": [],
        "wortlaut": [(1, "Der Rat tagt. Der Rat schweigt.", "", "")],
        "davor": [(1, "Der Rat", "", " tagt. Der Rat schweigt.")],
        "danach": [(1, "Der Rat", "", " tagt. Der Rat schweigt.")],
    }
    assert stored == ([] if value == "\x00" else kept[name])


def test_with_htmx_the_form_comes_with_its_passage_once(article, client, asked):
    factories.comment(article, passage=asked)
    address = html.unescape(link(text(article), "asked"))
    opened = client.get(address, headers={"HX-Request": "true"}).text
    assert opened.startswith('<blockquote class="passage">Brücke am Hafen</blockquote>')
    assert "1 Kommentar zu dieser Stelle lesen" in opened
    assert 'id="stelle-kommentar-schreiben"' in opened
    wrong = client.post(address, factories.words(body=""), headers={"HX-Request": "true"})
    assert (wrong.status_code, wrong.text.startswith('<form class="write" id="stelle-')) == (422, True)


# --- changed while somebody writes -----------------------------------------------------------------------------------


def action(page: str) -> str:
    return html.unescape(re.search(r'<form class="write"[^>]* action="([^"]*)"', page)[1])


def change(article: Article, source: str) -> None:
    article.source = source
    save_article(article)


CHOSEN = [{"absatz": 1, "wortlaut": "Der Rat schweigt"}, {"absatz": 1}]


@pytest.mark.parametrize("chosen", CHOSEN, ids=["words", "paragraph"])
def test_comment_is_about_the_words_its_reader_saw(article, client, chosen):
    address = action(client.get(write_url(article, **chosen)).text)
    words = chosen.get("wortlaut", "Der Rat tagt. Der Rat schweigt.")
    change(article, f"Ein Verein feiert.\n\n{SOURCE}")
    client.post(address, factories.words("Eins."))
    change(article, "Ein Verein feiert.\n\nEr tanzt.")
    client.post(address, factories.words("Zwei."))
    moved, gone = (comment.passage for comment in Comment.objects.order_by("pk"))
    assert [(passage.block, passage.exact) for passage in (moved, gone)] == [(None, words)] * 2
    page = client.get(article.get_absolute_url()).text
    quoted = re.findall(r'<blockquote class="passage">(.*?)</blockquote>', page, re.S)
    assert [text.strip() for text in quoted] == [f"{words} <small>bezieht sich auf eine frühere Fassung</small>"] * 2


def test_moved_paragraph_keeps_the_comment_that_was_being_written(article, client):
    address = action(client.get(write_url(article, absatz=1)).text)
    change(article, f"Ein Verein feiert.\n\n{SOURCE}")
    client.post(address, factories.words())
    passage = Comment.objects.get().passage
    assert (passage.block, passage.exact) == (2, "Der Rat tagt. Der Rat schweigt.")


def test_nobody_puts_words_into_the_articles_mouth(article, client):
    """A seal is for these words of this article."""
    sealed = action(client.get(write_url(article, absatz=1, wortlaut="Der Rat schweigt")).text)
    client.post(sealed.replace("schweigt", "luegt"), factories.words())
    other = factories.article(source="Ganz etwas anderes.", slug="anders")
    client.post(sealed.replace(article.slug, other.slug), factories.words("Noch eins."))
    kept = [comment.passage.exact for comment in Comment.objects.order_by("pk")]
    assert kept == ["Der Rat tagt. Der Rat schweigt.", "Ganz etwas anderes."]


def test_words_typed_for_a_paragraph_that_changed_meanwhile_do_not_vanish(article, client):
    address = action(client.get(write_url(article, absatz=1)).text)
    change(article, "Ein Verein feiert.")
    answer = client.post(address, factories.words(words="Der Rat tanzt"))
    assert (answer.status_code, Comment.objects.count()) == (422, 0)
    assert 'value="Der Rat tanzt"' in answer.text


def test_seal_does_not_hold_for_ever(article, client, monkeypatch):
    """What editors withdrew is not put back on the page from a saved address."""
    address = action(client.get(write_url(article, absatz=1, wortlaut="Der Rat schweigt")).text)
    change(article, "Ein Verein feiert.")
    monkeypatch.setattr("comments.choosing.SEAL_VALID", timedelta(seconds=-1))
    client.post(address, factories.words())
    assert Comment.objects.get().passage.exact == "Ein Verein feiert."


def test_form_says_that_what_was_chosen_is_gone(article, client):
    chosen = write_url(article, absatz=1, wortlaut="Der Rat schweigt")
    assert "Der Artikel wurde geändert" not in client.get(chosen).text
    change(article, "Ein Verein feiert.")
    page = client.get(chosen).text
    assert "Ihr Kommentar gilt jetzt diesem Absatz." in page
    assert '<blockquote class="passage">Ein Verein feiert.</blockquote>' in page
    assert "Hier schreiben Sie zum ganzen Artikel." in client.get(write_url(article, absatz=3)).text


# --- words of a paragraph, without a pointer -------------------------------------------------------------------------


def test_words_can_be_typed(article, client):
    address = action(client.get(write_url(article, absatz=1)).text)
    client.post(address, factories.words(words="Rat  schweigt"))
    assert tuple(Comment.objects.get().passage.quote) == (1, "Rat schweigt", "Der Rat tagt. Der ", ".")


def test_words_that_are_nowhere_stand_at_their_field(article, client):
    address = action(client.get(write_url(article, absatz=1)).text)
    for also in ({}, {"preview": "1"}):
        answer = client.post(address, factories.words(words="Bürgermeisterin", **also))
        assert (answer.status_code, Comment.objects.count()) == (422, 0)
        assert "Diese Worte stehen so nicht im Artikel." in answer.text
        assert 'value="Bürgermeisterin"' in answer.text


def test_words_are_asked_for_only_where_a_whole_paragraph_was_chosen(article, client):
    assert 'name="words"' in client.get(write_url(article, absatz=1)).text
    assert 'name="words"' not in client.get(write_url(article, absatz=1, wortlaut="Rat")).text
    assert 'name="words"' not in client.get(write_url(article)).text


# --- the editors' question -------------------------------------------------------------------------------------------


def test_mark_leads_to_the_question_and_counts_its_answers(article, client, asked):
    assert '<b aria-hidden="true">?</b>' in text(article)
    assert "Soll sie &lt;bleiben&gt;? 0 Antworten)" in text(article)
    address = link(text(article), "asked")
    form = client.get(address).text
    assert '<p class="question">Soll sie &lt;bleiben&gt;?</p>' in form
    assert "Frage beantworten</h2>" in form
    client.post(address, factories.words(body="Ja."))
    assert Comment.objects.get().passage == asked
    assert '<b aria-hidden="true">1</b>' in text(article)
    assert "1 Antwort)" in text(article)
    assert "1 Kommentar zu dieser Stelle lesen" in client.get(address).text
    thread = client.get(f"{article.get_absolute_url()}?ansicht=inline").text
    assert '<p class="question">Soll sie &lt;bleiben&gt;?</p>' in thread


def test_editors_see_the_question_in_the_preview(client, db):
    client.force_login(factories.editor())
    page = client.post("/redaktion/articles/article/vorschau/", {"headline": "x", "source": SOURCE}).text
    assert '<mark title="Soll sie &lt;bleiben&gt;?">Brücke am Hafen</mark>' in page
    assert '<p class="question">Soll sie &lt;bleiben&gt;?</p>' in page
    assert Passage.objects.count() == 0


UNREAD = "Wir [[fragen [hier](https://example.org)]]{Was nun?}, aber nicht `[[so]]{x}`."


def test_question_that_was_not_understood_is_told(client, db, tmp_path):
    client.force_login(factories.editor())
    page = client.post("/redaktion/articles/article/vorschau/", {"headline": "x", "source": UNREAD}).text
    assert page.count("steht so im Text, auch für Leser") == 1
    assert "steht so im Text" not in client.post("/redaktion/articles/article/vorschau/", {"source": SOURCE}).text
    file, said = tmp_path / "a.md", StringIO()
    file.write_text(f"---\ntitel: Hafen\nautor: UKIN\n---\n\n{UNREAD}\n", encoding="utf-8")
    call_command("publish", str(file), stderr=said)
    assert "„[[fragen hier]]{Was nun?}“ steht so im Text" in said.getvalue()


def test_the_command_asks_too(client, tmp_path, db):
    file = tmp_path / "a.md"
    file.write_text(f"---\ntitel: Hafen\nautor: UKIN\n---\n\n{SOURCE}\n", encoding="utf-8")
    call_command("publish", str(file))
    assert Passage.objects.get().question == "Soll sie <bleiben>?"


# --- counts ----------------------------------------------------------------------------------------------------------


def count(passage: Passage) -> int:
    passage.refresh_from_db()
    assert passage.comment_count == passage.comments.published().count()
    return passage.comment_count


def test_only_what_is_published_is_counted(article, asked):
    editor = factories.editor()
    held = factories.comment(article, passage=asked, state=Comment.State.HELD, held_because=["x"])
    assert count(asked) == 0
    approve(held, moderator=editor)
    assert count(asked) == 1
    remove(held, moderator=editor, reason="x")
    assert count(asked) == 0
    restore(held, moderator=editor)
    assert count(asked) == 1
    own = factories.comment(article, passage=asked)
    factories.comment(article, parent=own)
    assert count(asked) == 2
    delete_comment(comment=own, reader=own.reader)
    assert count(asked) == 1


def test_count_at_the_paragraph_leads_to_its_comments(article, client, asked):
    whole = Passage.objects.create(article=article, block=2, exact="Die Brücke am Hafen ist alt.")
    item = Passage.objects.create(article=article, block=3, exact="zwei", prefix="eins ")
    for passage in (asked, whole, item):
        factories.comment(article, f"Zu {passage.exact}", passage=passage)
    shown = text(article)
    assert re.findall(r'class="remarks[^>]*>([^<]*)<', shown) == ["2 Kommentare", "1 Kommentar"]
    address = link(shown, "remarks")
    assert address == f"{article.get_absolute_url()}?ansicht=inline&absatz=2#stelle"
    page = client.get(address).text
    assert re.findall(r'id="kommentar-(\d+)"', page) == ["1", "2"]
    assert "Hier stehen nur Kommentare zu Absatz 2." in page
    newest = client.get(f"{article.get_absolute_url()}?sortierung=neueste&ansicht=inline&absatz=2").text
    assert re.findall(r'id="kommentar-(\d+)"', newest) == ["2", "1"]


def test_page_takes_as_many_queries_with_marks_as_without(article, django_assert_max_num_queries, asked):
    """One for all counts, however many passages there are."""

    def queries() -> int:
        with django_assert_max_num_queries(20) as captured:
            assert Client().get(article.get_absolute_url()).status_code == 200
        return len(captured)

    factories.comment(article, passage=asked)
    few = queries()
    for number in range(30):
        passage = Passage.objects.create(article=article, block=1, exact="Rat", prefix=str(number))
        factories.comment(article, passage=passage)
    assert queries() == few
    assert ">30 Kommentare<" in text(article)


# --- closed, changed -------------------------------------------------------------------------------------------------


def test_closed_article_shows_what_was_said_and_takes_no_more(article, client, asked):
    address = link(text(article), "asked")
    article.comment_mode = Article.CommentMode.CLOSED
    save_article(article)
    assert [name for name in ("pilcrow", "asked", "remarks") if f'class="{name}' in text(article)] == []
    factories.comment(article, passage=asked)
    assert link(text(article), "asked") == f"{article.get_absolute_url()}?ansicht=inline&absatz=2#stelle"
    assert "Die Kommentare zu diesem Artikel sind geschlossen." in client.get(address).text
    assert "data-write" not in client.get(article.get_absolute_url()).text


def test_draft_has_no_form(article, client):
    Article.objects.update(state=Article.State.DRAFT)
    assert client.get(write_url(article, absatz=1, wortlaut="Rat")).status_code == 404


def test_comment_on_words_that_are_gone_says_so(article, client):
    client.post(write_url(article, absatz=1, wortlaut="Rat schweigt"), factories.words())
    article.source = "Alles ist anders."
    save_article(article)
    page = client.get(f"{article.get_absolute_url()}?ansicht=inline").text
    quoted = re.search(r'<blockquote class="passage">(.*?)</blockquote>', page, re.DOTALL)[1].strip()
    assert quoted == "Rat schweigt <small>bezieht sich auf eine frühere Fassung</small>"


def test_paragraphs_lists_and_quotes_have_a_sign_and_headings_none(db):
    article = factories.article(source="# H\n\np\n\n> q\n\n- l\n\n```\nc\n```\n\n![](/b.png)\n\n---")
    assert re.findall(r"Absatz (\d+) kommentieren", text(article)) == ["2", "3", "4", "5"]
