"""A program that the starter runs beside itself: web server, worker, mailbox."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from newsroom.leash import Leash

LONGEST_PAUSE = 30  # seconds before a program that dies again and again is started again
HEALTHY_AFTER = 60  # seconds of running after which its earlier deaths are forgotten
LARGEST_LOG = 5_000_000  # bytes; a longer log is put aside at the next start


class Child:
    """Runs in a session of its own, so that the terminal's Ctrl-C reaches only us, and writes to a log of its own."""

    def __init__(self, name: str, command: list[str], *, env: Mapping[str, str], folder: Path, log: Path) -> None:
        self.name = name
        self.command = command
        self.env = env
        self.folder = folder
        self.log = log
        self.deaths = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None
        self._started = 0.0
        self._restart_at: float | None = None

    def start(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LARGEST_LOG:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env=self.env,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._leash = Leash(self._process.pid, group=True)
        self._started = time.monotonic()
        self._restart_at = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def tend(self) -> bool:
        """Call often. Starts the program again after it died, each time after a longer pause; True when it did."""
        now = time.monotonic()
        if self.alive:
            return False
        if self._restart_at is None:
            self._clear()
            self.deaths = 1 if now - self._started > HEALTHY_AFTER else self.deaths + 1
            self._restart_at = now + min(0.25 * 2**self.deaths, LONGEST_PAUSE)
        if now < self._restart_at:
            return False
        self.start()
        return True

    def ask_to_stop(self) -> None:
        if self.alive:
            self._process.terminate()

    def kill(self) -> None:
        """End it and what it started, whatever state they are in."""
        if self._process is not None:
            self._clear()

    def last_lines(self, count: int = 12) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()[-count:] if self.log.exists() else []

    def _clear(self) -> None:
        # Its own children, as the web server's workers, can outlive it; they share its group.
        with suppress(ProcessLookupError, PermissionError):  # macOS: EPERM if only zombies are left
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._leash.release()
        self._process = None
