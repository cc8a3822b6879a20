"""What editors do with articles."""

from collections.abc import Callable
from copy import copy
from datetime import timedelta
from difflib import SequenceMatcher

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from articles.models import Article, Counters
from articles.passages import Places, Quote, block_texts, questions
from comments.models import Comment, Passage

CORRECTED = 0.6  # as much of a text must be left in the new one for that to be the old one corrected


def save_article(article: Article) -> Article:
    """Stores an article with what is derived from its text. Published without a time means now, and its
    readers may write for as long as the site says unless the editor says how long.

    Raises newsroom.markup.TooLong.
    """
    before = Article.objects.filter(pk=article.pk).only("state", "published_at", "comment_mode", "closes_at").first()
    if article.state == Article.State.PUBLISHED:
        article.published_at = article.published_at or timezone.now()
        _close_by_itself(article, before)
    _note_closing(article, before)
    article.render()
    with transaction.atomic():
        article.save()
        _place_passages(article)
        Counters.objects.get_or_create(article=article)
        Counters.objects.touch(article.pk)
    return article


def change_comment_mode(article: Article, mode: str) -> None:
    """That and nothing else: somebody may be writing on the rest."""
    with transaction.atomic():
        row = Article.objects.select_for_update(no_key=True).get(pk=article.pk)
        before = copy(row)
        row.comment_mode = mode
        _note_closing(row, before)
        row.save(update_fields=["comment_mode", "closed_at", "modified_at"])
        Counters.objects.touch(row.pk)


def _close_by_itself(article: Article, before: Article | None) -> None:
    """As many days after publication as the site says; moved with it, until readers have seen the article."""
    days = timedelta(days=settings.COMMENT_DAYS)
    if not days or (before is not None and before.was_public):
        return
    by_default = before.published_at + days if before is not None and before.published_at else None
    if article.closes_at in (None, by_default):
        article.closes_at = article.published_at + days


def _note_closing(article: Article, before: Article | None) -> None:
    """Since when, if anybody could write before."""
    if article.comment_mode != Article.CommentMode.CLOSED:
        article.closed_at = None
    elif before is not None and before.takes_comments:
        article.closed_at = timezone.now()


def _place_passages(article: Article) -> None:
    """The editors' questions become passages, and what readers commented on is found again in the text as it is now.

    Call in a transaction, before the counters (lock order: root, passage, counters).
    """
    passages = list(Passage.objects.filter(article=article).order_by("pk"))
    before = {passage.pk: (passage.quote, passage.question) for passage in passages}
    answered = _answered(passages)
    placed = _asked(article, passages, answered)
    _find_again(article, [passage for passage in passages if passage not in placed.values()], placed, answered)
    changed = [passage for passage in passages if (passage.quote, passage.question) != before[passage.pk]]
    # While they change places, two may want the same one: each first leaves its own.
    Passage.objects.filter(pk__in=[passage.pk for passage in changed]).update(block=None)
    Passage.objects.bulk_update(changed, ["block", "exact", "prefix", "suffix", "question"], batch_size=200)
    Passage.objects.bulk_create([passage for passage in placed.values() if passage.pk is None])


def _answered(passages: list[Passage]) -> set[int]:
    """The questions that somebody answered, also if nobody may read it yet."""
    asked = [passage.pk for passage in passages if passage.question]
    states = [Comment.State.PUBLISHED, Comment.State.HELD]
    answers = Comment.objects.filter(passage__in=asked, state__in=states) if asked else Comment.objects.none()
    return set(answers.values_list("passage_id", flat=True))


def _asked(article: Article, passages: list[Passage], answered: set[int]) -> dict[Quote, Passage]:
    """The passages of the questions, each that of the same place or, if the editor changed the words or the question,
    the one which has the other; or a new one. The likeliest pairs come first, so that no question takes another's.

    With an answered one its answers stay, so it must have been corrected only: nobody answered another question.
    """
    wanted: dict[Quote, str] = {}
    for quote, question in questions(article.html):
        wanted.setdefault(quote, question)
    placed: dict[Quote, Passage] = {}
    free = {passage.pk: passage for passage in passages}
    for is_same in [*_SAME_QUESTION, lambda passage, quote, question: passage.pk in answered]:
        for quote, question in wanted.items():
            if quote in placed:
                continue
            same = (passage for passage in free.values() if is_same(passage, quote, question))
            passage = next((one for one in same if one.pk not in answered or _corrected(one, quote, question)), None)
            if passage is not None:
                placed[quote] = free.pop(passage.pk)
    for quote, question in wanted.items():
        passage = placed.setdefault(quote, Passage(article=article))
        passage.block, passage.exact, passage.prefix, passage.suffix = quote
        passage.question = question
    return placed


def _corrected(passage: Passage, quote: Quote, question: str) -> bool:
    return all(_similar(*pair) >= CORRECTED for pair in ((passage.question, question), (passage.exact, quote.exact)))


def _similar(before: str, now: str) -> float:
    """Letter by letter, or word by word where there are many: two paragraphs' letters take a tenth of a second."""
    pieces = (before, now) if len(before) + len(now) < 200 else (before.split(), now.split())
    return SequenceMatcher(None, *pieces, autojunk=False).ratio()


_SAME_QUESTION: list[Callable[[Passage, Quote, str], bool]] = [
    lambda passage, quote, question: (passage.quote, passage.question) == (quote, question),
    lambda passage, quote, question: (passage.exact, passage.question) == (quote.exact, question),
    lambda passage, quote, question: passage.quote == quote,
    lambda passage, quote, question: bool(passage.question) and passage.exact == quote.exact,
    lambda passage, quote, question: passage.question == question,
]


def _find_again(article: Article, passages: list[Passage], placed: dict[Quote, Passage], answered: set[int]) -> None:
    """Moves `passages` to where their words stand now, and marks as lost those whose words are gone, or asked about
    anew while the old question has its answers."""
    places = Places(block_texts(article.html))
    asked_about = {places.exactly(quote) for quote in placed}
    found = {passage.pk: places.block(passage.quote) for passage in passages}
    # Of two with the same words, that which stands there already stays; the other one's place is gone.
    for passage in sorted(passages, key=lambda passage: found[passage.pk] != passage.block):
        is_asked_anew = passage.pk in answered and places.exactly(passage.quote) in asked_about
        passage.block = found[passage.pk]
        if passage.quote in placed or is_asked_anew:
            passage.block = None
        placed.setdefault(passage.quote, passage)
        if passage.pk not in answered:
            passage.question = ""  # no longer asked, and never answered
