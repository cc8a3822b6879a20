"""The small cast of the tests: an article, readers, comments; a real mail server; a worker run once."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.core.management.commands import flush
from django.db import connection, connections
from django.db.backends.postgresql.operations import DatabaseOperations
from django.db.models import Q
from django.db.models.functions import Now
from django.template.base import Template
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from xdist.scheduler import LoadFileScheduling

from newsroom.mailbox import Letter, Mailbox, receiving
from readers.models import User
from tests import factories
from tests.plugin import WORKER

# These start whole sites, browsers and workers, or ask for hundreds of pages. They begin first, the longest ahead, or
# at the end one of two cores waits for the other; those with a browser one after the other, so that it stays.
SLOWEST = [
    "faults/test_mail_harness",
    "faults/test_harness",
    "browser/test_accessibility",
    "newsroom/test_run",
    "browser/test_conversation",
    "browser/test_passages",
    "browser/test_reader_path",
    "browser/test_coming_back",
    "browser/test_arriving",
    "browser/test_without_script",
    "browser/test_places",
    "browser/test_forms_with_script",
    "browser/test_no_trace",
    "browser/test_held",
    "browser/test_weight",
    "browser/test_manage",
    "browser/test_desk",
    "comments/test_hostile_input",
    "subscriptions/test_stalled_job",
    "subscriptions/test_listener",
    "readers/test_sign_in",
    "newsroom/test_database",
    "newsroom/test_english",
    "comments/test_sample_conversation",
    "newsroom/test_hostile_mails",
    "subscriptions/test_digest",
    "inbound/test_hostile",
    "inbound/test_judged",
    "outbox/test_refusals",
    "outbox/test_sending",
    "subscriptions/test_manage",
    "comments/test_threads",
    "markup/test_hostile",
    "markup/test_time",
    "comments/test_own_comment",
    "articles/test_fresh",
]

# Not Django's to empty, but its jobs would be the next test's.
QUEUE = [f"procrastinate_{name}" for name in ["events", "periodic_defers", "jobs", "workers"]]
NEVER_CHANGED = {"django_content_type", "auth_permission", "django_migrations"}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: place.get(f"{item.path.parent.name}/{item.path.stem}", len(SLOWEST)))


class ByFile(LoadFileScheduling):
    """A file's tests run in one worker, in their order; and so do all faults, which share one site."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return str(Path(file).parent) if file.startswith("tests/faults/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByFile:
    return ByFile(config, log)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment, django_db_blocker) -> None:
    """Instead of pytest-django's: a copy of the database that tests/plugin.py made, a tenth of a second and not three.
    It goes with its server."""
    name = f"test_{WORKER or 'alone'}"
    with psycopg.connect(os.environ["DATABASE_URL"], dbname="postgres", autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE newsroom STRATEGY FILE_COPY")
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
    # A hundred threads take turns with eight connections, on a machine that may be busy with other things too.
    connection.settings_dict["OPTIONS"]["pool"]["timeout"] = 30
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture(scope="session", autouse=True)
def static_files() -> None:
    """Every Client loads the middleware anew; without this, WhiteNoise lists all files each time, which takes 80 ms."""
    settings.WHITENOISE_AUTOREFRESH = True


@pytest.fixture(scope="session", autouse=True)
def plain_templates(django_test_environment) -> None:
    """Django's tests copy the context of every template that is rendered, of each option in a list too, in case a
    test asks for it. None here does: a reader sees the page."""
    Template._render = lambda self, context: self.nodelist.render(context)


@pytest.fixture(scope="session", autouse=True)
def quick_flush(django_db_setup, django_db_blocker) -> None:
    """After a committed test Django empties all tables, with TRUNCATE, which makes new files for every table and index
    though nearly all are empty; and has every app fill them again as after a migration, which took 25 ms. Here what
    was there after it is put back."""
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        tables = sorted({*connection.introspection.django_table_names(only_existing=True), *QUEUE} - NEVER_CHANGED)
        cursor.execute("SELECT " + ", ".join(f"EXISTS (SELECT FROM {name})" for name in tables))
        filled = [name for name, is_filled in zip(tables, cursor.fetchone(), strict=True) if is_filled]
        cursor.execute("CREATE SCHEMA fresh")
        for name in filled:
            cursor.execute(f"CREATE TABLE fresh.{name} AS TABLE {name}")
    steps = [f"DELETE FROM {name}" for name in tables]
    steps += [f"INSERT INTO {name} SELECT * FROM fresh.{name}" for name in filled]
    # All in one go, and without looking for what still refers to a row that goes.
    statement = "SET LOCAL session_replication_role = replica; " + "; ".join(steps)
    # Of the class: beside Playwright's loop Django makes other connections.
    DatabaseOperations.sql_flush = lambda self, style, tables, **options: [statement]
    flush.emit_post_migrate_signal = lambda *args: None


@pytest.fixture
def article(db):
    return factories.article()


@pytest.fixture
def at(monkeypatch) -> Callable[[datetime], None]:
    """Sets our clock; the database's goes on."""
    return lambda moment: monkeypatch.setattr(timezone, "now", lambda: moment)


@pytest.fixture
def letters(settings, tmp_path: Path) -> Callable[[], list[Letter]]:
    """A real SMTP server for this test; call it for the letters received, oldest first."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    with receiving(tmp_path / "mailbox") as port:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
        yield lambda: Mailbox(tmp_path / "mailbox").newest()[::-1]


@pytest.fixture
def run_jobs(transactional_db) -> Callable[[], None]:
    """Runs a real worker until no job is waiting. Jobs see committed rows only, so the test's are committed too."""
    due = Q(scheduled_at=None) | Q(scheduled_at__lte=Now())

    def run() -> None:
        # A worker that is not to wait ends while its last jobs still defer new ones.
        while ProcrastinateJob.objects.filter(due, status="todo").exists():
            with app.replace_connector(app.connector.get_worker_connector()) as worker_app:
                worker_app.run_worker(
                    wait=False, install_signal_handlers=False, listen_notify=False, delete_jobs="never"
                )

    yield run
    connections.close_all()


@pytest.fixture
def guest(article) -> Client:
    """A browser that has never been here. It checks CSRF like a real one."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def moderator(db) -> User:
    return factories.editor()


@pytest.fixture
def desk(moderator) -> Client:
    """The moderator's browser, signed in to the admin."""
    browser = Client()
    browser.force_login(moderator)
    return browser
