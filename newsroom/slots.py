"""Pages rendered once for everyone, with slots for the few things that belong to one reader.

A page is rendered without a request, so nothing of one reader can get into it. Where something of a reader's may
stand, the template prints a slot; Skeleton cuts the page at its slots once, and joins it again for each reader.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

# Known to this process only: nobody can write a slot into a comment.
_KEY = secrets.token_hex(8)
_SLOT = re.compile(f"<!--{_KEY} ([^>]*)-->(.*?)<!--/{_KEY}-->", re.DOTALL)


def slot(name: str, default: str = "") -> SafeString:
    """A place in a page for everyone; `default`, which is HTML, stands there for those who only read."""
    return mark_safe(f"<!--{_KEY} {name}-->{default}<!--/{_KEY}-->")


@dataclass(frozen=True)
class Skeleton:
    """A page cut at its slots: text, name, default, text, name, default, ..., text."""

    pieces: list[str]

    @classmethod
    def cut(cls, page: str) -> "Skeleton":
        return cls(_SLOT.split(page))

    @property
    def names(self) -> list[str]:
        return self.pieces[1::3]

    @property
    def size(self) -> int:
        """Roughly, in bytes of memory."""
        return sum(map(len, self.pieces)) + 60 * len(self.pieces)

    def fill(self, values: Mapping[str, str]) -> str:
        """The page with `values`, which are HTML, in their slots and the defaults in all others."""
        filled = self.pieces[:]
        for at in range(1, len(filled), 3):
            value = values.get(filled[at])
            filled[at] = ""
            if value is not None:
                filled[at + 1] = value
        return "".join(filled)
