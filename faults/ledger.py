"""What was acknowledged, in a file: a line is on the disk before whoever wrote it goes on."""

import json
import os
from pathlib import Path
from threading import Lock


class Ledger:
    """Appends objects, one line each. May be used by several threads at once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.count = 0
        self._lock = Lock()
        self._handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, **entry: object) -> None:
        os.write(self._handle, json.dumps(entry, ensure_ascii=False).encode() + b"\n")
        os.fsync(self._handle)
        with self._lock:
            self.count += 1

    def entries(self) -> list[dict]:
        """Read from the file: what stands there is what counts."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def close(self) -> None:
        os.close(self._handle)
