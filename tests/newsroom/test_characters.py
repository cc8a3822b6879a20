"""Text in one form, with nothing invisible in it (C4)."""

import sys
import unicodedata

import pytest

from newsroom.text.characters import normalise, normalise_line, shows_something


@pytest.mark.parametrize(
    "written, stored",
    [
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        ("a\u2028b\u2029c", "a\nb\nc"),
        ("u\u0308ber", "über"),  # NFC
        ("a\tb", "a\tb"),
        ("a\x00b\x07c\x1bd\x7fe\x85f", "abcdef"),
        ("Wort\u00adtren\u00adnung", "Worttrennung"),
        ("java\u200bscript\u200c\u2060\ufeff", "javascript"),
        ("\u202egro.live\u202c\u2066x\u2069", "gro.livex"),
        ("a\ud800b\udfffc", "abc"),
        ("a\ufffeb\uffffc", "abc"),
        ("\U000e0041\U000e0042x", "x"),  # text hidden in tag characters
        ("Anna\u3164\u115f\uffa0", "Anna"),
        ("Z" + "\u0301\u0302\u0303\u0304\u0305" * 20, "Ź\u0302\u0303"),  # three as written
        ("a  \nb\t\n \nc\u00a0", "a\nb\n\nc"),
        ("\n\na\n\n\n\n\n\nb\n\n\n", "a\n\n\nb"),
        ("„Ja“ – sagte sie …, ‚nein‘ »doch«", "„Ja“ – sagte sie …, ‚nein‘ »doch«"),
        ("10\u202f000\u00a0€", "10\u202f000\u00a0€"),
        ("", ""),
    ],
)
def test_text_is_stored_in_one_form(written, stored):
    assert normalise(written) == stored


@pytest.mark.parametrize(
    "emoji",
    [
        "😀",
        "❤️",
        "☎︎",
        "👩‍🔬",
        "👩🏽‍🔬",
        "👨‍👩‍👧‍👦",
        "🏳️‍🌈",
        "❤️‍🔥",
        "1️⃣",
        "🇩🇪",
        "\U0001fae8",  # Unicode 15: unassigned to Python 3.11
    ],
)
def test_emoji_survive(emoji):
    assert normalise(f"a {emoji} b") == f"a {emoji} b"


@pytest.mark.parametrize(
    "written, stored",
    [("an\u200dna", "anna"), ("a\ufe0f", "a"), ("1\ufe0f", "1"), ("😀\u200d", "😀"), ("😀\u200d\u200d😀", "😀😀")],
)
def test_joiners_and_selectors_stay_only_in_emoji(written, stored):
    assert normalise(written) == stored


def test_no_invisible_character_is_left():
    hidden = {"Cc", "Cf", "Cs"}
    # What is not assigned is none of them, and nine tenths of all.
    assigned = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) not in ("Cn", "Co")]
    everything = "x".join(assigned)
    assert {char for char in normalise(everything) if unicodedata.category(char) in hidden} == {"\n", "\t"}


def test_every_mark_there_is_stands_three_times_at_most():
    marks = [char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char)[0] == "M"]
    everyone = set(marks)
    assert len(marks) > 2000
    left = {mark: sum(char in everyone for char in normalise(f"x{mark * 9}")) for mark in marks}
    assert [mark for mark, count in left.items() if count > 3] == []


def test_a_line_has_single_spaces():
    assert normalise_line("  Anna\u00a0\n\t Müller\u3000\u202e ") == "Anna Müller"


@pytest.mark.parametrize("text", ["a", "ä", "?", "👍", "1", "字", "\U0001fae8", "…", ">"])
def test_something_is_shown(text):
    assert shows_something(text) is True


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\t",
        "\u00a0\u2003\u3000",
        "\u2800",
        "\u3164",
        "\u115f\u1160",
        "\u00ad",
        "\u200b\u200d\ufeff",
        "\u0301",
    ]
    + ["\ufe0f", "\x00", "\ud800", "\u202e", "\U000e0041", "\u034f \u2800\n\u180e"],
)
def test_nothing_is_shown(text):
    assert shows_something(text) is False
