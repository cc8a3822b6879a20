"""A mail taken apart into its headers and parts, each decoded as well as it can be.

Anyone may send us anything, so this takes time in proportion to the mail. Measured with Python 3.11 on a small machine:
the standard library's mail parser asks every open boundary about every line (200 kB in 100 layers: 3 s; in 3,500
layers: RecursionError).
"""

import binascii
import re
from dataclasses import dataclass
from email.errors import HeaderParseError
from email.header import decode_header

HEAD_BYTES = 64_000  # of the headers; with all that Exchange and ARC add they have 20 kB
FIELD_CHARACTERS = 1_000  # of one header that we read
PARTS = 100  # of one multipart

_FOLD = re.compile(rb"\n(?=[ \t])")
_PARAMETER = re.compile(r';\s*([a-z-]+)(\*?)[0-9]*(\*?)\s*=\s*("[^"]{0,200}"|[^\s;"]*)', re.IGNORECASE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
# By name: among Python's codecs are some that are no charsets, and some that take quadratic time (punycode, idna).
_CHARSET = re.compile(
    r"(?:utf|us-ascii|ascii|iso|latin|cp|windows|koi8|mac|gb|hz|big5|shift|sjis|euc|ks)[\w.:-]{0,30}", re.I | re.A
)


@dataclass(frozen=True)
class Part:
    """A mail or one of its parts."""

    fields: dict[str, list[str]]
    body: bytes

    def field(self, name: str) -> str:
        """The first header of this name, at most FIELD_CHARACTERS of it; "" where there is none."""
        return self.fields.get(name, [""])[0][:FIELD_CHARACTERS].strip()

    @property
    def kind(self) -> str:
        kind = self.field("content-type").partition(";")[0].strip().lower()
        return kind if "/" in kind else "text/plain"

    def parameter(self, name: str, of: str = "content-type") -> str:
        """Also one in pieces or with a charset of its own (RFC 2231)."""
        value = ""
        for found in _PARAMETER.finditer(self.field(of)):
            if found[1].lower() == name:
                piece = found[4].strip('"')
                value += piece.rpartition("'")[2] if found[2] or found[3] else piece
        return value

    @property
    def is_attachment(self) -> bool:
        disposition = self.field("content-disposition").lower()
        return disposition.startswith("attachment") or bool(self.parameter("filename", of="content-disposition"))

    def parts(self) -> list["Part"]:
        boundary = self.parameter("boundary").encode(errors="replace")
        if not boundary:
            return []
        line = re.compile(rb"^--" + re.escape(boundary) + rb"(--)?[ \t]*$", re.MULTILINE)
        _before, *found = line.split(self.body, maxsplit=PARTS)
        parts = []
        for is_end, data in zip(found[::2], found[1::2], strict=True):
            if is_end:
                break
            parts.append(take_apart(data.removeprefix(b"\n")))
        return parts

    def text(self) -> str:
        """The body, decoded as well as it can be. No charset is certain: many programs name a wrong one."""
        data, encoding = self.body, self.field("content-transfer-encoding").lower()
        if encoding == "quoted-printable":
            data = binascii.a2b_qp(data)
        elif encoding == "base64":
            data = _NOT_BASE64.sub(b"", data)
            data = binascii.a2b_base64(data[: len(data) - (len(data) % 4 == 1)] + b"==")
        text = decoded(data, self.parameter("charset"))
        return text.replace("\r\n", "\n").replace("\r", "\n")


def take_apart(data: bytes) -> Part:
    head, _blank, body = (b"\n" + data.replace(b"\r\n", b"\n")).partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in _FOLD.sub(b"", head[:HEAD_BYTES]).split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields.setdefault(name.decode("ascii", "replace").strip().lower(), []).append(decoded(value, ""))
    return Part(fields, body)


def decoded(data: bytes, charset: str) -> str:
    """As the named charset, as UTF-8 or as Windows-1252, which most programs mean that name another."""
    charset = charset.lower()
    if not _CHARSET.fullmatch(charset) or charset in ("us-ascii", "ascii", "iso-8859-1", "latin1"):
        charset = "utf-8"
    attempts = [(charset, "strict"), ("utf-8", "strict")]
    if charset != "utf-8":
        attempts.append((charset, "replace"))
    for name, errors in attempts:
        try:
            return data.decode(name, errors)
        except (LookupError, ValueError):
            continue
    text = data.decode("utf-8", "replace")
    is_utf8 = any(char > "\x7f" and char != "\ufffd" for char in text)  # with a few broken characters
    return text if is_utf8 else data.decode("windows-1252", "replace")


def decoded_words(field: str) -> str:
    """A header with its =?encoded?q?words?= decoded (RFC 2047)."""
    try:
        pieces = decode_header(field)
    except (HeaderParseError, ValueError):
        return field
    return "".join(
        piece
        if isinstance(piece, str)
        else decoded(piece, charset)
        if charset
        else piece.decode("raw-unicode-escape", errors="replace")  # what decode_header() makes of all others
        for piece, charset in pieces
    )
