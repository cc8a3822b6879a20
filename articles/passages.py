"""Finding a stretch of an article again: its blocks are numbered when its HTML is made (newsroom.markup)."""

import html
import re

from django.utils.html import format_html, strip_tags
from django.utils.translation import gettext as _


def block_text(article_html: str, block: int) -> str | None:
    """The plain text of the block with the anchor #absatz-<block>; None if there is no such block."""
    found = re.search(rf'<(\w+) id="absatz-{block}">(.*?)</\1>', article_html, re.DOTALL)
    return html.unescape(strip_tags(found[2])).strip() or None if found else None


def with_comment_links(article_html: str, address: str) -> str:
    """Gives each paragraph a link to the form that comments on it: inline feedback by keyboard and without script.

    The link has no text of its own, so that copying the article copies the article; and it never begins a line.
    """

    def with_link(paragraph: re.Match) -> str:
        link = format_html(
            '\N{NO-BREAK SPACE}<a class="pilcrow" href="{}?absatz={}" rel="nofollow" aria-label="{}"></a></p>',
            address,
            paragraph[2],
            _("Absatz %s kommentieren") % paragraph[2],
        )
        return paragraph[1] + link

    return re.sub(r'(<p id="absatz-(\d+)">.*?)</p>', with_link, article_html, flags=re.DOTALL)
