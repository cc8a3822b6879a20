"""What our own log keeps of a request."""

import logging
import re

_LONG = re.compile(r"[^/?\s]{40,}")


class ShortPaths(logging.Filter):
    """Tokens of mailed links are rights, and some hold an address: no log needs them (A22)."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_LONG.sub("…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
