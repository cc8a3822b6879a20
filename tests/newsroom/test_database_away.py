"""The page without a database: what was typed stands in it, under the same key (E6)."""

import psycopg
import pytest
from django.db import IntegrityError, InterfaceError, OperationalError
from django.test import RequestFactory
from django.urls import resolve
from procrastinate.exceptions import ConnectorException, UniqueViolation

from newsroom.views import server_error
from tests import factories


def while_owing_a_job(cause: Exception) -> ConnectorException:
    error = ConnectorException()
    error.__cause__ = cause
    return error


AWAY = [OperationalError(), InterfaceError(), psycopg.OperationalError(), while_owing_a_job(psycopg.OperationalError())]
BROKEN = [ValueError(), IntegrityError(), while_owing_a_job(ValueError())]
BROKEN += [UniqueViolation(constraint_name="x", queueing_lock=None)]


def answer(error: Exception, words: dict):
    request = RequestFactory().post("/artikel/bruecke/kommentieren/", words)
    request.resolver_match = resolve(request.path)
    try:
        raise error
    except Exception:
        return server_error(request)


@pytest.mark.parametrize("error", AWAY, ids=repr)
def test_database_that_is_away_loses_no_word(error):
    words = factories.words(body="Zwei\nZeilen & <b>")
    page = answer(error, words)
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert "Zeilen &amp; &lt;b&gt;" in page.text
    assert words["form_key"] in page.text


@pytest.mark.parametrize("error", BROKEN, ids=repr)
def test_what_is_broken_is_not_called_away(error):
    assert answer(error, factories.words()).status_code == 500
