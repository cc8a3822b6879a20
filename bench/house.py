"""The site as `make run` starts it, in a folder and on ports of its own, and what it takes of the machine."""

import os
import pickle
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread
from typing import Self

from newsroom.leash import Leash
from newsroom.trial.__main__ import PROJECT, free_port, is_well

START_TIMEOUT = 120  # seconds
STOP_TIMEOUT = 40
SAMPLES = 2.0  # seconds between two looks at the memory
TICKS = os.sysconf("SC_CLK_TCK")


class Program:
    """In a session of its own, and ended with us even if we are killed."""

    def __init__(self, command: list[str], env: dict[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                env=os.environ | env,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        self.log = log
        self.leash = Leash(self.process.pid, group=True)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Ein Server startet nicht.\n{self.log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_TIMEOUT)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.leash.release()


class House:
    """Folder, site and the constant beside it. As a context: leaves nothing running and no file."""

    def __init__(self) -> None:
        self.port, self.constant_port = free_port(), free_port()
        self.programs: list[Program] = []

    def __enter__(self) -> Self:
        # Not where temporary files lie: that may be memory, where a commit costs nothing.
        (PROJECT / "var").mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=PROJECT / "var"))
        return self

    def __exit__(self, *exception: object) -> None:
        while self.programs:
            self.programs.pop().stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_site(self) -> None:
        env = {
            "PORT": str(self.port),
            "NEWSROOM_DATA": str(self.folder),
            "TRUSTED_PROXIES": "1",  # so that requests can come from many networks
        }
        self.site = Program([sys.executable, "-m", "newsroom.trial"], env, self.folder / "site.log")
        self.programs.append(self.site)
        self.site.wait_until(lambda: is_well(self.port))
        lines = shlex.split((self.folder / "environment").read_text())
        self.environment = dict(line.split("=", 1) for line in lines)

    def start_constant(self, answers: dict[str, tuple[dict[str, str], bytes]]) -> None:
        """By the very command that serves the site."""
        file = self.folder / "answers"
        file.write_bytes(pickle.dumps(answers))
        command = next(command for command in map(_command, self.pids()) if "newsroom.wsgi:application" in command)
        changed = {"newsroom.wsgi:application": "bench.constant:application", str(self.port): str(self.constant_port)}
        env = self.environment | {"BENCH_ANSWERS": str(file)}
        env.pop("DJANGO_SETTINGS_MODULE")
        self.constant = Program([changed.get(part, part) for part in command], env, self.folder / "constant.log")
        self.programs.append(self.constant)
        self.constant.wait_until(lambda: _listens(self.constant_port))

    def stop_constant(self) -> None:
        self.programs.remove(self.constant)
        self.constant.stop()

    def pids(self) -> list[int]:
        """Of the starter and everything it started, PostgreSQL's processes among them."""
        children: dict[int, list[int]] = {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError):
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                    children.setdefault(parent, []).append(int(folder.name))
        found, new = [], [self.site.process.pid]
        while new:
            found += new
            new = [child for parent in new for child in children.get(parent, [])]
        return found

    def cpu_seconds(self) -> float:
        ticks = 0
        for pid in self.pids():
            with suppress(OSError):
                # utime, stime, and those of children that ended and were waited for
                parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                ticks += sum(map(int, parts[11:15]))
        return ticks / TICKS

    def kinds(self) -> set[str]:
        """Of processes that run, by the names of the table of memory."""
        return {_kind(_command(pid)) for pid in self.pids()}

    def memory(self) -> dict[str, float]:
        """Megabytes by kind of process: of pages that several share, each has its part (PSS)."""
        found: dict[str, float] = {}
        for pid in self.pids():
            with suppress(OSError, StopIteration):
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
                kind = _kind(_command(pid))
                found[kind] = found.get(kind, 0) + kilobytes * 1024 / 1_000_000
        return found


class MemoryWatch:
    """Looks at the memory once in a while until it is left; keeps what was most."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.most: dict[str, float] = {}
        self._done = Event()
        self._thread = Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(SAMPLES):
            now = self.house.memory()
            if sum(now.values()) > sum(self.most.values()):
                self.most = now


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _command(pid: int) -> list[str]:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes()).rstrip("\0").split("\0")
    except OSError:
        return []


def _kind(command: list[str]) -> str:
    line = " ".join(command)
    kinds = {"newsroom.trial": "Starter", "newsroom.serve": "Webserver", "manage.py work": "Worker"}
    kinds |= {"newsroom.mailbox": "Postkasten", "postgres": "PostgreSQL"}
    return next((kind for part, kind in kinds.items() if part in line), "sonstige")
