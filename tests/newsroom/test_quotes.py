"""What a reply mail quotes is cut, and nothing else (B18)."""

import pytest
from django.utils import translation

from newsroom.answers import DELIMITER
from tests.newsroom.replies import BLOCK, LETTER, WHEN, quoted, refusal, written


def test_the_line_is_in_the_sites_language_and_read_in_both():
    assert str(DELIMITER) == "– Bitte über dieser Zeile antworten –"
    for language in ("de", "en"):
        with translation.override(language):
            assert written("Yes.\n\n– Please reply above this line –\nBo") == "Yes."
            assert written("Ja.\n\n– Bitte über dieser Zeile antworten –\nBo") == "Ja."


@pytest.mark.parametrize(
    "line",
    [
        "-- Bitte über dieser Zeile antworten --",
        "—Bitte  über dieser\u00a0Zeile antworten—",
        "*– Bitte über dieser Zeile antworten –*",
        "– Bitte über dieser\nZeile antworten –",
        "– Bitte ueber dieser Zeile antworten –",
        "? Bitte ?ber dieser Zeile antworten ?",
        "â€“ Bitte Ã¼ber dieser Zeile antworten â€“",
        "– BITTE ÜBER DIESER ZEILE ANTWORTEN –",
        "– Bitte u\u0308ber die\u00adser Zeile\u200b antworten –",
        f"{WHEN} – Bitte über dieser Zeile antworten – Bo schreibt:",
        f"{WHEN}\n\n– Bitte über dieser Zeile antworten –",
        "Am 23.11.26 um 10:00\nschrieb Newsroom\n<antwort@example.net>:\n\n– Bitte über dieser Zeile antworten –",
        "Am Montag, 23. November 2026, hat Newsroom geschrieben:\n– Bitte über dieser Zeile antworten –",
        f"{BLOCK}\n\nNewsroom\n\n– Bitte über dieser Zeile antworten –",
        f"-----Ursprüngliche Nachricht-----\n{BLOCK}\n\n– Bitte über dieser Zeile antworten –",
        "*Von:* Newsroom\n*Gesendet:* Montag\n*An:* Ava\n*Betreff:* Die sehr lange\n Brücke\n\n"
        "– Bitte über dieser Zeile antworten –",
        "-------- Ursprüngliche Nachricht --------\n– Bitte über dieser Zeile antworten –",
        "---- On Mon, 23 Nov 2026 10:00:00 +0100 Newsroom <a@example.net> wrote ----\n"
        "– Bitte über dieser Zeile antworten –",
        "> – Bitte über dieser Zeile antworten –",
        "| – Bitte über dieser Zeile antworten –\n| Bo schreibt:",
        "NR> – Bitte über dieser Zeile antworten –\nNR> Bo schreibt:",
        "> – Bitte über dieser\n> Zeile antworten –",
        "> > – Bitte über dieser Zeile antworten –",
        "> Newsroom – Bitte über dieser Zeile antworten – Bo",
    ],
)
def test_the_line_in_every_disguise(line):
    below = "" if line.startswith((">", "|", "NR>")) else "\nDie Stadt wartet."
    assert written(f"Ja.\n\nWirklich.\n\n{line}{below}") == "Ja.\n\nWirklich."


@pytest.mark.parametrize(
    "text",
    [
        "Was heißt „Bitte über dieser Zeile antworten“?\nDas frage ich.",
        "Bitte über dieser Zeile antworten, steht da. Warum?",
        "Ich schreibe, was ich will:\n\n- Bitte über diese Zeile lachen\n- Bitte antworten",
    ],
)
def test_the_words_of_the_line_alone_cut_nothing(text):
    assert written(text) == text


def test_what_stands_below_the_bare_line_is_ours():
    assert refusal(f"{LETTER}\n\nMeine Antwort steht hier unten.") == (
        "In Ihrer Mail steht nichts Neues. Bitte schreiben Sie Ihre Antwort über das Zitat."
    )


def test_a_header_line_and_what_our_letter_has_above_the_line_is_no_answer():
    assert refusal(f"{BLOCK}\n\nNewsroom\n\n{LETTER}").startswith("In Ihrer Mail steht nichts Neues.")


@pytest.mark.parametrize(
    "body, text",
    [
        ("Ja.", "Ja."),
        (f"Oben.\n\n{WHEN}\n{quoted(LETTER)}\n\nUnten.", "Oben.\n\nUnten."),
        ("> Frage eins?\nJa.\n> Frage zwei?\nNein.", "Ja.\n\nNein."),
        (f"Nein.\n\n{WHEN}\n\n> Die Stadt wartet.", "Nein."),
        (f"{WHEN}\n> Die Stadt wartet.\n\nNein.", "Nein."),
        (f"Nein.\n\n{WHEN}", "Nein."),
        ("Nein.\n\nBo Muster schrieb:\n> Die Stadt wartet.", "Nein."),
        ("Nein.\n\nZitat von Bo Muster:\n\n> Die Stadt wartet.", "Nein."),
        ("Nein.\n\nOn Nov 23, 2026, at 10:00, Bo wrote:\n\n> The city waits.", "Nein."),
        ("Nein.\n\n2026-11-23 10:00 GMT+01:00 Bo <bo@example.org>:\n\n> Die Stadt wartet.", "Nein."),
        # Quoted without any mark, and our line is gone:
        (f"Nein.\n\n{BLOCK}\n\nDie Stadt wartet.", "Nein."),
        (f"Nein.\n\n{WHEN}\n\nDie Stadt wartet.", "Nein."),
        ("Nein.\n\n-----Original Message-----\nThe city waits.", "Nein."),
        (f"Nein.\n\n________________________________\n{BLOCK}\n\nDie Stadt wartet.", "Nein."),
        ("Nein.\n\nVon: Bo <bo@example.org>\nDatum: 23. November 2026 10:00\n\nDie Stadt wartet.", "Nein."),
        (f"{BLOCK}\n\nDie Stadt wartet.", "Die Stadt wartet."),
        # Gmail breaks an address where it hurts:
        ("Nein.\n\nOn Mon, Nov 23, 2026 at 10:00 AM Bo <bo@example.org\n> wrote:\n\n> The city waits.", "Nein."),
    ],
)
def test_quotes_go_and_own_lines_stay(body, text):
    assert written(body) == text


@pytest.mark.parametrize(
    "text",
    [
        "Am Montag schrieb die Zeitung:\nDas ist falsch.\nIch finde das auch.",
        "Am 3. Mai war ich dort.\nVon: Berlin\nAn: München\nAm 23.11.2026 um 10:00 fuhr kein Zug.",
        "Was Sie am Montag schrieben: alles falsch.",
        "Ich habe das 2026 auch ava@example.org geschrieben:\nkeine Antwort.",
        "Das schrieb die Zeitung am 23.11.2026 um 10:00 Uhr.",
        "Am 23.11.2026 um 10:00 Uhr hat der Rat das so geschrieben",
        "On Monday I wrote:\nno.",
        "Von: hier\nBis: dort",
        "Absatz eins.\n\n—\n\nAbsatz zwei.",
        "Absatz eins.\n\n---\n\nAbsatz zwei.",
        "Absatz eins.\n--\n\nAbsatz zwei.",
        "Ich antworte --\nwie immer.",
        "Von meinem Handy aus kann ich die Karte nicht sehen.",
        "Sent from heaven, this article.",
        "Outlook für Android ist dafür unbrauchbar.",
        "Diese Nachricht wurde von der Redaktion gelöscht.",
        "- eins\n- zwei\n  - drei\n\n1. vier\n2. fünf",
        "```\nif a > b:\n    return\n```",
        "Eine Zeile,\ndie jemand umbrach.\n\nUnd ein Absatz.",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "Mit freundlichen Grüßen\nAva",
    ],
)
def test_words_that_look_like_a_quote_or_a_signature_stay(text):
    assert written(text) == text


def test_mail_parser_reply_finds_headers_that_we_do_not_know(monkeypatch, tmp_path):
    """Wherever we run, and whatever else is called like it there."""
    (tmp_path / "mailparser_reply.py").write_text("raise SystemExit")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("newsroom.answers.attributions.PATIENCE", 20)  # seconds: others use this machine too
    text = "Nein.\n\nFrom: Bo <bo@example.org>\nDate: November 23, 2026\n\nThe city waits."
    assert written(text) == "Nein."
