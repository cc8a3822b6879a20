"""Signatures, and what mail programs add to a person's words, are cut off a reply mail (B18)."""

import pytest

from tests.newsroom.replies import BLOCK, LETTER, WHEN, quoted, refusal, written


@pytest.mark.parametrize(
    "below",
    [
        "-- \nAva Beispiel\n\nMusterweg 1\n12345 Musterstadt",
        "--\nAva Beispiel\nMusterweg 1",
        "__\nAva",
        "—\nAva",
        "Von meinem iPhone gesendet",
        "Von meinem/meiner Galaxy gesendet",
        "Von Samsung-Tablet gesendet",
        "Gesendet von meinem Mobiltelefon",
        "Gesendet von Outlook für Android",
        "Gesendet von Mail für Windows",
        "Gesendet von Yahoo Mail auf Android",
        "Gesendet mit der WEB.DE Mail App",
        "Gesendet mit der Telekom Mail App",
        "--\nGesendet mit der GMX Mail App",
        "Diese Nachricht wurde von meinem Android-Gerät mit WEB.DE Mail gesendet.",
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail\ngesendet.",
        "Diese E-Mail wurde von Avast-Antivirussoftware auf Viren geprüft.\nwww.avast.com",
        "Outlook für iOS beziehen<https://aka.ms/o0ukef>",
        "Sent from my iPhone",
        "Sent from my Galaxy",
        "Sent from Outlook for iOS<https://aka.ms/o0ukef>",
        "Sent with Proton Mail secure email.",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Sent from my Android device with K-9 Mail. Please excuse my brevity.",
    ],
)
@pytest.mark.parametrize("rest", ["", f"\n\n{WHEN}\n{quoted(LETTER)}", f"\n\n{BLOCK}\n\n{LETTER}"])
def test_signatures_go(below, rest):
    assert written(f"Ja.\n\nGrüße\nAva\n\n{below}{rest}") == "Ja.\n\nGrüße\nAva"


def test_a_signature_ends_where_the_quote_begins():
    assert written(f"Oben.\n\n-- \nAva\n\n{WHEN}\n{quoted(LETTER)}\n\nUnten.\n\n-- \nAva") == "Oben.\n\nUnten."


@pytest.mark.parametrize("body", ["-- \nAva Beispiel\nTelefon 030 000000", "Von meinem iPhone gesendet"])
def test_a_signature_alone_is_not_published(body):
    assert refusal(f"{body}\n\n{WHEN}\n{quoted(LETTER)}").startswith("In Ihrer Mail steht nichts Neues.")


@pytest.mark.parametrize(
    "body, text",
    [
        ("Ja. [cid:image001.png@01DA.ABC]", "Ja."),
        ("[image: foto.jpg]\nJa.", "Ja."),
        ("Fragen Sie ava@example.org<mailto:ava@example.org>.", "Fragen Sie ava@example.org."),
        ("Siehe www.example.org<http://www.example.org/>", "Siehe www.example.org"),
        ("Siehe hier<https://example.org/>", "Siehe hier<https://example.org/>"),
        ("·       eins\n·       zwei", "- eins\n- zwei"),
        ("   Ja.\n   Nein.", "Ja.\nNein."),
        ("Ja.\n\n\n\n\n\nNein.", "Ja.\n\nNein."),
    ],
)
def test_decoration_goes(body, text):
    assert written(body) == text
