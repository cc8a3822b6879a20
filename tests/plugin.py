"""Loaded before Django's settings are: one throwaway PostgreSQL and one folder of static files for the whole run.

The process that was started makes both; pytest-xdist's workers inherit its environment and only copy the database.
"""

import gc
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from pytest_django.plugin import blocking_manager_key

from newsroom.database import EmbeddedDatabase

gc.disable()  # until all tests are collected: nothing made so far goes again, and it is much
WORKER = os.environ.get("PYTEST_XDIST_WORKER")  # None in the process that was started

if WORKER is None:
    _folder = Path(tempfile.mkdtemp(prefix="newsroom-tests-"))
    _database = EmbeddedDatabase(_folder / "postgres", durable=False)
    _database.start()

    os.environ |= {
        "DATABASE_URL": _database.url,
        "SECRET_KEY": "only-for-tests",
        # Nobody waits ten seconds for each mail, or three for each comment; the waits have tests of their own.
        "UNDO_SECONDS": "0",
        "WRITING_SECONDS": "0.3",
        "SITE_URL": "http://localhost:8000",
        "NEWSROOM_STATIC": str(_folder / "static"),
        "NEWSROOM_MAILBOX": str(_folder / "mailbox"),
        # Playwright's own loop runs in the tests' thread; Django would take any query there for a mistake.
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
    }

    @pytest.hookimpl(tryfirst=True)  # before xdist starts its workers
    def pytest_sessionstart(session: pytest.Session) -> None:
        """What every worker needs: tables to copy, and the files whose hashed names stand in the pages. Not at the same
        time as they start: who asks for a file's name before it is there remembers that there is none."""
        from django.core.management import call_command
        from django.db import connection

        with session.config.stash[blocking_manager_key].unblock():
            call_command("migrate", interactive=False, verbosity=0)
            connection.close()
            connection.close_pool()  # PostgreSQL copies no database that somebody is connected to
        call_command("collectstatic", interactive=False, verbosity=0)
        gc.enable()  # it collects nothing itself if there are workers

    def pytest_unconfigure() -> None:
        _database.stop()
        shutil.rmtree(_folder, ignore_errors=True)


def pytest_collection_finish() -> None:
    """What is there by now stays to the end; looking through it for garbage again and again took a twentieth of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
    gc.enable()
