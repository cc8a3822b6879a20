"""`make run`: the whole site on this machine, for trying out. Ctrl-C ends all of it.

Starts the embedded database, prepares what is missing, then runs web server, worker and mailbox and keeps them
running. Everything it makes lies in one data folder.
"""

import errno
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from shlex import quote
from types import FrameType

from newsroom.database import DatabaseStartError, EmbeddedDatabase
from newsroom.terminal import _
from newsroom.trial.children import Child
from newsroom.trial.exitcodes import PASSWORD_CHANGED, PASSWORD_VALID
from newsroom.trial.foreground import own_foreground

PROJECT = Path(__file__).resolve().parent.parent.parent
HOST = "127.0.0.1"
READY_TIMEOUT = 60  # seconds until /healthz must answer
STOP_TIMEOUT = 8  # seconds until what does not stop by itself is killed
CHOSEN = ("SITE_NAME", "LANGUAGE_CODE", "TIME_ZONE")
# Without look-alikes: the first password is read off the screen and typed.
LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"


class CannotStartError(Exception):
    """The message is one sentence for the person in front of the console."""


class Stop(BaseException):
    """Ctrl-C or its like. Not an Exception, so that nothing on the way takes it for an error."""


class Site:
    """The site and all its processes. `run` returns when it was told to stop, and leaves nothing behind."""

    def __init__(self, port: int, data: Path) -> None:
        self.port = port
        self.data = data
        self.url = f"http://localhost:{port}"
        self.database = EmbeddedDatabase(data / "database")
        self.children: list[Child] = []  # in the order in which they are stopped
        self.stopping = False
        self.hurry = False

    def run(self) -> None:
        for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, self._told_to_stop)
        try:
            self._start()
            while True:
                self._tend()
                time.sleep(0.2)
        except Stop:
            say("\n" + _("Newsroom wird beendet ..."))
        finally:
            self.stopping = True
            self._stop()

    def _told_to_stop(self, signum: int, frame: FrameType | None) -> None:
        if self.stopping:
            self.hurry = True
        else:
            self.stopping = True
            raise Stop

    def _start(self) -> None:
        check_port(self.port)
        make_folder(self.data / "log")
        say(_("Datenbank startet ..."))
        self.database.start()
        self._set_environment()
        first_password = self._prepare()
        say(_("Webserver, Worker und Postkasten starten ..."))
        self._start_children()
        self._wait_until_ready()
        self._say_where_things_are(first_password)

    def _set_environment(self) -> None:
        self.secrets = load_secrets(self.data / "secrets.json")
        self.mailbox_port = free_port()
        inbound_port = free_port()
        settings = {
            "DATABASE_URL": self.database.url,
            "SECRET_KEY": self.secrets["secret_key"],
            "ALLOWED_HOSTS": "localhost,127.0.0.1,[::1]",
            "SITE_URL": self.url,
            "EMAIL_URL": f"smtp://{HOST}:{self.mailbox_port}",
            "NEWSROOM_MAILBOX": str(self.data / "mailbox"),
            # Mails can be answered in the mailbox under /postfach/: it hands the answer to the worker.
            "REPLY_DOMAIN": "antwort.localhost",
            "INBOUND_LISTEN": f"smtp://{HOST}:{inbound_port}",
            "NEWSROOM_STATIC": str(self.data / "static"),
            "DJANGO_SETTINGS_MODULE": "newsroom.settings",
            "PYTHONUNBUFFERED": "1",
        }
        # What somebody chose for the trial holds for bin/manage too.
        settings |= {name: os.environ[name] for name in CHOSEN if name in os.environ}
        write_private(
            self.data / "environment", "".join(f"{name}={quote(value)}\n" for name, value in settings.items())
        )
        os.environ |= settings

    def _prepare(self) -> str | None:
        """Bring tables, files, editor and article up to date. Returns the first password while it is valid.

        In a process of its own: Django takes 50 MB, and the starter needs it no more.
        """
        password = self.secrets["first_password"]
        command = [sys.executable, "-m", "newsroom.trial.prepare"]
        prepared = subprocess.run(command, cwd=PROJECT, input=password, stderr=subprocess.PIPE, text=True)
        if prepared.returncode not in (PASSWORD_VALID, PASSWORD_CHANGED):
            raise CannotStartError(prepared.stderr.strip())
        return password if prepared.returncode == PASSWORD_VALID else None

    def _start_children(self) -> None:
        python = sys.executable
        web = [python, "-m", "newsroom.serve", "newsroom.wsgi:application", "--interface", "wsgi", "--http", "1"]
        web += ["--no-ws", "--host", HOST, "--port", str(self.port), "--workers", "2", "--blocking-threads", "1"]
        # It counts connections, idle ones included, and lets nobody in beyond: with 64, 128 open tabs shut the site.
        web += ["--backpressure", "4096", "--respawn-failed-workers", "--workers-kill-timeout", "5"]
        commands = {
            "web": web,
            "worker": [python, "manage.py", "work"],
            "mailbox": [python, "-m", "newsroom.mailbox", os.environ["NEWSROOM_MAILBOX"], str(self.mailbox_port)],
        }
        for name, command in commands.items():
            child = Child(name, command, env=os.environ, folder=PROJECT, log=self.data / "log" / f"{name}.log")
            self.children.append(child)
            child.start()

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_TIMEOUT
        while not is_well(self.port):
            dead = [child for child in self.children if not child.alive]
            if dead or time.monotonic() > deadline:
                blamed = dead[0] if dead else self.children[0]
                raise CannotStartError(
                    "\n".join([*blamed.last_lines(), _("Newsroom startet nicht; mehr in %s") % blamed.log])
                )
            time.sleep(0.05)

    def _say_where_things_are(self, first_password: str | None) -> None:
        password = _("Passwort %s") % first_password if first_password else _("(Ihr Passwort)")
        lines = {
            _("Seite:"): f"{self.url}/",
            _("Redaktion:"): f"{self.url}/redaktion/  " + _("Name redaktion, %s") % password,
            _("Postfach:"): f"{self.url}/postfach/",
            _("Daten:"): self.data,
            _("Beenden:"): _("Strg-C"),
        }
        say("\n" + "\n".join(f"{name:<11} {value}" for name, value in lines.items()))

    def _tend(self) -> None:
        if not self.database.running:
            say(_("Die Datenbank ist ausgefallen und wird neu gestartet."))
            self.database.revive()
        for child in self.children:
            if child.tend():
                sentence = _("Ausgefallen und neu gestartet: %(name)s (mehr in %(log)s)")
                say(sentence % {"name": child.name, "log": child.log})

    def _stop(self) -> None:
        """In this order: first nobody new comes in, then the work ends, then what both need goes."""
        for child in self.children:
            child.ask_to_stop()
            deadline = time.monotonic() + STOP_TIMEOUT
            while child.alive and not self.hurry and time.monotonic() < deadline:
                time.sleep(0.02)
            child.kill()
        self.database.stop()


def check_port(port: int) -> None:
    """By IPv6 too, where we do not listen: who is there would be whom browsers reach as "localhost"."""
    for family, host in ((socket.AF_INET, HOST), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                # Without this, connections of a run that just ended would look like a taken port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                sentence = _("Port %(port)d ist belegt; anderswo startet: PORT=%(next)d make run")
                raise CannotStartError(sentence % {"port": port, "next": port + 1}) from None
            if host == HOST:  # a machine without IPv6 has nobody there
                sentence = _("Port %(port)d lässt sich nicht öffnen (%(why)s).")
                raise CannotStartError(sentence % {"port": port, "why": error.strerror}) from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def make_folder(folder: Path) -> None:
    """The data folder with its logs, for us alone: it holds secrets and readers' addresses."""
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        probe = folder / ".probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise CannotStartError(
            _("In den Datenordner %(folder)s kann nicht geschrieben werden (%(why)s).")
            % {"folder": folder.parent, "why": error.strerror}
        ) from None


def load_secrets(file: Path) -> dict[str, str]:
    """Made at the first start, kept from then on."""
    with suppress(FileNotFoundError):
        return json.loads(file.read_text())
    made = {
        "secret_key": secrets.token_urlsafe(50),
        "first_password": "-".join("".join(secrets.choice(LETTERS) for _letter in range(4)) for _word in range(3)),
    }
    write_private(file, json.dumps(made))
    return made


def write_private(file: Path, text: str) -> None:
    """Whole or not at all, for us alone."""
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.rename(file)


def is_well(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def say(text: str) -> None:
    with suppress(OSError):  # the terminal may be gone
        print(text, flush=True)


def main() -> int:
    try:
        port = int(os.environ.get("PORT") or 8000)
        if not 0 < port < 65536:
            raise ValueError
    except ValueError:
        print(_("PORT muss eine Zahl von 1 bis 65535 sein, nicht %r.") % os.environ["PORT"], file=sys.stderr)
        return 1
    data = Path(os.environ.get("NEWSROOM_DATA") or PROJECT / "var").absolute()
    try:
        with own_foreground():
            Site(port, data).run()
    except (CannotStartError, DatabaseStartError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
