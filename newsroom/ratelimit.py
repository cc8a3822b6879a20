"""Limits that several web processes share and that keep no address (A22).

A row holds an HMAC of what is limited, keyed with the day, so that it means nothing tomorrow; networks are cut to
/24 and /48 before, because one household or attacker has a whole network of addresses.
"""

import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from newsroom.models import Limit
from newsroom.sql.prepared import fetch_all

# Counts one more of each key and returns how many there were in this window, this one included. May be asked together
# with something else, as `WITH counted AS (COUNT_UP)`; takes a Counting's parameters.
COUNT_UP = """
    INSERT INTO newsroom_limit (key, count, until) SELECT key, 1, %s FROM unnest(%s::bytea[]) AS key
    ORDER BY key -- always in the same order: no deadlock
    ON CONFLICT (key) DO UPDATE SET
        count = CASE WHEN newsroom_limit.until < %s THEN 1 ELSE newsroom_limit.count + 1 END,
        until = CASE WHEN newsroom_limit.until < %s THEN excluded.until ELSE newsroom_limit.until END
    RETURNING key, count
"""


class Counting:
    """What COUNT_UP is given to count one more `action` of each of `whos`, and what its rows say of them."""

    def __init__(self, action: str, whos: list[str], *, window: timedelta):
        now = timezone.now()
        self._whos = {_key(action, who): who for who in whos}
        self.parameters = [now + window, list(self._whos), now, now]

    def counted(self, rows: Iterable[tuple[bytes, int]]) -> dict[str, int]:
        return {self._whos[bytes(key)]: count for key, count in rows}


def count_up(action: str, who: str, *, window: timedelta) -> int:
    """Counts one more `action` of `who` and returns how many there were in this window, this one included."""
    counting = Counting(action, [who], window=window)
    return counting.counted(fetch_all(COUNT_UP, counting.parameters))[who]


def was_counted(action: str, who: str) -> bool:
    """In this window, at least once."""
    return Limit.objects.filter(key=_key(action, who), until__gt=timezone.now()).exists()


def forget(action: str, who: str) -> None:
    Limit.objects.filter(key=_key(action, who)).delete()


def _key(action: str, who: str) -> bytes:
    day_key = f"{settings.SECRET_KEY}{timezone.now():%Y-%m-%d}".encode()
    return hmac.digest(day_key, f"{action}\x00{who}".encode(), hashlib.sha256)


class LimitReachedError(Exception):
    """Too often; newsroom.pages.sharedforms answers with 429 and says that nothing is lost."""


def check_limit(action: str, who: str, *, most: int, window: timedelta) -> None:
    if count_up(action, who, window=window) > most:
        raise LimitReachedError(action)


def forget_expired() -> None:
    """What somebody counts up at this moment stays for the next time: nobody waits, and there is no deadlock."""
    with transaction.atomic():
        expired = Limit.objects.filter(until__lt=timezone.now()).select_for_update(skip_locked=True)
        Limit.objects.filter(pk__in=expired.values("pk")).delete()


def client_network(request: HttpRequest) -> str:
    """The network the request came from, e.g. "192.0.2.0/24"; "unknown" behind a unix socket.

    X-Forwarded-For is believed for as many of its last entries as there are proxies of ours (TRUSTED_PROXIES).
    """
    address = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        parts = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
        forwarded = [part.strip() for part in parts if part.strip()]
        if len(forwarded) >= settings.TRUSTED_PROXIES:
            address = forwarded[-settings.TRUSTED_PROXIES]
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    ip = getattr(ip, "ipv4_mapped", None) or ip  # ::ffff:192.0.2.1, or all of IPv4 would be one network
    return str(ipaddress.ip_network((ip, 24 if ip.version == 4 else 48), strict=False))
