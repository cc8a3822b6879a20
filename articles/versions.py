"""Has an article's page changed? Asked of the database at every reading, so that nothing kept is ever stale."""

import hashlib

from django.conf import settings
from django.utils import timezone

from newsroom.prepared import Question, fetch_one

# In plain SQL: building the query with the ORM takes longer than all the rest of the short way.
_VERSION = """
    SELECT article.id, counters.activity, article.modified_at, author.name, section.name
    FROM articles_article article
    JOIN articles_counters counters ON counters.article_id = article.id
    JOIN articles_author author ON author.id = article.author_id
    LEFT JOIN articles_section section ON section.id = article.section_id
    WHERE article.slug = %s AND article.state = 'published' AND article.published_at <= %s
"""


def article_version(slug: str) -> Question:
    """Changes with every visible change of a published article and its conversation; None if there is none."""
    return Question(_VERSION, [slug, timezone.now()]).first()


_NEWEST = """
    SELECT article.id, article.modified_at, counters.comments, author.name, section.name
    FROM articles_article article
    JOIN articles_counters counters ON counters.article_id = article.id
    JOIN articles_author author ON author.id = article.author_id
    LEFT JOIN articles_section section ON section.id = article.section_id
    WHERE article.state = 'published' AND article.published_at <= %s {older}
    ORDER BY article.published_at DESC, article.id DESC LIMIT %s
"""
_OLDER = "AND (article.published_at, article.id) < (SELECT published_at, id FROM articles_article WHERE id = %s)"


def newest_version(before: int | None, most: int) -> Question:
    """Changes with everything that a list of the `most` newest articles shows, or of those `before` one in it."""
    older, of = ("", []) if before is None else (_OLDER, [before])
    return Question(_NEWEST.format(older=older), [timezone.now(), *of, most], tuple)


def page_etag(version: tuple, position: str) -> str:
    """Of the page that shows this version at this position (its query), as this release shows it."""
    parts = [*version, position, settings.LANGUAGE_CODE, settings.SITE_NAME, settings.RELEASE]
    return hashlib.sha256("\x00".join(map(str, parts)).encode()).hexdigest()[:20]


_LATEST = """
    SELECT counters.last_number, counters.comments
    FROM articles_article article JOIN articles_counters counters ON counters.article_id = article.id
    WHERE article.slug = %s AND article.state = 'published' AND article.published_at <= %s
"""


def latest_number(slug: str) -> tuple[int, int] | None:
    """The number of a published article's newest comment, and how many are shown; None if there is no such article."""
    return fetch_one(_LATEST, [slug, timezone.now()])
