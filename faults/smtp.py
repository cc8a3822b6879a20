"""A mail server that does as it is told: takes mails, refuses some or all, falls silent, hangs up.

What it took stands in its log, with Message-ID and recipient, before the client hears "250".
"""

import asyncio
import itertools
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from faults.ledger import Ledger
from newsroom.trial.__main__ import HOST, free_port

ACCEPTED, REFUSED, UNANSWERED = "accepted", "refused", "unanswered"  # as the log calls what became of a mail
LOOK = 0.02  # seconds between two looks at the script while silent

# It warns of itself at every login.
logging.getLogger("mail.log").setLevel(logging.ERROR)


@dataclass(frozen=True)
class Script:
    """What is answered where; an empty answer is the usual one."""

    login: str = ""
    recipient: str = ""
    mail: str = ""
    silent: bool = False  # says nothing after DATA, until the script changes; then hangs up
    hangs_up: bool = False  # after DATA
    only: str = ""  # the one address that all of this, but for the login, is about; empty for all

    def is_about(self, address: str) -> bool:
        return self.only in ("", address)


TAKES_ALL = Script()
CLOSES = Script(mail="421 4.3.2 Wartung")
TRY_LATER = Script(mail="451 4.7.1 Spaeter bitte")
REFUSES_ALL = Script(recipient="550 5.7.1 Von Ihnen nehmen wir nichts")
NO_LOGIN = Script(login="535 5.7.8 Zugang gesperrt")
SILENT = Script(silent=True)
HANGS_UP = Script(hangs_up=True)


def refuses(address: str) -> Script:
    return Script(recipient="550 5.1.1 Diese Adresse gibt es nicht", only=address)


class MailServer:
    """As a context. `script` may be changed at any time; it holds from the next command on."""

    def __init__(self, log: Path) -> None:
        self.script = TAKES_ALL
        self.last: dict[str, EmailMessage] = {}  # taken, by recipient
        self.count = 0  # taken
        self._kept: list[EmailMessage] | None = None
        self._connections = itertools.count(1)
        self._log = Ledger(log)
        self.port = free_port()
        self._controller = Controller(
            self,
            hostname=HOST,
            port=self.port,
            server_hostname="localhost",
            authenticator=self._authenticate,
            auth_require_tls=False,
        )

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.script = TAKES_ALL  # lets go of who waits in silence
        self._controller.stop()
        self._log.close()

    @property
    def url(self) -> str:
        """For EMAIL_URL. With a name and a password, or nobody would sign in who could be refused."""
        return f"smtp://newsroom:geheim@{HOST}:{self.port}"

    def logged(self, what: str = ACCEPTED, *, to: str = "") -> list[tuple[str, str]]:
        """Message-ID and recipient of each mail that this became of, in order; once more for each time."""
        return [(entry["id"], entry["to"]) for entry in self.entries(what) if to in ("", entry["to"])]

    def entries(self, what: str = ACCEPTED) -> list[dict]:
        """The same with the number of the connection, as `via`."""
        return [entry for entry in self._log.entries() if entry["what"] == what]

    @contextmanager
    def keeping(self) -> Iterator[list[EmailMessage]]:
        """Every mail taken meanwhile."""
        kept = self._kept = []
        try:
            yield kept
        finally:
            self._kept = None

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, who: LoginPassword
    ) -> AuthResult:
        answer = self.script.login
        return AuthResult(success=not answer, handled=False, message=answer or None)

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        script = self.script
        if script.recipient and script.is_about(address):
            self._log.write(what=REFUSED, id="", to=address, via=0)
            return script.recipient
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's)
        script = self.script if any(map(self.script.is_about, envelope.rcpt_tos)) else TAKES_ALL
        message = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        via = vars(session).setdefault("number", next(self._connections))
        if script.silent or script.hangs_up:
            self._note(UNANSWERED, message, envelope, via)
            while script.silent and self.script is script:
                await asyncio.sleep(LOOK)
            server.transport.close()
            raise asyncio.CancelledError  # what aiosmtpd itself takes for a connection that is gone
        if script.mail:
            self._note(REFUSED, message, envelope, via)
            return script.mail
        self._note(ACCEPTED, message, envelope, via)
        return "250 Angenommen"

    def _note(self, what: str, message: EmailMessage, envelope: Envelope, via: int) -> None:
        for address in envelope.rcpt_tos:
            self._log.write(what=what, id=str(message["Message-ID"]), to=address, via=via)
            if what == ACCEPTED:
                self.last[address] = message
                self.count += 1
                if self._kept is not None:
                    self._kept.append(message)
