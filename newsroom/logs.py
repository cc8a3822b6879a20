"""What our own log keeps of a request."""

import logging
import re

_TOKEN = re.compile(r"(?<=/)((?:kommentar/(?:ja|mein)|dienst|abo/(?:ja|nein)|abos)/)[^/?\s]+")


class NoTokens(logging.Filter):
    """The last part of a mailed link's address is a right, and in some holds a mail address: no log needs it (A22)."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(_TOKEN.sub(r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args)
        return True
