"""The small cast of the tests: an article, readers, comments; a real mail server; a worker run once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.models import Q
from django.db.models.functions import Now
from django.db.models.signals import post_migrate
from django.test import Client
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from newsroom.mailbox import Letter, Mailbox, receiving
from tests import factories

# These start whole sites, browsers and workers. They begin first, or at the end one of two cores waits for the other.
SLOWEST = [
    "test_run",
    "test_accessibility",
    "test_reader_path",
    "test_without_script",
    "test_stalled_job",
    "test_database",
]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: SLOWEST.index(item.path.stem) if item.path.stem in SLOWEST else len(SLOWEST))


@pytest.fixture(scope="session", autouse=True)
def static_files(django_db_setup) -> None:
    """The pages name hashed files; they are collected once, as in production."""
    # Every Client loads the middleware anew; without this, WhiteNoise lists all files each time, which takes 80 ms.
    settings.WHITENOISE_AUTOREFRESH = True
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(scope="session", autouse=True)
def quick_flush(django_db_setup) -> None:
    """After each committed test Django would make all permissions anew, 0.2 s each time; no test is about them."""
    post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.fixture
def article(db):
    return factories.article()


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
    # Django empties the tables of its own models after such a test; the queue's are not among them.
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers, procrastinate_periodic_defers CASCADE")

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
