from django.db import transaction

from articles.models import Article, Counters
from ratings.models import Rating
from readers.models import Reader


def rate_article(*, article: Article, reader: Reader, stars: int) -> Rating:
    """Gives or changes a reader's stars; the article's sums change by exactly as much, under any concurrency."""
    with transaction.atomic():
        reader = Reader.objects.lock(reader)
        rating, created = Rating.objects.select_for_update().get_or_create(
            article=article, reader=reader, defaults={"stars": stars}
        )
        change = stars if created else stars - rating.stars
        if not created and change:
            rating.stars = stars
            rating.save()
        if created or change:
            Counters.objects.touch(article.pk, ratings=int(created), stars=change)
    return rating


def give_to(source: Reader, target: Reader) -> dict[int, dict[str, int]]:
    """All ratings of `source` become those of `target`, whose own stay where both rated. Call in a transaction;
    returns what is to be counted, by article (CountersQuerySet.touch)."""
    doubled = list(Rating.objects.filter(reader=source, article__rating_set__reader=target))
    Rating.objects.filter(pk__in=[rating.pk for rating in doubled]).delete()
    Rating.objects.filter(reader=source).update(reader=target)
    return {rating.article_id: {"ratings": -1, "stars": -rating.stars} for rating in doubled}
