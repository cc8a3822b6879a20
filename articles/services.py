"""What editors do with articles."""

from django.db import transaction
from django.utils import timezone

from articles.models import Article, Counters


def save_article(article: Article) -> Article:
    """Stores an article with what is derived from its text. Published without a time means now.

    Raises newsroom.markup.TooLong.
    """
    if article.state == Article.State.PUBLISHED and article.published_at is None:
        article.published_at = timezone.now()
    article.render()
    with transaction.atomic():
        article.save()
        Counters.objects.get_or_create(article=article)
        Counters.objects.touch(article.pk)
    return article
