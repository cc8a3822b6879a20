"""The site as `make run` starts it, and ways to break it: a web worker killed, the database crashed, or away."""

import os
import re
import shlex
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

import psycopg

from bench.house import House, Program
from faults.client import Device
from faults.smtp import MailServer
from newsroom.trial.__main__ import PROJECT, is_well

PATIENCE = 60  # seconds until what was broken must be there again
_CONFIRM = re.compile(r"/abo/ja/[^\s/]+/")
_WEB = "newsroom.wsgi:application"


class Stuck(Exception):
    """Something did not come back, or did not happen. The message is a sentence for the table."""


class Site(House):
    """As a context: leaves nothing running and no file."""

    def __enter__(self) -> Self:
        # On the disk where the project lies: the folder of temporary files may be memory.
        (PROJECT / "var").mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="faults-", dir=PROJECT / "var"))
        return self

    def __exit__(self, *exception: object) -> None:
        if self.programs:
            # Told twice it hurries; nobody is there who would wait for its last answers.
            self.programs[0].process.terminate()
            time.sleep(0.1)
        super().__exit__(*exception)

    def start(self, mails: MailServer) -> None:
        env = {
            "PORT": str(self.port),
            "NEWSROOM_DATA": str(self.folder),
            "TRUSTED_PROXIES": "1",  # so that requests can come from many networks
            "UNDO_SECONDS": "0",
            # What comes back in an answer is sent again at once. Not 0: the time in a form's key is rounded.
            "WRITING_SECONDS": "-1",
            "FAULTS_EMAIL_URL": mails.url,
        }
        self.site = Program([sys.executable, "-m", "faults.starter"], env, self.folder / "site.log")
        self.programs.append(self.site)
        self.site.wait_until(lambda: is_well(self.port))
        lines = shlex.split((self.folder / "environment").read_text())
        self.environment = dict(line.split("=", 1) for line in lines) | {"EMAIL_URL": mails.url}

    # --- who is there, and what is stored ----------------------------------------------------------------------------

    def device(self) -> Device:
        return Device(self.port, self.environment["SECRET_KEY"])

    def query(self, query: str, *places: object, **names: object) -> list[tuple]:
        """Over a connection of its own: the last one may have died with the database."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(query, names or places or None)
            return cursor.fetchall() if cursor.description else []

    def new_article(self, slug: str) -> str:
        """The first article again, under another address and without comments, whatever columns it has."""
        self.query(
            "INSERT INTO articles_article SELECT (jsonb_populate_record(article, jsonb_build_object('id',"
            " nextval(pg_get_serial_sequence('articles_article', 'id')), 'slug', %s::text))).*"
            " FROM articles_article AS article ORDER BY id LIMIT 1",
            slug,
        )
        self.query(
            "INSERT INTO articles_counters (article_id, comments, last_number, last_thread, ratings, stars, activity)"
            " SELECT id, 0, 0, 0, 0, 0, 0 FROM articles_article WHERE slug = %s",
            slug,
        )
        return slug

    def follow(self, article: str, mails: MailServer) -> str:
        """As a reader does: with the form, and with the button behind the mail. Returns the address, a new one for each
        article: nobody is asked to confirm more than a few times a day."""
        email = f"{article}@example.org"
        device = self.device()
        answer = device.submit(f"/artikel/{article}/abonnieren/", {"kind": "article", "email": email})
        if not answer.acknowledges:
            raise Stuck(f"Abonnieren geht nicht: Status {answer.status}")
        self.wait_until(lambda: email in mails.last, f"Keine Mail zum Bestätigen an {email}")
        text = mails.last[email].get_body(("plain",)).get_content()
        answer = device.submit(_CONFIRM.search(text)[0], {})
        if not answer.acknowledges:
            raise Stuck(f"Bestätigen geht nicht: Status {answer.status}")
        return email

    def wait_until(self, ready: Callable[[], object], otherwise: str, seconds: float = PATIENCE) -> None:
        until = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > until:
                raise Stuck(f"{otherwise} (nach {seconds:.0f} s)")
            time.sleep(0.02)

    # --- web ---------------------------------------------------------------------------------------------------------

    def web_workers(self) -> list[int]:
        """The processes that answer, the oldest first. They look like the server that started them."""
        alike = [pid for pid in self.pids() if _WEB in _read(pid, "cmdline") and _state(pid)[0] != "Z"]
        return sorted((pid for pid in alike if int(_state(pid)[1]) in alike), key=lambda pid: int(_state(pid)[19]))

    def kill_web_worker(self) -> None:
        """The older of both: granian takes two quick deaths in one place for a program that cannot run, and ends."""
        self.wait_until(lambda: len(self.web_workers()) > 1, "Ein Webworker wird nicht ersetzt")
        os.kill(self.web_workers()[0], signal.SIGKILL)

    def kill_web_workers(self) -> None:
        """All of them: which one is at work on what, nobody sees from here."""
        for pid in self.web_workers():
            os.kill(pid, signal.SIGKILL)

    # --- database ----------------------------------------------------------------------------------------------------

    def crash_database(self) -> None:
        """What `pg_ctl stop -m immediate` does. The starter launches it again within a second, if it is not held."""
        pid = self._postmaster()
        os.kill(pid, signal.SIGQUIT)
        self.wait_until(lambda: _state(pid)[0] in ("", "Z"), "Die Datenbank endet nicht")

    def wait_for_database(self) -> None:
        def answers() -> bool:
            with suppress(psycopg.OperationalError):
                return bool(self.query("SELECT 1"))
            return False

        self.wait_until(answers, "Die Datenbank kommt nicht wieder")

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """Stops the starter for so long, or it would launch the database again."""
        os.kill(self.site.process.pid, signal.SIGSTOP)
        try:
            self.crash_database()
            yield
        finally:
            os.kill(self.site.process.pid, signal.SIGCONT)

    def _postmaster(self) -> int:
        return int((self.folder / "database" / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
    except OSError:
        return ""


def _state(pid: int) -> list[str]:
    """The process's state, its parent's number and what follows in /proc/PID/stat; empty texts if there is none."""
    return _read(pid, "stat").rpartition(")")[2].split() or [""] * 52
