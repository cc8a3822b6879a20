"""A mail server that answers as the test tells it: refuses, falls silent, hangs up. It remembers what it took."""

import asyncio
import socket
from asyncio import Server
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from email import message_from_bytes, policy
from functools import cache
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

EVERYBODY = "*"
SILENCE, HANG_UP = "silence", "hang up"


@dataclass(frozen=True)
class Taken:
    """A mail for which the server answers from now on, whether or not the client heard so."""

    recipient: str
    message_id: str
    raw: bytes

    @property
    def text(self) -> str:
        return self._body("plain")

    @property
    def html(self) -> str:
        return self._body("html")

    def header(self, name: str) -> str:
        return str(message_from_bytes(self.raw, policy=policy.default)[name])

    def _body(self, kind: str) -> str:
        return message_from_bytes(self.raw, policy=policy.default).get_body((kind,)).get_content()


class MailServer:
    """Answers are whole lines ("550 5.1.1 Unbekannt"), by recipient or for EVERYBODY; what is not said is taken."""

    def __init__(self) -> None:
        self.lets_in = True
        self.to_sender = ""
        self.to_recipient: dict[str, str] = {}
        self.to_mail: dict[str, str] = {}  # after its text. SILENCE and HANG_UP come when the server has it
        self.most_per_connection = self.most_bytes = 1_000_000
        self.taken: list[Taken] = []
        self.asked: Counter[str] = Counter()  # how often, for each recipient
        self.connections = 0

    @property
    def recipients(self) -> list[str]:
        """Of the mails taken, in order."""
        return [mail.recipient for mail in self.taken]

    def authenticate(self, *_details: object) -> AuthResult:
        return AuthResult(success=self.lets_in, handled=False)  # False: "535 5.7.8 Authentication credentials invalid"

    # What follows is called by aiosmtpd, in the server's thread.

    async def handle_EHLO(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name, session.mails = hostname, 0
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if session.mails == self.most_per_connection:
            return "421 4.7.0 Too many messages on this connection"
        if any(int(size) > self.most_bytes for name, _is, size in (each.partition("=") for each in options) if size):
            return "552 5.3.4 Message too big"
        session.mails += 1
        envelope.mail_from = address
        return self.to_sender or "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.asked[address] += 1
        if refusal := _said(self.to_recipient, address):
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        (recipient,) = envelope.rcpt_tos
        answer = _said(self.to_mail, recipient)
        if answer not in {"", SILENCE, HANG_UP}:
            return answer
        raw = bytes(envelope.content or b"")
        self.taken.append(Taken(recipient, message_from_bytes(raw, policy=policy.default)["Message-ID"], raw))
        if answer == HANG_UP:
            server.transport.close()
        if answer:
            await asyncio.Event().wait()  # until the connection ends, and this with it
        return "250 OK"


def _said(answers: dict[str, str], recipient: str) -> str:
    return answers.get(recipient) or answers.get(EVERYBODY, "")


class _Controller(Controller):
    """One for all tests, on loopback; each connection is its test's own server's. It ends with the process."""

    def __init__(self) -> None:
        # With the protocol said, or asyncio leaves Nagle's algorithm on, which costs 40 ms a connection.
        self.listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self.listener.bind(("127.0.0.1", 0))
        host, port = self.listener.getsockname()
        super().__init__(MailServer(), hostname=host, port=port, ident="-")

    def factory(self) -> SMTP:
        return SMTP(self.handler, authenticator=self.handler.authenticate, auth_require_tls=False, **self.SMTP_kwargs)

    def _create_server(self) -> Coroutine[Any, Any, Server]:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)


@cache
def _running() -> _Controller:
    controller = _Controller()
    controller.start()
    return controller


def mail_server(settings: Any) -> MailServer:
    """A new server, which `settings` (pytest-django's) name as the site's from now on."""
    controller = _running()
    controller.handler = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", controller.port, 5
    return controller.handler
