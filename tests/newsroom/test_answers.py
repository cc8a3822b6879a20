"""What a person wrote in a reply mail (B17, B18), by whole mails.

The samples in answers/ have the shapes in which these programs really answer; names and words are invented.
"""

from pathlib import Path

import pytest

from newsroom.answers import MAX_BYTES, Answer, read_answer
from tests.newsroom.replies import LETTER, mail, quoted, refusal

SAMPLES = Path(__file__).with_name("answers")
MAY_DE, MAY_EN = "Das Gutachten liegt seit Mai vor.", "The report has been there since May."
ORDERED_DE = f"{MAY_DE}\n\nWer hat es bestellt?"
LIST_DE = f"{MAY_DE}\n\nZwei Fragen:\n\n- Wer hat es bestellt?\n- Was kostet es?"
ASK_DE = "Das Gutachten liegt seit Mai vor, und wer es lesen will, kann im Rathaus danach fragen."
MINISTRY = "It is not the city that waits, it is the ministry."
WRITTEN = {
    "apple-mail-de": f"{LIST_DE}\n\nViele Grüße\nAnna",
    "apple-mail-en": f"{MAY_EN} {MINISTRY}",
    "gmail-android-de": "Das Gutachten liegt seit Mai vor 🙂",
    "gmail-between-de": f"Das frage ich mich immer noch.\n\n{MAY_DE}",
    "gmail-web-de": LIST_DE.replace("- ", "   - "),
    "gmail-web-en": f"{MAY_EN} It is *not* the city that waits, it is\nthe ministry.",
    "gmx-app-de": MAY_DE,
    "gmx-web-de": ORDERED_DE,
    "iphone-de": MAY_DE,
    "iphone-en": MAY_EN,
    "iphone-html-de": f"{MAY_DE}\n\nSeit Mai!",
    "iphone-picture-de": "Hier steht das Datum:\n\nUnd hier wartet niemand.",
    "k9-de": MAY_DE,
    "k9-en": MAY_EN,
    "mutt-de": ORDERED_DE,
    "mutt-en": "The report has been there since May:\n\n    $ ls report\n    may.pdf\n\nI did.",
    "outlook-android-de": MAY_DE,
    "outlook-android-en": MAY_EN,
    "outlook-de": LIST_DE,
    "outlook-html-de": f"{ORDERED_DE}\nUnd was kostet es?",
    "outlook-plain-de": "Das Gutachten liegt seit Mai vor – und zwar im Rathaus.\n\n"
    "Mit freundlichen Grüßen\nAnna Beispiel",
    "outlook-web-de": ORDERED_DE,
    "outlook-web-en": f"{MAY_EN}\n\nTwo questions:\n\n  *   Who ordered it?\n  *   What does it cost?",
    "t-online-de": ORDERED_DE,
    "t-online-html-de": ORDERED_DE,
    "thunderbird-below-de": f"{ASK_DE}\n\nIch war dort.",
    "thunderbird-de": f"{ASK_DE} Ich war dort.\n\nZwei Fragen:\n\n- Wer hat es bestellt?\n- Was kostet es?",
    "thunderbird-html-below-en": f"{MAY_EN}\n\n"
    "See https://example.org/report or the summary (https://example.org/summary).",
    "thunderbird-html-de": f"{ASK_DE}\n\nZwei Fragen:\n\n1. Wer hat es bestellt?\n2. Was kostet es?",
    "thunderbird-trimmed-de": "Das Gutachten liegt seit Mai vor. Es kostete 40.000 €.",
    "webde-android-de": MAY_DE,
    "webde-web-de": ORDERED_DE,
    "yahoo-android-en": MAY_EN,
    "yahoo-de": f"{MAY_DE}\nWer hat es bestellt?",
    "yahoo-html-de": ORDERED_DE,
}


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.eml")), ids=lambda path: path.stem)
def test_what_programs_send(path):
    answer = read_answer(path.read_bytes())
    assert (answer.text, answer.is_automatic, answer.sender) == (WRITTEN[path.stem], False, "anna@example.org")


def test_the_samples_are_all_there():
    assert {path.stem for path in SAMPLES.glob("*.eml")} == set(WRITTEN)


ENCRYPTED = "Ihre Mail ist verschlüsselt. Bitte antworten Sie unverschlüsselt."
NO_TEXT = "Ihre Mail enthält keinen Text."
NO_SENDER = "Wir erkennen nicht, von welcher Adresse Ihre Mail kommt."


@pytest.mark.parametrize(
    "raw, sentence",
    [
        (mail("-----BEGIN PGP MESSAGE-----\n\nxyz"), ENCRYPTED),
        (mail("--b\n\nVersion: 1\n--b--", Content_Type="multipart/encrypted; boundary=b"), ENCRYPTED),
        (mail("xyz", Content_Type="application/pkcs7-mime; smime-type=enveloped-data"), ENCRYPTED),
        (mail(""), NO_TEXT),
        (mail("\u200b \u00ad\n"), NO_TEXT),
        (mail("xyz", Content_Type="image/png"), NO_TEXT),
        (mail("xyz", Content_Type="multipart/mixed"), NO_TEXT),
        (mail(From=None), NO_SENDER),
        (b"", NO_SENDER),
        (mail("x" * MAX_BYTES), "Ihre Mail ist zu groß. Bitte antworten Sie ohne Bilder und Anhänge."),
        (mail(quoted(LETTER)), "In Ihrer Mail steht nichts Neues. Bitte schreiben Sie Ihre Antwort über das Zitat."),
    ],
)
def test_mails_without_an_answer_are_told_why(raw, sentence):
    assert refusal(raw) == sentence


def test_subject_and_message_id():
    raw = mail(Subject="=?utf-8?q?Re=3A_Br=C3=BCcke?=\n und\x00\tmehr", Message_ID="\n <a.b@example.org> ")
    assert read_answer(raw) == Answer(
        "<a.b@example.org>", "ava@example.org", "Ava", "Re: Brücke und mehr", "Ja.", False
    )


@pytest.mark.parametrize("missing", [None, "", "<>", f"<{'a' * 300}@example.org>"])
def test_the_same_mail_without_an_id_has_the_same_id(missing):
    once, again = (read_answer(mail(Message_ID=missing)).message_id for _ in range(2))
    assert once == again
    assert once != read_answer(mail("Nein.", Message_ID=missing)).message_id
    assert 3 <= len(once) <= 255
