"""What stands in a mail as plain text, whatever its parts are, with `> ` before the lines that it quotes."""

import re

from newsroom.answers.pagetext import Page
from newsroom.answers.parts import Part

LOOKED_AT = 20_000  # characters of text; a comment has at most 5,000
LAYERS = 8  # multiparts within each other; four are usual
TAGS = 10_000  # of HTML

_CLEAR_SIGNED = re.compile(
    r"\s*-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Z][\w-]*: [^\n]*\n)*+\n(.*?)\n-----BEGIN PGP SIGNATURE-----",
    re.DOTALL,
)
# Quick, and enough to choose a part by: shows_something() normalises, and parts may be asked once a layer.
_SEEN = re.compile(r"[^\s\x00-\x1f\x7f-\xa0\xad\u034f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class Encrypted(Exception):
    """The mail's text cannot be read."""


def plain_text(part: Part) -> str:
    return _Reading().text(part)


class _Reading:
    """One limit holds for all parts of a mail: a hundred texts in eight layers took three seconds."""

    def __init__(self) -> None:
        self._tags = TAGS

    def text(self, part: Part, layers: int = LAYERS) -> str:
        kind = part.kind
        if kind in ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"):
            raise Encrypted
        if kind.startswith("multipart/"):
            return self._texts(kind, part.parts() if layers else [], layers - 1)
        if part.is_attachment:
            return ""
        if kind == "text/html":
            page = Page(part.text(), most_tags=self._tags, most_characters=2 * LOOKED_AT)
            self._tags -= page.tags
            return _looked_at(page.text)
        return self._plain(part) if kind == "text/plain" else ""

    def _texts(self, kind: str, parts: list[Part], layers: int) -> str:
        if kind == "multipart/alternative":
            parts.sort(key=lambda part: part.kind != "text/plain")
        elif kind == "multipart/signed":
            parts = parts[:1]
        found, length = [], 0
        for part in parts:
            text = self.text(part, layers)
            if _SEEN.search(text):
                found.append(text)
                length += len(text)
            # All others are joined: Apple Mail puts a picture between two texts, and both were written.
            if length > LOOKED_AT or (found and kind == "multipart/alternative"):
                break
        return "\n\n".join(found)[:LOOKED_AT]

    @staticmethod
    def _plain(part: Part) -> str:
        text = _looked_at(part.text())
        if text.lstrip().startswith("-----BEGIN PGP MESSAGE-----"):
            raise Encrypted
        if signed := _CLEAR_SIGNED.match(text):
            text = re.sub(r"^- ", "", signed[1], flags=re.MULTILINE)
        if part.parameter("format").lower() == "flowed":
            text = _unflowed(text, keep_space=part.parameter("delsp").lower() != "yes")
        return text


def _looked_at(text: str) -> str:
    """The beginning of a text, at most two blank lines in a row."""
    lines, length, blank = [], 0, 0
    for line in text.split("\n"):
        blank = 0 if line.strip() else blank + 1
        if blank > 2:
            continue
        lines.append(line[: LOOKED_AT - length])
        length += len(lines[-1]) + 1
        if length >= LOOKED_AT:
            break
    return "\n".join(lines)


def _unflowed(text: str, *, keep_space: bool) -> str:
    """format=flowed (RFC 3676): a line that ends with a space goes on in the next one of the same quote depth."""
    paragraphs: list[list[str]] = []
    depth_before, goes_on = 0, False
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")
        if not (goes_on and depth == depth_before and bare != "-- "):
            paragraphs.append([">" * depth + " "] if depth else [])
        goes_on, depth_before = bare.endswith(" ") and bare != "-- ", depth
        paragraphs[-1].append(bare if keep_space or not goes_on else bare[:-1])
    return "\n".join("".join(pieces) for pieces in paragraphs)


def joined(lines: list[str]) -> str:
    """Lines as the one that they were before a mail program broke it; "" where they cannot be one."""
    return " ".join(line.strip() for line in lines) if all(lines) and sum(map(len, lines)) < 600 else ""
