"""A conversation for trying out: comments of every kind and state, as readers would have written them."""

import random
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from articles.models import Article, Counters
from articles.passages import CONTEXT, Quote, pick, questions
from comments.models import Comment, Passage, Vote
from newsroom.sql.prepared import insert
from readers.models import Reader

TEXTS = Path(__file__).parent.parent.parent / "content" / "gespraech.txt"
LONGEST = timedelta(days=12)  # then a conversation has said what it has to say
SILENT_READERS = 150  # who vote and never write
STATES = {
    "entfernt": Comment.State.REMOVED,
    "gelöscht": Comment.State.DELETED,
    "zurückgezogen": Comment.State.TAKEN_BACK,
}
BADGES = {"Autor": Comment.Badge.AUTHOR, "Redaktion": Comment.Badge.EDITOR, "Moderation": Comment.Badge.MODERATOR}
_WITH_VALUE = ("Absatz ", "früher ", "wartet: ")
_HEAD = re.compile(r"^(=+) (.+)\n", re.MULTILINE)


@dataclass
class Written:
    """One comment of the file: `== Name · mark · mark`, its text, and after a line `+++` its text as edited."""

    name: str
    body: str
    parent: "Written | None" = None
    # "Absatz" -> "5 „Wortlaut“", "früher" -> "„davor |Wortlaut| danach“", "Frage" or "empfohlen" -> ""
    marks: dict[str, str] = field(default_factory=dict)
    at: datetime | None = None
    comment: Comment | None = None


class Command(BaseCommand):
    help = _("Füllt einen Artikel mit 200 Beispielkommentaren aller Arten, um ein Gespräch anzusehen.")

    def add_arguments(self, parser):
        parser.add_argument(
            "slug", nargs="?", help=_("Adresse des Artikels; ohne Angabe der neueste von gestern oder früher")
        )
        parser.add_argument("--more", action="store_true", help=_("auch wenn er schon Kommentare hat"))
        parser.add_argument("--seed", type=int, default=1, help=_("dieselbe Zahl, dieselben Zeiten und Stimmen"))

    def handle(self, *args, slug: str | None, more: bool, seed: int, **options):
        articles = Article.objects.published().select_related("author").newest_first()
        # In an article of today all would have been said within minutes.
        older = articles.filter(published_at__lt=timezone.now() - timedelta(days=1))
        article = articles.filter(slug=slug).first() if slug else older.first() or articles.first()
        if article is None:
            raise CommandError(
                _("Diesen veröffentlichten Artikel gibt es nicht.") if slug else _("Es gibt keinen Artikel.")
            )
        with transaction.atomic():
            counters = Counters.objects.select_for_update().get(article=article)
            if not more and article.comments_all.exists():
                raise CommandError(_("„%s“ hat schon Kommentare; noch 200 dazu: --more") % article)
            # The numbers so far too: the same seed again must not make the same form keys again.
            chance = random.Random(f"{seed} {article.pk} {counters.last_number}")
            conversation = list(read(TEXTS.read_text(encoding="utf-8")))
            give_times(conversation, begin=_latest(article), chance=chance)
            comments = store(conversation, article, counters, chance)
            give_votes(comments, chance)
        published = sum(comment.is_published for comment in comments)
        said = _("%(all)d Kommentare, davon %(published)d veröffentlicht")
        counts = {"all": len(comments), "published": published}
        self.stdout.write(f"{article.get_absolute_url()}  {said % counts}")


def read(text: str) -> Iterator[Written]:
    """The comments of the file, each after the one it answers."""
    _, *parts = _HEAD.split(text)
    line: list[Written] = []  # from the root to the last one read
    for depth, head, body in zip(parts[0::3], parts[1::3], parts[2::3], strict=True):
        name, *marks = head.split(" · ")
        del line[len(depth) - 1 :]
        written = Written(name, body.strip("\n"), line[-1] if line else None)
        for mark in marks:
            key, _, value = mark.partition(" ") if mark.startswith(_WITH_VALUE) else (mark, "", "")
            written.marks |= {"Website": mark} if mark.startswith("https://") else {key.rstrip(":"): value}
        line.append(written)
        yield written


def give_times(conversation: list[Written], *, begin: datetime, chance: random.Random) -> None:
    """Most say something on the first day, few at night, and an answer comes within the hour or the next morning."""
    end = min(timezone.now(), begin + LONGEST)
    span = (end - begin).total_seconds()
    roots = [written for written in conversation if written.parent is None]
    begins = sorted(_by_day(lambda: begin + timedelta(seconds=span * chance.random() ** 2.5)) for _ in roots)
    for written, at in zip(roots, begins, strict=True):
        written.at = at
    for written in conversation:
        if written.parent is not None:
            asked = written.parent.at
            left = (end - asked).total_seconds()
            written.at = _by_day(
                lambda asked=asked, left=left: (
                    asked + timedelta(seconds=min(60 + chance.lognormvariate(7.8, 1.5), left * chance.random()))
                )
            )


def store(conversation: list[Written], article: Article, counters: Counters, chance: random.Random) -> list[Comment]:
    """As if they had been posted one after another: numbers in the order of their times, all counters brought along.

    Not by post_comment() and publish(): they would write today's time, and mail every subscriber two hundred times.
    """
    readers: dict[str, Reader] = {}
    in_order = sorted(conversation, key=lambda written: written.at)
    for written in in_order:
        written.comment = comment = _comment(written, article, chance)
        if comment.name not in readers:
            readers[comment.name] = Reader(name=comment.name, website=comment.website)
            insert(readers[comment.name])
        comment.reader = readers[comment.name]
        if not comment.is_held:
            counters.last_number += 1
            counters.last_thread += comment.parent is None
            comment.number = counters.last_number
            comment.thread_number = counters.last_thread if comment.parent is None else None
            comment.published_at = written.at
        if comment.is_published:
            counters.comments += 1
            if comment.root is not None:
                comment.root.reply_count += 1
            if comment.passage is not None:
                Passage.objects.filter(pk=comment.passage.pk).update(comment_count=F("comment_count") + 1)
        if comment.state in (Comment.State.DELETED, Comment.State.TAKEN_BACK):  # as delete_comment() leaves it
            comment.body, comment.name, comment.html, comment.website = "–", "–", "", ""
        insert(comment)
        earlier, _edited, now = written.body.partition("\n+++\n")
        if now:
            comment.edited_at = written.at + timedelta(seconds=chance.randint(60, 800))
            revision = Comment(body=earlier)
            revision.render()
            comment.revisions.create(body=earlier, html=revision.html, replaced_at=comment.edited_at)
        comment.created_at = written.at  # saving wrote today
    comments = [written.comment for written in in_order]
    Comment.objects.bulk_update(comments, ["created_at", "edited_at", "reply_count"], batch_size=500)
    counters.activity += 1
    counters.save()
    return comments


def give_votes(comments: list[Comment], chance: random.Random) -> None:
    """Few comments get many votes: early ones, threads rather than answers, and what the editors recommend."""
    silent = Reader.objects.bulk_create(Reader() for _ in range(SILENT_READERS))
    voters = [*silent, *{comment.reader_id: comment.reader for comment in comments}.values()]
    votes = []
    for place, comment in enumerate(comments):
        if comment.is_held:
            continue
        middle = 2.4 - 1.3 * place / len(comments) - 0.35 * comment.depth + 1.2 * bool(comment.picked_at)
        wanted = min(int(chance.lognormvariate(middle, 0.9)), len(voters) - 1)
        chosen = [reader for reader in chance.sample(voters, wanted) if reader != comment.reader]
        votes += [Vote(comment=comment, reader=reader) for reader in chosen]
        comment.score = len(chosen)
    Vote.objects.bulk_create(votes, batch_size=1000)
    Comment.objects.bulk_update(comments, ["score"], batch_size=500)


def _comment(written: Written, article: Article, chance: random.Random) -> Comment:
    marks = written.marks
    parent = written.parent.comment if written.parent else None
    badge = next((BADGES[mark] for mark in marks if mark in BADGES), "")
    comment = Comment(
        article=article,
        parent=parent,
        root=(parent.root or parent) if parent else None,
        depth=parent.depth + 1 if parent else 0,
        name=article.author.name if badge == Comment.Badge.AUTHOR else written.name,
        website=marks.get("Website", ""),
        badge=badge,
        body=written.body.rpartition("\n+++\n")[2],
        passage=_passage(article, marks),
        state=next((STATES[mark] for mark in marks if mark in STATES), Comment.State.PUBLISHED),
        picked_at=written.at + timedelta(hours=2) if "empfohlen" in marks else None,
        form_key=uuid.UUID(int=chance.getrandbits(128), version=4),
    )
    if "wartet" in marks:
        comment.state, comment.held_because = Comment.State.HELD, [marks["wartet"]]
    elif "unbestätigt" in marks:  # a mail has asked its author
        comment.state, comment.email = Comment.State.HELD, "leserin@example.org"
    comment.render()
    return comment


def _passage(article: Article, marks: dict[str, str]) -> Passage | None:
    """`Absatz 5 „Wortlaut“`; in an article that says something else the whole paragraph, or none. `früher`: words that
    it does not say any more. `Frage`: the editors' first, if they ask any."""
    quote = None
    if "Absatz" in marks:
        block, _, quoted = marks["Absatz"].partition(" ")
        quote = pick(article.html, block=int(block), exact=quoted.strip("„“"))
    elif "früher" in marks:
        before, exact, after = marks["früher"].strip("„“").split("|")
        quote = Quote(None, exact, before[-CONTEXT:], after[:CONTEXT])
    elif "Frage" in marks:
        quote = next((quote for quote, _question in questions(article.html)), None)
    return Passage.objects.store(Passage(article=article, **quote._asdict())) if quote else None


def _latest(article: Article) -> datetime:
    """When the conversation goes on: numbers ascend with the times."""
    last = article.comments_all.filter(number__isnull=False).order_by("-number").first()
    return max(article.published_at, last.published_at) if last else article.published_at


def _by_day(draw) -> datetime:
    """A time drawn until it lies in waking hours, but not for ever: an article of this minute has none to offer."""
    for _attempt in range(8):
        at = draw()
        if 6 <= timezone.localtime(at).hour < 23:
            break
    return at
