"""Mails to addresses that nobody has proved yet: opt-ins, confirmations, receipts. A stranger can cause them."""

from datetime import timedelta

from newsroom.addresses import limit_key
from newsroom.ratelimit import count_up

PER_ADDRESS_WINDOW = timedelta(days=1)
PER_NETWORK, PER_NETWORK_WINDOW = 30, timedelta(hours=1)


def may_send_unasked(kind: str, email: str, network: str, *, per_day: int, is_due: bool = True) -> bool:
    """Counts one more such mail; False if the address or the network had its share (B14).

    The network is asked first: who is over its limit must not use up a stranger's day. What is not due counts for the
    network alone, and takes as long.
    """
    if count_up(f"{kind} mail", f"network {network}", window=PER_NETWORK_WINDOW) > PER_NETWORK:
        return False
    counted_as = f"{kind} mail" if is_due else f"{kind} mail not due"
    return count_up(counted_as, f"address {limit_key(email)}", window=PER_ADDRESS_WINDOW) <= per_day
