"""What a person wrote in a reply mail: without what they quoted, their signature and what their mail program adds
(B17, B18).

Anyone may send us anything, so every step takes time in proportion to the mail, within the limits below. Measured with
Python 3.11 on a small machine: the standard library's mail parser asks every open boundary about every line (200 kB
in 100 layers: 3 s; in 3,500 layers: RecursionError), html.parser takes 5.5 s for 20 kB of `<a `, nh3 4 s for 37 kB that
open and close formatting, mail-parser-reply 70 s for 30 kB of newlines. So mail and HTML are taken apart here, and the
last of the four is asked in a process that is killed when it takes too long.

When in doubt words are kept. What was quoted is never in doubt: our mails hold links that only their reader may have.
"""

import binascii
import hashlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header
from html import unescape
from itertools import takewhile
from textwrap import dedent

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsroom.addresses import canonical_address
from newsroom.characters import normalise, normalise_line, shows_something

DELIMITER = gettext_lazy("– Bitte über dieser Zeile antworten –")

MAX_BYTES = 200_000  # of a raw mail
HEAD_BYTES = 64_000  # of the headers; with all that Exchange and ARC add they have 20 kB
FIELD_CHARACTERS = 1_000  # of one header that we read
LAYERS = 8  # multiparts within each other; four are usual
PARTS = 100  # of one multipart
LOOKED_AT = 20_000  # characters of text; a comment has at most 5,000
SIGNATURE_LINES = 6  # that "--" without its space, or a dash, may announce; more are someone's text
TAGS = 10_000  # of HTML
PATIENCE = 0.5  # seconds for mail-parser-reply; it usually takes 0.1, most of which is Python's start


class Unreadable(Exception):
    """No answer can be read from this mail. Holds one or two sentences that say so to its sender."""


@dataclass(frozen=True)
class Answer:
    message_id: str  # where the mail has none, one made from its bytes: the same mail again has the same
    sender: str  # the one address of From, canonical; "" only where is_automatic
    sender_name: str
    subject: str
    text: str  # without NUL and surrogates; otherwise as written; "" only where is_automatic
    is_automatic: bool  # a machine wrote it; answering would make two machines talk to each other


def read_answer(raw: bytes) -> Answer:
    """Raises Unreadable and nothing else, and never for a mail that a machine wrote: nobody would read the reason."""
    if too_large := len(raw) > MAX_BYTES:
        raw = raw[:HEAD_BYTES]
    part = _part(raw)
    sender_name, sender = _sender(part)
    subject = normalise_line(_words(part.field("subject")))
    is_automatic = _is_automatic(part, sender, subject)
    text = ""
    try:
        if too_large:
            raise Unreadable(_("Ihre Mail ist zu groß. Bitte antworten Sie ohne Bilder und Anhänge."))
        if not sender:
            raise Unreadable(_("Wir erkennen nicht, von welcher Adresse Ihre Mail kommt."))
        text = _written(_Reading().text(part))
    except Unreadable:
        if not is_automatic:
            raise
    message_id = normalise_line(part.field("message-id"))
    if not 3 <= len(message_id) <= 255:
        message_id = f"<{hashlib.sha256(raw).hexdigest()[:32]}@without-message-id.invalid>"
    return Answer(message_id, sender, sender_name, subject, text, is_automatic)


# --- The mail: headers and parts ----------------------------------------------------------------------------------

_FOLD = re.compile(rb"\n(?=[ \t])")
_PARAMETER = re.compile(r';\s*([a-z-]+)(\*?)[0-9]*(\*?)\s*=\s*("[^"]{0,200}"|[^\s;"]*)', re.IGNORECASE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
# By name: among Python's codecs are some that are no charsets, and some that take quadratic time (punycode, idna).
_CHARSET = re.compile(
    r"(?:utf|us-ascii|ascii|iso|latin|cp|windows|koi8|mac|gb|hz|big5|shift|sjis|euc|ks)[\w.:-]{0,30}", re.I | re.A
)
_QUOTED_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)"')
_MAILBOX = r'[^\s<>@,;:"()]+@[^\s<>@,;:"()]+'
_FROM = re.compile(
    rf'(?P<name>(?:{_QUOTED_STRING.pattern}|[^"<>,;:])*+)<\s*(?P<address>{_MAILBOX})\s*>'
    rf"|(?P<bare>{_MAILBOX})(?:\s*\([^()]*\))?"
)


@dataclass(frozen=True)
class _Part:
    """A mail or one of its parts."""

    fields: dict[str, list[str]]
    body: bytes

    def field(self, name: str) -> str:
        """The first header of this name, at most FIELD_CHARACTERS of it; "" where there is none."""
        return self.fields.get(name, [""])[0][:FIELD_CHARACTERS].strip()

    @property
    def kind(self) -> str:
        kind = self.field("content-type").partition(";")[0].strip().lower()
        return kind if "/" in kind else "text/plain"

    def parameter(self, name: str, of: str = "content-type") -> str:
        """Also one in pieces or with a charset of its own (RFC 2231)."""
        value = ""
        for found in _PARAMETER.finditer(self.field(of)):
            if found[1].lower() == name:
                piece = found[4].strip('"')
                value += piece.rpartition("'")[2] if found[2] or found[3] else piece
        return value

    @property
    def is_attachment(self) -> bool:
        disposition = self.field("content-disposition").lower()
        return disposition.startswith("attachment") or bool(self.parameter("filename", of="content-disposition"))

    def parts(self) -> list["_Part"]:
        boundary = self.parameter("boundary").encode(errors="replace")
        if not boundary:
            return []
        line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*$", re.MULTILINE)
        _before, *found = line.split(self.body, maxsplit=PARTS)
        parts = []
        for is_end, data in zip(found[::2], found[1::2], strict=True):
            if is_end:
                break
            parts.append(_part(data.removeprefix(b"\n")))
        return parts

    def text(self) -> str:
        """The body, decoded as well as it can be. No charset is certain: many programs name a wrong one."""
        data, encoding = self.body, self.field("content-transfer-encoding").lower()
        if encoding == "quoted-printable":
            data = binascii.a2b_qp(data)
        elif encoding == "base64":
            data = _NOT_BASE64.sub(b"", data)
            data = binascii.a2b_base64(data[: len(data) - (len(data) % 4 == 1)] + b"==")
        text = _decoded(data, self.parameter("charset"))
        return text.replace("\r\n", "\n").replace("\r", "\n")


def _part(data: bytes) -> _Part:
    head, _blank, body = (b"\n" + data.replace(b"\r\n", b"\n")).partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in _FOLD.sub(b"", head[:HEAD_BYTES]).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(name.decode("ascii", "replace").strip().lower(), []).append(_decoded(value, ""))
    return _Part(fields, body)


def _decoded(data: bytes, charset: str) -> str:
    """As the named charset, as UTF-8 or as Windows-1252, which most programs mean that name another."""
    charset = charset.lower()
    if not _CHARSET.fullmatch(charset) or charset in ("us-ascii", "ascii", "iso-8859-1", "latin1"):
        charset = "utf-8"
    attempts = [(charset, "strict"), ("utf-8", "strict")]
    if charset != "utf-8":
        attempts.append((charset, "replace"))
    for name, errors in attempts:
        try:
            return data.decode(name, errors)
        except (LookupError, ValueError):
            continue
    text = data.decode("utf-8", "replace")
    is_utf8 = any(char > "\x7f" and char != "\ufffd" for char in text)  # with a few broken characters
    return text if is_utf8 else data.decode("windows-1252", "replace")


def _words(field: str) -> str:
    """A header with its =?encoded?q?words?= decoded (RFC 2047)."""
    try:
        pieces = decode_header(field)
    except (HeaderParseError, ValueError):
        return field
    return "".join(
        piece
        if isinstance(piece, str)
        else _decoded(piece, charset)
        if charset
        else piece.decode("raw-unicode-escape", errors="replace")  # what decode_header() makes of all others
        for piece, charset in pieces
    )


def _sender(part: _Part) -> tuple[str, str]:
    """Name and address; two empty strings where it is not one sender with one address, beyond doubt."""
    given = part.fields.get("from", [])
    if len(given) != 1 or len(given[0]) > FIELD_CHARACTERS:
        return "", ""
    found = _FROM.fullmatch(given[0].strip())
    address = found and (found["address"] or found["bare"])
    if not address or len(address) > 254:
        return "", ""
    try:
        canonical = canonical_address(address)
    except ValueError:
        return "", ""
    name = found["name"] or ""
    outside = _QUOTED_STRING.sub("", name).strip()
    if "@" in outside and outside.lower() != address.lower():
        return "", ""  # a@example.org <b@example.org>: programs disagree whose it is
    name = _QUOTED_STRING.sub(lambda string: re.sub(r"\\(.)", r"\1", string[1]), name)
    return normalise_line(_words(name.strip())), canonical


# --- Written by a machine? ----------------------------------------------------------------------------------------

# At the very beginning: an answer to an article about being away begins with "Re:" or "AW:".
_AWAY = re.compile(
    r"(?:automatische (?:antwort|rückantwort|abwesenheits\w+)|abwesenheits(?:notiz|nachricht|meldung|assistent|info\w*)"
    r"|automatic reply|auto(?:matic)?[- ]?(?:reply|response)|autoreply|(?:i am |i'm )?out of (?:the )?office"
    r"|unzustellbar|undeliverable|undelivered mail|delivery status notification|mail delivery failed)"
    r"(?: autoreply| auto-reply)?(?:\s*[:(\[–-]|$)",
    re.IGNORECASE,
)


def _is_automatic(part: _Part, sender: str, subject: str) -> bool:
    """RFC 3834, its forerunners, and what Exchange and vacation programs say instead. A person whose program says
    nothing gets through."""

    def said(name: str) -> str:
        return part.field(name).partition(";")[0].strip().lower()

    suppressed = {word.strip() for word in part.field("x-auto-response-suppress").lower().split(",")}
    return (
        said("auto-submitted") not in ("", "no")
        or said("precedence") in ("bulk", "list", "junk", "auto_reply")
        or bool(suppressed & {"all", "oof", "autoreply"})
        or any(
            said(name) not in ("", "no")
            for name in ("x-autoreply", "x-autorespond", "x-auto-reply", "x-mail-autoreply", "x-autogenerated")
        )
        or "list-id" in part.fields
        or part.kind == "multipart/report"
        or any(path.strip() == "<>" for path in part.fields.get("return-path", []))
        or re.search(r"(?:^|[\s<])(?:mailer-daemon|postmaster)@", sender or part.field("from").lower()) is not None
        or _AWAY.match(subject) is not None
    )


# --- The text of the mail -----------------------------------------------------------------------------------------

# A line that a signature is made of but that no "-- " announces. Private use: no character of anyone's text.
_SIGNED = "\ue001"
_SIGNATURE = "--\ue000"  # the line "-- " of RFC 3676, which is no longer told from "--" once trailing spaces are gone

_CLEAR_SIGNED = re.compile(
    r"\s*-----BEGIN PGP SIGNED MESSAGE-----\n(?:[A-Z][\w-]*: [^\n]*\n)*+\n(.*?)\n-----BEGIN PGP SIGNATURE-----",
    re.DOTALL,
)


# Quick, and enough to choose a part by: shows_something() normalises, and parts may be asked once a layer.
_SEEN = re.compile(r"[^\s\x00-\x1f\x7f-\xa0\xad\u034f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


class _Reading:
    """What stands in a mail as plain text, with `> ` before quoted lines. One limit holds for all of its parts."""

    def __init__(self) -> None:
        self._tags = TAGS

    def text(self, part: _Part, layers: int = LAYERS) -> str:
        kind = part.kind
        if kind in ("multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"):
            raise Unreadable(_("Ihre Mail ist verschlüsselt. Bitte antworten Sie unverschlüsselt."))
        if kind.startswith("multipart/"):
            return self._texts(kind, part.parts() if layers else [], layers - 1)
        if part.is_attachment:
            return ""
        if kind == "text/html":
            page = _Page(part.text(), self._tags)
            self._tags -= page.tags
            return _looked_at(page.text)
        return self._plain(part) if kind == "text/plain" else ""

    def _texts(self, kind: str, parts: list[_Part], layers: int) -> str:
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
    def _plain(part: _Part) -> str:
        text = _looked_at(part.text())
        if text.lstrip().startswith("-----BEGIN PGP MESSAGE-----"):
            raise Unreadable(_("Ihre Mail ist verschlüsselt. Bitte antworten Sie unverschlüsselt."))
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


# --- HTML ---------------------------------------------------------------------------------------------------------

# No alternative goes beyond the next "<", or it goes to the end: so the whole takes linear time, whatever is in it.
_TOKEN = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"""|<(/?)([a-z][a-z0-9:]*+)((?:[^<>"']|"[^"<]*"|'[^'<]*')*+[^<>]*+)>"""
    r"|<[!?/][^<>]*+>",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(class|id|name|href|start)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE
)
_RAW = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "title", "template")}
_VOID = {"area", "base", "col", "embed", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
_BLOCKS = {"address", "article", "blockquote", "body", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2"}
_BLOCKS |= {"h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul"}
_PARAGRAPHS = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "pre", "table", "ul"}
_QUOTES = {"gmail_attr", "yahoo_quoted", "applemailquote", "protonmail_quote", "tutanota_quote", "outlookmessageheader"}
_QUOTES |= {"mail-editor-reference-message-container", "ms-outlook-mobile-reference-message", "olk_src_body_section"}
_SIGNATURES = {"gmail_signature", "moz-signature", "protonmail_signature_block", "signature", "applemailsignature"}
_SIGNATURES |= {"ms-outlook-mobile-signature", "composer_signature"}
_LONG_NUMBER = re.compile(r"&#[0-9]{8,}")  # unescape() raises ValueError beyond 4,300 digits
_SPACES = re.compile(r"[ \t\n\r\f]+")


@dataclass
class _Element:
    tag: str
    mark: str = ""  # before each of its lines
    apart: bool = False  # a blank line stands around it
    lists: int = 0  # it is in so many lists
    number: int | None = None  # of the next item of a numbered list
    link: tuple[str, int, int] | None = None  # address, and where in the text its words begin


class _Page:
    """HTML as lines of text, like a text-only browser's, with a mark before the lines of quotes and signatures."""

    def __init__(self, html: str, limit: int) -> None:
        self.tags = 0
        self._lines: list[str] = []
        self._pieces: list[str] = []  # of the line that is not yet complete
        self._open = [_Element("")]
        self._names: Counter[str] = Counter()
        self._bullet = ""
        self._gap = False
        self._length = 0
        self._feed(html, limit)
        self._end_line()

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def _feed(self, html: str, limit: int) -> None:
        position = 0
        while self.tags < limit:
            self.tags += 1
            found = _TOKEN.search(html, position)
            if not found or self._length > 2 * LOOKED_AT:
                self._add(html[position:])
                return
            self._add(html[position : found.start()])
            position = found.end()
            name = (found[2] or "").lower()
            if found[1]:
                self._close(name)
            elif name in _RAW:
                end = _RAW[name].search(html, position)
                if not end:
                    return
                position = end.start()
            elif name:
                self._begin(name, found[3])

    def _add(self, text: str) -> None:
        if "&" in text:
            text = unescape(_LONG_NUMBER.sub("\ufffd", text))
        if self._names["pre"]:
            *lines, text = text.split("\n")
            for line in lines:
                self._pieces.append(line)
                self._break()
        self._pieces.append(text)
        self._length += len(text)

    def _begin(self, tag: str, attributes: str) -> None:
        if tag == "br":
            self._break()
        elif tag in ("td", "th"):
            self._pieces.append(" ")
        if tag == "br" or tag in _VOID:
            return
        given = {name.lower(): a or b or c for name, a, b, c in _ATTRIBUTE.findall(attributes)} if attributes else {}
        names = {given.get("id", "").lower(), *given.get("class", "").lower().split()}
        around = self._open[-1]
        element = _Element(tag, around.mark, lists=around.lists)
        if tag == "blockquote" or names & _QUOTES or given.get("name") == "quote":  # the last is GMX and WEB.DE
            element.mark = "> "
        elif names & _SIGNATURES:
            element.mark = element.mark or _SIGNED
        elif "divrplyfwdmsg" in names and not element.mark:
            # Outlook: the quote's header lines. The quote follows, as nobody's child.
            self._end_line()
            for outer in self._open:
                outer.mark = "> "
            element.mark = "> "
        if tag in _BLOCKS or element.mark != around.mark:
            self._end_line()
        # Not around Word's paragraphs, and not around a list in a list.
        element.apart = tag in _PARAGRAPHS and "msonormal" not in names and not element.lists
        self._gap = self._gap or element.apart
        if tag == "li":
            self._bullet = "- "
            if around.number is not None:
                self._bullet = f"{around.number}. "
                around.number += 1
        elif tag in ("ul", "ol"):
            element.lists += 1
            if tag == "ol":
                start = given.get("start", "")
                element.number = int(start) if re.fullmatch(r"[0-9]{1,8}", start, re.ASCII) else 1
        elif tag == "a" and re.match(r"https?://", given.get("href", "")):
            element.link = (given["href"], len(self._lines), len(self._pieces))
        if tag != "hr":
            self._open.append(element)
            self._names[tag] += 1

    def _close(self, tag: str) -> None:
        if not self._names[tag]:
            return
        element = _Element("")
        while element.tag != tag:
            element = self._open[-1]
            if element.link:
                self._name_target(*element.link)
            if element.tag in _BLOCKS or element.mark != self._open[-2].mark:
                self._end_line()
            self._gap = self._gap or element.apart
            self._open.pop()
            self._names[element.tag] -= 1

    def _name_target(self, href: str, line: int, piece: int) -> None:
        """Where a link leads is part of what was written, unless the words already say it."""
        href = unescape(_LONG_NUMBER.sub("", href))
        words = "".join(self._pieces[piece:]).strip() if line == len(self._lines) else ""
        if words and _bare_address(words) != _bare_address(href) and "@" not in words:
            self._pieces.append(f" ({href})")

    def _break(self) -> None:
        self._end_line() or self._lines.append("")

    def _end_line(self) -> bool:
        """Puts down the line that was begun; False if there was none."""
        line = _SPACES.sub(" ", "".join(self._pieces)).strip(" ")
        self._pieces = []
        if not line:
            return False
        element = self._open[-1]
        mark = element.mark
        line = line.replace("\xa0", " ").strip()
        if self._gap and self._lines and self._lines[-1].strip("> " + _SIGNED):
            self._lines.append(mark)
        self._gap = False
        if line == "--":
            line, mark = "-- ", "> " if mark == "> " else ""
        if element.lists and line:
            indent = "  " * (min(element.lists, 5) - 1)
            line = indent + (self._bullet or "  ") + line
            self._bullet = ""
        self._lines.append(mark + line)
        return True


def _bare_address(url: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", url.lower()).rstrip("/")


# --- The quote ----------------------------------------------------------------------------------------------------

_DASH = r"[*_]{0,2}(?:[-‐-―−﹘﹣－]{1,3}|â€“|&ndash;|\ufffd{1,3}|\?)[*_]{0,2}"
_GAP = r"[\s>|]{1,40}"  # within a line that a mail program broke; the marks are those of quotes


def _broken(*words: str) -> str:
    return f"{_DASH}[\\s>|]{{0,40}}{_GAP.join(words)}[\\s>|]{{0,40}}{_DASH}"


# In both languages, whatever the site's: a mail may be older than the setting.
_DELIMITER = re.compile(
    _broken("Bitte", r"(?:ü|ue|Ã¼|\?|\ufffd{1,2})ber", "dieser", "Zeile", "antworten")
    + "|"
    + _broken("Please", "reply", "above", "this", "line"),
    re.IGNORECASE,
)
_QUOTE_MARK = re.compile(r"\s*([A-Za-z]{0,4}>|\|)")  # The Bat! writes initials before it

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


def _written(text: str) -> str:
    """What is left of a mail's text without quote and signature; raises Unreadable if nothing is."""
    text = normalise(re.sub("^-- $", _SIGNATURE, text, flags=re.MULTILINE))[:LOOKED_AT]
    if not shows_something(text):
        raise Unreadable(_("Ihre Mail enthält keinen Text."))
    text = _RUN_ON.sub(r"\1\n", _BROKEN_ADDRESS.sub(r"\1>", text))
    above, marks, is_cut = _above_delimiter(text)
    lines = above.split("\n")
    headers = _headers_by_package(lines, marks) if above == text else {}
    lines, is_bare = _above_bare_quote(lines, marks, headers, is_cut)
    stretches = list(_stretches(lines, marks, is_cut or is_bare))
    for gently in (False, True):
        found = "\n\n".join("\n".join(_without_signature(stretch, gently)).strip("\n") for stretch in stretches)
        found = _undecorated(found)
        if shows_something(found):
            return found
    raise Unreadable(_("In Ihrer Mail steht nichts Neues. Bitte schreiben Sie Ihre Antwort über das Zitat."))


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
            end = headers.get(index) or _header_end(lines, index)
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
    """Where mail-parser-reply finds headers of quotes, as first line: line after the last. Empty if it takes too long.

    Only the places are taken from it: its texts have lost their indentation, and lists that begin with hyphens.
    """
    text = "\n".join(line for line in lines if not _is_quoted(line, marks))
    if not _PERHAPS_HEADER.search(text):
        return {}
    try:
        asked = subprocess.run(
            [sys.executable, "-I", "-c", _ASK], input=text.encode(), capture_output=True, timeout=PATIENCE
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    where = {line.strip(): index for index, line in reversed(list(enumerate(lines)))}
    found = {}
    for header in asked.stdout.decode(errors="replace").split("\0"):
        first, *rest = header.split("\n")
        if first in where and _is_certain(header) and _ADDRESS.search(header):
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
        length = _attribution_length(lines[max(end - 16, 0) : end], is_quote_next)
        if not length:
            break
        end -= length
    return lines[:end]


def _attribution_length(lines: list[str], is_quote_next: bool) -> int:
    """How many of the last lines say whom and what the next ones quote."""
    if not lines:
        return 0
    last = lines[-1].strip()
    if _RULE.fullmatch(last) or _ORIGINAL.fullmatch(last):
        return 1
    if last.endswith(":") or _CLOCK.search(last) or (len(lines) > 1 and _CLOCK.search(lines[-2])):
        for pattern, most in ((_DATED, 4), (_ATTRIBUTION, 2)):
            for count in range(1, min(most, len(lines)) + 1):
                words = _joined(lines[-count:])
                # Some leave out the colon.
                if pattern.fullmatch(words) and is_quote_next + _is_certain(words) + words.endswith(":") >= 2:
                    return count
    for start, line in enumerate(lines):
        if _LABEL.match(line):
            end = _labels_end(lines, start)
            if end is not None and len(lines) - end <= 1:  # the last value may go on for a line
                return len(lines) - start
    return 0


def _header_end(lines: list[str], start: int) -> int | None:
    """The line after the header of a quote that begins at `start`; None if none does, beyond doubt."""
    if _ORIGINAL.fullmatch(lines[start].strip()):
        below = next((index for index in range(start + 1, min(start + 4, len(lines))) if lines[index]), start)
        return _labels_end(lines, below) or start + 1
    if _LABEL.match(lines[start]):
        return _labels_end(lines, start)
    if re.match(r"\s*(?:Am|On)\s", lines[start]):
        for count in (1, 2, 3):
            words = _joined(lines[start : start + count])
            if _DATED.fullmatch(words) and words.endswith(":") and _is_certain(words):
                return start + count
    return None


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


def _joined(lines: list[str]) -> str:
    """Lines as the one that they were before a mail program broke it; "" where they cannot be one."""
    return " ".join(line.strip() for line in lines) if all(lines) and sum(map(len, lines)) < 600 else ""


def _is_certain(words: str) -> bool:
    """With a date and a time or an address: no sentence of the person's own."""
    return bool(_DAY.search(words) and (_CLOCK.search(words) or _ADDRESS.search(words)))


# --- Signature and decoration -------------------------------------------------------------------------------------

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


def _without_signature(lines: list[str], gently: bool) -> list[str]:
    """`gently`: only what is announced by the line that RFC 3676 has for it, and what programs add."""
    if _SIGNATURE in lines:
        lines = lines[: lines.index(_SIGNATURE)]
    if gently:
        lines = [line.removeprefix(_SIGNED) for line in lines]
    else:
        lines = [line for line in lines if not line.startswith(_SIGNED)]
        block = list(takewhile(bool, reversed(lines)))[: SIGNATURE_LINES + 1]
        for index in range(len(lines) - len(block), len(lines)):
            if _BARE.fullmatch(lines[index]) and any(lines[:index]):
                lines = lines[:index]
                break
    end = len(lines)
    while end:
        # Its line may have been broken in two.
        added = next((n for n in (1, 2) if n <= end and _CLIENT.fullmatch(_joined(lines[end - n : end]))), 0)
        if lines[end - 1] and not added:
            break
        end -= added or 1
    if end < len(lines) and end and _BARE.fullmatch(lines[end - 1]):
        end -= 1
    return lines[:end]


def _undecorated(text: str) -> str:
    text = _PLACEHOLDER.sub("", re.sub("[\ue000\ue001]", "", text))
    text = _SAID_TWICE.sub(
        lambda found: found[1] if _bare_address(found[1]) == _bare_address(found[2]) else found[0], text
    )
    text = _BULLET.sub(r"\1- ", text)
    return re.sub(r"\n{3,}", "\n\n", normalise(dedent(text))).strip()
