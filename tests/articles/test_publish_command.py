"""`manage.py publish FILE.md`: what the admin does by hand, and clear words about a bad file."""

from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from articles.frontmatter import COMMENT_MODES, ENGLISH, OPTIONAL, PAUSES, REQUIRED, STATES, parse
from articles.models import Article, Author, Section
from articles.services import save_article
from tests import factories

GOOD = """---
titel: Brücke: Wie lange noch?
autor: UKIN
---

Erster Absatz.

Zweiter *Absatz*.
"""

ALL = """---
Titel: Brücke gesperrt
Adresse: bruecke
Autor: Anna Beispiel
Vorspann: Was Pendler wissen müssen
Ressort: Lokales
Datum: 2026-11-22 18:30
Stand: Entwurf
Kommentare: erste prüfen
Kommentare bis: 24.12.2026, 12:00
Pause: 1 Minute
Frage: Wie kommen Sie zur Arbeit?
Schlusswort: Die Brücke ist wieder offen.
---
Text.
"""


@pytest.fixture
def publish(db, tmp_path: Path):
    """Publishes a file of this content; what the command says."""

    def publish(content: str | bytes) -> str:
        file, out = tmp_path / "artikel.md", StringIO()
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        call_command("publish", str(file), stdout=out)
        return out.getvalue()

    return publish


def test_good_file_is_on_the_page_at_once(publish, client):
    said = publish(GOOD)
    assert said == "/artikel/bruecke-wie-lange-noch/  Brücke: Wie lange noch?  (neu, veröffentlicht)\n"
    page = client.get("/artikel/bruecke-wie-lange-noch/").text
    assert "<h1>Brücke: Wie lange noch?</h1>" in page
    assert "Zweiter <em>Absatz</em>." in page
    assert "Von UKIN" in page


def test_everything_a_file_can_say(publish):
    assert publish(ALL).endswith("  (neu, Entwurf)\n")
    article = Article.objects.get()
    assert (article.headline, article.slug, article.summary) == (
        "Brücke gesperrt",
        "bruecke",
        "Was Pendler wissen müssen",
    )
    assert (article.author.name, article.section.name) == ("Anna Beispiel", "Lokales")
    assert article.published_at == datetime(2026, 11, 22, 17, 30, tzinfo=UTC)
    assert (article.state, article.comment_mode) == ("draft", "first_held")
    assert (article.question, article.source) == ("Wie kommen Sie zur Arbeit?", "Text.\n")
    assert article.closes_at == datetime(2026, 12, 24, 11, tzinfo=UTC)
    assert article.slow_mode == 60
    assert article.closing_note == "Die Brücke ist wieder offen."


def test_a_head_may_be_english_on_every_site(publish):
    """Each word has another name there; nothing else changes."""
    english = """---
title: Brücke gesperrt
address: bruecke
author: Anna Beispiel
summary: Was Pendler wissen müssen
section: Lokales
date: 2026-11-22 18:30
status: draft
comments: hold first
comments until: 24.12.2026, 12:00
pause: 1 minute
question: Wie kommen Sie zur Arbeit?
closing note: Die Brücke ist wieder offen.
---
Text.
"""
    assert parse(english) == parse(ALL)
    assert set(ENGLISH) | {"pause", "1 minute"} == {*REQUIRED, *OPTIONAL, *STATES, *COMMENT_MODES, *PAUSES}


def test_errors_name_the_words_of_the_sites_language(publish):
    bad = GOOD.replace("autor:", "title: x\ndate: soon\nstatus: done\naddress: Two words!\nautor:")
    with translation.override("en"):
        with pytest.raises(CommandError) as error:
            publish(bad)
        with pytest.raises(CommandError, match="address: "):
            publish(GOOD.replace("autor:", "address: Two words!\nautor:"))
    said = str(error.value)
    assert ("title" in said, "date: soon" in said, "draft, published" in said) == (True, True, True), said


def test_the_same_file_again_brings_the_article_up_to_date(publish):
    publish(GOOD)
    first = Article.objects.get()
    factories.comment(first)
    said = publish(GOOD.replace("Zweiter *Absatz*.", "Neuer Schluss."))
    assert said.endswith("  (auf den neuen Stand gebracht, veröffentlicht)\n")
    article = Article.objects.get()
    assert (article.pk, article.published_at, article.counters.comments) == (first.pk, first.published_at, 1)
    assert article.source.endswith("Neuer Schluss.\n")
    assert (Author.objects.count(), Section.objects.count()) == (1, 0)


@pytest.mark.parametrize("change", [("\n", "\r\n"), ("---\ntitel", "\ufeff---\ntitel"), ("titel: ", "TITEL:   ")])
def test_what_editors_files_look_like(publish, change):
    publish(GOOD.replace(*change))
    assert Article.objects.get().headline == "Brücke: Wie lange noch?"


@pytest.mark.parametrize(
    "other",
    [
        GOOD.replace("Erster", "Ganz anderer").replace("Zweiter *Absatz*.", "Nichts davon."),  # of the same name
        GOOD.replace("titel: Brücke: Wie lange noch?", "titel: Brücke! Wie lange noch?"),  # of the same address
        GOOD.replace("Erster", "Ganz anderer"),  # which only ends in the same words
    ],
)
def test_another_article_of_the_same_address_replaces_nothing(publish, other):
    publish(GOOD)
    with pytest.raises(CommandError, match="steht schon ein anderer Artikel"):
        publish(other)
    assert Article.objects.get().source.startswith("Erster")
    publish(other.replace("autor:", "adresse: bruecke-wie-lange-noch\nautor:"))
    assert Article.objects.count() == 1
    publish(GOOD.replace("autor:", "adresse: eigene\nautor:"))
    assert Article.objects.count() == 2


def test_article_that_was_saved_in_the_admin_is_still_the_same(publish):
    """Browsers send lines that end otherwise."""
    publish(GOOD)
    article = Article.objects.get()
    article.source = article.source.replace("\n", "\r\n")
    save_article(article)
    assert "auf den neuen Stand gebracht" in publish(GOOD.replace("Zweiter", "Neuer"))


def test_file_that_says_nothing_of_it_leaves_the_editors_decisions(publish):
    publish(GOOD)
    article = Article.objects.get()
    article.state, article.comment_mode, article.closing_note = "draft", "closed", "Genug."
    article.question = "Und Sie?"
    save_article(article)
    assert publish(GOOD.replace("Zweiter", "Neuer")).endswith("(auf den neuen Stand gebracht, Entwurf)\n")
    article.refresh_from_db()
    assert (article.state, article.comment_mode, article.closing_note) == ("draft", "closed", "Genug.")
    assert article.question == "Und Sie?"
    publish(GOOD.replace("autor:", "stand: veröffentlicht\nkommentare: offen\nautor:"))
    article.refresh_from_db()
    assert (article.state, article.comment_mode) == ("published", "open")


def test_until_a_day_is_until_its_end(publish):
    publish(GOOD.replace("autor:", "kommentare bis: 24.12.2030\nautor:"))
    assert Article.objects.get().closes_at == datetime(2030, 12, 24, 22, 59, tzinfo=UTC)


BAD = {
    "empty": ("", "beginnt nicht mit einem Kopf"),
    "no head": ("Nur Text.", "beginnt nicht mit einem Kopf"),
    "head without an end": ("---\ntitel: x\nautor: y\n\nText.", "beginnt nicht mit einem Kopf"),
    "second line missing": ("---\ntitel: x\nautor: y\n\nText.", "Die zweite fehlt."),
    "no headline": (GOOD.replace("titel: Brücke: Wie lange noch?\n", ""), "Es fehlt „titel:“ mit einem Wert."),
    "empty author": (GOOD.replace("UKIN", ""), "Es fehlt „autor:“ mit einem Wert."),
    "no text": (GOOD.partition("Erster")[0], "Unter dem Kopf steht kein Text."),
    "no colon": (GOOD.replace("autor: UKIN", "autor: UKIN\nirgendwas"), "Zeile 4: Es fehlt der Doppelpunkt"),
    "unknown name": (GOOD.replace("autor:", "verfasser: x\nautor:"), "Zeile 3: „verfasser“ ist unbekannt."),
    "twice": (GOOD.replace("autor:", "titel: x\nautor:"), "Zeile 3: „titel“ steht zweimal da."),
    "bad state": (GOOD.replace("autor:", "stand: fertig\nautor:"), "Möglich sind: entwurf, veröffentlicht."),
    "bad mode": (GOOD.replace("autor:", "kommentare: ja\nautor:"), "„kommentare: ja“ gibt es nicht."),
    "bad date": (GOOD.replace("autor:", "datum: gestern\nautor:"), "„datum: gestern“ ist kein Datum."),
    "bad end": (GOOD.replace("autor:", "kommentare bis: bald\nautor:"), "„kommentare bis: bald“ ist kein Datum."),
    "end before the beginning": (
        GOOD.replace("autor:", "datum: 1.2.2020\nkommentare bis: 1.1.2020\nautor:"),
        "Dann kann niemand etwas schreiben.",
    ),
    "bad pause": (GOOD.replace("autor:", "pause: lang\nautor:"), "„pause: lang“ gibt es nicht."),
    "foreign image": (GOOD + "\n![x](https://anderswo.example/x.png)\n", "Bilder von anderen Servern"),
    "no such day": (GOOD.replace("autor:", "datum: 2026-02-30\nautor:"), "„datum: 2026-02-30“ ist kein Datum."),
    "no such hour": (GOOD.replace("autor:", "datum: 2026-02-03 25:00\nautor:"), "ist kein Datum."),
    "bad address": (GOOD.replace("autor:", "adresse: Zwei Wörter!\nautor:"), "adresse: "),
    "long address": (GOOD.replace("autor:", f"adresse: {'a' * 121}\nautor:"), "„adresse“ ist zu lang"),
    "address with an umlaut": (
        GOOD.replace("autor:", "adresse: Brücke_1\nautor:"),
        "„adresse: Brücke_1“ geht nicht: Erlaubt sind Buchstaben von a bis z, Ziffern, Binde- und Unterstriche.",
    ),
    "hour that is left out": (
        GOOD.replace("autor:", "datum: 29.03.2026 02:30\nautor:"),
        "„datum: 29.03.2026 02:30“ gibt es nicht: Dann wird die Uhr vorgestellt",
    ),
    "end in the hour that is left out": (
        GOOD.replace("autor:", "kommentare bis: 2026-03-29T02:00\nautor:"),
        "„kommentare bis: 2026-03-29T02:00“ gibt es nicht",
    ),
    "long headline": (GOOD.replace("Brücke:", "B" * 200), "„titel“ ist zu lang: höchstens 200 Zeichen gehen."),
    "long author": (GOOD.replace("UKIN", "U" * 121), "„autor“ ist zu lang: höchstens 120 Zeichen gehen."),
    "long section": (GOOD.replace("autor:", f"ressort: {'r' * 81}\nautor:"), "„ressort“ ist zu lang"),
    "long summary": (GOOD.replace("autor:", f"vorspann: {'v' * 501}\nautor:"), "„vorspann“ ist zu lang"),
    "long question": (GOOD.replace("autor:", f"frage: {'f' * 301}\nautor:"), "„frage“ ist zu lang"),
    "long text": (GOOD + "x" * 200_001, "Der Text ist zu lang"),
    "NUL": (GOOD.replace("Erster", "Er\x00ster"), "enthält ein NUL-Zeichen"),
    "not UTF-8": (GOOD.encode("latin-1"), "keine UTF-8-Datei (Stelle 13)"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00", "keine UTF-8-Datei"),
}


@pytest.mark.parametrize("content, sentence", BAD.values(), ids=BAD)
def test_bad_file_is_explained_and_stores_nothing(publish, content, sentence):
    with pytest.raises(CommandError) as error:
        publish(content)
    assert sentence in str(error.value)
    assert all("artikel.md: " in line for line in str(error.value).splitlines())
    assert (Article.objects.count(), Author.objects.count(), Section.objects.count()) == (0, 0, 0)


def test_all_problems_are_named_at_once(publish):
    with pytest.raises(CommandError) as error:
        publish("---\nverfasser: x\nstand: fertig\ndatum: bald\n---\n")
    assert len(str(error.value).splitlines()) == 6


def test_bad_address_is_named_with_all_other_problems(publish):
    with pytest.raises(CommandError) as error:
        publish("---\nadresse: Zwei Wörter!\ndatum: 2026-03-29 02:30\nstand: fertig\n---\nText.")
    said = str(error.value)
    assert ("adresse: Zwei Wörter!" in said, "stand: fertig" in said, len(said.splitlines())) == (True, True, 5)


@pytest.mark.parametrize(
    "written, moment",
    [
        ("2026-03-29 01:59", datetime(2026, 3, 29, 0, 59, tzinfo=UTC)),
        ("2026-03-29 03:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-29T02:30:00Z", datetime(2026, 3, 29, 2, 30, tzinfo=UTC)),
        ("25.10.2026 02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of the two
    ],
)
def test_times_beside_the_hour_that_is_left_out(written, moment):
    assert parse(GOOD.replace("autor:", f"datum: {written}\nautor:")).published_at.astimezone(UTC) == moment


def test_file_that_is_not_there(db, tmp_path: Path):
    for path in (tmp_path / "fehlt.md", tmp_path):
        with pytest.raises(CommandError, match=r".+: .+"):
            call_command("publish", str(path))


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31 23:59", "9999-12-31T23:59:00-12:00"])
def test_dates_at_the_ends_of_the_calendar_are_none(publish, date):
    with pytest.raises(CommandError, match="ist kein Datum"):
        publish(GOOD.replace("autor:", f"datum: {date}\nautor:"))


def test_file_that_cannot_be_read_is_said_in_german(db, tmp_path):
    for path, why in ((tmp_path / "fehlt.md", "diese Datei gibt es nicht"), (tmp_path, "ein Ordner, keine Datei")):
        with pytest.raises(CommandError, match=f"{path}: {why}"):
            call_command("publish", str(path))


def test_article_of_the_future_is_said_to_appear_then(publish):
    said = publish(GOOD.replace("titel:", "datum: 2099-05-01 08:00\ntitel:", 1))
    assert said.endswith("(neu, erscheint am 01.05.2099 um 08:00)\n")
