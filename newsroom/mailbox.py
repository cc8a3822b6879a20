"""A mailbox of our own, for trying out and for tests: a real SMTP server on loopback that keeps what it is given.

`python -m newsroom.mailbox FOLDER PORT` receives. Class Mailbox reads, for the web view under /postfach/. The folder
is a Maildir, so any mail program can read it too.
"""

import os
import signal
import socket
import sys
from asyncio import Server
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from mailbox import Maildir
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsroom.terminal import _

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Letter:
    """One received mail. What the mail itself does not say, or says badly, is empty; `date` is then the delivery's."""

    key: str
    sender: str
    recipient: str  # of the envelope: who really gets it
    subject: str
    date: datetime
    text: str
    html: str
    headers: list[tuple[str, str]]


class Mailbox:
    """Reads a Maildir, which need not exist yet."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    def newest(self, limit: int = 100) -> list[Letter]:
        """The letters received last, the very last first."""
        files = sorted(self._files().values(), key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)
        return [_letter(file) for file in files[:limit]]

    def get(self, key: str) -> Letter | None:
        """`key` comes from an URL: it is only compared with the names that are there, never made into a path."""
        file = self._files().get(key)
        return _letter(file) if file else None

    def _files(self) -> dict[str, Path]:
        folders = [self.folder / "new", self.folder / "cur"]
        return {_key(file): file for folder in folders if folder.is_dir() for file in folder.iterdir()}


class Delivery:
    """Puts every accepted message into the Maildir, with its envelope in headers, before the client hears "250"."""

    def __init__(self, folder: Path) -> None:
        for name in ("tmp", "new", "cur"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self.maildir = Maildir(folder, create=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's)
        head = f"X-Envelope-From: {envelope.mail_from}\nX-Envelope-To: {', '.join(envelope.rcpt_tos)}\n"
        body = bytes(envelope.original_content or b"").replace(b"\r\n", b"\n")
        self.maildir.add(head.encode() + body)  # synced to the disk, then renamed into new/
        _sync_folder(self.folder / "new")
        return "250 Angenommen"


class _Controller(Controller):
    """Serves on a socket that is bound already: a taken port is known at once, and port 0 means a free one."""

    def __init__(self, handler: Delivery, listener: socket.socket) -> None:
        host, port = listener.getsockname()
        super().__init__(handler, hostname=host, port=port, server_hostname="localhost")
        self.listener = listener

    def _create_server(self) -> Coroutine[Any, Any, Server]:
        return self.loop.create_server(self._factory_invoker, sock=self.listener)


@contextmanager
def receiving(folder: Path, port: int = 0) -> Iterator[int]:
    """Receive mail in a thread while the block runs. Yields the port, a free one if none was asked for."""
    controller = _Controller(Delivery(folder), socket.create_server((LOOPBACK, port)))
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def _key(file: Path) -> str:
    return file.name.partition(":")[0]  # what follows are the flags, which a mail program changes


def _letter(file: Path) -> Letter:
    raw = file.read_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    return Letter(
        key=_key(file),
        sender=_header(message, "From") or _header(message, "X-Envelope-From"),
        recipient=_header(message, "X-Envelope-To"),
        subject=_header(message, "Subject").strip(),
        date=_date(message) or datetime.fromtimestamp(file.stat().st_mtime, UTC),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        headers=[(name, _header_text(message, name, value)) for name, value in message.raw_items()],
    )


# The standard library's modern policy raises all kinds of exceptions on malformed mails (IndexError, AttributeError,
# LookupError ...). This is a view for looking at mails, bad ones above all, so each part falls back on its own.


def _header(message: EmailMessage, name: str) -> str:
    raw = next((value for known, value in message.raw_items() if known.lower() == name.lower()), "")
    return _header_text(message, name, raw)


def _header_text(message: EmailMessage, name: str, raw: str) -> str:
    try:
        text = str(message.policy.header_fetch_parse(name, raw))
    except Exception:
        text = " ".join(str(raw).split())
    return text.encode(errors="replace").decode()  # lone surrogates stand for undecodable bytes; no page can carry them


def _date(message: EmailMessage) -> datetime | None:
    try:
        date = message["Date"].datetime
        return date.replace(tzinfo=date.tzinfo or UTC)
    except Exception:
        return None


def _body(message: EmailMessage, kind: str) -> str:
    try:
        part = message.get_body((kind,))
        raw = part.get_payload(decode=True) if part else b""
    except Exception:
        return ""
    try:
        return raw.decode(part.get_content_charset("utf-8"), errors="replace") if part else ""
    except Exception:  # a charset nobody knows
        return raw.decode(errors="replace")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main(folder: str, port: str) -> int:
    stop = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    try:
        with receiving(Path(folder), int(port)) as actual:
            print(_("Postkasten nimmt Mail auf %s an.") % f"{LOOPBACK}:{actual}", flush=True)
            signal.sigwait(stop)
    except OSError as error:
        why = os.strerror(error.errno)
        sentence = _("Der Postkasten kann auf Port %(port)s nicht empfangen: %(why)s.")
        print(sentence % {"port": port, "why": why}, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
