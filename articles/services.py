"""What editors do with articles."""

from collections.abc import Iterable
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
    now = timezone.now()
    if article.state == Article.State.PUBLISHED:
        article.published_at = article.published_at or now
        if settings.COMMENT_DAYS and article.closes_at is None and not _was_published(article):
            article.closes_at = article.published_at + timedelta(days=settings.COMMENT_DAYS)
    article.closed_at = (article.closed_at or now) if article.comment_mode == Article.CommentMode.CLOSED else None
    article.render()
    with transaction.atomic():
        article.save()
        _place_passages(article)
        Counters.objects.get_or_create(article=article)
        Counters.objects.touch(article.pk)
    return article


def _was_published(article: Article) -> bool:
    return Article.objects.filter(pk=article.pk, state=Article.State.PUBLISHED).exists()


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
