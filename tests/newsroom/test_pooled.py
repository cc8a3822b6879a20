"""A connection that works costs no question, one that broke is never handed out."""

import os
from time import monotonic

import psycopg
import pytest

from newsroom.sql.pooled import VALID, PooledConnection


@pytest.fixture
def connection(django_db_setup):
    with PooledConnection.connect(os.environ["DATABASE_URL"], autocommit=True) as made:
        yield made


def test_it_is_asked_once_a_second(connection):
    connection.execute("")
    asked = connection._asked_at
    for _ in range(20):
        connection.execute("")
    assert connection._asked_at == asked
    connection._asked_at = monotonic() - VALID
    connection.execute("")
    assert connection._asked_at > asked


def test_other_questions_go_through(connection):
    assert connection.execute("SELECT 1").fetchone() == (1,)


def test_one_that_the_server_ended_is_noticed_at_once(connection):
    connection.execute("")
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        connection.execute("")


def test_one_that_is_closed_is_noticed(connection):
    connection.execute("")
    connection.close()
    with pytest.raises(psycopg.OperationalError):
        connection.execute("")
