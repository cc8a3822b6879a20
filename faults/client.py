"""Somebody with a browser: fills in a form once, and sends it as often as it takes."""

import itertools
import re
import secrets
import socket
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from email.message import Message
from http.client import HTTPException, HTTPResponse

import brotli
from django.core.signing import Signer

from bench.client import HOST, get, post

TIMEOUT = 40  # seconds for an answer
NO_ANSWER = (OSError, HTTPException)
AGE = 60  # seconds that a form was open before it is sent
_PLACE = re.compile(r"#kommentar-(\d+)$")
_networks = itertools.count(1)


def number_in(place: str) -> int | None:
    """Of the comment, by the address the reader is sent to."""
    found = _PLACE.search(place)
    return int(found[1]) if found else None


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Message
    text: str
    seconds: float

    @property
    def acknowledges(self) -> bool:
        """A reader would close the page now."""
        return 200 <= self.status < 300 or self.status in (302, 303)

    @property
    def place(self) -> str:
        return self.header("Location")

    def header(self, name: str) -> str:
        return self.headers.get(name, "")


@dataclass(frozen=True)
class Form:
    """A comment, filled in. Sent again it is the same submission."""

    path: str
    key: uuid.UUID
    signed_key: str
    body: str

    def with_body(self, body: str) -> "Form":
        return replace(self, body=body)

    def with_key(self, signed_key: str) -> "Form":
        """As it came back in an answer."""
        return replace(self, key=uuid.UUID(signed_key.partition("~")[0]), signed_key=signed_key)


@dataclass
class Device:
    """A browser in a network of its own, with the cookie by which the site knows it again."""

    port: int
    secret_key: str
    cookie: str = ""
    csrf: str = field(default_factory=lambda: secrets.token_hex(16))
    number: int = field(default_factory=lambda: next(_networks))

    def fill_in(self, article: str) -> Form:
        """A form that was opened a minute ago, with words that nobody else writes."""
        key = uuid.uuid4()
        signer = Signer(key=self.secret_key, salt="newsroom.formkey", fallback_keys=[])
        return Form(
            path=f"/artikel/{article}/kommentieren/",
            key=key,
            signed_key=signer.sign(f"{key.hex}~{time.time() - AGE:.1f}"),
            body=f"Das überzeugt mich *nicht*. „Puffer“ & <Zone> sind Wörter für Dinge; siehe {key.hex[:16]}.",
        )

    def send(self, form: Form) -> Answer:
        """Raises one of NO_ANSWER."""
        return self.receive(self.begin(form))

    def try_to_send(self, form: Form) -> Answer | None:
        with suppress(*NO_ANSWER):
            return self.send(form)
        return None

    def begin(self, form: Form) -> socket.socket:
        """Sends and does not wait for the answer."""
        fields = {"body": form.body, "name": "Anna Müller", "email": "", "website": "", "subject": ""}
        return self._begin(self._post(form.path, fields | {"form_key": form.signed_key}))

    def receive(self, connection: socket.socket) -> Answer:
        begin = time.monotonic()
        with connection:
            response = HTTPResponse(connection)
            response.begin()
            body = response.read()
        if response.headers.get("Content-Encoding") == "br":
            body = brotli.decompress(body)
        for set_cookie in response.headers.get_all("Set-Cookie", []):
            name, _, rest = set_cookie.partition("=")
            if name.endswith("leser"):
                self.cookie = f"{name}={rest.partition(';')[0]}"
        return Answer(response.status, response.headers, body.decode(), time.monotonic() - begin)

    def open(self, path: str) -> Answer:
        return self.receive(self._begin(get(path)))

    def try_to_open(self, path: str) -> Answer | None:
        with suppress(*NO_ANSWER):
            return self.open(path)
        return None

    def submit(self, path: str, fields: dict[str, str]) -> Answer:
        return self.receive(self._begin(self._post(path, fields)))

    def _post(self, path: str, fields: dict[str, str]) -> bytes:
        cookies = [f"formular={self.csrf}", *([self.cookie] if self.cookie else [])]
        network = f"10.{self.number >> 8 & 255}.{self.number & 255}.7"
        return post(path, {"csrfmiddlewaretoken": self.csrf} | fields, cookie="; ".join(cookies), network=network)

    def _begin(self, request: bytes) -> socket.socket:
        connection = socket.create_connection((HOST, self.port), TIMEOUT)
        connection.sendall(request)
        return connection
