"""What has to be there before the site can be tried out: tables, static files, an editor, a first article.

Each step looks first and does nothing if it was done before: a second start should take no time.
"""

import hashlib
import io
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

EDITOR = "redaktion"
FIRST_ARTICLE = Path(__file__).parent.parent.parent / "articles" / "content" / "lukaschenko-trifft-putin.md"


def tables_are_missing() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def make_tables() -> None:
    call_command("migrate", interactive=False, verbosity=0)


def static_files_are_stale() -> bool:
    stamp = Path(settings.STATIC_ROOT) / ".collected"
    return not stamp.exists() or stamp.read_text() != _fingerprint()


def collect_static_files() -> None:
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    (Path(settings.STATIC_ROOT) / ".collected").write_text(_fingerprint())


def make_editor(password: str) -> bool:
    """Make the first editor if there is none. True while this first password is still the editor's."""
    users = get_user_model().objects
    if not users.filter(is_superuser=True).exists():
        users.create_superuser(username=EDITOR, password=password)
    editor = users.filter(username=EDITOR).first()
    return editor is not None and editor.check_password(password)


def article_is_missing() -> bool:
    return not apps.get_model("articles", "Article").objects.exists()


def publish_first_article() -> None:
    call_command("publish", str(FIRST_ARTICLE), stdout=io.StringIO())  # its answer is for editors


def _fingerprint() -> str:
    """Of where the files come from and of how they are stored; size and time stand for their content."""
    digest = hashlib.sha256(repr(settings.STORAGES).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
