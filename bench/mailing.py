"""What it costs that ten thousand want to hear of each comment: the writer, and the worker who tells them."""

import random
import smtplib
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import psycopg

from bench.build import Built
from bench.house import House
from bench.measure import Measuring

ROUNDS, POSTS = 4, 50
BARE_MAILS = 1500
PATIENCE = 180  # seconds for all mails to go out
_ANNOUNCED = "task_name = 'subscriptions.tasks.announce' AND status = 'todo'"


class Mailing:
    """After everything else: what it makes is many."""

    def __init__(self, house: House, measuring: Measuring, built: Built, *, subscribers: int) -> None:
        self.house, self.measuring, self.figures = house, measuring, measuring.figures
        self.built = built
        self.subscribers = subscribers
        self.chance = random.Random(11)
        self.database = psycopg.connect(house.environment["DATABASE_URL"], autocommit=True)

    def subscribe(self, readers: range) -> None:
        """In bulk, as if each had asked for it and pressed the button."""
        self.database.execute(
            """INSERT INTO subscriptions_subscription
               (article_id, reader_id, kind, email, rhythm, wording, form_url, asked_at, opt_in_message_id,
                confirmed_at)
               SELECT %s, reader, 'article', 'leser' || reader || '@example.org', 'at_once', 'Ja.', 'http://localhost/',
                      now(), '', now()
               FROM generate_series(%s::bigint, %s::bigint) AS reader""",
            [self.built.article, readers.start, readers.start + self.subscribers - 1],
        )
        self.database.execute("ANALYZE subscriptions_subscription")

    def posts(self, readers: Iterator[int]) -> None:
        """The same article with and without its subscribers, in turns. Nobody is told before the ten seconds are over
        in which a comment can be taken back; by then all but one of the jobs are gone again."""
        ratios = []
        found = "SELECT id FROM comments_comment WHERE article_id = %s AND state = 'published' LIMIT 500"
        parents = [pk for (pk,) in self.database.execute(found, [self.built.article]).fetchall()]
        for _round in range(ROUNDS):
            times = []
            for ended_at in ("now()", "NULL"):
                self.database.execute(f"UPDATE subscriptions_subscription SET ended_at = {ended_at}")
                chosen = [self.chance.choice(parents) for _ in range(POSTS)]
                times.append(median(self.measuring.replies(zip(chosen, readers, strict=False))))
                newest = f"SELECT max(id) FROM procrastinate_jobs WHERE {_ANNOUNCED}"
                self.database.execute(f"DELETE FROM procrastinate_jobs WHERE {_ANNOUNCED} AND id <> ({newest})")
            ratios.append(times[1] / times[0])
        self.figures.fanout_post_ratio = median(ratios)

    def handing_over(self) -> None:
        """From the first mail to the last, against a loop that knows only SMTP and one mail, before and after."""
        before = self.house.memory().get("Worker", 0)
        jobs = self.database.execute(f"SELECT count(*) FROM procrastinate_jobs WHERE {_ANNOUNCED}").fetchone()[0]
        assert jobs == 1, f"{jobs} announcements wait"
        most, until = before, time.monotonic() + PATIENCE
        while self._sent()[0] < self.subscribers:
            assert time.monotonic() < until, f"{self._sent()[0]} mails in {PATIENCE} s"
            time.sleep(0.5)
            most = max(most, self.house.memory().get("Worker", 0))
        sent, seconds = self._sent()
        self.figures.mails_per_s = sent / seconds
        self.figures.mail_memory_mb = most - before
        bare = [self._bare(), self._bare()]
        self.figures.bare_mails_per_s = median(bare)
        self.figures.handover_ratio = self.figures.mails_per_s / self.figures.bare_mails_per_s
        self._check()

    def _sent(self) -> tuple[int, float]:
        span = "extract(epoch FROM max(sent_at) - min(sent_at))"
        query = f"SELECT count(*), {span} FROM subscriptions_delivery WHERE sent_at IS NOT NULL"
        count, seconds = self.database.execute(query).fetchone()
        return count, float(seconds or 0)

    def _bare(self) -> float:
        mail = next((Path(self.house.environment["NEWSROOM_MAILBOX"]) / "new").iterdir()).read_bytes()
        mail = mail.replace(b"\n", b"\r\n")
        port = urlsplit(self.house.environment["EMAIL_URL"]).port
        with smtplib.SMTP("127.0.0.1", port) as server:
            begin = time.perf_counter()
            for number in range(BARE_MAILS):
                server.sendmail("bench@example.org", [f"niemand{number}@example.org"], mail)
            return BARE_MAILS / (time.perf_counter() - begin)

    def _check(self) -> None:
        """Every subscriber has the mail, and has it once."""
        folder = Path(self.house.environment["NEWSROOM_MAILBOX"]) / "new"
        heads = [file.read_bytes().partition(b"\n\n")[0] for file in folder.iterdir()]
        told = [head.split(b"X-Envelope-To: ", 1)[1].split(b"\n")[0] for head in heads]
        told = [address for address in told if address.startswith(b"leser")]
        assert len(told) == len(set(told)) == self.subscribers, f"{len(told)} mails to {len(set(told))} of them"
