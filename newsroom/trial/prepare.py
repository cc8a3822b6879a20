"""What has to be there before the site can be tried out: tables, static files, an editor, a first article.

Each step looks first and does nothing if it was done before: a second start should take no time. As a program it takes
the first password on its input, says what it does, and tells by its exit code whether the password is still valid.
"""

import gc
import hashlib
import io
import sys
from pathlib import Path

import django
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from newsroom.terminal import _
from newsroom.trial.exitcodes import PASSWORD_CHANGED, PASSWORD_VALID

EDITOR = "redaktion"
EDITOR_EMAIL = "redaktion@example.org"  # what goes there lies in the local mailbox
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
        users.create_superuser(username=EDITOR, password=password, email=EDITOR_EMAIL)
        apps.get_model("moderation", "OnDuty").objects.create(user=users.get(username=EDITOR))
        return True
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


def main() -> int:
    gc.disable()  # what is made here is needed to the end, which is near; looking through it took a sixth of the time
    django.setup()
    if tables_are_missing():
        print(_("Tabellen werden angelegt ..."), flush=True)
        make_tables()
    if static_files_are_stale():
        print(_("Dateien für den Browser werden gesammelt ..."), flush=True)
        collect_static_files()
    is_valid = make_editor(sys.stdin.read())
    if article_is_missing():
        print(_("Der erste Artikel wird veröffentlicht ..."), flush=True)
        publish_first_article()
    return PASSWORD_VALID if is_valid else PASSWORD_CHANGED


if __name__ == "__main__":
    try:
        sys.exit(main())
    except CommandError as error:
        sys.exit(str(error))
