"""The few queries asked at every reading and posting, prepared by PostgreSQL once a connection.

Django puts the values into each query's text, so PostgreSQL plans it anew: 0.5 ms where running it takes 0.1; building
the text with the ORM takes longer than both. Behind PgBouncer in transaction mode this needs its version 1.21 or newer.
"""

import psycopg
from django.db import connection


def fetch_all(sql: str, parameters: list) -> list[tuple]:
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, parameters, prepare=True).fetchall()


def fetch_one(sql: str, parameters: list) -> tuple | None:
    """The first row; an empty one, of a query for no columns, is still not None."""
    rows = fetch_all(sql, parameters)
    return rows[0] if rows else None
