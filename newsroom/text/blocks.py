"""The blocks of our Markdown: fences, quotes, lists, headings and rules, as processors for Python-Markdown's parser.

Each takes time in proportion to the text, and quotes and lists nest `NESTING` deep at most; newsroom.markup says why
the library's own will not do.
"""

import re
import xml.etree.ElementTree as etree
from itertools import takewhile

from markdown.blockprocessors import BlockProcessor

NESTING = 5  # quotes and lists within each other; deeper marks are shown as text


class Block(BlockProcessor):
    """A block that begins at a line of its own kind, also in the middle of a paragraph."""

    line: re.Pattern[str]  # its first line; compiled with MULTILINE, never matches a line break

    def test(self, parent: etree.Element, block: str) -> bool:
        return len(self.parser.state) < NESTING and bool(self.line.search(block))

    def run(self, parent: etree.Element, blocks: list[str]) -> None:
        block = blocks.pop(0)
        start = self.line.search(block).start()
        if start:
            blocks[:0] = [block[: start - 1], block[start:]]
        else:
            self.build(parent, block, blocks)

    def build(self, parent: etree.Element, block: str, blocks: list[str]) -> None:
        """Take `block`, and of the `blocks` after it what belongs to it; put the rest back."""
        raise NotImplementedError

    def fill(self, element: etree.Element, text: str) -> None:
        self.parser.state.set("nested")
        self.parser.parseChunk(element, text)
        self.parser.state.reset()

    @staticmethod
    def put_back(blocks: list[str], lines: list[str]) -> None:
        if rest := "\n".join(lines).strip("\n"):
            blocks[:0] = rest.split("\n\n")


class Fence(Block):
    """Code between lines of three backticks; without the second such line, to the end."""

    line = re.compile(r"^(?:`{3,}|~{3,}) *[\w+#.-]{0,20} *$", re.MULTILINE)

    def build(self, parent: etree.Element, block: str, blocks: list[str]) -> None:
        opening, *lines = "\n\n".join([block, *blocks]).split("\n")
        fence = opening[: len(opening) - len(opening.lstrip(opening[0]))]
        code = list(takewhile(lambda line: not (line.startswith(fence) and not line.strip(fence[0] + " ")), lines))
        blocks.clear()
        self.put_back(blocks, lines[len(code) + 1 :])
        if any(line.strip() for line in code):
            etree.SubElement(etree.SubElement(parent, "pre"), "code").text = "\n".join(code).strip("\n") + "\n"
        else:  # a comment must never come out as nothing
            etree.SubElement(parent, "p").text = "\n".join([opening, *lines[len(code) : len(code) + 1]])


class Quote(Block):
    """Lines that begin with `>`.

    Unlike in Markdown the next line without one is no longer quoted: readers answer right below, and their answer
    must not be put into the other's mouth.
    """

    line = re.compile(r"^>[> ]*[^> \n]", re.MULTILINE)

    def build(self, parent: etree.Element, block: str, blocks: list[str]) -> None:
        lines = block.split("\n")
        quoted = list(takewhile(lambda line: line.startswith(">"), lines))
        self.put_back(blocks, lines[len(quoted) :])
        self.fill(etree.SubElement(parent, "blockquote"), "\n".join(line[1:].removeprefix(" ") for line in quoted))


class List(Block):
    """Bulleted and numbered items, with what is indented beneath them.

    The number shown is the number written: "3. Oktober" and "1986. Ein Jahr" begin a line and are no first item.
    In the middle of a paragraph only a bullet begins a list.
    """

    line = re.compile(r"^ {0,3}[-*+] +(?=\S)|\A {0,3}[0-9]{1,9}[.)] +(?=\S)", re.MULTILINE)
    item = re.compile(r"( *)(?:[-*+]|([0-9]{1,9})[.)]) +(?=\S)")

    def build(self, parent: etree.Element, block: str, blocks: list[str]) -> None:
        first = self.item.match(block)
        numbered, indent = first[2] is not None, len(first[1])

        def begins_item(line: str) -> re.Match[str] | None:
            found = self.item.match(line)
            return found if found and len(found[1]) < indent + 2 else None

        def belongs(line: str) -> bool:
            found = begins_item(line)
            return (found[2] is not None) == numbered if found else line.startswith(" " * (indent + 2))

        while blocks and belongs(blocks[0].lstrip("\n")):
            block += "\n\n" + blocks.pop(0)
        items: list[tuple[int, list[str]]] = []
        width = 0
        lines = block.split("\n")
        while lines:
            found = begins_item(lines[0])
            if found and (found[2] is not None) != numbered:
                break
            line = lines.pop(0)
            if found:
                width = found.end()
                items.append((int(found[2] or 0), [line[width:]]))
            else:
                items[-1][1].append(line[:width].lstrip(" ") + line[width:])
        self.put_back(blocks, lines)
        self.add_items(etree.SubElement(parent, "ol" if numbered else "ul"), items, loose="\n\n" in block)

    def add_items(self, element: etree.Element, items: list[tuple[int, list[str]]], loose: bool) -> None:
        expected = 1
        for number, lines in items:
            item = etree.SubElement(element, "li")
            if element.tag == "ol" and number != expected:
                item.set("value", str(number))
            expected = number + 1
            self.fill(item, "\n".join(lines).strip("\n"))
            if not loose and len(item) and item[0].tag == "p":
                item.text = item[0].text
                item.remove(item[0])


class Heading(Block):
    """`#` to `######` as h2 to h4: the page's h1 is the headline, and nobody needs more than three levels below it."""

    line = re.compile(r"^#{1,6} +\S.*$", re.MULTILINE)

    def build(self, parent: etree.Element, block: str, blocks: list[str]) -> None:
        first, *rest = block.split("\n")
        self.put_back(blocks, rest)
        marks, text = first.split(" ", 1)
        etree.SubElement(parent, f"h{min(max(len(marks), 2), 4)}").text = text.strip().rstrip("#").rstrip() or text


class Rule(Block):
    line = re.compile(r"^([-*_])(?: *\1){2,} *$", re.MULTILINE)

    def build(self, parent: etree.Element, block: str, blocks: list[str]) -> None:
        etree.SubElement(parent, "hr")
        self.put_back(blocks, block.split("\n")[1:])
