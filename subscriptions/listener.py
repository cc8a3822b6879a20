"""The worker's own ear for mail: LMTP or SMTP, behind a mail server that receives for REPLY_DOMAIN.

It answers "250" only for what is stored. It knows its addresses, so unknown ones are refused at once, and it relays
nothing.
"""

import asyncio
import logging
import socket
from asyncio import Server
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import close_old_connections

from newsroom.answers import MAX_BYTES
from subscriptions.inbound import MOST_RECIPIENTS, UnknownAddressError, find_recipient, take_in

logger = logging.getLogger(__name__)

TIMEOUT = 60  # seconds without a word from the other side
TAKEN, UNKNOWN, LATER, TOO_MANY = (
    "250 2.0.0 Ok",
    "550 5.1.1 No such address, or not any more",
    "451 4.3.0 Please try again later",
    "452 4.5.3 Too many recipients",
)


class Listener(Controller):
    """Serves `url`: "lmtp://127.0.0.1:8024" or "smtp://...". Call start() and stop()."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"lmtp", "smtp"} or not parts.hostname or parts.port is None:
            raise ValueError(f"{url}: wanted is lmtp://HOST:PORT or smtp://HOST:PORT")
        family = socket.AF_INET6 if ":" in parts.hostname else socket.AF_INET
        # A taken port is known at once.
        self.listener = socket.create_server((parts.hostname, parts.port), family=family)
        self.protocol = LMTP if parts.scheme == "lmtp" else SMTP
        host, port = self.listener.getsockname()[:2]
        super().__init__(_Handler(), hostname=host, port=port, server_hostname="newsroom")

    def factory(self) -> SMTP:
        # The announced size makes an honest server refuse a large mail itself.
        return self.protocol(
            self.handler, hostname="newsroom", data_size_limit=MAX_BYTES, timeout=TIMEOUT, enable_SMTPUTF8=True
        )

    def _create_server(self) -> Coroutine[Any, Any, Server]:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)


class _Handler:
    """aiosmtpd's hooks. What asks the database runs in a thread: the loop goes on listening."""

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return TOO_MANY
        answer = await asyncio.to_thread(_answer, find_recipient, address)
        if answer == TAKEN:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        raw, sender = bytes(envelope.original_content or b""), envelope.mail_from or ""
        answers = [
            await asyncio.to_thread(_answer, take_in, raw, recipient=address, sender=sender)
            for address in envelope.rcpt_tos
        ]
        if isinstance(server, LMTP):
            return "\r\n".join(answers)  # one for each recipient (RFC 2033)
        # What was taken is taken: brought again, it is the same submission.
        return LATER if LATER in answers else TAKEN if TAKEN in answers else UNKNOWN


def _answer(act: Any, *args: Any, **options: Any) -> str:
    close_old_connections()
    try:
        act(*args, **options)
    except UnknownAddressError:
        return UNKNOWN
    except Exception:  # the database is away, or a mistake of ours: neither may lose what somebody wrote
        logger.exception("A mail could not be taken in")
        return LATER
    finally:
        close_old_connections()
    return TAKEN
