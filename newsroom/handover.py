"""Hands mails over to the mail server, and understands its answer: is it about this recipient, this mail, or all?"""

import re
from dataclasses import dataclass
from enum import Enum, auto
from smtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPHeloError,
    SMTPNotSupportedError,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)
from typing import Self

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

# Servers limit what one connection may bring, some to a hundred; a new one costs two milliseconds.
MAILS_PER_CONNECTION = 100

# RFC 3463: the mailbox does not exist, or takes nothing any more. Other codes beginning with 5 (our reputation, a
# full mailbox, a rule; 5.1.7 and 5.1.8: the sender's address) say nothing about the address.
_NO_SUCH_MAILBOX = re.compile(r"5\.(1\.(?![78]$)\d{1,3}|2\.1)")
_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")  # not a part of the IP address they blocked


class About(Enum):
    """What a refusal is about, and so who has to wait."""

    RECIPIENT = auto()  # for good
    MAIL = auto()
    SERVER = auto()


@dataclass(frozen=True)
class Refusal:
    about: About
    answer: str  # as the server said it, at most 300 characters


class Line:
    """One connection to the mail server for many mails; a context. Opens when it is needed, and anew after trouble."""

    def __init__(self) -> None:
        self._connection = get_connection()
        self._sent: int | None = None  # over this connection; None: not open

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._close()

    def hand_over(self, message: EmailMessage) -> Refusal | None:
        """None if the server took the mail. After a time-out nobody knows whether it did: to send the same mail, with
        its same Message-ID, again is right."""
        used = self._sent
        refusal = self._hand_over(message)
        if used and refusal is not None and refusal.about is About.SERVER:
            refusal = self._hand_over(message)  # perhaps it wants no more over that connection
        return refusal

    def _hand_over(self, message: EmailMessage) -> Refusal | None:
        try:
            if self._sent is None or self._sent >= MAILS_PER_CONNECTION:
                self._close()
                self._connection.open()
                self._sent = 0
        except OSError as error:  # smtplib's are OSErrors too
            self._close()
            return Refusal(About.SERVER, _answer(error))
        try:
            self._connection.send_messages([message])
        except Exception as error:
            # Some servers are confused after they refused something; and where we stand after a time-out nobody knows.
            self._close()
            return understand(error)
        self._sent += 1
        return None

    def _close(self) -> None:
        self._sent = None
        try:
            self._connection.close()
        except OSError:
            self._connection.connection = None


def understand(error: Exception) -> Refusal:
    """What the server, or the provider's interface, meant. Raises what is neither's answer."""
    if isinstance(error, SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
        answer = _said(code, said)
        if code == 421:
            return Refusal(About.SERVER, answer)
        return Refusal(About.RECIPIENT if code >= 500 and is_no_such_mailbox(answer) else About.MAIL, answer)
    if isinstance(error, SMTPDataError):
        return Refusal(About.SERVER if error.smtp_code == 421 else About.MAIL, _answer(error))
    if isinstance(error, SMTPSenderRefused) and error.smtp_code == 552:  # said at the beginning: it is too big
        return Refusal(About.MAIL, _answer(error))
    ours = (SMTPSenderRefused, SMTPAuthenticationError, SMTPHeloError, SMTPConnectError, SMTPNotSupportedError)
    if isinstance(error, ours):
        return Refusal(About.SERVER, _answer(error))
    if settings.ANYMAIL:
        # Brings `requests` along, 8 MB in every process, where most sites have a mail server and no provider.
        from anymail.exceptions import AnymailError, AnymailRecipientsRefused

        if isinstance(error, AnymailRecipientsRefused):
            return Refusal(About.RECIPIENT, str(error)[:300])
        if isinstance(error, AnymailError):
            return Refusal(About.SERVER, str(error)[:300])
    if isinstance(error, OSError | SMTPException):  # silence, a broken connection
        return Refusal(About.MAIL, _answer(error))
    raise error


def is_no_such_mailbox(answer: str) -> bool:
    """Does a refusal say that the mailbox does not exist, or takes nothing any more?"""
    codes = _CODE.findall(answer)
    return not codes or any(map(_NO_SUCH_MAILBOX.fullmatch, codes))


def _answer(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return _said(code, error.smtp_error) if code is not None else (str(error) or type(error).__name__)[:300]


def _said(code: int, said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    text = "".join(char if char.isprintable() else " " for char in text)  # NUL, which no database stores
    return " ".join(f"{code} {text}".split())[:300]
