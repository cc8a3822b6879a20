"""What a process keeps so as not to make it twice. Losing it costs time and nothing else."""

from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """Keeps what was used last, up to a number of bytes. Keys hold a version: what changed is under another key."""

    def __init__(self, limit: int) -> None:
        self._kept: LRUCache = LRUCache(limit, getsizeof=lambda entry: entry[1])
        self._lock = Lock()  # servers may run several threads a process

    def get(self, key: Hashable) -> Value | None:
        with self._lock:
            entry = self._kept.get(key)
        return entry[0] if entry else None

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """`size` in bytes; what is larger than the whole memory is not kept."""
        with self._lock:
            if size <= self._kept.maxsize:
                self._kept[key] = (value, size)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
