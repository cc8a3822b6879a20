"""Text -> safe HTML; the only place that makes HTML out of what people wrote.

A comment takes this way: size cap -> normalise -> Markdown -> bleach, where there is more than words and bare tags ->
nh3. Nothing touches the HTML after nh3.

Of Python-Markdown we use the block parser, its tree and its hooks, with processors of our own. Measured with 3.11.3,
a few kB of `[`, `![`, `<a ` or `a\\n=\\n` keep the library's own busy for seconds, and 991 bytes of `- ` end in a
RecursionError. Here every processor is linear in the text (newsroom.text.blocks has those of blocks).
"""

import re
import xml.etree.ElementTree as etree
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import nh3
from bleach.sanitizer import Cleaner
from django.conf import settings
from django.utils.encoding import iri_to_uri
from django.utils.html import linebreaks
from markdown import Markdown
from markdown.blockparser import BlockParser
from markdown.blockprocessors import EmptyBlockProcessor, ParagraphProcessor
from markdown.extensions.tables import TableProcessor
from markdown.preprocessors import NormalizeWhitespace
from markdown.treeprocessors import Treeprocessor
from markdown.util import Registry

from newsroom.text.blocks import Fence, Heading, List, Quote, Rule
from newsroom.text.characters import normalise, normalise_line
from newsroom.text.links import web_address

COMMENT_LIMIT = 5_000  # characters, a line break counting as one
ARTICLE_LIMIT = 200_000
# bleach parses in Python, 20 to 45 µs a tag and 10 µs an entity: this many take about 8 of the 50 ms that C2 allows.
# A comment that would have more tags and entities, or has more lines, is shown as it was written.
MARKUP_LIMIT = 200


class TooLong(ValueError):
    """The text is longer than its limit."""


# --- Within a block ----------------------------------------------------------------------------------------------

_CODE = r"(?<!`)(?P<ticks>`{1,3})(?!`)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
_MARK = r"(?P<mark>(?<!\*)\*{1,3}(?!\*)|(?<!_)_{1,3}(?!_))"
_BREAK = r"(?P<break>\n)"
_URL = r"(?P<url>(?<![\w@./])(?i:https?://|www\.)[^\s<>\"`„“”«»‹›]+)"
_TARGET = r"\[(?P<label>[^\[\]\n]*)\]\((?P<target>%s(?:[^\s()]|\([^\s()]*\))+)"
# What editors ask about some words; both lengths are bounded, and neither part can begin another question.
_QUESTION = r"\[\[(?P<words>[^\[\]]{1,600})\]\]\{(?P<question>[^{}\n]{1,300})(?P<ask>\})"
_TAGS = {1: ("em",), 2: ("strong",), 3: ("strong", "em")}


class _Piece(NamedTuple):
    kind: str  # text, or the name of the group that matched last: code, break, mark, url, link, escaped, ask
    text: str
    found: re.Match[str] | None = None


class _Inline(Treeprocessor):
    """Emphasis, code, line breaks and links within a block's text.

    One pass from left to right, and one over the emphasis marks found. It stands in for the library's inline engine,
    which scans the text again for every pattern and every failed start.
    """

    token = re.compile(
        "|".join([_CODE, "!?" + _TARGET % "(?i:https?://)" + r"(?P<link>\))", _URL, _MARK, _BREAK]), re.DOTALL
    )
    outside: dict[str, str] = {}  # attributes of a link to another site

    def run(self, root: etree.Element) -> None:
        for node in list(root.iter()):
            if node.text and node.tag != "code":
                out = etree.TreeBuilder()
                out.start(node.tag, {})
                self.write(out, node.text)
                out.end(node.tag)
                filled = out.close()
                node.text = filled.text
                node[:0] = list(filled)

    def write(self, out: etree.TreeBuilder, text: str, linked: bool = False) -> None:
        """`linked`: we are within a link already."""
        pieces = list(self.pieces(text))
        starts, ends = _emphasis(pieces)
        for place, piece in enumerate(pieces):
            if place in starts:
                for tag in _TAGS[len(piece.text)]:
                    out.start(tag, {})
            elif place in ends:
                for tag in reversed(_TAGS[len(piece.text)]):
                    out.end(tag)
            elif piece.kind == "code":
                _add(out, "code", piece.found["code"].strip())
            elif piece.kind == "break":
                _add(out, "br")
            elif piece.kind == "url" and not linked:
                self.write_url(out, piece.text)
            elif piece.kind == "link":
                self.write_link(out, piece.found)
            elif piece.kind == "ask":
                self.write_question(out, piece.found)
            else:
                out.data(piece.text)

    def pieces(self, text: str) -> Iterator[_Piece]:
        place = 0
        while found := self.token.search(text, place):
            if found.start() > place:
                yield _Piece("text", text[place : found.start()])
            kind, content = found.lastgroup, found[0]
            if kind == "url":
                # What is cut from its end may be the mark that ends an emphasis: the search goes on right there.
                content = _without_punctuation(content)
            elif kind == "code" and not found["code"].strip():
                kind, content = "text", found["ticks"]
            place = found.start() + len(content)
            yield _Piece(kind, content, found)
        yield _Piece("text", text[place:])

    def write_url(self, out: etree.TreeBuilder, url: str) -> None:
        address = web_address(url if "://" in url else f"https://{url}")
        if address:
            _add(out, "a", address.shown, href=address.href, **self.outside)
        else:
            out.data(url)

    def write_link(self, out: etree.TreeBuilder, found: re.Match[str]) -> None:
        """`[text](address)` as "text (address)": what is linked is the address, to be seen (C5)."""
        label, target = found["label"].strip(), found["target"]
        if label in ("", target):
            self.write_url(out, target)
        elif web_address(target):
            self.write(out, label, linked=True)
            out.data(" (")
            self.write_url(out, target)
            out.data(")")
        else:
            out.data(found[0])

    def write_question(self, out: etree.TreeBuilder, found: re.Match[str]) -> None:
        """Only editors ask: a comment has no token for it."""
        out.data(found[0])


class _ArticleInline(_Inline):
    """For editors: links keep their text, images are shown, a backslash takes a mark's meaning away, and
    `[[words]]{question}` puts a question to the readers."""

    token = re.compile(
        "|".join(
            [
                r"\\(?P<escaped>[\\`*_\[\]()#+.!<>|~-])",
                _CODE,
                _QUESTION,
                "(?P<bang>!?)" + _TARGET % "" + r"(?:[ ]+\"(?P<title>[^\"\n]*)\")?(?P<link>\))",
                _URL,
                _MARK,
                _BREAK,
            ]
        ),
        re.DOTALL,
    )
    outside = {"rel": "noopener"}

    def pieces(self, text: str) -> Iterator[_Piece]:
        for piece in super().pieces(text):
            yield _Piece("text", piece.text[1:]) if piece.kind == "escaped" else piece

    def write_link(self, out: etree.TreeBuilder, found: re.Match[str]) -> None:
        href = _editors_target(found["target"])
        if found["bang"] and href and not href.startswith(("#", "mailto:")):
            _add(out, "img", src=href, alt=found["label"], title=found["title"] or "")
        elif found["bang"] or not href:
            out.data(found[0])
        else:
            out.start("a", {"href": href} | (self.outside if href.startswith("http") else {}))
            self.write(out, found["label"], linked=True)
            out.end("a")

    def write_question(self, out: etree.TreeBuilder, found: re.Match[str]) -> None:
        words, question = found["words"].strip(), found["question"].strip()
        if not words or not question:
            out.data(found[0])
            return
        out.start("mark", {"title": question})
        self.write(out, words, linked=True)  # the page makes a link of all of it (articles.passages)
        out.end("mark")


def _emphasis(pieces: list[_Piece]) -> tuple[set[int], set[int]]:
    """Where emphasis begins and ends: pairs of equal marks, never two of the same kind within each other.

    Not within a word, for `*` as for `_`: "Leser*innen und Autor*innen" is German. Nor after a backslash: ¯\\_(ツ)_/¯.
    """
    starts, ends = set(), set()
    opened: dict[str, int] = {}
    for place, piece in enumerate(pieces):
        if piece.kind != "mark":
            continue
        text, start, end = piece.found.string, piece.found.start(), piece.found.end()
        before, after = text[start - 1 : start], text[end : end + 1]
        if piece.text in opened and not before.isspace() and not after.isalnum():
            partner = opened[piece.text]
            starts.add(partner)
            ends.add(place)
            opened = {mark: at for mark, at in opened.items() if at < partner}
        elif after and not after.isspace() and not before.isalnum() and before != "\\":
            opened[piece.text] = place
    return starts, ends


def _without_punctuation(url: str) -> str:
    """The address without what belongs to the sentence around it: "(see https://example.org/a_(b))."."""
    surplus = {bracket: url.count(bracket) - url.count(opening) for opening, bracket in ("()", "[]", "{}")}
    end = len(url)
    while end and (url[end - 1] in ".,:;!?'’‘‚…*_~" or surplus.get(url[end - 1], 0) > 0):
        end -= 1
        if url[end] in surplus:
            surplus[url[end]] -= 1
    return url[:end]


def _editors_target(target: str) -> str | None:
    """Where an article may link to: the web, this site, a passage, a mail address."""
    is_ours = target.startswith(f"{settings.SITE_URL}/") and "\\" not in target  # "localhost", too
    if is_ours or re.fullmatch(r"/(?![/\\])[^\\]*|#[\w-]+|mailto:[^@]+@[^@]+", target):
        return iri_to_uri(target)
    address = web_address(target)
    return address and address.href


def _add(out: etree.TreeBuilder, tag: str, text: str = "", **attributes: str) -> None:
    out.start(tag, {name: value for name, value in attributes.items() if value or name == "alt"})
    out.data(text)
    out.end(tag)


# --- Documents ---------------------------------------------------------------------------------------------------


class _Text(Markdown):
    """Markdown with the processors a comment needs, and no other."""

    # Python-Markdown's serializers leave `&lt;` alone; we show what was written.
    output_formats = {"html": partial(etree.tostring, encoding="unicode", method="html")}

    def build_parser(self) -> Markdown:
        self.preprocessors, self.treeprocessors, self.postprocessors = Registry(), Registry(), Registry()
        self.preprocessors.register(NormalizeWhitespace(self), "whitespace", 10)
        self.parser = BlockParser(self)
        blocks = self.parser.blockprocessors
        blocks.register(EmptyBlockProcessor(self.parser), "empty", 100)
        blocks.register(Fence(self.parser), "fence", 90)
        blocks.register(Quote(self.parser), "quote", 50)
        blocks.register(List(self.parser), "list", 40)
        blocks.register(ParagraphProcessor(self.parser), "paragraph", 10)
        self.treeprocessors.register(_Inline(self), "inline", 20)
        return self


class _Article(_Text):
    """The same, with headings, rules, tables, and images."""

    def build_parser(self) -> Markdown:
        super().build_parser()
        blocks = self.parser.blockprocessors
        blocks.register(Heading(self.parser), "heading", 80)
        blocks.register(Rule(self.parser), "rule", 70)
        blocks.register(TableProcessor(self.parser, {"use_align_attribute": True}), "table", 60)
        self.treeprocessors.register(_ArticleInline(self), "inline", 20)
        self.treeprocessors.register(_Figures(self), "figures", 10)
        self.treeprocessors.register(_Passages(self), "passages", 0)
        return self


class _Figures(Treeprocessor):
    """An image alone in its paragraph is a figure; its title is the caption."""

    def run(self, root: etree.Element) -> None:
        for block in root:
            if block.tag == "p" and [child.tag for child in block] == ["img"] and not (block.text or block[0].tail):
                block.tag = "figure"
                if caption := block[0].attrib.pop("title", None):
                    etree.SubElement(block, "figcaption").text = caption


class _Passages(Treeprocessor):
    """Numbers the blocks of an article, so that a comment can be tied to one and a link can lead to it."""

    def run(self, root: etree.Element) -> None:
        passages = (block for block in root if block.tag in _PASSAGE_TAGS)
        for number, block in enumerate(passages, start=1):
            block.set("id", f"absatz-{number}")


_COMMENT_TAGS = {"p", "br", "em", "strong", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
_COMMENT_GATE = nh3.Cleaner(
    tags=_COMMENT_TAGS,
    attributes={"a": {"href"}, "li": {"value"}},
    url_schemes={"http", "https"},
    url_relative="deny",
    link_rel="nofollow ugc noopener",
)


# Most comments are words between tags without attributes: nothing that bleach, which takes a third of the time of
# storing them, could find.
_BARE_TAG = re.compile(f"</?(?:{'|'.join(_COMMENT_TAGS - {'a'})})>")
_ODD = re.compile("[<>&]")


def comment_html(text: str) -> str:
    """A comment's text as safe HTML, ready for mark_safe.

    Raises TooLong above `COMMENT_LIMIT` characters and nothing else; takes at most 50 ms for any text (C2). Meant to
    run once, when the comment is stored.
    """
    text = _capped(text, COMMENT_LIMIT)
    html = _Text(output_format="html").convert(text) if _is_modest(text) else None
    if html is None or html.count("<") + html.count("&") > MARKUP_LIMIT:
        return _COMMENT_GATE.clean(linebreaks(text, autoescape=True))
    if not _ODD.search(_BARE_TAG.sub("", html)):
        return _COMMENT_GATE.clean(html)
    # Cleaner is made anew each time: it keeps its parser's state and is not safe between threads.
    bleach = Cleaner(tags=_COMMENT_TAGS, attributes={"a": ["href"], "li": ["value"]}, protocols={"http", "https"})
    return _COMMENT_GATE.clean(bleach.clean(html))


def _is_modest(text: str) -> bool:
    """Whether it is worth parsing: counting is cheaper than making tags that bleach could not take in time."""
    lines_and_links = sum(map(text.lower().count, ("\n", "://", "www.")))
    return lines_and_links <= MARKUP_LIMIT and sum(map(text.count, "*_`[")) <= 4 * MARKUP_LIMIT


_PASSAGE_TAGS = {"p", "h2", "h3", "h4", "blockquote", "ul", "ol", "pre", "table", "figure"}
_ARTICLE_ATTRIBUTES = {
    "a": {"href", "rel"},
    "img": {"src", "alt", "title"},
    "li": {"value"},
    "mark": {"title"},
    "th": {"align"},
    "td": {"align"},
}


def _article_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "id" and not re.fullmatch(r"absatz-[0-9]+", value):
        return None
    if name == "src" and not re.match(r"https?://|/(?![/\\])", value):
        return None
    return value


_ARTICLE_GATE = nh3.Cleaner(
    tags=_COMMENT_TAGS | _PASSAGE_TAGS | {"hr", "thead", "tbody", "tr", "th", "td", "img", "figcaption", "mark"},
    attributes=_ARTICLE_ATTRIBUTES | {tag: {"id"} for tag in _PASSAGE_TAGS},
    attribute_filter=_article_attribute,
    set_tag_attribute_values={"img": {"loading": "lazy"}},
    url_schemes={"http", "https", "mailto"},
    link_rel=None,
)


def article_html(source: str) -> str:
    """An article's Markdown as safe HTML, ready for mark_safe; its blocks are numbered `id="absatz-1"` and on, and
    words with a question are `<mark title="question">`.

    Raises TooLong above `ARTICLE_LIMIT` characters. Written by editors, so its time grows with its length and is
    not bounded as a comment's is.
    """
    return _ARTICLE_GATE.clean(_Article(output_format="html").convert(_capped(source, ARTICLE_LIMIT)))


def without_questions(source: str) -> str:
    """An article's Markdown with the words alone where editors ask something about them."""
    return re.sub(_QUESTION, r"\g<words>", source)


def _capped(text: str, limit: int) -> str:
    """The text normalised. The length is checked on both sides: before anything reads it, and since NFC may grow it."""
    # Browsers count a line break as one character and send two.
    if len(text) - text.count("\r\n") > limit:
        raise TooLong(limit)
    text = normalise(text)
    if len(text) > limit:
        raise TooLong(limit)
    return text


_LEADING_MARKS = re.compile(r"^[> ]*(?:(?:[-*+]|#{1,6}) +)?|^(?:`{3,}|~{3,}).*$", re.MULTILINE)
_PAIRED_MARKS = re.compile(r"(?<![\w*_])[*_]{1,3}(?=[^\s*_])|(?<=[^\s*_])[*_]{1,3}(?![\w*_])|`+")


def excerpt(text: str, length: int) -> str:
    """The first words of a text on one line, at most `length` characters, for subjects and feeds. Not HTML."""
    line = normalise_line(_PAIRED_MARKS.sub("", _LEADING_MARKS.sub("", normalise(text))))
    if len(line) <= length:
        return line
    cut = line[: length - 1]
    return (cut.rsplit(" ", 1)[0] if " " in cut else cut[:-1]) + " …"
