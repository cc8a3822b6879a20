"""Loaded before Django's settings are: starts a throwaway PostgreSQL for this run and names it in the environment."""

import os
import shutil
import tempfile
from pathlib import Path

from newsroom.database import EmbeddedDatabase

_folder = Path(tempfile.mkdtemp(prefix="newsroom-tests-"))
_database = EmbeddedDatabase(_folder / "postgres", durable=False)
_database.start()

os.environ |= {
    "DATABASE_URL": _database.url,
    "SECRET_KEY": "only-for-tests",
    # Nobody waits ten seconds for each mail; the wait itself has a test of its own.
    "UNDO_SECONDS": "0",
    "SITE_URL": "http://localhost:8000",
    "NEWSROOM_STATIC": str(_folder / "static"),
    "NEWSROOM_MAILBOX": str(_folder / "mailbox"),
    # Playwright's own loop runs in the tests' thread; Django would take any query there for a mistake.
    "DJANGO_ALLOW_ASYNC_UNSAFE": "1",
}


def pytest_unconfigure() -> None:
    _database.stop()
    shutil.rmtree(_folder, ignore_errors=True)
