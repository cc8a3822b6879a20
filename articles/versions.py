"""Has a page changed? Asked of the database at every reading, so that nothing kept is ever stale."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.utils import timezone

from newsroom.sql.prepared import Question, fetch_one
from newsroom.text.ago import count_from

# With the transaction that counted last: where yesterday's copy of the database was put back, the same count comes once
# more, of something else.
# In plain SQL: building the query with the ORM takes longer than all the rest of the short way.
_PUBLISHED = """
    SELECT article.id, {changes}, counters.xmin::text, article.modified_at, author.name, section.name
    FROM articles_article article
    JOIN articles_counters counters ON counters.article_id = article.id
    JOIN articles_author author ON author.id = article.author_id
    LEFT JOIN articles_section section ON section.id = article.section_id
    WHERE article.state = 'published' AND article.published_at <= %s
"""
# When its newest comment was published, even if that is gone again: the words for how long ago it was are due to change
# first (count_from). Asked here though it is the comments' table: a question of its own would take as long as this one.
_COMMENTED_AT = """
    (SELECT published_at FROM comments_comment WHERE article_id = article.id AND number IS NOT NULL
     ORDER BY number DESC LIMIT 1)
"""
_ARTICLE = (
    _PUBLISHED.format(changes=f"{_COMMENTED_AT}, counters.activity, article.closes_at <= %s") + "AND article.slug = %s"
)
_NEWEST = _PUBLISHED.format(changes="counters.comments")
_OLDER = "AND (article.published_at, article.id) < (SELECT published_at, id FROM articles_article WHERE id = %s)"
_ORDER = " ORDER BY article.published_at DESC, article.id DESC LIMIT %s"


class Version(NamedTuple):
    changes: tuple  # is another after every visible change of a published article and its conversation
    counted_from: datetime | None  # how long ago its comments were written; None without any

    def page_etag(self, position: str) -> str:
        return page_etag((*self.changes, self.counted_from), position)


def article_version(slug: str) -> Question:
    """Answered with the article's Version; None if there is no such article, or it is not published."""
    now = timezone.now()

    def read(rows: list[tuple]) -> list[Version]:
        return [Version((pk, *changes), newest and count_from(newest, now)) for pk, newest, *changes in rows]

    return Question(_ARTICLE, [now, now, slug], read).first()


def newest_version(before: int | None, most: int) -> Question:
    """Changes with everything that a list of the `most` newest articles shows, or of those `before` one in it."""
    if before is None:
        return Question(_NEWEST + _ORDER, [timezone.now(), most], tuple)
    return Question(_NEWEST + _OLDER + _ORDER, [timezone.now(), before, most], tuple)


def page_etag(version: tuple, position: str) -> str:
    """Of the page that shows this version at this position (its query), as this release shows it."""
    parts = [*version, position, settings.LANGUAGE_CODE, settings.SITE_NAME, settings.REPLY_LEVELS, settings.RELEASE]
    return hashlib.sha256("\x00".join(map(str, parts)).encode()).hexdigest()[:20]


_LATEST = """
    SELECT counters.last_number, counters.comments
    FROM articles_article article JOIN articles_counters counters ON counters.article_id = article.id
    WHERE article.slug = %s AND article.state = 'published' AND article.published_at <= %s
"""


def latest_number(slug: str) -> tuple[int, int] | None:
    """The number of a published article's newest comment, and how many are shown; None if there is no such article."""
    return fetch_one(_LATEST, [slug, timezone.now()])
