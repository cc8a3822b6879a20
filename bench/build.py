"""Articles with any number of comments, through COPY: a million in a minute or two, as if readers had posted them."""

import random
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice

import psycopg
from django.db import connections
from django.utils import timezone

from articles.models import Article
from articles.services import save_article
from bench.texts import Texts, names
from newsroom.markup import comment_html

READERS = 20_000  # who have written and voted
WRITERS = 30_000  # more, who are to write while it is measured
THREADS = 0.3  # of the comments begin one
LARGEST = 0.075  # of the replies go into one thread, beside those that it attracts like any other
DEEPEST = 12
VOTES = 1.8  # exponent of the votes' distribution: 70 % have none, the mean is 0.9
MOST_VOTES = 400
OWN_COMMENTS, OWN_VOTES = 2_000, 100_000  # at most, of the reader whose pages are measured: some on every page
DAYS = 30
MANY = 100_000  # comments, from which on it is quicker to make indexes anew
NULL = "\\N"

COMMENT = (
    "id, article_id, reader_id, parent_id, root_id, depth, number, thread_number, name, email, website, body, html,"
    " passage_id, badge, state, held_because, score, reply_count, form_key, created_at, published_at,"
    " edited_at, picked_at"
)
# Each must find nothing. What replica mode does not check, and what no constraint can say.
WRONG = {
    "numbers have gaps": "SELECT FROM comments_comment WHERE article_id = %(article)s"
    " HAVING count(number) <> coalesce(max(number), 0) OR count(thread_number) <> coalesce(max(thread_number), 0)",
    "counters are off": "SELECT FROM articles_counters JOIN (SELECT"
    " count(*) FILTER (WHERE state = 'published') AS shown, coalesce(max(number), 0) AS number,"
    " coalesce(max(thread_number), 0) AS thread FROM comments_comment"
    " WHERE article_id = %(article)s) AS there ON true WHERE article_id = %(article)s"
    " AND (comments <> shown OR last_number <> number OR last_thread <> thread)",
    "places in threads are off": "SELECT FROM comments_comment c JOIN comments_comment p ON p.id = c.parent_id"
    " WHERE c.article_id = %(article)s AND (c.depth <> p.depth + 1 OR c.root_id <> coalesce(p.root_id, p.id)"
    " OR c.number <= p.number OR p.article_id <> c.article_id) LIMIT 1",
    "reply counts are off": "SELECT FROM comments_comment r LEFT JOIN (SELECT root_id, count(*) AS n"
    " FROM comments_comment WHERE article_id = %(article)s AND state = 'published' GROUP BY root_id) b"
    " ON b.root_id = r.id WHERE r.article_id = %(article)s AND r.reply_count <> coalesce(b.n, 0) LIMIT 1",
    "scores are off": "SELECT FROM comments_comment c LEFT JOIN (SELECT comment_id, count(*) AS n FROM comments_vote"
    " GROUP BY comment_id) v ON v.comment_id = c.id WHERE c.article_id = %(article)s AND c.score <> coalesce(v.n, 0)"
    " LIMIT 1",
    "references lead nowhere": "SELECT FROM comments_comment c LEFT JOIN readers_reader r ON r.id = c.reader_id"
    " WHERE c.article_id = %(article)s AND (r.id IS NULL OR c.parent_id IS NOT NULL AND NOT EXISTS"
    " (SELECT FROM comments_comment p WHERE p.id = c.parent_id)) LIMIT 1",
}


@dataclass
class Built:
    slug: str
    size: int
    article: int
    largest: int | None = None  # the root of the largest thread
    in_largest: int = 0


class Builder:
    """Makes readers, then articles, in one database that nobody else uses yet."""

    def __init__(self, database_url: str, seed: int = 1) -> None:
        self.chance = random.Random(seed)
        self.connection = psycopg.connect(database_url, autocommit=True)
        self.first_reader = self._reserve("readers_reader", READERS + WRITERS)
        self.writers = range(self.first_reader + READERS, self.first_reader + READERS + WRITERS)
        # Somebody who has voted and written everywhere: whose pages are measured.
        self.somebody = self.first_reader

    def prepare(self, texts: int = 4000) -> None:
        """Texts and readers for all articles."""
        source = Texts(self.chance)
        self.bank = [(_copied(body), _copied(html)) for body, html in source.rendered(texts)]
        self.openings = [_copied(opening) for opening in source.openings(texts)]
        opening, (body, html) = self.openings[0], self.bank[0]
        assert comment_html(_read(f"{opening} {body}")) == _read(_with_opening(opening, html))
        self.names = list(islice(names(), READERS + WRITERS))
        rows = (f"{self.first_reader + at}\t{name}\t\t\t{_now()}\n" for at, name in enumerate(self.names))
        with self.connection.transaction():
            self._copy("readers_reader (id, name, email, website, created_at)", rows)

    def article(self, size: int) -> Built:
        """The first article again, under another address. All comments are published; one more is held, somebody's."""
        self.chance.seed(size)
        model = Article.objects.earliest("pk")
        fields = {"author": model.author, "section": model.section, "source": model.source, "state": "published"}
        article = save_article(Article(headline=model.headline, slug=f"bench-{size}", **fields))
        connections.close_all()
        built = Built(article.slug, size, article.pk)
        with self.connection.transaction(), self.connection.cursor() as cursor:
            # Without a trigger for every reference of every row; WRONG looks at the end. Of this transaction only.
            cursor.execute("SET LOCAL session_replication_role = replica")
            first = self._reserve("comments_comment", size + 1)
            cursor.execute(
                "INSERT INTO comments_passage (article_id, block, exact, prefix, suffix, question, comment_count)"
                " VALUES (%s, 5, 'taktische Atomwaffen', '', '', '', 0) RETURNING id",
                [article.pk],
            )
            passage = cursor.fetchone()[0]
            parents, roots, depths = self._threads(size)
            beneath = [0] * size
            for root in roots:
                if root is not None:
                    beneath[root] += 1
            scores = [min(int(self.chance.paretovariate(VOTES)), MOST_VOTES + 1) - 1 for _ in range(size)]
            rows = self._rows(article, first, passage, parents, roots, depths, beneath, scores)
            indexes = self._drop_indexes(cursor) if size >= MANY else []
            self._copy(f"comments_comment ({COMMENT})", rows)
            self._copy("comments_vote (comment_id, reader_id, created_at)", self._votes(first, scores))
            for index in indexes:
                cursor.execute(index)
            cursor.execute(
                "INSERT INTO comments_revision (comment_id, body, html, replaced_at) SELECT id, 'Zuvor: ' || body,"
                " html, edited_at FROM comments_comment WHERE article_id = %s AND edited_at IS NOT NULL",
                [article.pk],
            )
            cursor.execute(
                "UPDATE comments_passage SET comment_count = (SELECT count(*) FROM comments_comment"
                " WHERE passage_id = %(passage)s AND state = 'published') WHERE id = %(passage)s",
                {"passage": passage},
            )
            cursor.execute(
                "UPDATE articles_counters SET comments = %s, last_number = %s, last_thread = %s,"
                " activity = activity + %s WHERE article_id = %s",
                [size, size, sum(root is None for root in roots), size + sum(scores), article.pk],
            )
        for name in ("comments_comment", "comments_vote"):
            self.connection.execute(f"ANALYZE {name}")  # or the questions would be answered row by row
        for wrong, query in WRONG.items():
            if self.connection.execute(query, {"article": article.pk}).fetchone() is not None:
                raise AssertionError(f"{article.slug}: {wrong}")
        if size:
            largest = max(range(size), key=beneath.__getitem__)
            built.largest, built.in_largest = first + largest, beneath[largest]
            assert size < 1_000_000 or built.in_largest > 50_000, "the largest thread is too small"
        return built

    def finish(self) -> None:
        """As a database is that has been in use: statistics known, pages' visibility known, nothing left to write."""
        for name in ("comments_comment", "comments_vote", "readers_reader", "articles_article", "articles_counters"):
            self.connection.execute(f"VACUUM ANALYZE {name}")
        self.connection.execute("CHECKPOINT")
        self.connection.close()

    def _threads(self, size: int) -> tuple[list[int | None], list[int | None], list[int]]:
        """Whom each answers, the thread's root and the depth. To answer any comment so far, each as likely as the
        other, is preferential attachment: a thread attracts by its size."""
        chance = self.chance.random
        parents, roots, depths = [None] * size, [None] * size, [0] * size
        largest: list[int] = []
        for at in range(size):
            kind = chance()
            if at == 0 or kind < THREADS:
                if at == size // 50:
                    largest = [at]
                continue
            if largest and kind > 1 - LARGEST * (1 - THREADS):
                parent = largest[int(chance() * len(largest))]
            else:
                parent = int(chance() * at)
            if depths[parent] == DEEPEST:
                parent = parents[parent]
            parents[at], depths[at] = parent, depths[parent] + 1
            roots[at] = parent if roots[parent] is None else roots[parent]
            if not largest and at > size // 50:
                largest = [roots[at]]
            elif largest and roots[at] == largest[0]:
                largest.append(at)
        return parents, roots, depths

    def _rows(self, article, first, passage, parents, roots, depths, beneath, scores) -> Iterator[str]:
        chance, bank, openings, texts = self.chance.random, self.bank, self.openings, len(self.bank)
        size, thread = len(parents), 0
        begin = timezone.now() - timedelta(days=DAYS)
        hours = [(begin + timedelta(hours=hour)).strftime("%Y-%m-%d %H") for hour in range(24 * DAYS)]
        own = min(0.02, OWN_COMMENTS / size) if size else 0
        for at, (parent, root) in enumerate(zip(parents, roots, strict=True)):
            body, html = bank[int(chance() * texts)]
            opening = openings[int(chance() * texts)]
            writer = 0 if chance() < own else 1 + int(chance() * (READERS - 1))
            place = at / size * len(hours)
            minute, second = divmod(int(place % 1 * 3600), 60)
            time = f"{hours[int(place)]}:{minute:02}:{second:02}+00"
            is_root, rare = parent is None, chance()
            thread += is_root
            yield (
                f"{first + at}\t{article.pk}\t{self.first_reader + writer}\t"
                f"{NULL if is_root else first + parent}\t{NULL if is_root else first + root}\t"
                f"{depths[at]}\t{at + 1}\t{thread if is_root else NULL}\t{self.names[writer]}\t\t"
                f"{'https://example.org/' if rare < 0.05 else ''}\t{opening} {body}\t{_with_opening(opening, html)}\t"
                f"{passage if is_root and rare > 0.99 else NULL}\t{'editor' if 0.1 < rare < 0.102 else ''}\t"
                f"published\t{{}}\t{scores[at]}\t{beneath[at]}\t{uuid.UUID(int=self.chance.getrandbits(128))}\t"
                f"{time}\t{time}\t{time if 0.2 < rare < 0.205 else NULL}\t"
                f"{time if 0.3 < rare < 0.3 + 5 / size else NULL}\n"
            )
        body, html = bank[0]
        yield (
            f"{first + size}\t{article.pk}\t{self.somebody}\t\\N\t\\N\t0\t\\N\t\\N\t{self.names[0]}\t\t\t"
            f"{body}\t{html}\t\\N\t\theld\t{{Erster Kommentar}}\t0\t0\t{uuid.uuid4()}\t{_now()}\t\\N\t\\N\t\\N\n"
        )

    def _votes(self, first: int, scores: list[int]) -> Iterator[str]:
        chance, time = self.chance.random, _now()
        somebodys = min(0.1, OWN_VOTES / len(scores)) if scores else 0
        for at, score in enumerate(scores):
            if score:
                voter = int(chance() * (READERS - MOST_VOTES - 1)) + 1
                for vote in range(score):
                    reader = 0 if vote == 0 and chance() < somebodys else voter + vote
                    yield f"{first + at}\t{self.first_reader + reader}\t{time}\n"

    def _drop_indexes(self, cursor: psycopg.Cursor) -> list[str]:
        """Those that only make reading fast; returns how to make them anew, which is quicker than to keep them up."""
        cursor.execute(
            "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
            " WHERE indrelid IN ('comments_comment'::regclass, 'comments_vote'::regclass)"
            " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)"
        )
        found = cursor.fetchall()
        cursor.execute(f"DROP INDEX {', '.join(name for name, _ in found)}; SET LOCAL maintenance_work_mem = '256MB'")
        return [definition for _, definition in found]

    def _copy(self, target: str, rows: Iterable[str]) -> None:
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {target} FROM STDIN") as copy:
            rows = iter(rows)
            while chunk := "".join(islice(rows, 500)):
                copy.write(chunk)

    def _reserve(self, table: str, count: int) -> int:
        """The first of so many ids in a row."""
        sequence = f"pg_get_serial_sequence('{table}', 'id')"
        first = self.connection.execute(f"SELECT nextval({sequence})").fetchone()[0]
        self.connection.execute(f"SELECT setval({sequence}, %s)", [first + count])
        return first


def _now() -> str:
    return timezone.now().isoformat()


def _with_opening(opening: str, html: str) -> str:
    return f"<p>{opening} {html.removeprefix('<p>')}"


def _copied(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t")


def _read(text: str) -> str:
    return text.replace("\\n", "\n").replace("\\\\", "\\")
