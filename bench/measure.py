"""What is asked of the site, and what is noted of the answers. What is compared is asked in turns: A B A B ..."""

import random
import re
import secrets
import time
import uuid
from collections.abc import Iterable, Iterator
from itertools import count, cycle, islice
from statistics import median, quantiles

import brotli
import psycopg
from django.conf import settings
from django.core.signing import Signer
from django.utils import timezone

from bench.build import Built
from bench.client import Answer, Client, Load, get, post
from bench.figures import Figures
from bench.house import House
from comments.position import Order
from comments.threads import THREADS_PER_PAGE

ROUNDS, ROUND_SECONDS = 7, 1.5
CONNECTIONS = 8
AT_ONCE, POSTING_SECONDS = 16, 12
POSTS, WARM_UP = 400, 60
PAGES = 60  # asked for in each place of each order
WEIGHED = 100  # the same: what people write is of very different length
_NEXT = re.compile(rb'id="mehr"><a href="[^"?]*\?([^"#]*)#')
# Set by Django for the connection at hand, or by granian.
_NOT_REPEATED = {"connection", "date", "server", "transfer-encoding"}


class Measuring:
    def __init__(self, house: House, client: Client, built: list[Built], somebody: int, *, quick: bool) -> None:
        self.house, self.client, self.built = house, client, built
        self.quick = quick
        self.figures = Figures()
        self.chance = random.Random(7)
        self.networks = count(1)
        self.secret = secrets.token_hex(16)  # of the CSRF cookie
        self.somebody = _cookie(somebody)

    @property
    def largest(self) -> Built:
        return self.built[-1]

    # --- reading without a cookie ------------------------------------------------------------------------------------

    def first_pages(self) -> dict[str, tuple[dict[str, str], bytes]]:
        """Headers and body of each article's page, for the constant to repeat."""
        return {built.slug: _repeatable(self._ask([get(_address(built))])[0]) for built in self.built}

    def against_constant(self) -> None:
        """Both anew on eight connections in each round: which of the two workers a connection falls to is chance."""
        rounds, seconds = (3, 0.7) if self.quick else (ROUNDS, ROUND_SECONDS)
        for built in self.built:
            requests = [get(_address(built))]
            page, constant = [], []
            for place in range(rounds + 1):
                for port, found in ((self.house.port, page), (self.house.constant_port, constant)):
                    load = self.client.load(port, requests, connections=CONNECTIONS, seconds=seconds)
                    assert set(load.statuses) == {200}, load.statuses
                    if place:  # the first round warms up
                        found.append(load.per_second)
            self.figures.pages_per_s[built.size] = median(page)
            self.figures.constant_per_s[built.size] = median(constant)
            self.figures.vs_constant[built.size] = median(a / b for a, b in zip(page, constant, strict=True))

    def flatness(self) -> None:
        """The largest article's page against a small one's, alternately over one connection."""
        small = min((built for built in self.built if built.size), key=lambda built: abs(built.size - 100))
        pair = [get(_address(small)), get(_address(self.largest))]
        times = 1000 * (0.2 if self.quick else 1)
        answers = self._ask(pair * int(times))[20:]
        for built, part in ((small, answers[0::2]), (self.largest, answers[1::2])):
            self.figures.page_ms[built.size] = _milliseconds(part)
        self.figures.flat = self.figures.page_ms[self.largest.size] / self.figures.page_ms[small.size]
        constant = self.client.sequence(self.house.constant_port, [get(_address(small))] * 300)
        self.figures.constant_ms = _milliseconds(constant)

    def pages_for_all(self) -> None:
        """Only for the memory that it takes: without the constant, which holds some of the database's."""
        requests = [get(_address(built)) for built in self.built]
        load = self.client.load(self.house.port, requests, connections=CONNECTIONS, seconds=1 if self.quick else 5)
        assert set(load.statuses) == {200}, load.statuses

    def weights(self) -> None:
        """The first and some deep pages of the larger articles, as everyone gets them: the heaviest of each kind."""
        pages = 10 if self.quick else WEIGHED
        for built in self.built:
            if built.size >= 10_000 or built is self.largest:
                for order in Order:
                    for place, requests, answers in self._places(built, order, cookie="", pages=pages):
                        heaviest = max(range(len(answers)), key=lambda at: len(answers[at].body))
                        path = requests[heaviest].split()[1].decode()
                        (as_gzip,) = self._ask([get(path, encoding="gzip")])
                        kind = built.size, order.value, place
                        self.figures.page_kb[kind] = len(answers[heaviest].body) / 1000
                        self.figures.page_gzip_kb[kind] = len(as_gzip.body) / 1000

    # --- reading with a cookie ---------------------------------------------------------------------------------------

    def readers_pages(self) -> None:
        """The page of somebody who has votes, comments and a held comment there. Each deep page is another one, so
        that nothing of it is known; then the last ten of them once more. What the client takes is in it, 0.1 to 0.2 ms;
        nothing is subtracted."""
        for built in self.built:
            for order in Order:
                pages = 15 if self.quick else PAGES
                for place, requests, answers in self._places(built, order, cookie=self.somebody, pages=pages):
                    if place == "tief":  # it may be the other worker that is asked now, to whom they are new
                        again = self._ask(requests[-10:] * 4)[10:]
                        self.figures.reader_again_ms[built.size, order.value, place] = _milliseconds(again)
                    if place == "vorn":
                        assert b"Noch nicht ver" in _html(answers[0]), "somebody's held comment is missing"
                        answers = answers[3:]
                    self.figures.reader_ms[built.size, order.value, place] = _milliseconds(answers)

    def _places(
        self, built: Built, order: Order, *, cookie: str, pages: int
    ) -> Iterator[tuple[str, list[bytes], list[Answer]]]:
        """The first page again and again, then different pages further in, if there are some."""
        address = f"{_address(built)}?sortierung={order.value}"
        requests = [get(address, cookie)] * pages
        yield "vorn", requests, self._ask(requests)
        last = self._threads(built) // THREADS_PER_PAGE
        if last < 10:
            return
        if order != Order.MOST_VOTED:
            numbers = self.chance.sample(range(3, last), min(pages, last - 3))
            requests = [get(f"{address}&seite={number}", cookie) for number in numbers]
            yield "tief", requests, self._ask(requests)
            return
        requests, answers, key = [], [], self._key_in_the_middle(built)
        while len(answers) < pages:
            requests.append(get(f"{address}&nach={key}", cookie))
            answers += self._ask(requests[-1:])
            following = _NEXT.search(_html(answers[-1]))
            if following is None:
                break
            key = re.search(rb"nach=([0-9.]+)", following[1])[1].decode()
        yield "tief", requests, answers

    # --- writing -----------------------------------------------------------------------------------------------------

    def posts_one_by_one(self, readers: Iterator[int]) -> None:
        """Replies into the largest thread: to its comments, wherever they stand."""
        parents = self._some_comments("root_id = %s", self.largest.largest)
        total = (60 if self.quick else POSTS) + WARM_UP
        chosen = (self.chance.choice(parents) for _ in range(total))
        times = self.replies(zip(chosen, readers, strict=False))[WARM_UP:]
        self.figures.post_ms, self.figures.post_p99_ms = median(times), quantiles(times, n=100)[98]

    def replies(self, wanted: Iterable[tuple[int, int]]) -> list[float]:
        """Milliseconds of each reply; wanted are pairs of what is answered and who answers."""
        answers = self._ask([self._reply(parent, reader)[0] for parent, reader in wanted])
        assert {answer.status for answer in answers} == {302}, {answer.status for answer in answers}
        return [answer.seconds * 1000 for answer in answers]

    def posts_at_once(self, readers: Iterator[int]) -> None:
        """Sixteen at a time, three of ten a new thread; afterwards every acknowledged one must be there."""
        parents = self._some_comments("article_id = %s", self.largest.article)
        seconds = 3 if self.quick else POSTING_SECONDS
        prepared = []
        for reader, _ in zip(readers, range(1200 * seconds), strict=False):
            new = self.chance.random() < 0.3
            prepared.append(self._thread(reader) if new else self._reply(self.chance.choice(parents), reader))
        load = self._at_once(self.house.port, [request for request, _ in prepared], seconds)
        self.figures.posts_per_s = len(load.acknowledged) / load.seconds
        self.figures.posts_stored = self._check_posts([prepared[at][1] for at in load.acknowledged])

    def posts_against_bare(self, readers: Iterator[int]) -> None:
        """Sixteen replies at a time, in turns with a view that only stores them; in the article that is second in size,
        since what that one stores is counted nowhere else."""
        parents = self._some_comments("article_id = %s", self.built[-2].article)
        rounds, seconds = (2, 1.5) if self.quick else (5, 3)
        site, bare = [], []
        for place in range(rounds + 1):
            chosen = zip(islice(readers, int(600 * seconds)), cycle(parents), strict=False)
            requests = [self._reply(parent, reader)[0] for reader, parent in chosen]
            for port, found in ((self.house.port, site), (self.house.constant_port, bare)):
                load = self._at_once(port, requests, seconds)
                if place:  # the first round warms up
                    found.append(len(load.acknowledged) / load.seconds)
        self.figures.compared_posts_per_s, self.figures.bare_posts_per_s = median(site), median(bare)
        self.figures.posts_vs_bare = median(a / b for a, b in zip(site, bare, strict=True))

    def votes(self, readers: Iterator[int]) -> None:
        comments = self._some_comments("article_id = %s", self.largest.article)
        total = 60 if self.quick else 300
        requests = []
        for comment, reader, _ in zip(cycle(comments), readers, range(total), strict=False):
            fields = {"csrfmiddlewaretoken": self.secret, "wanted": "1"}
            requests.append(self._post(f"/kommentar/{comment}/respekt/", fields, reader))
        answers = self._ask(requests)
        assert {answer.status for answer in answers} == {302}, {answer.status for answer in answers}
        self.figures.vote_ms = _milliseconds(answers[20:])

    def open_pages(self) -> None:
        """What a page that lies open asks every few seconds."""
        before = self.house.cpu_seconds()
        request = get(f"{_address(self.largest)}stand/")
        load = self.client.load(self.house.port, [request], connections=CONNECTIONS, seconds=1 if self.quick else 4)
        assert set(load.statuses) == {200}, load.statuses
        self.figures.asks_per_s = load.per_second
        self.figures.asks_cpu = (self.house.cpu_seconds() - before) / load.answered * 1000

    def core(self) -> None:
        """How fast this machine is at the moment: a virtual one may be half as fast when its neighbours work."""
        begin = time.process_time()
        for _ in range(1_000_000):
            pass
        self.figures.core_ms.append((time.process_time() - begin) * 1000)

    # --- how ---------------------------------------------------------------------------------------------------------

    def _at_once(self, port: int, requests: list[bytes], seconds: float) -> Load:
        load = self.client.load(port, requests, connections=AT_ONCE, seconds=seconds, once=True)
        assert set(load.statuses) == {302}, load.statuses
        return load

    def _ask(self, requests: list[bytes]) -> list[Answer]:
        return self.client.sequence(self.house.port, requests)

    def _reply(self, parent: int, reader: int) -> tuple[bytes, uuid.UUID]:
        return self._comment(f"/kommentar/{parent}/antworten/", reader)

    def _thread(self, reader: int) -> tuple[bytes, uuid.UUID]:
        return self._comment(f"{_address(self.largest)}kommentieren/", reader)

    def _comment(self, path: str, reader: int) -> tuple[bytes, uuid.UUID]:
        """As a browser sends it that had the form open for a minute; with the id of the form's key."""
        key = uuid.uuid4()
        fields = {
            "csrfmiddlewaretoken": self.secret,
            "form_key": Signer(salt="newsroom.formkey").sign(f"{key.hex}~{timezone.now().timestamp() - 60:.1f}"),
            "body": f"Das überzeugt mich *nicht*, aus {self.chance.randrange(10**6)} Gründen.\n\nDer erste: „Puffer“"
            " ist ein Wort für Dinge, und hier geht es um Menschen. Der zweite steht schon oben.",
            "name": "Anna Müller",
            "email": "",
            "website": "",
            "subject": "",
        }
        return self._post(path, fields, reader), key

    def _post(self, path: str, fields: dict[str, str], reader: int) -> bytes:
        cookie = f"{_cookie(reader)}; {settings.CSRF_COOKIE_NAME}={self.secret}"
        number = next(self.networks)
        return post(path, fields, cookie=cookie, network=f"10.{number >> 8 & 255}.{number & 255}.7")

    def _query(self, query: str, *parameters) -> list[tuple]:
        """Over a connection that is not kept: it would count as the site's memory."""
        with psycopg.connect(self.house.environment["DATABASE_URL"]) as connection:
            return connection.execute(query, parameters).fetchall()

    def _some_comments(self, where: str, value: int) -> list[int]:
        sample = f"comments_comment TABLESAMPLE BERNOULLI ({5 if self.largest.size > 50_000 else 100})"
        query = f"SELECT id FROM {sample} WHERE {where} AND state = 'published' LIMIT 2000"
        found = [pk for (pk,) in self._query(query, value)] or [self.largest.largest]
        self.chance.shuffle(found)
        return found

    def _threads(self, built: Built) -> int:
        return self._query("SELECT last_thread FROM articles_counters WHERE article_id = %s", built.article)[0][0]

    def _key_in_the_middle(self, built: Built) -> str:
        """Of the threads with few votes, which are most: the place where a key's order is hardest to find."""
        middle = self._threads(built) // 2
        return f"1.{middle}"

    def _check_posts(self, keys: list[uuid.UUID]) -> int:
        stored = self._query(
            "SELECT count(*) FROM comments_comment WHERE form_key = ANY(%s) AND state = 'published'", keys
        )[0][0]
        assert stored == len(keys), f"{len(keys)} acknowledged, {stored} stored"
        rows, last, comments, threads, last_thread = self._query(
            "SELECT count(number), max(number), max(comments), count(thread_number), max(last_thread)"
            " FROM comments_comment JOIN articles_counters USING (article_id) WHERE article_id = %s",
            self.largest.article,
        )[0]
        assert (rows, threads) == (last, last_thread), "numbers have gaps"
        assert comments == rows, "the counter is off"
        (wrong,) = self._query(
            "SELECT count(*) FROM comments_comment WHERE id = %s AND reply_count <>"
            " (SELECT count(*) FROM comments_comment WHERE root_id = %s)",
            self.largest.largest,
            self.largest.largest,
        )[0]
        assert not wrong, "the largest thread's reply count is off"
        return stored


def _address(built: Built) -> str:
    return f"/artikel/{built.slug}/"


def _cookie(reader: int) -> str:
    return f"{settings.READER_COOKIE_NAME}={Signer(salt='readers.device').sign(str(reader))}"


def _repeatable(answer: Answer) -> tuple[dict[str, str], bytes]:
    lines = answer.head.decode("latin-1").strip().split("\r\n")[1:]
    headers = dict(line.split(": ", 1) for line in lines)
    assert (answer.status, headers.get("content-encoding")) == (200, "br"), answer.head
    return {name: value for name, value in headers.items() if name not in _NOT_REPEATED}, answer.body


def _html(answer: Answer) -> bytes:
    return brotli.decompress(answer.body)


def _milliseconds(answers: list[Answer]) -> float:
    wrong = {answer.status for answer in answers} - {200, 302}
    assert not wrong, wrong
    return median(answer.seconds for answer in answers) * 1000
