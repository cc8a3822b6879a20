"""Reads a returned mail: which kind of failure does it tell of (RFC 3464)?"""

import re
from dataclasses import dataclass

from newsroom.handover import is_no_such_mailbox

MAX_BYTES = 200_000  # the report stands first; the mail that came back is cut off
_FIELD = re.compile(r"^(action|status|diagnostic-code):[ \t]*(.{0,500})", re.IGNORECASE | re.MULTILINE)
_REPORT = re.compile(rb"^content-type:\s*message/(?:global-)?delivery-status\b", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Returned:
    is_final: bool  # the mailbox does not exist, or takes nothing any more
    detail: str


def read_returned(raw: bytes) -> Returned | None:
    """None for what tells of no failure: a delay, a delivery, an out-of-office reply."""
    found = _REPORT.search(raw[:MAX_BYTES])
    if found is None:
        return None
    # What follows are a few lines of "Name: value"; no parser is needed that a crafted mail could keep busy.
    told = raw[found.end() : found.end() + 4000].decode(errors="replace").replace("\r\n", "\n")
    fields = {name.lower(): " ".join(value.split()) for name, value in reversed(_FIELD.findall(told))}
    if fields.get("action", "").lower() != "failed":
        return None
    status = fields.get("status", "")
    detail = f"{status} {fields.get('diagnostic-code', '')}".strip()
    # Not "4...": a server that gave up trying tells of trouble that may be over.
    return Returned(is_final=status.startswith("5.") and is_no_such_mailbox(detail), detail=detail[:300])
