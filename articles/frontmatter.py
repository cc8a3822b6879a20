"""Articles as files: Markdown with a head of `name: value` lines between two lines of ---.

Not YAML: a German headline with a colon in it ("Lukaschenko trifft Putin: Wird ...") would be an error there.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from articles.models import YEARS, Article, Author, Section, check_images_of
from newsroom.markup import ARTICLE_LIMIT

REQUIRED = ("titel", "autor")
OPTIONAL = (
    *("adresse", "vorspann", "ressort", "datum", "stand"),
    *("kommentare", "kommentare bis", "pause", "frage", "schlusswort"),
)
FIELDS = {
    "titel": (Article, "headline"),
    "autor": (Author, "name"),
    "adresse": (Article, "slug"),
    "vorspann": (Article, "summary"),
    "ressort": (Section, "name"),
    "frage": (Article, "question"),
    "schlusswort": (Article, "closing_note"),
}
STATES = {"entwurf": Article.State.DRAFT, "veröffentlicht": Article.State.PUBLISHED}
COMMENT_MODES = {
    "offen": Article.CommentMode.OPEN,
    "adresse bestätigen": Article.CommentMode.CONFIRMED,
    "erste prüfen": Article.CommentMode.FIRST_HELD,
    "alle prüfen": Article.CommentMode.ALL_HELD,
    "geschlossen": Article.CommentMode.CLOSED,
}
PAUSES = {"keine": 0, "30 sekunden": 30, "1 minute": 60, "5 minuten": 300}
# The same file, in English: on every site both are understood.
ENGLISH = {
    "titel": "title",
    "autor": "author",
    "adresse": "address",
    "vorspann": "summary",
    "ressort": "section",
    "datum": "date",
    "stand": "status",
    "kommentare": "comments",
    "kommentare bis": "comments until",
    "frage": "question",
    "schlusswort": "closing note",
    "entwurf": "draft",
    "veröffentlicht": "published",
    "offen": "open",
    "adresse bestätigen": "confirm address",
    "erste prüfen": "hold first",
    "alle prüfen": "hold all",
    "geschlossen": "closed",
    "keine": "none",
    "30 sekunden": "30 seconds",
    "5 minuten": "5 minutes",
}
_GERMAN = {english: german for german, english in ENGLISH.items()}


class BadFile(ValueError):
    """Says, in sentences, everything that is wrong with a file."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class ArticleFile:
    headline: str
    author: str
    text: str
    slug: str = ""
    summary: str = ""
    section: str = ""
    published_at: datetime | None = None
    state: str | None = None
    comment_mode: str | None = None
    closes_at: datetime | None = None
    slow_mode: int | None = None  # seconds
    question: str = ""
    closing_note: str = ""


def parse(content: str) -> ArticleFile:
    """Raises BadFile with every problem at once, so that nobody fixes a file line by line."""
    head, text = _split(content)
    problems: list[str] = []
    values: dict[str, str] = {}
    for number, line in enumerate(head.splitlines(), start=2):
        name, colon, value = line.partition(":")
        written = name.strip().lower()
        name = _GERMAN.get(written, written)
        if not line.strip():
            continue
        if not colon:
            problems.append(_("Zeile %(line)d: Es fehlt der Doppelpunkt zwischen Name und Wert.") % {"line": number})
        elif name not in REQUIRED + OPTIONAL:
            known = ", ".join(map(called, REQUIRED + OPTIONAL))
            problems.append(
                _("Zeile %(line)d: „%(name)s“ ist unbekannt. Bekannt sind: %(known)s.")
                % {"line": number, "name": written, "known": known}
            )
        elif name in values:
            problems.append(_("Zeile %(line)d: „%(name)s“ steht zweimal da.") % {"line": number, "name": written})
        else:
            values[name] = value.strip()
    for name in REQUIRED:
        if not values.get(name):
            problems.append(_("Es fehlt „%s:“ mit einem Wert.") % called(name))
    if not text.strip():
        problems.append(_("Unter dem Kopf steht kein Text."))
    elif len(text) > ARTICLE_LIMIT:
        problems.append(_("Der Text ist zu lang: höchstens %d Zeichen gehen.") % ARTICLE_LIMIT)
    if "\x00" in content:
        problems.append(_("Die Datei enthält ein NUL-Zeichen; das ist kein Text."))
    for name, (model, field) in FIELDS.items():
        limit = model._meta.get_field(field).max_length
        if len(values.get(name, "")) > limit:
            problems.append(
                _("„%(name)s“ ist zu lang: höchstens %(limit)d Zeichen gehen.") % {"name": called(name), "limit": limit}
            )
    if not re.fullmatch(r"[-a-zA-Z0-9_]*", values.get("adresse", "")):
        sentence = _(
            "„%(name)s: %(value)s“ geht nicht: Erlaubt sind Buchstaben von a bis z, Ziffern, Binde- und Unterstriche."
        )
        problems.append(sentence % {"name": called("adresse"), "value": values["adresse"]})
    state = _choice(values, "stand", STATES, problems)
    mode = _choice(values, "kommentare", COMMENT_MODES, problems)
    slow_mode = _choice(values, "pause", PAUSES, problems)
    published_at, closes_at = (_time(values, name, problems) for name in ("datum", "kommentare bis"))
    if closes_at is not None and published_at is not None and closes_at <= published_at:
        sentence = _("„%s“ liegt vor der Veröffentlichung: Dann kann niemand etwas schreiben.")
        problems.append(sentence % called("kommentare bis"))
    try:
        check_images_of(text)
    except ValidationError as error:
        problems += error.messages
    if problems:
        raise BadFile(problems)
    return ArticleFile(
        headline=values["titel"],
        author=values["autor"],
        text=text.strip() + "\n",
        slug=values.get("adresse", ""),
        summary=values.get("vorspann", ""),
        section=values.get("ressort", ""),
        published_at=published_at,
        state=state,
        comment_mode=mode,
        closes_at=closes_at,
        slow_mode=slow_mode,
        question=values.get("frage", ""),
        closing_note=values.get("schlusswort", ""),
    )


def called(word: str) -> str:
    """A word of a head, as files in the site's language have it."""
    return ENGLISH.get(word, word) if get_language() == "en" else word


def _split(content: str) -> tuple[str, str]:
    lines = content.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].strip() != "---":
        raise BadFile([_("Die Datei beginnt nicht mit einem Kopf zwischen zwei Zeilen „---“.")])
    if "---" not in [line.strip() for line in lines[1:]]:
        raise BadFile([_("Die Datei beginnt nicht mit einem Kopf zwischen zwei Zeilen „---“: Die zweite fehlt.")])
    end = next(number for number, line in enumerate(lines) if number and line.strip() == "---")
    return "\n".join(lines[1:end]), "\n".join(lines[end + 1 :])


def _choice(values: dict, name: str, choices: dict, problems: list[str]) -> Any:
    """None where the head does not say it."""
    written = values.get(name, "").lower()
    value = _GERMAN.get(written, written)
    if value and value not in choices:
        problems.append(
            _("„%(name)s: %(value)s“ gibt es nicht. Möglich sind: %(choices)s.")
            % {"name": called(name), "value": written, "choices": ", ".join(map(called, choices))}
        )
    return choices.get(value)


def _time(values: dict, name: str, problems: list[str]) -> datetime | None:
    """A date (of what lasts until then, its last minute, else midnight) or date and time, in the site's zone."""
    value = values.get(name, "")
    if not value:
        return None
    german = re.fullmatch(r"(\d{1,2})\.(\d{1,2})\.(\d{4})((?: |, )\d.*)?", value)
    if german:
        day, month, year, hour = german.groups(default="")
        value = f"{year}-{month:0>2}-{day:0>2}{hour.replace(',', '')}"
    try:
        day = parse_date(value)
        hour = time(23, 59) if name == "kommentare bis" else time.min
        moment = datetime.combine(day, hour) if day else parse_datetime(value)
    except ValueError:
        moment = None
    if moment is None or moment.year not in YEARS:
        sentence = _("„%(name)s: %(value)s“ ist kein Datum. Beispiel: 2026-11-22 oder 22.11.2026 18:30")
        problems.append(sentence % {"name": called(name), "value": values[name]})
        return None
    if timezone.is_aware(moment):
        return moment
    aware = timezone.make_aware(moment)
    if not day and timezone.localtime(aware.astimezone(UTC)).replace(tzinfo=None) != moment:
        sentence = _("„%(name)s: %(value)s“ gibt es nicht: Dann wird die Uhr vorgestellt, und diese Stunde fällt aus.")
        problems.append(sentence % {"name": called(name), "value": values[name]})
    return aware
