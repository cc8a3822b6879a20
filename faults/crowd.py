"""Readers who write, several at once, again and again until they are told to stop."""

import random
import time
import uuid
from collections import Counter
from threading import Event, Thread
from typing import Self

from faults.client import NO_ANSWER, Device
from faults.pages import trace_in
from faults.scenario import Stage
from faults.site import Stuck

READERS = 4
COMMENTS_PER_DEVICE = 10  # from the thirteenth on, within ten minutes, somebody would look at them first
SHORTEST_PAUSE, LONGEST_PAUSE = 0.0, 0.05  # seconds between two comments of a reader: bounds load and length
BEFORE_AGAIN = 0.1  # seconds after no answer, or one that does not say that it is stored
STOP_TIMEOUT = 60


class Crowd:
    """As a context. Whoever gets no answer sends the same form again; what is acknowledged stands in the ledger before
    its reader writes on."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.unanswered = 0
        self.statuses: Counter[int] = Counter()
        self.traces: Counter[str] = Counter()  # of the machine's inside, shown to readers
        self._doubts: dict[uuid.UUID, float] = {}  # forms and when they were first not acknowledged
        self._over = Event()
        self._threads = [
            Thread(target=self._write, args=[random.Random(stage.chance.random())], daemon=True) for _ in range(READERS)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(STOP_TIMEOUT)

    def wait_for_more(self, count: int, seconds: float = 90) -> None:
        """Until so many more are acknowledged."""
        wanted, until = self.stage.ledger.count + count, time.monotonic() + seconds
        while self.stage.ledger.count < wanted:
            if time.monotonic() > until:
                raise Stuck(f"Seit {seconds:.0f} s wird nichts mehr angenommen; Antworten bisher: {self}")
            time.sleep(0.01)

    def stored_unheard(self) -> int:
        """How many were stored already when their reader learned nothing, and sent again: that the faults hit there."""
        return self.stage.site.query(
            "SELECT count(*) FROM unnest(%s::uuid[], %s::float8[]) AS doubt (key, at)"
            " JOIN comments_comment ON form_key = key AND created_at < to_timestamp(at)",
            list(self._doubts),
            list(self._doubts.values()),
        )[0][0]

    def __str__(self) -> str:
        counts = [f"{count}× {status}" for status, count in sorted(self.statuses.items())]
        return ", ".join([*counts, f"{self.unanswered}× keine"])

    def _write(self, chance: random.Random) -> None:
        while not self._over.is_set():
            device = self.stage.site.device()
            for _ in range(COMMENTS_PER_DEVICE):
                self._post(device)
                if self._over.wait(chance.uniform(SHORTEST_PAUSE, LONGEST_PAUSE)):
                    return

    def _post(self, device: Device) -> None:
        form = device.fill_in(self.stage.article)
        while not self._over.is_set():
            try:
                answer = device.send(form)
            except NO_ANSWER:
                self.unanswered += 1
            else:
                self.statuses[answer.status] += 1
                if self.stage.acknowledge(form, answer):
                    return
                if trace := trace_in(answer):
                    self.traces[trace] += 1
            self._doubts.setdefault(form.key, time.time())
            self._over.wait(BEFORE_AGAIN)
