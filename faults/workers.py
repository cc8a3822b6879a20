"""Mail workers of our own, in the place of the starter's: started when we say, as often as we say, and killed."""

import os
import signal
import sys
from typing import Self

from bench.house import Program
from faults.site import Site
from faults.starter import WORKER_AWAY, WORKER_GONE


class Workers:
    """As a context. Meanwhile the starter's own worker is away, and afterwards all of these are."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.running: list[Program] = []
        self.log = site.folder / "workers.log"

    def __enter__(self) -> Self:
        gone = self.site.folder / WORKER_GONE
        (self.site.folder / WORKER_AWAY).touch()
        self.site.wait_until(gone.exists, "Der Worker des Starters tritt nicht beiseite")
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()
        gone = self.site.folder / WORKER_GONE
        (self.site.folder / WORKER_AWAY).unlink()
        self.site.wait_until(lambda: not gone.exists(), "Der Worker des Starters kommt nicht wieder")

    def start(self, **env: str) -> Program:
        # Only one process can listen for mail that comes in; here it is none.
        env = self.site.environment | {"INBOUND_LISTEN": ""} | env
        self.running.append(Program([sys.executable, "manage.py", "work"], env, self.log))
        return self.running[-1]

    def kill(self, worker: Program) -> None:
        """With SIGKILL: it cannot say another word to anybody."""
        os.kill(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        worker.leash.release()
        self.running.remove(worker)

    def stop(self) -> None:
        """In order: what they have begun, they end."""
        for worker in self.running:
            worker.process.terminate()
        while self.running:
            self.running.pop().stop()

    def alarms(self) -> list[str]:
        """What a person would be woken for."""
        return [line for line in self.log.read_text(errors="replace").splitlines() if " CRITICAL " in line]
