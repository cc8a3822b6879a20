"""Many at once: threads that begin together, each with a database connection of its own."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from django.db import connections


def at_once(count: int, act: Callable[[int], object]) -> list:
    """What act(0) ... act(count - 1) return, each called in a thread; they wait for each other at the start."""
    start = Barrier(count)

    def run(number: int) -> object:
        start.wait()
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))
