"""A small HTTP/1.1 client: requests are bytes made beforehand, so that asking takes little of the machine asked.

Runs in a process of its own (see Client), because threads would wait for each other and for
the rest of the bench.
"""

import pickle
import re
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from urllib.parse import urlencode

HOST = "127.0.0.1"
TIMEOUT = 60  # seconds without any answer
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass
class Answer:
    status: int
    head: bytes
    body: bytes
    seconds: float = 0.0

    def header(self, name: str) -> str:
        found = re.search(rf"\r\n{name}: *([^\r]*)".encode(), self.head, re.IGNORECASE)
        return found[1].decode() if found else ""


@dataclass
class Load:
    """What a load of requests came to."""

    seconds: float
    answered: int
    statuses: Counter = field(default_factory=Counter)
    acknowledged: list[int] = field(default_factory=list)  # places of the requests that were answered with 302

    @property
    def per_second(self) -> float:
        return self.answered / self.seconds


class Client:
    """The other process. Calls of its methods are calls of this module's functions there."""

    def __init__(self) -> None:
        # Not `-m`: pickle would name this module's classes after __main__.
        command = [sys.executable, "-c", "from bench.client import main; main()"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def sequence(self, port: int, requests: list[bytes]) -> list[Answer]:
        return self._call("sequence", port, requests)

    def load(self, port: int, requests: list[bytes], **options) -> Load:
        return self._call("load", port, requests, **options)

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()

    def _call(self, name: str, *arguments, **options):
        pickle.dump((name, arguments, options), self.process.stdin)
        self.process.stdin.flush()
        result = pickle.load(self.process.stdout)
        if isinstance(result, Exception):
            raise result
        return result


def get(path: str, cookie: str = "", encoding: str = "gzip, deflate, br") -> bytes:
    """As a browser asks over an encrypted connection."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"Accept-Encoding: {encoding}", "Accept: text/html"]
    return "\r\n".join([*lines, *([f"Cookie: {cookie}"] if cookie else []), "", ""]).encode()


def post(path: str, fields: dict[str, str], *, cookie: str, network: str) -> bytes:
    body = urlencode(fields).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Accept-Encoding: gzip, deflate, br", "Accept: text/html"]
    lines += [f"Cookie: {cookie}", f"X-Forwarded-For: {network}", "Content-Type: application/x-www-form-urlencoded"]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def sequence(port: int, requests: list[bytes]) -> list[Answer]:
    """One after another over one connection; the time of each runs from the first byte sent to the last received."""
    answers, connection = [], _connect(port)
    for request in requests:
        begin = time.perf_counter()
        try:
            connection.sendall(request)
            head, body = _receive(connection)
        except (ConnectionError, EOFError):  # the server was done with this connection
            connection = _connect(port)
            begin = time.perf_counter()
            connection.sendall(request)
            head, body = _receive(connection)
        answers.append(Answer(int(head[9:12]), head, body, time.perf_counter() - begin))
    connection.close()
    return answers


def load(port: int, requests: list[bytes], *, connections: int, seconds: float, once: bool = False) -> Load:
    """As many as are answered in `seconds`, over `connections` that each wait for one answer at a time; `once` ends
    with the requests, instead of beginning again. What is under way at the end is waited for and counted."""
    selector, counts, acknowledged = selectors.EpollSelector(), Counter(), []
    following, at, answered = len(requests), 0, 0
    begin = time.perf_counter()
    end = begin + seconds
    for _ in range(connections):
        connection = _connect(port)
        connection.sendall(requests[at % following])
        selector.register(connection, selectors.EVENT_READ, [at, b"", 0])
        at += 1
    busy = connections
    while busy:
        ready = selector.select(TIMEOUT)
        if not ready:
            raise TimeoutError("The site does not answer.")
        for key, _event in ready:
            state = key.data  # place of the request, what was received, its whole length once known
            data = key.fileobj.recv(262_144)
            if not data:
                raise ConnectionError("The site closed a connection in the middle of its work.")
            received = state[1] = state[1] + data
            state[2] = state[2] or _length(received)
            if not state[2] or len(received) < state[2]:
                continue
            status = int(received[9:12])
            counts[status] += 1
            answered += 1
            if status == 302:
                acknowledged.append(state[0])
            if time.perf_counter() < end and not (once and at >= following):
                key.fileobj.sendall(requests[at % following])
                state[:] = [at, b"", 0]
                at += 1
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                busy -= 1
    return Load(time.perf_counter() - begin, answered, counts, acknowledged)


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _receive(connection: socket.socket) -> tuple[bytes, bytes]:
    received, length = b"", 0
    while not length or len(received) < length:
        data = connection.recv(262_144)
        if not data:
            raise EOFError
        received += data
        length = length or _length(received)
    head, _, body = received.partition(b"\r\n\r\n")
    return head + b"\r\n", body


def _length(received: bytes) -> int:
    """Of the whole answer; 0 as long as that cannot be told. A body in chunks tells at its end; bodies in chunks are
    only counted here, not put together."""
    head_end = received.find(b"\r\n\r\n")
    if head_end < 0:
        return 0
    found = _LENGTH.search(received, 0, head_end + 2)
    if found is not None:
        return head_end + 4 + int(found[1])
    return len(received) if received.endswith(b"\r\n0\r\n\r\n") else 0


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            name, arguments, options = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            result = {"sequence": sequence, "load": load}[name](*arguments, **options)
        except Exception as error:
            result = error
        pickle.dump(result, sys.stdout.buffer)
        sys.stdout.buffer.flush()
