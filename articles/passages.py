"""Finding a stretch of an article again: its blocks are numbered when its HTML is made (newsroom.markup)."""

import html
import re

from django.utils.html import strip_tags


def block_text(article_html: str, block: int) -> str | None:
    """The plain text of the block with the anchor #absatz-<block>; None if there is no such block."""
    found = re.search(rf'<(\w+) id="absatz-{block}">(.*?)</\1>', article_html, re.DOTALL)
    return html.unescape(strip_tags(found[2])).strip() or None if found else None
