"""What stands in a mail beside a person's words: their signature, and what their mail program adds."""

import re
from itertools import takewhile
from textwrap import dedent

from newsroom.answers.pagetext import SIGNED, bare_address
from newsroom.answers.plaintext import joined
from newsroom.text.characters import normalise

SIGNATURE_LINES = 6  # that "--" without its space, or a dash, may announce; more are someone's text
_SIGNATURE = "--\ue000"  # the line "-- " of RFC 3676, which is no longer told from "--" once trailing spaces are gone

_DEVICE = (
    r"(?:i(?:Phone|Pad|Pod|Mac)|Android|Samsung|Galaxy|Smartphone|Mobil|Handy|Telefon|phone|Tablet|Huawei|Honor|Xiaomi"
    r"|Redmi|Pixel|Nokia|Sony|Xperia|BlackBerry|Windows|Mac\b|MacBook|HTC|LG\b|Motorola|OnePlus|Fairphone|Gerät|device"
    r"|Surface|Apple Watch)"
)
_PROGRAM = (
    r"(?:Outlook|Mail\b|E-Mail|Yahoo|AOL|GMX|WEB\.DE|freenet|1&1|IONOS|T-Online|Telekom|Proton ?Mail|Tuta|K-9"
    r"|Thunderbird|FairEmail|Spark|Canary|Blue ?Mail|TypeMail|Nine|Samsung|Posteo|mailbox\.org|Gmail|Airmail|Edison"
    r"|myMail|Mailbird|eM Client|Windows|Vodafone|Boxer|Aqua ?Mail|Unibox)"
)
_CLIENT = re.compile(
    r"[*_<(]{0,3}(?:"
    + "|".join(
        (
            rf"Von (?:\S+ ){{0,3}}\S{{0,20}}{_DEVICE}\S{{0,20}} (?:\S+ ){{0,2}}gesendet[.!]?",
            rf"(?:Gesendet von mein\w{{0,2}}|Sent (?:from|via) my) (?:\S+ ){{0,3}}{_DEVICE}.{{0,80}}",
            r"(?:Gesendet (?:mit|von|über|via)|Sent (?:with|from|via|using))"
            rf" (?:(?:der|dem|the|mobilen|neuen|new) ){{0,2}}{_PROGRAM}.{{0,80}}",
            rf"Diese (?:Nachricht|E-?Mail|Mail) wurde (?:von|mit) .{{0,60}}(?:{_DEVICE}|{_PROGRAM}).{{0,60}}"
            r"gesendet\.?",
            rf"This (?:message|e-?mail) was sent (?:from|with) .{{0,60}}(?:{_DEVICE}|{_PROGRAM}).{{0,60}}",
            r"(?:(?:Holen Sie sich|Laden Sie|Get) )?Outlook (?:für|for) (?:Android|iOS|Mac|Windows)"
            r"(?: (?:beziehen|herunter|herunterladen|holen))?(?: ?[<(]\S{1,200})?",
            r"Yahoo Mail: \w+, \w+, \w+",
            r"(?:Diese E-?Mail wurde|This e-?mail has been) .{0,60}\b(?:Viren|virus).{0,60}|www\.av(?:ast|g)\.com",
            r"Please excuse my brevity\.|Bitte entschuldigen Sie (?:die|meine) Kürze\.",
        )
    )
    + r")[*_>)]{0,3}",
    re.IGNORECASE,
)
_BARE = re.compile(r"--|__|[–—]")
_BULLET = re.compile(r"^([ \t]*)(?:[•·▪◦‣]|\*(?=\t))[ \t]+(?=\S)", re.MULTILINE)  # Word's, and Outlook's of Word's
_PLACEHOLDER = re.compile(r"\[(?:cid|image|bild|inline-bild|inline image)\s?:[^\]\n]{0,200}\]", re.IGNORECASE)
# Outlook: ava@example.org<mailto:ava@example.org>, www.example.org<http://www.example.org/>
_SAID_TWICE = re.compile(r"(?<!\S)([^<>\s]{1,300})<(?:mailto:|https?://)([^<>\s]{1,300})>")


def mark_signature(text: str) -> str:
    """To be done before normalise(), which takes away what tells the line "-- " from any other."""
    return re.sub("^-- $", _SIGNATURE, text, flags=re.MULTILINE)


def without_signature(lines: list[str], *, gently: bool) -> list[str]:
    """`gently`: only what is announced by the line that RFC 3676 has for it, and what programs add."""
    if _SIGNATURE in lines:
        lines = lines[: lines.index(_SIGNATURE)]
    if gently:
        lines = [line.removeprefix(SIGNED) for line in lines]
    else:
        lines = [line for line in lines if not line.startswith(SIGNED)]
        block = list(takewhile(bool, reversed(lines)))[: SIGNATURE_LINES + 1]
        for index in range(len(lines) - len(block), len(lines)):
            if _BARE.fullmatch(lines[index]) and any(lines[:index]):
                lines = lines[:index]
                break
    end = len(lines)
    while end:
        # Its line may have been broken in two.
        added = next((n for n in (1, 2) if n <= end and _CLIENT.fullmatch(joined(lines[end - n : end]))), 0)
        if lines[end - 1] and not added:
            break
        end -= added or 1
    if end < len(lines) and end and _BARE.fullmatch(lines[end - 1]):
        end -= 1
    return lines[:end]


def undecorated(text: str) -> str:
    text = _PLACEHOLDER.sub("", re.sub("[\ue000\ue001]", "", text))
    text = _SAID_TWICE.sub(
        lambda found: found[1] if bare_address(found[1]) == bare_address(found[2]) else found[0], text
    )
    text = _BULLET.sub(r"\1- ", text)
    return re.sub(r"\n{3,}", "\n\n", normalise(dedent(text))).strip()
