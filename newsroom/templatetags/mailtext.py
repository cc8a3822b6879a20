"""For the text versions of our mails."""

from textwrap import wrap

from django import template

register = template.Library()

# A quote that the reader's mail program wraps loses the mark on every second line, so we wrap it ourselves.
QUOTE_WIDTH = 70


@register.filter
def quoted(text: str) -> str:
    """The text as mail quotes it: every line behind "> ". For templates that escape nothing."""
    lines = []
    for line in text.splitlines():
        lines += wrap(line, QUOTE_WIDTH, break_long_words=False, break_on_hyphens=False) or [""]
    return "\n".join(f"> {line}".rstrip() for line in lines)
