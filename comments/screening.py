"""Automatic rules before publication: publish, hold for a moderator, or refuse. People's decisions are moderation."""

import re
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from articles.models import Article, Author
from comments.models import BlockedWord, Comment
from newsroom.pages.formkey import FormKey
from newsroom.ratelimit import COUNT_UP, Counting
from newsroom.sql.prepared import Question
from newsroom.text.characters import lookalikes
from readers.models import Reader

LINKS_BY_NEWCOMERS = 2
LIMIT_WINDOW = timedelta(minutes=10)
HELD_ABOVE_PER_READER, REFUSED_ABOVE_PER_READER = 12, 40
HELD_ABOVE_PER_NETWORK, REFUSED_ABOVE_PER_NETWORK = 120, 600

_LINK = re.compile(r"(?i)\bhttps?://(?:www\.)?|\bwww\.")

# As lookalikes() writes them: with i for l.
_OFFICES = {"admin", "administration", "administrator", "author", "autor", "autorin", "editor", "editoriai", "staff"}
# Also at the end of a word ("Chefredaktion"), and with what German puts between it and the next ("Redaktions-Team").
_OFFICES_OF_ANY_KIND = ("moderation", "moderator", "moderatorin", "redakteur", "redakteurin", "redaktion")
# Why a comment waits where nothing about it was conspicuous: the editors read these before they appear.
_ALL_HELD = gettext_lazy("Alle Kommentare dieses Artikels werden geprüft")
_FIRST_HELD = gettext_lazy("Erster Kommentar")
_MANY = gettext_lazy("Sehr viele Kommentare in kurzer Zeit")
_UNPROVED = gettext_lazy("Auf einem Gerät geändert, das die Adresse nicht bestätigt hat")
IN_VERSIONS = gettext_lazy("Auf zwei Geräten verschieden geändert")


@dataclass(frozen=True)
class Circumstances:
    """What the request tells beside the words."""

    key: FormKey | None
    network: str
    trap: str = ""  # the honeypot field's content
    by_mail: bool = False  # whose From nobody proves, and whose address went wherever our mail was forwarded


@dataclass
class Verdict:
    held_because: list[str] = field(default_factory=list)
    needs_confirmation: bool = False  # held until the address is confirmed, then published by itself
    refused: bool = False

    @property
    def publishes(self) -> bool:
        return not (self.held_because or self.needs_confirmation or self.refused)


@dataclass(frozen=True)
class Known:
    """What screening is told by the database."""

    blocked: list[str]  # words
    names_an_author: bool  # the name the comment is to be signed with, or looks as if it did
    by_reader: int  # attempts to write within LIMIT_WINDOW, this one included
    from_network: int


def attempt(reader: Reader, name: str, network: str) -> Question:
    """Counts an attempt to write and finds out what screening is told (Known)."""
    by_reader, from_network = f"reader {reader.pk}", f"network {network}"
    counting = Counting("comment", [by_reader, from_network], window=LIMIT_WINDOW)

    def read(rows: list[tuple]) -> Known:
        counted = counting.counted(row[:2] for row in rows)
        return Known(*rows[0][2:], counted[by_reader], counted[from_network])

    return Question(
        f"WITH counted AS ({COUNT_UP})"
        " SELECT key, count, ARRAY(SELECT word FROM comments_blockedword ORDER BY word),"
        " EXISTS (SELECT FROM articles_author WHERE likeness = ANY (string_to_array(%s, ' '))) FROM counted",
        [*counting.parameters, _names_in(name)],
        read,
    )


def screen(
    *,
    article: Article,
    reader: Reader,
    name: str,
    email: str,
    website: str,
    body: str,
    how: Circumstances,
    known: Known,
) -> Verdict:
    """Judges one comment. The reasons are for moderators; the author is told only that someone will look at it, and of
    there being many."""
    verdict = Verdict()
    if known.by_reader > REFUSED_ABOVE_PER_READER or known.from_network > REFUSED_ABOVE_PER_NETWORK:
        verdict.refused = True
        return verdict
    because = verdict.held_because
    if known.by_reader > HELD_ABOVE_PER_READER or known.from_network > HELD_ABOVE_PER_NETWORK:
        because.append(str(_MANY))
    if article.comment_mode == Article.CommentMode.ALL_HELD:
        because.append(str(_ALL_HELD))
    if how.trap:
        because.append(_("Unsichtbares Feld ausgefüllt"))
    if _sounds_like_the_house(name, known) and not _is_of_the_house(reader):
        because.append(_("Name der Redaktion oder einer Autorin"))
    in_a_newcomer = _suspicious_in_a_newcomer(article, body, how)
    if in_a_newcomer and _is_newcomer(reader):
        because += in_a_newcomer
    because += _blocked(known.blocked, name, website, body)
    verdict.needs_confirmation = article.comment_mode == Article.CommentMode.CONFIRMED and not reader.owns(email)
    return verdict


def rules_by_now(comment: Comment) -> list[str]:
    """Why a comment that waited only for its author's address waits for a moderator too: editors may have changed the
    article's mode, or the list of words, since it was written."""
    because = []
    if comment.article.comment_mode == Article.CommentMode.ALL_HELD:
        because.append(str(_ALL_HELD))
    elif comment.article.comment_mode == Article.CommentMode.FIRST_HELD and _is_newcomer(comment.reader):
        because.append(str(_FIRST_HELD))
    blocked = list(BlockedWord.objects.order_by("word").values_list("word", flat=True))
    return because + _blocked(blocked, comment.name, comment.website, comment.body)


def unproved(comment: Comment, reader: Reader) -> list[str]:
    """Why a change by one of its authors waits: a mailed link gave the comment to another device, and nobody knows
    whether this one is the same person's (decision 0011). What is not confirmed yet waits for that anyway."""
    return [] if comment.is_unconfirmed or comment.has_proved(reader) else [str(_UNPROVED)]


def waits_for_proof(comment: Comment) -> bool:
    """Is it held for nothing but that? Its owner's own words then take the place of what is held."""
    return comment.is_held and comment.held_because == [str(_UNPROVED)]


def _is_newcomer(reader: Reader) -> bool:
    return not (reader.comments.published().exists() or reader.comments_elsewhere.published().exists())


def _blocked(words: list[str], *written: str) -> list[str]:
    return [_("Gesperrtes Wort: %s") % word for word in found_words(words, "\n".join(written))]


def _sounds_like_the_house(name: str, known: Known) -> bool:
    """Would readers take this name for one of ours?"""
    house, _within = lookalikes(settings.SITE_NAME)
    return known.names_an_author or any(_names_the_house(words, house) for words in lookalikes(name))


def _names_the_house(words: list[str], house: list[str]) -> bool:
    spaced_out = "".join(words)  # "R e d a k t i o n"
    names_it = bool(house) and f" {' '.join(house)} " in f" {' '.join(words)} "
    return names_it or any(_is_an_office(word) for word in [*words, spaced_out])


def _is_an_office(word: str) -> bool:
    return word in _OFFICES or word.removesuffix("s").removesuffix("steam").endswith(_OFFICES_OF_ANY_KIND)


def _names_in(name: str) -> str:
    """What in a name may be an author's: the whole, and any two or more of its words ("Jana Beck (Autorin)"). As
    Author.likeness holds them, with a space between."""
    found = set()
    for words in lookalikes(name):
        ends = range(len(words) + 1)
        found |= {"".join(words[begin:end]) for begin in ends for end in ends if end - begin >= 2}
        found.add("".join(words))
    return " ".join(sorted(found - {""}))


def _is_of_the_house(reader: Reader) -> bool:
    """Signed in, as somebody who is named by a badge."""
    return reader.is_account and (reader.user.is_staff or Author.objects.filter(user=reader.user).exists())


def _suspicious_in_a_newcomer(article: Article, body: str, how: Circumstances) -> list[str]:
    because = []
    if article.comment_mode == Article.CommentMode.FIRST_HELD:
        because.append(str(_FIRST_HELD))
    if how.key is None or (how.key.age is not None and how.key.age < settings.WRITING_SECONDS):
        because.append(_("Schneller abgeschickt, als jemand schreiben kann"))
    if len(_LINK.findall(body)) > LINKS_BY_NEWCOMERS:
        because.append(_("Viele Links im ersten Kommentar"))
    return because


def held_by_program(held_because: list[str]) -> bool:
    """Did a rule find something in the comment? It may also wait because the editors read all, or all first ones, or
    because of who changed it."""
    return not {str(_ALL_HELD), str(_FIRST_HELD), str(_UNPROVED), str(IN_VERSIONS)}.issuperset(held_because)


def held_for_many(held_because: list[str]) -> bool:
    """Does it wait for nothing but how many there were before it?"""
    return held_because == [str(_MANY)]


def found_words(blocked: list[str], text: str) -> list[str]:
    """Those of the blocked words that `text` contains, as the editors wrote them."""
    spoken = set(re.findall(r"\w+", text.casefold())) if blocked else set()
    found = []
    for word in blocked:
        wanted = word.casefold()
        if wanted.endswith("*"):
            hit = any(one.startswith(wanted[:-1]) for one in spoken)
        else:
            # What is no single word ("pillen.example", "zwei Worte") is looked for as it stands.
            hit = wanted in spoken or (not re.fullmatch(r"\w+", wanted) and wanted in text.casefold())
        if hit:
            found.append(word)
    return found
