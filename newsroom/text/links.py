"""Addresses on the web that people wrote: which of them we link, and how a reader sees where they lead (C5)."""

import re
import unicodedata
from typing import NamedTuple

from django.utils.encoding import iri_to_uri

from newsroom.text.characters import normalise_line, plain_letters

URL_LIMIT = 200  # a commenter's website
LINK_LIMIT = 2_000  # an address longer than browsers and servers agree on stays text
SHOWN_LIMIT = 60  # characters of an address that are shown, unless its host alone is longer

_WRITTEN = re.compile(r"(https?)://([^/?#:@\\\s]+)(?::([0-9]{1,5}))?([/?#][^\\\s]*)?", re.IGNORECASE)
# A host that ends in a number is an IP address to browsers, also as 0x7f.1; those are not linked.
_TOP_LEVEL = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+|[^\x00-\x7f]+")
# Umlauts are what readers of German can tell apart. Every other letter beyond ASCII may be a twin (аррӏе.com is all
# Cyrillic), so such hosts are shown the way they are linked: as xn--...
_TOLD_APART = re.compile(r"[a-z0-9.\-ß-öø-ÿ]+")
# In a name: what begins like an address, or a host by itself. Only endings that readers know from hosts, as "St.Pauli"
# and "Dr.Meier" would be hosts too; and initials ("B.Sc.") are none. `。` is a dot to browsers.
_IN_A_NAME = re.compile(
    r"://|(?<![^\W_])www[.。]|(?<![\w.。-])(?:[\w-]+[.。])*(?:[\w-]+[.。](?:com|net|org|info|biz|edu|gov|online|shop|bank|app)"
    r"|[\w-]{2,}[.。](?:de|at|ch|li|lu|eu|nl|be|fr|it|es|pt|pl|cz|sk|hu|si|hr|rs|ro|bg|gr|dk|se|no|fi|is|ie|uk|ee|lv|lt"
    r"|ru|ua|by|tr|us|ca|br|au|nz|cn|jp|kr|in|io|co|me|tv|cc|ly|gg|ai|to))(?![^\W_]|-)"
)


class WebAddress(NamedTuple):
    href: str  # ASCII only
    shown: str  # what a reader sees of it; the host always whole


def web_address(url: str) -> WebAddress | None:
    """None unless http(s), with a real host name, and without userinfo."""
    found = _WRITTEN.fullmatch(url) if len(url) <= LINK_LIMIT else None
    if not found:
        return None
    scheme, name, port, path = found[1].lower(), found[2].lower(), found[3] or "", found[4] or ""
    host = _ascii_host(name)
    if not host or (port and not 0 < int(port) < 65536):
        return None
    port = port and f":{port}"
    shown = f"{scheme}://{name if _TOLD_APART.fullmatch(name) else host}{port}"
    # Letters written from right to left would change places with what stands around them.
    turns = any(unicodedata.bidirectional(char) in ("R", "AL", "AN") for char in path)
    shown += _shortened(iri_to_uri(path) if turns else path, SHOWN_LIMIT - len(shown))
    return WebAddress(f"{scheme}://{host}{port}{iri_to_uri(path)}", shown)


def _ascii_host(name: str) -> str | None:
    """The host as DNS knows it (IDNA 2008: ß stays ß, where Python's own "idna" codec leads to another host)."""
    labels = name.split(".")
    if len(labels) < 2 or not _TOP_LEVEL.fullmatch(labels[-1]) or not all(map(_is_label, labels)):
        return None
    labels = [label if label.isascii() else "xn--" + label.encode("punycode").decode() for label in labels]
    host = ".".join(labels)
    return host if len(host) <= 253 and all(len(label) <= 63 for label in labels) else None


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= 63
        and label.strip("-") == label
        and all(char == "-" or unicodedata.category(char)[0] in "LMN" for char in label)
        # Full-width letters, ligatures and the like: browsers fold them into another name.
        and unicodedata.normalize("NFKC", label) == label
    )


def _shortened(path: str, length: int) -> str:
    return path if len(path) <= max(length, 1) else path[: max(length - 1, 0)] + "…"


def safe_url(url: str) -> str | None:
    """A commenter's website as an absolute ASCII URL, or None if it is not one we would link.

    `example.org` becomes `https://example.org`. At most `URL_LIMIT` characters, as given and as returned.
    """
    url = url.strip()
    if len(url) > URL_LIMIT or normalise_line(url) != unicodedata.normalize("NFC", url):
        return None
    address = web_address(url if "://" in url else f"https://{url}")
    return address.href if address and len(address.href) <= URL_LIMIT else None


def holds_address(name: str) -> bool:
    """Would readers take this name, or a part of it, for an address? As a link it would pose as one that it is not."""
    return _IN_A_NAME.search(plain_letters(name)) is not None
