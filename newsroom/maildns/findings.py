"""What a check says, and what to do about it."""

import re
from dataclasses import dataclass

from django.db.models import IntegerChoices
from django.utils.translation import gettext_lazy

from newsroom.maildns.resolver import shown


class Level(IntegerChoices):
    GOOD = 0, gettext_lazy("Gut")
    WARNING = 1, gettext_lazy("Achtung")
    MISSING = 2, gettext_lazy("Fehlt")


@dataclass(frozen=True)
class Finding:
    level: Level
    title: str
    advice: str = ""  # what to do, one line or several; a record to publish stands alone on the last


def good(title: str, advice: str = "") -> Finding:
    return Finding(Level.GOOD, title, advice)


def warning(title: str, advice: str = "") -> Finding:
    return Finding(Level.WARNING, title, advice)


def missing(title: str, advice: str = "") -> Finding:
    """For what is broken too: to a receiver it is the same."""
    return Finding(Level.MISSING, title, advice)


def publish(advice: str, name: str, kind: str, value: str) -> str:
    """The advice, and below it the record as a zone file has it, if it is one that a person could copy."""
    if len(value) > 1000:
        return advice
    if kind == "TXT":
        value = " ".join(f'"{part}"' for part in re.findall(".{1,255}", shown(value, 1000)))
    return f"{advice}\n{name}. {kind} {value}"
