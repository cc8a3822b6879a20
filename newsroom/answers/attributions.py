"""The lines above a quote that say whom and what it quotes, as mail programs write them in German and
English.

Beyond our own patterns mail-parser-reply is asked. It takes 70 s for 30 kB of newlines (Python 3.11, a small machine),
so it is asked in a process that is killed when it takes too long.
"""

import re
import subprocess
import sys

from newsroom.answers.plaintext import joined

PATIENCE = 0.5  # seconds for mail-parser-reply; it usually takes 0.1, most of which is Python's start

_WROTE = r"\b(?:schrieb|schreibt|geschrieben|wrote|writes)\b"
_TO = r"<[^<>\s]{1,150}@[^<>\s]{1,150}>"
# "Am Mo., 23. Nov. 2026 um 10:00 Uhr schrieb Ava <ava@example.org>:", "On 23/11/2026 10:00, Ava wrote:"
_DATED = re.compile(
    rf"(?:Am|On)\s+(?:[^\W\d]{{1,12}}[.,]*\s+){{0,3}}\d.{{1,300}}?{_WROTE}[^:<>]{{0,150}}(?:<[^<>]{{0,150}}>\s?)?:?",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    "|".join(
        (
            rf"\S.{{0,150}}{_WROTE}\s+(?:am|on)\s.{{0,30}}\d.{{0,60}}:",  # Ava <...> schrieb am Mo., 23. Nov., 10:00:
            rf"\S.{{0,80}}{_TO}\s+{_WROTE}\s?:",
            rf"(?-i:[A-ZÄÖÜ][\w.-]{{0,30}}(?:,? [A-ZÄÖÜ][\w.-]{{0,30}}){{0,3}})\s{_WROTE}:",  # Ava Beispiel schrieb:
            rf"(?=.{{0,200}}\d{{4}}).{{1,150}}{_TO}.{{0,40}}:",  # 2026-11-23 10:00 GMT+01:00 Ava <...>:
            r"(?:Zitat von|Quoting)\s.{1,150}:",
        )
    ),
    re.IGNORECASE,
)
# Gmail breaks its line before the last mark of an address, which then looks like a quote's.
_BROKEN_ADDRESS = re.compile(r"(<[^\s<>]{1,200})\n>(?=:| wrote:)")
# Yahoo on Android goes on in the same line.
_RUN_ON = re.compile(rf"^(\s*(?:Am|On)\s.{{1,200}}{_TO}.{{0,30}}:)[ \t]{{2,}}(?=\S)", re.MULTILINE)
_RULE = re.compile(r"[-_‐–—]{10,}")
_ORIGINAL = re.compile(
    r"[-_‐–— ]{2,30}(?:Urspr(?:ü|ue)ngliche (?:Nachricht|Mail|E-Mail)|Original[- ]?(?:nachricht|mail)|Original Message"
    rf"|Weitergeleitete Nachricht|Forwarded message|(?:Am|On) .{{1,200}}{_WROTE}.{{0,100}}?)[-_‐–— ]{{2,30}}",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"[*_ ]{0,4}(Von|From|Gesendet|Sent|Datum|Date|An|To|Cc|Kopie|Betreff|Subject|Antwort an|Reply-To|Organisation"
    r"|Priorität|Wichtigkeit|Importance)[*_ ]{0,4}:",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"\d{1,2}[:.]\d{2}")
_DAY = re.compile(r"\d{4}|\d{1,2}[./]\d{1,2}[./]\d\d")
_ADDRESS = re.compile(r"[^\s@<>]@[^\s@<>]+\.[^\s@<>]")

# What mail-parser-reply may take for the header of a quote. Where no line is like that it need not be asked.
_PERHAPS_HEADER = re.compile(
    r"^[ *]*(?:(?:am|on)\s.*(?:schrieb|wrote)|(?:von|from|gesendet|sent|datum|date)\s*:)|original message", re.I | re.M
)
# The alarm ends it even when we, who would kill it, are gone. With -I nothing of ours is imported.
_ASK = """
import signal, sys
signal.alarm(2)
from mailparser_reply import EmailReplyParser
replies = EmailReplyParser(languages=["de", "en"]).read(sys.stdin.buffer.read().decode()).replies
sys.stdout.buffer.write("\\0".join(reply.headers for reply in replies if reply.headers).encode())
"""


def mended(text: str) -> str:
    """With each attribution in lines of its own."""
    return _RUN_ON.sub(r"\1\n", _BROKEN_ADDRESS.sub(r"\1>", text))


def attribution_length(lines: list[str], *, is_quote_next: bool) -> int:
    """How many of the last lines say whom and what the next ones quote."""
    if not lines:
        return 0
    last = lines[-1].strip()
    if _RULE.fullmatch(last) or _ORIGINAL.fullmatch(last):
        return 1
    if last.endswith(":") or _CLOCK.search(last) or (len(lines) > 1 and _CLOCK.search(lines[-2])):
        for pattern, most in ((_DATED, 4), (_ATTRIBUTION, 2)):
            for count in range(1, min(most, len(lines)) + 1):
                words = joined(lines[-count:])
                # Some leave out the colon.
                if pattern.fullmatch(words) and is_quote_next + _is_certain(words) + words.endswith(":") >= 2:
                    return count
    for start, line in enumerate(lines):
        if _LABEL.match(line):
            end = _labels_end(lines, start)
            if end is not None and len(lines) - end <= 1:  # the last value may go on for a line
                return len(lines) - start
    return 0


def header_end(lines: list[str], start: int) -> int | None:
    """The line after the header of a quote that begins at `start`; None if none does, beyond doubt."""
    if _ORIGINAL.fullmatch(lines[start].strip()):
        below = next((index for index in range(start + 1, min(start + 4, len(lines))) if lines[index]), start)
        return _labels_end(lines, below) or start + 1
    if _LABEL.match(lines[start]):
        return _labels_end(lines, start)
    if re.match(r"\s*(?:Am|On)\s", lines[start]):
        for count in (1, 2, 3):
            words = joined(lines[start : start + count])
            if _DATED.fullmatch(words) and words.endswith(":") and _is_certain(words):
                return start + count
    return None


def headers_by_package(text: str) -> list[str]:
    """What mail-parser-reply takes for headers of quotes. Empty if it takes too long.

    Only where they stand is of use: its texts have lost their indentation, and lists that begin with hyphens.
    """
    if not _PERHAPS_HEADER.search(text):
        return []
    try:
        asked = subprocess.run(
            [sys.executable, "-I", "-c", _ASK], input=text.encode(), capture_output=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return []
    headers = asked.stdout.decode(errors="replace").split("\0")
    return [header for header in headers if _is_certain(header) and _ADDRESS.search(header)]


def _labels_end(lines: list[str], start: int) -> int | None:
    """The line after the last one of "Von: ... Gesendet: ... An: ... Betreff: ..."; None where too few stand there."""
    labels, end, others = set(), start, 0
    for index in range(start, min(start + 16, len(lines))):
        line = lines[index]
        if found := _LABEL.match(line):
            labels.add(found[1].lower())
            end, others = index + 1, 0
        elif line:
            others += 1
            if others > 2 or not lines[index - 1]:
                break
    enough = len(labels) >= 3 and labels & {"von", "from"} and labels & {"gesendet", "sent", "datum", "date"}
    return end if enough else None


def _is_certain(words: str) -> bool:
    """With a date and a time or an address: no sentence of the person's own."""
    return bool(_DAY.search(words) and (_CLOCK.search(words) or _ADDRESS.search(words)))
