"""Passages of an article: what readers choose, what editors ask, and where both are after an edit."""

import time

import pytest

from articles.models import Article
from articles.passages import CONTEXT, QUOTE_LIMIT, Places, Quote, block_texts, pick, questions
from articles.services import save_article
from comments.models import Comment, Passage
from newsroom.markup import article_html, without_questions
from tests import factories

# --- the text of a block ---------------------------------------------------------------------------------------------

TEXTS = {
    "one line": ("Erster *Absatz*\nmit `Umbruch`.", ["Erster Absatz mit Umbruch."]),
    "entities": ("a < b & c > d &amp; „e“", ["a < b & c > d &amp; „e“"]),
    "spaces": ("a\u00a0b\u202fc\u00adc  d", ["a b cc d"]),
    "list within a list": ("- eins\n  - zwei\n- drei\n\nDanach.", ["eins zwei drei", "Danach."]),
    "quote within a quote": ("> a\n>\n> > b\n>\n> c\n\nd", ["a b c", "d"]),
    "rule": ("a\n\n---\n\nb", ["a", "b"]),
    "table": ("| a | b |\n|---|---|\n| c | d |", ["a b c d"]),
    "heading": ("# Eins *zwei*\nDrei", ["Eins zwei", "Drei"]),
    "code": ("```\nif a < b:\n    c\n```", ["if a < b: c"]),
    "figure": ('![Hund > Katze](/hund.jpg "Ein Hund")\n\nb', ["Ein Hund", "b"]),
    "question": ('a [[b *c*]]{d > "e"?} f', ["a b c f"]),
    "what looks like a block": ('a <p id="absatz-2"> b', ['a <p id="absatz-2"> b']),
    "nothing": ("", []),
}


@pytest.mark.parametrize("source, texts", TEXTS.values(), ids=TEXTS)
def test_text_of_each_block(source, texts):
    assert block_texts(article_html(source)) == texts


# --- what a reader chooses -------------------------------------------------------------------------------------------

HTML = article_html("Der Rat tagt. Der Rat schweigt.\n\nDie Stadt wartet auf den Rat.\n\n![](/leer.png)")
WHOLE = Quote(1, "Der Rat tagt. Der Rat schweigt.")
CHOICES = {
    "the block": ({"block": 1}, WHOLE),
    "words": ({"block": 2, "exact": "Stadt wartet"}, Quote(2, "Stadt wartet", "Die ", " auf den Rat.")),
    "the first of two": ({"block": 1, "exact": "Der Rat"}, Quote(1, "Der Rat", "", " tagt. Der Rat schweigt.")),
    "the second, by what is before": (
        {"block": 1, "exact": "Der Rat", "before": "tagt. "},
        Quote(1, "Der Rat", "Der Rat tagt. ", " schweigt."),
    ),
    "the second, by what is after": (
        {"block": 1, "exact": "Der Rat", "after": " schweigt"},
        Quote(1, "Der Rat", "Der Rat tagt. ", " schweigt."),
    ),
    "all of it": ({"block": 1, "exact": " Der  Rat tagt.\nDer\u00a0Rat schwei\u00adgt. "}, WHOLE),
    "words that moved": (
        {"block": 1, "exact": "wartet auf den Rat"},
        Quote(2, "wartet auf den Rat", "Die Stadt ", "."),
    ),
    "a block that is gone, words that moved": (
        {"block": 9, "exact": "wartet auf den Rat"},
        Quote(2, "wartet auf den Rat", "Die Stadt ", "."),
    ),
    "short words elsewhere are chance": ({"block": 2, "exact": "tagt"}, Quote(2, "Die Stadt wartet auf den Rat.")),
    "words that stand nowhere": ({"block": 1, "exact": "Bürgermeister"}, WHOLE),
    "over two blocks": ({"block": 1, "exact": "schweigt.\n\nDie Stadt"}, WHOLE),
    "markup": ({"block": 1, "exact": "<p>Der Rat"}, WHOLE),
    "nothing visible": ({"block": 1, "exact": "\u200b \n"}, WHOLE),
    "no such block": ({"block": 4}, None),
    "a block without words": ({"block": 3}, None),
    "block zero": ({"block": 0}, None),
    "negative": ({"block": -1}, None),
}


@pytest.mark.parametrize("chosen, quote", CHOICES.values(), ids=CHOICES)
def test_choice(chosen, quote):
    assert pick(HTML, **chosen) == quote


def test_long_choice_is_cut_between_words():
    html = article_html("Wort " * 300)
    for chosen in ({}, {"exact": "Wort " * 200}, {"exact": "Wort " * 100_000}):
        assert pick(html, block=1, **chosen) == Quote(1, ("Wort " * 120).strip(), "", (" Wort" * 9)[:CONTEXT])
    assert pick(article_html("x" * 1000), block=1).exact == "x" * QUOTE_LIMIT


# --- where a passage is after an edit --------------------------------------------------------------------------------

BEFORE = """Der Rat tagt heute im alten Saal der Stadt.

Die Brücke bleibt gesperrt, bis der Gutachter sein Urteil gesprochen hat.

Ende der Sitzung."""
WORDS = Quote(2, "bis der Gutachter sein Urteil", "Die Brücke bleibt gesperrt, ", " gesprochen hat.")
EDITS = {
    "nothing": (BEFORE, 2),
    "another word beside": (BEFORE.replace("bleibt gesperrt,", "bleibt zu,"), 2),
    "a paragraph before": ("Neu.\n\n" + BEFORE, 3),
    "the same words before, elsewhere": ("Wir warten, bis der Gutachter sein Urteil fällt.\n\n" + BEFORE, 3),
    "moved to the end": ("Eins.\n\n" + "Zwei.\n\n" + BEFORE.replace("Ende", "Schluss"), 4),
    "emphasised": (BEFORE.replace("Gutachter", "*Gutachter*"), 2),
    "a slip corrected": (BEFORE.replace("sein Urteil", "ihr Urteil"), 2),
    "a slip corrected and moved": ("Neu.\n\n" + BEFORE.replace("sein Urteil", "ihr Urteil"), 3),
    "two paragraphs made one": (BEFORE.replace("Stadt.\n\nDie", "Stadt. Die"), 1),
    "rewritten": (BEFORE.replace("bis der Gutachter sein Urteil gesprochen hat", "denn niemand prüft sie"), None),
    "deleted": ("Der Rat tagt heute.\n\nEnde der Sitzung.", None),
    "everything deleted": ("", None),
}


@pytest.mark.parametrize("source, block", EDITS.values(), ids=EDITS)
def test_words_are_found_again(source, block):
    assert Places(block_texts(article_html(source))).block(WORDS) == block


def test_short_word_goes_with_its_paragraph_and_not_to_another():
    quote = Quote(2, "Rat", "Gestern hat der ", " lange geschwiegen.")
    texts = ["Der Rat tagt.", "Der Rat baut.", "Gestern hat der Rat lange geschwiegen."]
    assert Places(texts).block(quote) == 3
    assert Places(texts[:2]).block(quote) is None


def test_thousand_passages_of_the_longest_article_are_found_in_no_time():
    paragraphs = [" ".join(f"wort{(7 * n + k * k) % 4999}" for k in range(60)) for n in range(350)]
    texts = block_texts(article_html("\n\n".join(paragraphs)))
    quotes = []
    for n in range(1000):
        block = n % 350
        quotes.append(Quote(block + 1, texts[block][100:160], texts[block][68:100], texts[block][160:192]))
    begun = time.perf_counter()
    shifted = Places(["Neu.", *texts])
    assert [shifted.block(quote) for quote in quotes] == [quote.block + 1 for quote in quotes]
    changed = Places([text.replace("1", "9") for text in texts])
    assert sum(changed.block(quote) is None for quote in quotes) < 1000
    assert time.perf_counter() - begun < 5  # 0.5 s here; a bound for the busiest machine


def test_passages_follow_the_article_when_it_is_saved(db):
    article = factories.article(source=BEFORE)
    words, whole = passage(article, *WORDS), passage(article, 3, "Ende der Sitzung.")
    gone = passage(article, 1, "Der Rat tagt heute", "", " im alten Saal der Stadt.")
    article.source = "Neu.\n\n" + BEFORE.split("\n\n", 1)[1]
    save_article(article)
    assert [block(row) for row in (words, whole, gone)] == [2, 3, None]
    article.source = BEFORE  # taken back: what was lost is found again
    save_article(article)
    assert [block(row) for row in (words, whole, gone)] == [2, 3, 1]


def test_what_is_quoted_stays_what_was_chosen(db):
    article = factories.article(source=BEFORE)
    words = passage(article, *WORDS)
    article.source = BEFORE.replace("sein Urteil", "ihr Urteil")
    save_article(article)
    words.refresh_from_db()
    assert words.quote == WORDS


def test_two_that_would_stand_in_one_place(db):
    """One of two equal sentences goes: what was said about it is lost, what was said about the other one stays."""
    article = factories.article(source="Das ist falsch.\n\nDazwischen.\n\nDas ist falsch.")
    first, second = passage(article, 1, "Das ist falsch."), passage(article, 3, "Das ist falsch.")
    article.source = "Anderes.\n\nDazwischen.\n\nDas ist falsch."
    save_article(article)
    assert (block(first), block(second)) == (None, 3)


def test_passages_of_another_article_stay_where_they_are(db):
    article, other = factories.article(source=BEFORE), factories.article(source=BEFORE)
    words = passage(other, *WORDS)
    article.source = "Ganz anderes."
    save_article(article)
    assert block(words) == 2


# --- what editors ask ------------------------------------------------------------------------------------------------

ASKED = {
    "words": ("Die [[Brücke]]{Zu Recht?} bleibt.", [(Quote(1, "Brücke", "Die ", " bleibt."), "Zu Recht?")]),
    "emphasised": ("**Die [[*Brücke*]]{Zu?}**", [(Quote(1, "Brücke", "Die ", ""), "Zu?")]),
    "within a word": ("Die Fuß[[brücke]]{Zu?}n", [(Quote(1, "brücke", "Die Fuß", "n"), "Zu?")]),
    "in a list": ("- a\n- [[b]]{c}", [(Quote(1, "b", "a ", ""), "c")]),
    "in a heading": ("# [[b]]{c}\n\n> [[d]]{e}", [(Quote(1, "b"), "c"), (Quote(2, "d"), "e")]),
    "two, the same words": (
        "[[a]]{b} [[a]]{c}",
        [(Quote(1, "a", "", " a"), "b"), (Quote(1, "a", "a ", ""), "c")],
    ),
    "HTML in it": ('[[a]]{<b> & "c"}', [(Quote(1, "a"), '<b> & "c"')]),
}
PLAIN = ["[[a]]", "[[a]]{}", "[[a]] {b}", "[[]]{b}", "[[ ]]{b}", "[a]{b}", "[[a]]{b", "[[a]]{b\nc}", "[[a]]{b{c}}"]
PLAIN += [f"[[a]]{{{'b' * 301}}}", f"[[{'a' * 601}]]{{b}}", "`[[a]]{b}`", "\\[[a]]{b}"]


@pytest.mark.parametrize("source, asked", ASKED.values(), ids=ASKED)
def test_question(source, asked):
    assert questions(article_html(source)) == asked


@pytest.mark.parametrize("source", PLAIN)
def test_what_is_no_question_stays_text(source):
    assert questions(article_html(source)) == []
    assert "".join(block_texts(article_html(source))) == source.strip("`").replace("\\", "").replace("\n", " ")


@pytest.mark.parametrize("source", ["[[" * 99_000, "[[a]]{" * 33_000, ("[[" + "a" * 599) * 330, "[[a]]{b}" * 24_000])
def test_questions_take_no_time(source):
    begun = time.perf_counter()
    article_html(source)
    assert time.perf_counter() - begun < 10  # the last, 24,000 of them, takes 1 s


def test_question_is_no_part_of_a_teaser():
    article = Article(source="Die [[Brücke]]{Zu Recht?} bleibt *gesperrt*.")
    assert article.teaser == "Die Brücke bleibt gesperrt."
    assert without_questions("[[a]]{b} [[c]]") == "a [[c]]"


def test_question_becomes_a_passage_and_keeps_its_answers_through_edits(db):
    article = factories.article(source="Die [[Brücke]]{Zu Recht?} bleibt gesperrt.")
    asked = Passage.objects.get()
    assert (asked.quote, asked.question) == (Quote(1, "Brücke", "Die ", " bleibt gesperrt."), "Zu Recht?")
    answer = factories.comment(article, passage=asked)
    edits = [
        ("Neu.\n\nDie [[Brücke]]{Zu Recht?} bleibt gesperrt.", 2, "Brücke", "Zu Recht?"),
        ("Die alte [[Brücke]]{Ganz zu Recht?} bleibt.", 1, "Brücke", "Ganz zu Recht?"),
        ("Die [[alte Brücke]]{Ganz zu Recht?} bleibt.", 1, "alte Brücke", "Ganz zu Recht?"),
        ("Ohne Frage: Die alte Brücke bleibt.", 1, "alte Brücke", "Ganz zu Recht?"),
    ]
    for source, *expected in edits:
        article.source = source
        save_article(article)
        asked.refresh_from_db()
        assert [asked.block, asked.exact, asked.question] == expected
        answer.refresh_from_db()
        assert (answer.passage, Passage.objects.count()) == (asked, 1)


@pytest.mark.parametrize("state", [Comment.State.PUBLISHED, Comment.State.HELD])
@pytest.mark.parametrize(
    "source, block",
    [
        ("Die [[Brücke]]{Wer soll das bezahlen?} bleibt gesperrt.", None),
        ("Die alte [[Brücke]]{Wer soll das bezahlen?} bleibt gesperrt.", None),
        ("Die Brücke bleibt [[gesperrt]]{Zu Recht?}.", 1),
        ("Die Brücke bleibt [[gesperrt]]{Wer soll das bezahlen?}.", 1),
        ("Der [[Rathausplatz]]{Zu Recht?} wird leer.", None),
    ],
)
def test_answers_do_not_stand_under_a_question_that_nobody_answered(db, source, block, state):
    article = factories.article(source="Die [[Brücke]]{Zu Recht?} bleibt gesperrt.")
    old = Passage.objects.get()
    answer = factories.comment(article, passage=old, state=state)
    article.source = source
    save_article(article)
    old.refresh_from_db()
    answer.refresh_from_db()
    assert (answer.passage, old.exact, old.question, old.block) == (old, "Brücke", "Zu Recht?", block)
    new = Passage.objects.exclude(pk=old.pk).get()
    ((quote, question),) = questions(article.html)
    assert (new.quote, new.question, new.comment_count) == (quote, question, 0)
    article.source = "Die [[Brücke]]{Zu Recht?} bleibt gesperrt."  # taken back: asked and answered as before
    save_article(article)
    old.refresh_from_db()
    assert (old.block, old.question) == (1, "Zu Recht?")


def test_answered_question_whose_words_and_question_were_corrected(db):
    article = factories.article(source="Die [[Brükke]]{Zu recht?} bleibt.")
    asked = Passage.objects.get()
    factories.comment(article, passage=asked)
    article.source = "Die [[Brücke]]{Zu Recht?} bleibt."
    save_article(article)
    asked.refresh_from_db()
    assert (asked.exact, asked.question, Passage.objects.count()) == ("Brücke", "Zu Recht?", 1)


def test_a_new_question_takes_no_answers_of_another_that_is_still_asked(db):
    article = factories.article(source="Die [[Brücke]]{Zu Recht?} bleibt.")
    asked = Passage.objects.get()
    factories.comment(article, passage=asked)
    article.source = "Eine [[Brücke]]{Zu Unrecht?} fehlt.\n\nDie [[Brücke]]{Zu Recht?} bleibt."
    save_article(article)
    asked.refresh_from_db()
    assert (asked.block, asked.question, Passage.objects.count()) == (2, "Zu Recht?", 2)


def test_unanswered_question_may_become_any_other(db):
    article = factories.article(source="Die [[Brücke]]{Zu Recht?} bleibt.")
    article.source = "Die [[Brücke]]{Wer soll das bezahlen?} bleibt."
    save_article(article)
    assert Passage.objects.get().question == "Wer soll das bezahlen?"


def test_question_that_is_taken_back_unanswered_is_no_longer_asked(db):
    article = factories.article(source="Die [[Brücke]]{Zu Recht?} bleibt.")
    article.source = "Die Brücke bleibt."
    save_article(article)
    assert list(Passage.objects.values_list("question", flat=True)) == [""]


def test_question_about_words_that_a_reader_chose_before(db):
    article = factories.article(source="Die Brücke bleibt.")
    words = passage(article, 1, "Brücke", "Die ", " bleibt.")
    article.source = "Die [[Brücke]]{Zu Recht?} bleibt."
    save_article(article)
    words.refresh_from_db()
    assert (words.question, Passage.objects.count()) == ("Zu Recht?", 1)


# --- helpers ---------------------------------------------------------------------------------------------------------


def passage(article: Article, block: int, exact: str, prefix: str = "", suffix: str = "") -> Passage:
    return Passage.objects.create(article=article, block=block, exact=exact, prefix=prefix, suffix=suffix)


def block(passage: Passage) -> int | None:
    passage.refresh_from_db()
    return passage.block
