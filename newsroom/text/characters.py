"""The characters of what people wrote, before anything else reads them (C4)."""

import re
import unicodedata
from itertools import groupby

# Controls, lone surrogates, non-characters (XML, and so a feed, cannot hold them) and everything that Unicode calls
# format or default-ignorable: zero-width, bidi controls, BOM, soft hyphen, Hangul fillers, tags. Written out, since
# asking unicodedata about all 1.1 million code points at each start takes longer than the rest of the start.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b\u200c\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufe00-\ufe0d"
    "\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
# By block, not by category: emoji newer than Python's tables are "unassigned" to unicodedata.
_EMOJI = (
    "©®‼⁉™ℹ\u2194-\u21aa\u231a-\u2328\u23cf\u23e9-\u23fa\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55〰〽㊗㊙"
    "\U0001f000-\U0001faff"
)
# Allowed: emoji or text form after an emoji, and in a keycap such as 1️⃣.
_STRAY_SELECTOR = re.compile(f"(?<![{_EMOJI}0-9#*])[\ufe0e\ufe0f]|(?<=[0-9#*])\ufe0e|(?<=[0-9#*])\ufe0f(?!\u20e3)")
_STRAY_JOINER = re.compile(f"(?<![{_EMOJI}\ufe0f])\u200d|\u200d(?![{_EMOJI}])")
_MARKS_IN_A_ROW = 3
# Where Unicode has any marks at all; European text with its punctuation is not asked about letter by letter.
_PERHAPS_MARKS = re.compile("[\u0300-\u1fff\u20d0-\u20ff\u2c00-\U0010ffff]")
# What browsers send for a line break, what Unicode calls one, and the empty Braille cell: a symbol to Unicode, a blank
# to the eye.
_SPACING = str.maketrans({"\r": "\n", "\u2028": "\n", "\u2029": "\n", "\u2800": " "})
# What looks like a Latin letter: Greek capitals; small letters of Cyrillic, Greek and others, small and boxed capitals;
# digits, and l like i; signs.
_GREEK_CAPITALS = str.maketrans("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABEZHIKMNOPTYX")
_LETTERS = str.maketrans(
    "аеорсухіјѕкмтвнԁ" + "αορνικτεχυη" + "ıɑɡøđłħŧ" + "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
    "aeopcyxijskmtbhd" + "aopviktexun" + "iagodlht" + "abcdefghijklmnoprstuvwyz",
) | {first + place: chr(ord("a") + place) for first in (0x1F130, 0x1F150, 0x1F170, 0x1F1E6) for place in range(26)}
_DIGITS = str.maketrans("013457l", "oieasti")
_SIGNS = str.maketrans("|!@$", "iias")


def normalise(text: str) -> str:
    """Text in the one form in which it is stored, compared and rendered (C4).

    NFC, LF line breaks, nothing invisible, at most three combining marks in a row, no trailing whitespace, at most two
    blank lines in a row and none around. Never raises; the same text again comes out unchanged. NFC may make the
    text longer (a few characters become three), so limits are checked on the result too.
    """
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").translate(_SPACING))
    text = _STRAY_SELECTOR.sub("", text)
    text = _STRAY_JOINER.sub("", text)
    # Marks are cut before NFC too: CPython sorts a run of marks in quadratic time.
    text = _cut_marks(unicodedata.normalize("NFC", _cut_marks(text)))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return re.sub(r"\n{4,}", "\n\n\n", text).strip("\n")


def normalise_line(text: str) -> str:
    """The same for a value of one line (name, subject): every whitespace is one space."""
    return " ".join(normalise(text).split())


def shows_something(text: str) -> bool:
    """Whether a reader would see anything of this text."""
    return any(_is_seen(char) for char in normalise(text))


def lookalikes(text: str) -> tuple[list[str], list[str]]:
    """The words of a name as the eye takes them: equal for names that readers would confuse (C10).

    Accents, capitals, fonts, other alphabets and digits make no difference: "Redakti0n" and "Redaktíon" are the same.
    Read in two ways: signs, and digits at a word's end, say nothing ("|Redaktion1|") or are letters ("Red@ktion").
    """
    plain = plain_letters(text)
    apart = [re.sub(r"(?<=\D)\d+$", "", word) for word in re.findall(r"[^\W_]+", plain)]
    within = re.findall(r"[^\W_]+", plain.translate(_SIGNS))
    return [word.translate(_DIGITS) for word in apart], [word.translate(_DIGITS) for word in within]


def plain_letters(text: str) -> str:
    """The text as the eye takes its letters: small Latin ones without accents, of whatever font or alphabet."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", text) if not _is_mark(char))
    return plain.translate(_GREEK_CAPITALS).casefold().translate(_LETTERS)


def _is_seen(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNPS" or "\U0001f000" <= char <= "\U0001faff"


def _is_mark(char: str) -> bool:
    return unicodedata.category(char)[0] == "M"


def _cut_marks(text: str) -> str:
    if not _PERHAPS_MARKS.search(text):
        return text
    runs = ((marks, "".join(run)) for marks, run in groupby(text, _is_mark))
    return "".join(run[:_MARKS_IN_A_ROW] if marks else run for marks, run in runs)
