"""What editors do with articles."""

from collections.abc import Iterable
from copy import copy
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from articles.models import Article, Counters
from articles.passages import Places, Quote, block_texts, questions
from comments.models import Passage


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
    placed: dict[Quote, Passage] = {}
    for quote, question in questions(article.html):
        if quote not in placed:
            placed[quote] = _asked(article, passages, placed.values(), quote, question)
    _find_again(article, [passage for passage in passages if passage not in placed.values()], placed)
    changed = [passage for passage in passages if (passage.quote, passage.question) != before[passage.pk]]
    # While they change places, two may want the same one: each first leaves its own.
    Passage.objects.filter(pk__in=[passage.pk for passage in changed]).update(block=None)
    Passage.objects.bulk_update(changed, ["block", "exact", "prefix", "suffix", "question"], batch_size=200)
    Passage.objects.bulk_create([passage for passage in placed.values() if passage.pk is None])


def _asked(article: Article, passages: list[Passage], taken: Iterable[Passage], quote: Quote, question: str) -> Passage:
    """The passage of a question: that of the same place or, if the editor changed the words or the question, the one
    which has the other; its answers stay with it. Else a new one."""
    free = [passage for passage in passages if passage not in taken]
    asked = [passage for passage in free if passage.question]
    same = [passage for passage in free if passage.quote == quote]
    same += [passage for passage in asked if passage.exact == quote.exact]
    same += [passage for passage in asked if passage.question == question]
    passage = same[0] if same else Passage(article=article)
    passage.block, passage.exact, passage.prefix, passage.suffix = quote
    passage.question = question
    return passage


def _find_again(article: Article, passages: list[Passage], placed: dict[Quote, Passage]) -> None:
    """Moves `passages` to where their words stand now, and marks as lost those whose words are gone."""
    places = Places(block_texts(article.html))
    found = {passage.pk: places.block(passage.quote) for passage in passages}
    # Of two with the same words, that which stands there already stays; the other one's place is gone.
    for passage in sorted(passages, key=lambda passage: found[passage.pk] != passage.block):
        passage.block = found[passage.pk]
        if passage.quote in placed:
            passage.block = None
        placed.setdefault(passage.quote, passage)
        if not passage.comment_count:
            passage.question = ""  # no longer asked, and never answered
