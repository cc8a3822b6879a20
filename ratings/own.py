"""What of an article's rating belongs to one reader (newsroom.slots)."""

from articles.models import Article
from newsroom.prepared import fetch_all
from readers.models import Reader


def own_stars(article: Article, reader: Reader | None) -> dict[str, str]:
    """The stars that the reader gave, marked in the form: one query."""
    if reader is None:
        return {}
    given = fetch_all(
        "SELECT stars FROM ratings_rating WHERE reader_id = %s AND article_id = %s", [reader.pk, article.pk]
    )
    return {f"stern-{stars}": " checked" for (stars,) in given}
