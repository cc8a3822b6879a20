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
    message = "\x00".join([purpose, str(pk), *bound]).encode()
    digest = hmac.digest(settings.SECRET_KEY.encode(), b"newsroom.tokens\x00" + message, hashlib.sha256)
    return f"{int_to_base36(pk)}-{base64.urlsafe_b64encode(digest[:16]).decode().rstrip('=')}"


def token_pk(token: str) -> int | None:
    """The pk a token claims to be for; None where it cannot be one. Look the row up, then ask `token_matches`."""
    head, dash, _rest = token.partition("-")
    try:
        return base36_to_int(head) if dash else None
    except ValueError:
        return None


def token_matches(token: str, purpose: str, pk: int, *bound: str) -> bool:
    return constant_time_compare(token, make_token(purpose, pk, *bound))
