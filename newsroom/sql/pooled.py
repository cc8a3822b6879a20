"""A pooled connection that is asked once a second whether it still works, and otherwise only looked at."""

import select
from time import monotonic

import psycopg

from newsroom.sql.statements import Statements

VALID = 1.0  # seconds that an answer holds


class PooledConnection(psycopg.Connection):
    _asked_at = 0.0

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.statements = Statements(self)

    def execute(self, query, params=None, **options) -> psycopg.Cursor:
        """As psycopg's. An empty query is how the pool asks, before every request, whether the connection still works:
        a tenth of what a post took. A database that ends says so or closes, and then there is something to read; a peer
        that vanished (a cut cable, a forgotten NAT entry) says nothing, and shows at the next real question."""
        if query != "":
            return super().execute(query, params, **options)
        now = monotonic()
        if now - self._asked_at < VALID and not self.closed and not self._has_news():
            return self.cursor()
        answer = super().execute(query, params, **options)
        self._asked_at = now
        return answer

    def _has_news(self) -> bool:
        poll = select.poll()
        poll.register(self.fileno(), select.POLLIN)
        return bool(poll.poll(0))
