"""HTML as the lines of text that a text-only browser would show, with a mark before those of quotes and signatures.

It takes time in proportion to the page. Measured with Python 3.11 on a small machine: html.parser takes 5.5 s for 20 kB
of `<a `, nh3 4 s for 37 kB that open and close formatting.
"""

import re
from collections import Counter
from dataclasses import dataclass
from html import unescape

QUOTED = "> "
SIGNED = "\ue001"  # a signature that no "-- " announces. Private use: no character of anyone's text

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


class Page:
    """What comes after so many tags or characters is not read."""

    def __init__(self, html: str, *, most_tags: int, most_characters: int) -> None:
        self.tags = 0
        self._lines: list[str] = []
        self._pieces: list[str] = []  # of the line that is not yet complete
        self._open = [_Element("")]
        self._names: Counter[str] = Counter()
        self._bullet = ""
        self._gap = False
        self._length = 0
        self._feed(html, most_tags, most_characters)
        self._end_line()

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def _feed(self, html: str, most_tags: int, most_characters: int) -> None:
        position = 0
        while self.tags < most_tags:
            self.tags += 1
            found = _TOKEN.search(html, position)
            if not found or self._length > most_characters:
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
            element.mark = QUOTED
        elif names & _SIGNATURES:
            element.mark = element.mark or SIGNED
        elif "divrplyfwdmsg" in names and not element.mark:
            # Outlook: the quote's header lines. The quote follows, as nobody's child.
            self._end_line()
            for outer in self._open:
                outer.mark = QUOTED
            element.mark = QUOTED
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
        if words and bare_address(words) != bare_address(href) and "@" not in words:
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
        if self._gap and self._lines and self._lines[-1].strip(QUOTED + SIGNED):
            self._lines.append(mark)
        self._gap = False
        if line == "--":
            line, mark = "-- ", QUOTED if mark == QUOTED else ""
        if element.lists and line:
            indent = "  " * (min(element.lists, 5) - 1)
            line = indent + (self._bullet or "  ") + line
            self._bullet = ""
        self._lines.append(mark + line)
        return True


def bare_address(url: str) -> str:
    return re.sub(r"^(?:https?://)?(?:www\.)?", "", url.lower()).rstrip("/")
