"""Reply mails to make, and what is read of them."""

import pytest

from newsroom.answers import DELIMITER, Unreadable, read_answer

WHEN = "Am 23.11.26 um 10:00 schrieb Newsroom <antwort@example.net>:"
BLOCK = """Von: Newsroom <antwort@example.net>
Gesendet: Montag, 23. November 2026 10:00
An: Ava <ava@example.org>
Betreff: Die Brücke"""
LETTER = f"""{DELIMITER}

Bo schreibt:

Die Stadt wartet.

-- 
Newsroom
Keine Mails mehr: https://example.org/abo/nein/1-x/"""


def mail(body: str | bytes = "Ja.", **headers: str) -> bytes:
    """Header names with _ for -; None leaves one out."""
    given = {
        "From": "Ava <ava@example.org>",
        "Subject": "Re: Brücke",
        "Message-ID": "<1@example.org>",
        "Content-Type": "text/plain; charset=utf-8",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in given.items() if value is not None)
    return head.encode() + b"\n" + (body.encode() if isinstance(body, str) else body)


def html(body: str) -> bytes:
    return mail(body, Content_Type="text/html; charset=utf-8")


def written(raw: bytes | str) -> str:
    return read_answer(mail(raw) if isinstance(raw, str) else raw).text


def refusal(raw: bytes | str) -> str:
    with pytest.raises(Unreadable) as refused:
        written(raw)
    return str(refused.value)


def quoted(text: str) -> str:
    return "\n".join(("> " + line).rstrip() for line in text.split("\n"))
