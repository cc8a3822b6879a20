import socketserver
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import StringIO
from threading import Thread

import pytest
from django.core.management import call_command

from tests.newsroom.maildns.nameserver import GARBAGE, SILENT, NameServer
from tests.newsroom.maildns.records import Records


@pytest.fixture(scope="package")
def server() -> Iterator[NameServer]:
    """Listens on loopback, on one port for UDP and TCP."""
    server = NameServer()

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            if (answer := server.answer(wire, "udp")) is not None:
                sock.sendto(answer, self.client_address)

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            wire = self.rfile.read(int.from_bytes(self.rfile.read(2)))
            if (answer := server.answer(wire, "tcp")) is not None:
                self.wfile.write(len(answer).to_bytes(2) + answer)

    with ExitStack() as stack:
        # TCP chooses the port: of its ports more are taken.
        tcp = stack.enter_context(socketserver.TCPServer(("127.0.0.1", 0), Connection))
        server.port = tcp.server_address[1]
        udp = stack.enter_context(socketserver.UDPServer(("127.0.0.1", server.port), Datagram))
        for one in (tcp, udp):
            Thread(target=one.serve_forever, args=[0.01], daemon=True).start()
            stack.callback(one.shutdown)
        yield server


@dataclass(frozen=True)
class Said:
    text: str
    status: int
    asked: list[str]

    def about(self, topic: str) -> str:
        """The findings that begin so, with their advice."""
        lines, is_wanted = [], False
        for line in self.text.splitlines():
            if not line.startswith(" "):
                is_wanted = line[9:].startswith(topic)
            if is_wanted:
                lines.append(line)
        return "\n".join(lines)


@pytest.fixture
def check(server) -> Callable[..., Said]:
    """Runs the command on a domain with these records. Without `selectors` it has to guess them."""

    def check(
        records: Records,
        *arguments: str,
        domain: str = "example.org",
        selectors: Sequence[str] = ("default",),
        failing: dict[str, str] | None = None,
    ) -> Said:
        server.records, server.failing, server.asked = records, failing or {}, []
        # Long enough for a machine with much to do, unless there is nothing to wait for.
        seconds = 0.4 if {SILENT, GARBAGE} & set(server.failing.values()) else 5
        options = [f"--selector={name}" for name in selectors]
        options += [f"--server=127.0.0.1:{server.port}", f"--timeout={seconds}"]
        out, status = StringIO(), 0
        try:
            call_command("check_mail_dns", *filter(None, [domain]), *arguments, *options, stdout=out)
        except SystemExit as end:
            status = end.code
        return Said(out.getvalue(), status, server.asked)

    return check
