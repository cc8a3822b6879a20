"""Mails that a provider's webhook brings, kept as they came.

Anymail reads them with Python's own parser and headers, and anybody who writes to REPLY_DOMAIN could keep a web process
busy with that: 44 kB of parameters took 5 s, 400 kB a minute, 9 kB of nested messages were a RecursionError. So
anymail's message is told to keep the bytes; newsroom.answers reads them, as it does those of the listener.
"""

import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from email.policy import Policy, compat32
from io import BytesIO
from itertools import chain
from typing import NamedTuple

from anymail.inbound import AnymailInboundMessage
from anymail.webhooks.sendgrid import SendGridInboundWebhookView
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser

from newsroom.answers.parts import HEAD_BYTES, decoded, take_apart
from newsroom.uploads import EmptyFiles

HEADERS, LONGEST_HEADER = 200, 5_000  # what anymail itself may look at: spam marks, the envelope


class Report(NamedTuple):
    """The one attachment that is looked at: what a mail server says of a mail that it returns (RFC 3464)."""

    kind: str
    text: str


def as_it_came(raw: bytes) -> AnymailInboundMessage:
    """A message of anymail's with its headers unparsed and the mail's bytes in `raw`."""
    message = AnymailInboundMessage()
    message.raw = raw
    fields = take_apart(raw[:HEAD_BYTES]).fields
    for name, value in [(name, value) for name, values in fields.items() for value in values][:HEADERS]:
        message.set_raw(name, value[:LONGEST_HEADER])
    return message


def put_together(
    raw_headers: str | None = None,
    from_email: object = None,
    to: object = None,
    cc: object = None,
    bcc: object = None,
    subject: str | None = None,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] | None = None,
    text: str | None = None,
    html: str | None = None,
    attachments: Iterable[Report | None] = (),
    **_more: object,
) -> AnymailInboundMessage:
    """The same from what a provider has taken apart: a mail again, of the given headers, text and HTML."""
    named = {"From": from_email, "To": to, "Cc": cc, "Bcc": bcc, "Subject": subject}
    pairs = headers.items() if isinstance(headers, Mapping) else headers or []
    lines = [f"{name}: {value}" for name, value in chain(named.items(), pairs) if value is not None]
    kept = (line for line in (raw_headers or "").splitlines() if line.strip())
    # Ours come first, and count: a body as they describe it is not what follows.
    head = [" ".join(line.split()) for line in lines if not line.lower().startswith(("content-", "mime-"))]
    line = f"part-{secrets.token_hex(8)}"  # nobody can write one into their mail
    body = [
        f"--{line}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        f"{b64encode(words.encode(errors='replace')).decode()}"
        for kind, words in [("text/plain", text), ("text/html", html)]
        if words
    ]
    body += [f"--{line}\r\nContent-Type: {report.kind}\r\n\r\n{report.text}" for report in attachments or () if report]
    mail = [f"Content-Type: multipart/alternative; boundary={line}", *head, *kept, "", *body, f"--{line}--", ""]
    return as_it_came("\r\n".join(mail).encode(errors="replace"))


def attached(
    content_type: str, content: str | bytes, *_more: object, base64: bool = False, **_named: object
) -> Report | None:
    """None for all but a report."""
    kind = str(content_type).partition(";")[0].strip().lower()
    if kind not in ("message/delivery-status", "message/global-delivery-status"):
        return None
    data = content.encode(errors="replace") if isinstance(content, str) else content
    return Report(kind, (b64decode(data) if base64 else data)[:HEAD_BYTES].decode(errors="replace"))


def from_sendgrid(_view: SendGridInboundWebhookView, request: HttpRequest) -> AnymailInboundMessage:
    """The same from SendGrid's form, which says of each text in which character set its bytes are; anymail has Python
    parse the whole form anew for that."""
    try:
        charsets = dict(json.loads(request.POST["charsets"]))
    except (KeyError, TypeError, ValueError):
        charsets = {}
    form, _files = MultiPartParser(request.META, BytesIO(request.body), [EmptyFiles(request)], "latin-1").parse()
    words = {
        name: decoded(form.get(name, "").encode("latin-1"), str(charsets.get(name, "utf-8")))
        for name in ("text", "html")
    }
    return put_together(raw_headers=request.POST.get("headers", ""), **words)


_init = AnymailInboundMessage.__init__


def _with_plain_headers(self: AnymailInboundMessage, policy: Policy = compat32) -> None:
    """Python's newer policy parses a header when it is set: 23 s for an address repeated."""
    _init(self, policy)


_add_header = AnymailInboundMessage.add_header


def _add_short_header(self: AnymailInboundMessage, name: str, value: str, **parameters: str) -> None:
    """Asked for one of its parameters, Python looks at each of them once for every other."""
    _add_header(self, name, str(value)[:LONGEST_HEADER], **parameters)


def keep_mails_as_they_came() -> None:
    """Has anymail's webhooks take mails in without its parsers."""
    AnymailInboundMessage.__init__ = _with_plain_headers
    AnymailInboundMessage.add_header = _add_short_header
    AnymailInboundMessage.parse_raw_mime = staticmethod(lambda text: as_it_came(str(text).encode(errors="replace")))
    AnymailInboundMessage.parse_raw_mime_bytes = staticmethod(as_it_came)
    AnymailInboundMessage.parse_raw_mime_chunks = staticmethod(
        lambda chunks: as_it_came(b"".join(chunk if isinstance(chunk, bytes) else chunk.encode() for chunk in chunks))
    )
    AnymailInboundMessage.construct = staticmethod(put_together)
    AnymailInboundMessage.construct_attachment = staticmethod(attached)
    SendGridInboundWebhookView.message_from_sendgrid_parsed = from_sendgrid
    AnymailInboundMessage.construct_attachment_from_uploaded_file = staticmethod(lambda *_given, **_more: None)
