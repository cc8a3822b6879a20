"""Pages rendered once for everyone, with slots for the few things that belong to one reader.

A page is rendered without a request, so nothing of one reader can get into it. Where something of a reader's may
stand, the template prints a slot; Skeleton cuts the page at its slots once, and joins it again for each reader.

The slots there are, and who fills them:

    adresse, gespraech        parts that change apart from the article; articles.views
    konto, token              who is signed in, the CSRF token; readers.context
    blase                     the invitation, for those who have not closed it; readers.context
    antwort-...               what became of what was just done: konto, comments, rating, subscription; readers.context
    stern-1 ... stern-5       the reader's own stars; ratings.own
    wert-..., email-feld      what the form knows: name, email, website, form_key; comments.own
    respekt-<id>, eigen-<id>  the reader's vote for a comment, the tools of their own one or the way back to one that
                              they hide; comments.own
    empfohlen-<id>            the editors' picks of whom they hide; comments.own
    neu, neu-<id>             what came since their last visit, for browsers without scripts; comments.own
    unter-<id>, wartend       their held comments, beneath what they answer or above all threads; comments.own
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from sys import getsizeof

from django.utils.safestring import SafeString

# Known to this process only: nobody can write a slot into a comment.
_KEY = secrets.token_hex(8)
_SLOT = re.compile(f"<!--{_KEY} ([^>]*)-->(.*?)<!--/{_KEY} \\1-->", re.DOTALL)


def slot(name: str, default: str = "") -> SafeString:
    """A place in a page for everyone; `default`, which is HTML, stands there for those who only read.

    It may hold slots itself, which are filled where it stands.
    """
    return SafeString(f"<!--{_KEY} {name}-->{default}<!--/{_KEY} {name}-->")


@dataclass(frozen=True)
class Skeleton:
    """A page cut at its slots: text, name, default, text, name, default, ..., text."""

    pieces: list["str | Skeleton"]

    @classmethod
    def cut(cls, page: str) -> "Skeleton":
        pieces = _SLOT.split(page)
        pieces[2::3] = [cls.cut(default) if _KEY in default else default for default in pieces[2::3]]
        return cls(pieces)

    @property
    def names(self) -> list[str]:
        return self.pieces[1::3]

    @property
    def size(self) -> int:
        """In bytes of memory: one character beyond Latin-1 makes all of a text take two or four bytes each."""
        texts_and_names = [*self.pieces[0::3], *self.names]
        defaults = (piece.size if isinstance(piece, Skeleton) else getsizeof(piece) for piece in self.pieces[2::3])
        return sum(map(getsizeof, texts_and_names)) + sum(defaults)

    def with_parts(self, parts: Mapping[str, str]) -> "Skeleton":
        """The page with `parts`, HTML that may hold slots itself, in the slots of their names."""
        pieces = self.pieces[:1]
        for name, default, text in zip(*[iter(self.pieces[1:])] * 3, strict=True):
            if name in parts:
                part = Skeleton.cut(parts[name]).pieces
                pieces[-1] += part[0]
                pieces += part[1:]
                pieces[-1] += text
            else:
                if isinstance(default, Skeleton):
                    default = default.with_parts(parts)
                pieces += [name, default, text]
        return Skeleton(pieces)

    def fill(self, values: Mapping[str, str]) -> str:
        """The page with `values`, which are HTML, in their slots and the defaults in all others."""
        filled = self.pieces[:]
        for at in range(1, len(filled), 3):
            value = values.get(filled[at], filled[at + 1])
            filled[at] = ""
            filled[at + 1] = value.fill(values) if isinstance(value, Skeleton) else value
        return "".join(filled)
