"""What a mail quotes, found by our own line, by the marks before its lines and by what stands above it; and cut.

What was quoted is never in doubt: our mails hold links that only their reader may have.
"""

import re
from collections.abc import Iterator

from django.utils.translation import gettext_lazy

from newsroom.answers.attributions import attribution_length, header_end, headers_by_package, mended

DELIMITER = gettext_lazy("– Bitte über dieser Zeile antworten –")

_DASH = r"[*_]{0,2}(?:[-‐-―−﹘﹣－]{1,3}|â€“|&ndash;|\ufffd{1,3}|\?)[*_]{0,2}"
_GAP = r"[\s>|]{1,40}"  # within a line that a mail program broke; the marks are those of quotes


def _broken(*words: str) -> str:
    return f"{_DASH}[\\s>|]{{0,40}}{_GAP.join(words)}[\\s>|]{{0,40}}{_DASH}"


# DELIMITER in both languages, whatever the site's: a mail may be older than the setting.
_DELIMITER = re.compile(
    _broken("Bitte", r"(?:ü|ue|Ã¼|\?|\ufffd{1,2})ber", "dieser", "Zeile", "antworten")
    + "|"
    + _broken("Please", "reply", "above", "this", "line"),
    re.IGNORECASE,
)
_QUOTE_MARK = re.compile(r"\s*([A-Za-z]{0,4}>|\|)")  # The Bat! writes initials before it


def own_stretches(text: str) -> list[list[str]]:
    """The person's own lines, without quotes and what introduces them; a new list where a quote stood between."""
    text = mended(text)
    above, marks, is_cut = _above_delimiter(text)
    lines = above.split("\n")
    headers = _headers_by_package(lines, marks) if above == text else {}
    lines, is_bare = _above_bare_quote(lines, marks, headers, is_cut)
    return list(_stretches(lines, marks, is_cut or is_bare))


def _above_delimiter(text: str) -> tuple[str, tuple[str, ...], bool]:
    """The text, cut where our own line stands. Where that line is quoted itself, answers may stand below and between,
    so only the line goes. Also: what quoted lines begin with, and whether it was cut."""
    marks, kept, position = {">"}, [], 0
    for found in _DELIMITER.finditer(text):
        kept.append(text[position : found.start()])
        position = found.end()
        quoted = _QUOTE_MARK.match(text, text.rfind("\n", 0, found.start()) + 1, found.start())
        if not quoted:
            return "".join(kept), tuple(marks), True
        marks.add(quoted[1])
    return "".join(kept) + text[position:], tuple(marks), False


def _above_bare_quote(
    lines: list[str], marks: tuple[str, ...], headers: dict[int, int], is_cut: bool
) -> tuple[list[str], bool]:
    """The lines above a quote that nothing but its header tells from an answer, as Outlook and Yahoo make them; and
    whether there was one. Where all of the mail is below such a header, only the header goes."""
    index, anything = 0, is_cut
    while index < len(lines):
        end = None
        if lines[index] and not _is_quoted(lines[index], marks):
            end = headers.get(index) or header_end(lines, index)
            anything = anything or end is None
        if end is None:
            index += 1
            continue
        below = next(filter(None, lines[end:]), "")
        if below and not _is_quoted(below, marks):
            if anything:
                return lines[:index], True
            lines = [""] * end + lines[end:]
        index = end
    return lines, False


def _headers_by_package(lines: list[str], marks: tuple[str, ...]) -> dict[int, int]:
    """Where mail-parser-reply finds headers, as first line: line after the last."""
    headers = headers_by_package("\n".join(line for line in lines if not _is_quoted(line, marks)))
    where = {line.strip(): index for index, line in reversed(list(enumerate(lines)))}
    found = {}
    for header in headers:
        first, *rest = header.split("\n")
        if first in where:
            found[where[first]] = where[first] + 1 + len(rest)
    return found


def _is_quoted(line: str, marks: tuple[str, ...]) -> bool:
    return line.lstrip().startswith(marks)


def _stretches(lines: list[str], marks: tuple[str, ...], is_cut: bool) -> Iterator[list[str]]:
    """The person's own lines, without what introduces the quote that follows them."""
    stretch: list[str] = []
    for line in lines:
        if not _is_quoted(line, marks):
            stretch.append(line)
        elif stretch:
            yield _without_attribution(stretch, is_quote_next=True)
            stretch = []
    if stretch:
        yield _without_attribution(stretch, is_quote_next=is_cut)


def _without_attribution(lines: list[str], *, is_quote_next: bool) -> list[str]:
    end = len(lines)
    for _round in range(4):  # a rule, header lines and an attribution may stand above each other
        while end and not lines[end - 1]:
            end -= 1
        length = attribution_length(lines[max(end - 16, 0) : end], is_quote_next=is_quote_next)
        if not length:
            break
        end -= length
    return lines[:end]
