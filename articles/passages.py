"""Stretches of an article: which words they are, where they stand after an edit, how the page marks them.

A passage is named like a W3C text quote selector: its words and what stands around them, within one block. Blocks are
numbered when the article's HTML is made (newsroom.markup). All texts here are one line, every white space one space,
so that a browser's line breaks, non-breaking spaces and soft hyphens make no difference.
"""

import html
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import accumulate, islice, pairwise
from os.path import commonprefix
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from newsroom.text.characters import normalise_line

QUOTE_LIMIT = 600  # characters of a passage; a longer choice is cut, never refused
CONTEXT = 32  # characters kept on each side, to tell the same words in two places apart
RAW_LIMIT = 4 * QUOTE_LIMIT  # of what an address says; the rest is never read
# Elsewhere the surroundings must fit by so many characters more: a comma put beside the words moves nobody.
LOYALTY = 8
# Words and what fits around them, together: "Russland" alone stands in every other paragraph, by chance.
CERTAIN = 16
# Of words that stand everywhere only so many places are compared; of pairs of words that do, none.
PLACES, COMMON = 50, 100

_BLOCK = re.compile(r'<(\w+) id="absatz-[0-9]+">')
_TAG = re.compile(r'</?(\w+)[^>"]*(?:"[^"]*"[^>"]*)*>')
_WITHIN_A_LINE = {"a", "b", "code", "em", "img", "mark", "span", "strong"}
_MARK = re.compile(r'<mark title="([^"]*)">(.*?)</mark>', re.DOTALL)
_CODE = re.compile(r"<code>.*?</code>", re.DOTALL)
_UNREAD = re.compile(r"\[\[.{1,700}?\]\]\{[^}]{0,400}\}?")
_END_OF_TEXT = re.compile(r"(?:</(?:p|li|ul|ol|blockquote)>\s*)+(?:<hr>\s*)*$")
_END_OF_BLOCK = re.compile(r"(?:\s*<hr>)*\s*$")


class Quote(NamedTuple):
    block: int | None  # 1 for the first block, as in the anchor #absatz-1
    exact: str
    prefix: str = ""
    suffix: str = ""


# --- What an article says, block by block ------------------------------------------------------------------------


def block_texts(article_html: str) -> list[str]:
    """The plain text of each block; that of block n is at n - 1."""
    return [_plain(block) for block in _blocks(article_html)]


def questions(article_html: str) -> list[tuple[Quote, str]]:
    """What editors ask about which words, in the order of the text."""
    found = []
    for number, block in enumerate(_blocks(article_html), start=1):
        text = _plain(block) if "<mark" in block else ""
        for mark in _MARK.finditer(block):
            found.append((_quote_of(mark, number, text), html.unescape(mark[1])))
    return found


def pick(
    article_html: str, *, block: int, exact: str = "", before: str = "", after: str = "", or_all: bool = True
) -> Quote | None:
    """What somebody chose: these words in this block or, if the article was changed meanwhile, elsewhere; the whole
    block where they stand nowhere, unless that is not wanted (`or_all`). None if there is no such block.

    Takes any text. `before` and `after` only tell the same words in two places apart; what is kept of the
    surroundings is the article's own text.
    """
    texts = block_texts(article_html)
    words = _cut(normalise_line(exact[:RAW_LIMIT]))
    wanted = Quote(block, words, _context(before[-RAW_LIMIT:])[-CONTEXT:], _context(after[:RAW_LIMIT])[:CONTEXT])
    places = Places(texts)
    place = places.exactly(wanted) if words else None
    if place is None or not (place[0] == block or places.is_certain(place, wanted)):
        if not (or_all and 1 <= block <= len(texts) and texts[block - 1]):
            return None
        place, words = (block, 0), _cut(texts[block - 1])
    number, start = place
    return _quote(number, texts[number - 1], start, words)


def is_all_of(article_html: str, quote: Quote) -> bool:
    """Whether it is the whole of its block, or as much of it as is quoted."""
    return quote.block is not None and quote == pick(article_html, block=quote.block)


def is_cut(exact: str) -> bool:
    """Whether somebody chose more than is quoted."""
    return len(normalise_line(exact[:RAW_LIMIT])) > QUOTE_LIMIT


def unread_questions(article_html: str) -> list[str]:
    """What looks like a question about a passage and is shown to readers as it was written."""
    texts = block_texts(_CODE.sub("", article_html))
    return [found[0] for text in texts for found in _UNREAD.finditer(text)]


def _blocks(article_html: str) -> list[str]:
    starts = [found.start() for found in _BLOCK.finditer(article_html)]
    return [article_html[start:end] for start, end in pairwise([*starts, len(article_html)])]


def _plain(fragment: str) -> str:
    """As one line; what ends a line or a cell is a space."""
    spaced = _TAG.sub(lambda tag: "" if tag[1] in _WITHIN_A_LINE else " ", fragment)
    return " ".join(html.unescape(spaced).split())


def _quote_of(mark: re.Match[str], block: int, text: str) -> Quote:
    exact = _plain(mark[2])
    start = text.find(exact, len(_plain(mark.string[: mark.start()])))
    return _quote(block, text, start, exact)


def _quote(block: int, text: str, start: int, exact: str) -> Quote:
    end = start + len(exact)
    return Quote(block, exact, text[max(start - CONTEXT, 0) : start], text[end : end + CONTEXT])


def _context(text: str) -> str:
    """As one line whose ends keep their space, if they have one."""
    return normalise_line(f"|{text}|")[1:-1]


def _cut(text: str) -> str:
    """At most QUOTE_LIMIT characters, not ending within a word if that can be helped."""
    if len(text) <= QUOTE_LIMIT:
        return text
    return text[: QUOTE_LIMIT + 1].rpartition(" ")[0] or text[:QUOTE_LIMIT]


# --- Finding them again --------------------------------------------------------------------------------------------


class Places:
    """Where quotes stand in a text. Made once, asked for every passage of an article.

    Measured: 1,000 passages of an article of 200,000 characters take 0.15 s if their words are there and 0.3 s if each
    was changed.
    """

    def __init__(self, texts: list[str]) -> None:
        self.texts = texts
        self.whole = "\n".join(texts)  # no text has a line break, so no quote is found across two
        self.starts = [0, *accumulate(len(text) + 1 for text in texts)]

    def block(self, quote: Quote) -> int | None:
        """The block in which the words stand now, or most of them; None if they are gone."""
        place = self.exactly(quote)
        return place[0] if place and self.is_certain(place, quote) else self.roughly(quote)

    def exactly(self, quote: Quote) -> tuple[int, int] | None:
        """Block and start of the occurrence whose surroundings fit best, the own block and then the nearest first."""

        def rank(at: int) -> tuple[int, int, int]:
            block = bisect_right(self.starts, at)
            loyalty = LOYALTY if block == quote.block else 0
            return self._fit(at, quote) + loyalty, -abs(block - (quote.block or block)), -at

        at = max(self._occurrences(quote), key=rank, default=None)
        if at is None:
            return None
        block = bisect_right(self.starts, at)
        return block, at - self.starts[block - 1]

    def is_certain(self, place: tuple[int, int], quote: Quote) -> bool:
        """Whether enough fits for it to be no chance; all of it, where there is not more."""
        block, start = place
        fitting = len(quote.exact) + self._fit(self.starts[block - 1] + start, quote)
        return fitting >= min(CERTAIN, len(quote.exact) + sum(map(len, _with_ends(quote))))

    def roughly(self, quote: Quote) -> int | None:
        """The block that holds more than half of the quote's pairs of neighbouring words.

        A few words have few pairs: if one of two words was changed, what was said about them is about an earlier
        version.
        """
        neighbours = _words(quote.prefix)[-1:], _words(quote.exact), _words(quote.suffix)[:1]
        pairs = set(pairwise([word for words in neighbours for word in words]))
        votes = Counter(block for pair in pairs for block in self._blocks_of_pairs.get(pair, ()))
        best = max(votes, key=lambda block: (votes[block], -abs(block - (quote.block or block))), default=None)
        return best if best is not None and 2 * votes[best] > len(pairs) else None

    def _occurrences(self, quote: Quote) -> Iterator[int]:
        """With all that stood around them; then in the own block; then everywhere. So a bound on their number never
        hides the obvious one."""
        with_context = self.whole.find(quote.prefix + quote.exact + quote.suffix)
        if with_context >= 0:
            yield with_context + len(quote.prefix)
        if quote.block is not None and 1 <= quote.block <= len(self.texts):
            start = self.starts[quote.block - 1]
            yield from islice(self._found(quote.exact, start, start + len(self.texts[quote.block - 1])), PLACES)
        yield from islice(self._found(quote.exact, 0, len(self.whole)), PLACES)

    def _found(self, exact: str, start: int, end: int) -> Iterator[int]:
        while (start := self.whole.find(exact, start, end)) >= 0:
            yield start
            start += 1

    def _fit(self, at: int, quote: Quote) -> int:
        """How many characters around the words are those of the quote; its block's beginning and end count too."""
        end = at + len(quote.exact)
        before = "\n" + self.whole[max(at - CONTEXT, 0) : at] if at < CONTEXT else self.whole[at - CONTEXT : at]
        after = self.whole[end : end + CONTEXT] + "\n"
        prefix, suffix = _with_ends(quote)
        return len(commonprefix([before[::-1], prefix[::-1]])) + len(commonprefix([after, suffix]))

    @cached_property
    def _blocks_of_pairs(self) -> dict[tuple[str, str], set[int]]:
        blocks = defaultdict(set)
        for number, text in enumerate(self.texts, start=1):
            for pair in pairwise(_words(text)):
                blocks[pair].add(number)
        return {pair: numbers for pair, numbers in blocks.items() if len(numbers) <= COMMON}


def _with_ends(quote: Quote) -> tuple[str, str]:
    """What stands around the words, with the block's beginning or end as a line break where it is near."""
    prefix = quote.prefix if len(quote.prefix) >= CONTEXT else "\n" + quote.prefix
    suffix = quote.suffix if len(quote.suffix) >= CONTEXT else quote.suffix + "\n"
    return prefix, suffix


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


# --- Marking them on the page ----------------------------------------------------------------------------------------


def with_marks(
    article_html: str, *, address: str, write: str = "", comments: Mapping[Quote, int] | None = None
) -> SafeString:
    """An article's HTML with what readers can do about its passages: links that need no script.

    `write` is the address of the form, empty where nobody may comment any more; `comments` counts those published on
    each passage. What is added is `class="added"`: it is not the article's text, and browsers do not copy it.
    """
    comments = comments or {}
    counts = Counter()
    for quote, count in comments.items():
        counts[quote.block] += count
    marked = [_BLOCK.split(article_html, maxsplit=1)[0]]
    for number, block in enumerate(_blocks(article_html), start=1):
        inline = f"{address}?{urlencode({'ansicht': 'inline', 'absatz': number})}#stelle"
        if "<mark" in block:
            block = _with_questions(block, number, inline, write, comments)
        marked.append(_with_links(block, _links(number, counts[number], inline, write, _tag(block))))
    return mark_safe("".join(marked))


def _with_questions(block: str, number: int, inline: str, write: str, comments: Mapping[Quote, int]) -> str:
    text = _plain(block)

    def linked(mark: re.Match[str]) -> str:
        quote = _quote_of(mark, number, text)
        count = comments.get(quote, 0)
        if not (write or count):
            return mark[2]  # nobody may answer, and nobody did
        answers = ngettext("%d Antwort", "%d Antworten", count) % count
        return format_html(
            '<a class="asked" href="{}" rel="nofollow"><mark>{}</mark><span class="added"><b aria-hidden="true">{}</b>'
            '<span class="hidden"> ({}: {} {})</span></span></a>',
            address_of(write, quote) if write else inline,
            mark_safe(mark[2]),
            count or "?",
            _("Frage der Redaktion"),
            html.unescape(mark[1]),
            answers,
        )

    return _MARK.sub(linked, block)


def address_of(write: str, quote: Quote) -> str:
    """Where to write about a passage. The words are in the address, so it needs no script and survives an edit."""
    parts = {"absatz": quote.block, "wortlaut": quote.exact, "davor": quote.prefix, "danach": quote.suffix}
    return f"{write}?{urlencode({name: part for name, part in parts.items() if part})}"


def _tag(block: str) -> str:
    return _BLOCK.match(block)[1]


def _links(number: int, count: int, inline: str, write: str, tag: str) -> str:
    links = []
    # A heading is commented on by choosing its words, or at its first paragraph: links would be read as part of it.
    if write and tag not in {"h2", "h3", "h4", "figure"}:
        label = _("Absatz %s kommentieren") % number
        links.append(
            format_html(
                '<a class="pilcrow" href="{}?absatz={}" rel="nofollow" aria-label="{}"></a>', write, number, label
            )
        )
    if count:
        label = ngettext("%d Kommentar", "%d Kommentare", count) % count
        links.append(
            format_html(
                '<a class="remarks added" href="{}" rel="nofollow">{}<span class="hidden"> {}</span></a>',
                inline,
                label,
                _("zu dieser Stelle"),
            )
        )
    return "".join(links)


def _with_links(block: str, links: str) -> str:
    """At the end of the block's last line, where it is made of lines; beneath it where it is not.

    The links have no text of the article's, and never begin a line.
    """
    if not links:
        return block
    end = _END_OF_TEXT.search(block)
    if end:
        return f"{block[: end.start()]}\N{NO-BREAK SPACE}{links}{block[end.start() :]}"
    end = _END_OF_BLOCK.search(block)
    return f'{block[: end.start()]}<p class="beneath">{links}</p>{block[end.start() :]}'
