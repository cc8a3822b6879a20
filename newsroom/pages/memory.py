"""What a process keeps so as not to make it twice. Losing it costs time and nothing else."""

from collections.abc import Hashable
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class _Kept(NamedTuple):
    version: Hashable
    value: object
    size: int


class Memory(Generic[Value]):
    """Keeps what was used last, up to a number of bytes; of each thing one version, as nobody asks for an older one."""

    def __init__(self, limit: int) -> None:
        self._kept: LRUCache = LRUCache(limit, getsizeof=lambda kept: kept.size)
        self._lock = Lock()  # servers may run several threads a process

    def get(self, key: Hashable, version: Hashable) -> Value | None:
        with self._lock:
            kept = self._kept.get(key)
        return kept.value if kept and kept.version == version else None

    def put(self, key: Hashable, version: Hashable, value: Value, size: int) -> None:
        """`size` in bytes; what is larger than the whole memory is not kept."""
        with self._lock:
            if size <= self._kept.maxsize:
                self._kept[key] = _Kept(version, value, size)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
