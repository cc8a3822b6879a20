"""What of an article's rating belongs to one reader (newsroom.pages.slots)."""

from articles.models import Article
from newsroom.sql.prepared import Question
from readers.models import Reader

_GIVEN = "SELECT stars FROM ratings_rating WHERE reader_id = %s AND article_id = %s"


def own_stars(article: Article, reader: Reader) -> Question:
    """The slots' values for the stars that the reader gave, marked in the form."""
    return Question(_GIVEN, [reader.pk, article.pk], _marked)


def _marked(given: list[tuple[int]]) -> dict[str, str]:
    return {f"stern-{stars}": " checked" for (stars,) in given}
