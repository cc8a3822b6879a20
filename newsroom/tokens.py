"""Short opaque tokens for links in mails.

A token is what the link's bearer may do: it has one purpose and is bound to what it was made for (B13). It is short,
because a List-Unsubscribe address over 70 characters does not survive folding everywhere (B4).
"""

import base64
import hashlib
import hmac

from django.conf import settings
from django.utils.crypto import constant_time_compare
from django.utils.http import base36_to_int, int_to_base36


def make_token(purpose: str, pk: int, *bound: str) -> str:
    """`<pk in base 36>-<22 characters>`: 128 bits of HMAC-SHA256 over purpose, pk and `bound`."""
    return f"{int_to_base36(pk)}-{base64.urlsafe_b64encode(_digest(purpose, pk, bound)).decode().rstrip('=')}"


def make_address_token(purpose: str, pk: int, *bound: str) -> str:
    """The same for the local part of a mail address (`<purpose>-<pk>-<26 characters>`, at most 64): some servers on the
    way make it lower case."""
    return f"{purpose}-{int_to_base36(pk)}-{base64.b32encode(_digest(purpose, pk, bound)).decode().rstrip('=').lower()}"


def address_token_parts(token: str) -> tuple[str, int | None]:
    """The purpose and the pk that a local part claims to be for."""
    purpose, _dash, rest = token.lower().partition("-")
    return purpose, token_pk(rest)


def token_pk(token: str) -> int | None:
    """The pk a token claims to be for; None where it cannot be one. Look the row up, then ask `token_matches`."""
    head, dash, _rest = token.partition("-")
    try:
        return base36_to_int(head) if dash else None
    except ValueError:
        return None


def token_matches(token: str, purpose: str, pk: int, *bound: str) -> bool:
    return constant_time_compare(token, make_token(purpose, pk, *bound))


def address_token_matches(token: str, purpose: str, pk: int, *bound: str) -> bool:
    return constant_time_compare(token.lower(), make_address_token(purpose, pk, *bound))


def _digest(purpose: str, pk: int, bound: tuple[str, ...]) -> bytes:
    """128 bits."""
    message = "\x00".join([purpose, str(pk), *bound]).encode()
    return hmac.digest(settings.SECRET_KEY.encode(), b"newsroom.tokens\x00" + message, hashlib.sha256)[:16]
