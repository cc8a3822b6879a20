"""Prepared once, several in one trip, and never an answer that belongs to another question."""

import os
import time
from threading import Event, Thread

import psycopg
import pytest

from newsroom.sql import statements
from newsroom.sql.pooled import PooledConnection

ONE, TEXT = ("SELECT %s::int", [1]), ("SELECT %s::text", ["ä"])


@pytest.fixture
def connection(django_db_setup):
    with PooledConnection.connect(os.environ["DATABASE_URL"], autocommit=True) as made:
        yield made


@pytest.fixture
def ask(connection):
    return connection.statements.ask


def rows(answers):
    return [answer.rows for answer in answers]


def prepared(connection):
    return connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone()[0]


def test_answers_come_in_the_order_of_the_questions(ask):
    assert rows(ask(ONE, TEXT, ("SELECT 7 %% 4", []))) == [[(1,)], [("ä",)], [(3,)]]
    assert rows(ask(ONE)) == [[(1,)]]
    assert ask() == []
    assert rows(ask(("SELECT FROM (VALUES (1), (2)) AS two", []))) == [[(), ()]]


def test_says_how_many_rows_it_changed(ask):
    ask(("CREATE TEMPORARY TABLE lines (number int)", []))
    insert = "INSERT INTO lines SELECT generate_series(1, %s)"
    assert ask((insert, [5]))[0] == ([], 5)
    assert [answer.changed for answer in ask((insert, [2]), ("DELETE FROM lines WHERE number < %s", [3]))] == [2, 4]


def test_each_is_prepared_once_whatever_the_size_of_its_numbers(connection, ask):
    for number in (1, 70_000, 2**40):
        assert rows(ask(("SELECT %s::bigint", [number]), TEXT)) == [[(number,)], [("ä",)]]
        assert rows(ask(("SELECT %s::bigint", [number]))) == [[(number,)]]
    for numbers in ([], [1], [1, 70_000, 2**40], [-1]):
        assert rows(ask(("SELECT %s::bigint[]", [numbers]))) == [[(numbers,)]]
    assert prepared(connection) == 3
    for words in ([], ["a", None, "ä{,}"]):
        assert rows(ask(("SELECT %s::text[]", [words]))) == [[(words,)]]


def test_with_too_many_to_prepare_the_others_are_asked_unprepared(connection, ask, monkeypatch):
    monkeypatch.setattr(statements, "MOST_PREPARED", 1)
    assert rows(ask(ONE, TEXT)) == [[(1,)], [("ä",)]]
    assert rows(ask(TEXT)) == [[("ä",)]]
    assert prepared(connection) == 1


def test_begins_a_transaction_where_psycopg_would(connection, ask):
    connection.autocommit = False
    ask(("CREATE TEMPORARY TABLE lines (number int)", []))
    connection.commit()
    ask(("INSERT INTO lines VALUES (%s)", [1]), ONE)
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    connection.rollback()
    assert rows(ask(("SELECT number FROM lines", []))) == [[]]


def test_what_is_asked_ahead_is_committed_before_the_transaction_begins(connection, ask):
    ask(("CREATE TEMPORARY TABLE lines (number int)", []))
    insert, count = "INSERT INTO lines VALUES (%s)", ("SELECT count(*) FROM lines", [])
    connection.autocommit = False
    one, two, counted = ask((insert, [1]), (insert, [2]), count, ahead=1)
    assert (one.changed, two.changed, counted.rows) == (1, 1, [(2,)])
    connection.rollback()
    assert rows(ask(("SELECT number FROM lines", []))) == [[(1,)]]
    ask((insert, [3]), count, ahead=1)  # one is under way: it is part of that
    connection.rollback()
    assert rows(ask(count)) == [[(1,)]]


def test_what_fails_ahead_is_raised_too(connection, ask):
    connection.autocommit = False
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(("SELECT 1 / %s::int", [0]), ONE, ahead=1)
    connection.rollback()
    assert rows(ask(ONE, TEXT, ahead=1)) == [[(1,)], [("ä",)]]


@pytest.mark.parametrize("begun", [False, True])
def test_what_commits_is_there_whatever_comes_after(connection, ask, begun):
    ask(("CREATE TEMPORARY TABLE lines (number int)", []))
    insert = "INSERT INTO lines VALUES (%s)"
    connection.autocommit = False
    if begun:
        ask((insert, [1]))
    stored, one = ask((insert, [2]), ONE, commits=True)
    assert (stored.changed, one.rows) == (1, [(1,)])
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    connection.rollback()
    assert rows(ask(("SELECT sum(number) FROM lines", []))) == [[(3 if begun else 2,)]]
    assert rows(ask((insert, [4]), commits=True)) == [[]]
    connection.rollback()
    assert rows(ask(("SELECT max(number) FROM lines", []))) == [[(4,)]]


def test_nothing_is_committed_after_a_failure(connection, ask):
    ask(("CREATE TEMPORARY TABLE lines (number int)", []))
    connection.autocommit = False
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(("INSERT INTO lines VALUES (1)", []), ("SELECT 1 / %s::int", [0]), commits=True)
    connection.rollback()
    assert rows(ask(("SELECT FROM lines", []))) == [[]]


def test_nothing_is_asked_ahead_of_what_commits(ask):
    with pytest.raises(ValueError):
        ask(ONE, TEXT, ahead=1, commits=True)


def test_what_the_commit_itself_refuses_is_raised(connection, ask):
    ask(("CREATE TEMPORARY TABLE lines (number int UNIQUE DEFERRABLE INITIALLY DEFERRED)", []))
    connection.autocommit = False
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask(("INSERT INTO lines VALUES (1), (1)", []), commits=True)
    connection.rollback()
    assert rows(ask(("SELECT FROM lines", []))) == [[]]


@pytest.mark.parametrize("together", [[], [ONE]])
def test_a_table_that_was_changed_costs_one_answer(connection, ask, together):
    """After `migrate` and before the restart. The error is one after which what was typed is kept."""
    ask(("CREATE TEMPORARY TABLE lines (number int)", []))
    question = ("SELECT number FROM lines WHERE %s::bigint IS NULL OR number = %s::bigint", [7, 7])
    ask(question, *together)
    ask(("INSERT INTO lines VALUES (7)", []), ("ALTER TABLE lines ALTER number TYPE bigint", []))
    assert rows(ask((question[0], [None, None]), *together))[0] == [(7,)]
    with pytest.raises(psycopg.OperationalError):
        ask(question, *together)
    assert connection.closed


def test_the_first_that_fails_is_raised_and_what_follows_does_not_happen(connection, ask):
    ask(("CREATE TEMPORARY TABLE lines (number int)", []))
    with pytest.raises(psycopg.errors.DivisionByZero):
        ask(("INSERT INTO lines VALUES (1)", []), ("SELECT 1 / %s::int", [0]), ("INSERT INTO lines VALUES (2)", []))
    assert rows(ask(("SELECT number FROM lines", []))) == [[]]  # without a transaction, all of them are one
    with pytest.raises(psycopg.errors.UndefinedTable):
        ask(("SELECT FROM nowhere", []), ONE)
    with pytest.raises(psycopg.DataError):
        ask(TEXT, ("SELECT %s::text", ["a\0b"]))
    assert rows(ask(ONE, TEXT)) == [[(1,)], [("ä",)]]


def test_more_than_fits_into_the_socket_goes_both_ways(ask):
    long = "ö" * 3_000_000
    question = ("SELECT %s::text", [long])
    assert rows(ask(question, question, ONE)) == [[(long,)], [(long,)], [(1,)]]


@pytest.mark.parametrize("together", [[], [ONE]])
def test_others_go_on_while_it_waits(ask, together):
    """Python's other threads: one is a heartbeat, or serves the next reader."""
    done, beats = Event(), []

    def beat() -> None:
        while not done.wait(0.01):
            beats.append(time.monotonic())

    heart = Thread(target=beat)
    heart.start()
    try:
        begin = time.monotonic()
        ask(("SELECT pg_sleep(0.5)", []), *together)
        end = time.monotonic()
    finally:
        done.set()
        heart.join()
    assert sum(begin < moment < end for moment in beats) > 10


@pytest.mark.parametrize("questions", [[ONE], [ONE, TEXT]])
def test_a_connection_that_the_server_ended_is_an_operational_error(connection, ask, questions):
    ask(*questions)
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [connection.info.backend_pid])
    with pytest.raises(psycopg.OperationalError):
        ask(*questions)
    assert connection.closed


def test_one_that_was_interrupted_is_closed(connection, ask, monkeypatch):
    """Its answers are still to come, and whoever asked next would read them."""

    def interrupted(*_arguments) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(statements.Statements, "_until_synchronised", interrupted)
    with pytest.raises(KeyboardInterrupt):
        ask(ONE, TEXT)
    assert connection.closed
