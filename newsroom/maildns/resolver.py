"""Asks DNS for check_mail_dns: each question once, all together until a deadline.

What comes back is somebody else's text, so `shown` makes short and harmless what a person gets to see of it.
"""

import time
from ipaddress import IPv4Address, IPv6Address, ip_address

import dns.exception
import dns.name
import dns.nameserver
import dns.rdata
import dns.resolver
import dns.reversename
from django.utils.translation import gettext as _

Address = IPv4Address | IPv6Address

DEADLINE = 12  # all questions together may take so many times as long as one
HOSTS = 10  # of an MX or a PTR are looked at (RFC 7208 4.6.4)


class NoResolver(Exception):
    """There is no name server that would answer any question. Its text is for people."""


class Unanswered(Exception):
    """This one question got no answer, while others do. What it would have said is not known."""

    def __init__(self, name: str, kind: str) -> None:
        super().__init__(name, kind)
        self.name, self.kind = name, kind


class Resolver:
    """Asks each question once, and tells "there is none" from "nobody says"."""

    def __init__(self, server: tuple[str, int] | None, timeout: float) -> None:
        """`server`: address and port, None for the system's; `timeout`: seconds for one question."""
        try:
            self._resolver = dns.resolver.Resolver(configure=server is None)
        except dns.resolver.NoResolverConfiguration as error:
            raise NoResolver(_("Auf diesem Rechner ist kein Nameserver eingestellt.")) from error
        if server is not None:
            self._resolver.nameservers = [dns.nameserver.Do53Nameserver(*server)]
        self._timeout = timeout
        self._end = time.monotonic() + DEADLINE * timeout
        self._known: dict[tuple[str, str], list[dns.rdata.Rdata] | Unanswered] = {}
        self._missing: set[str] = set()
        self._has_answered = False

    def ask(self, name: str, kind: str) -> list[dns.rdata.Rdata]:
        """Empty where there is no such record or name. Raises Unanswered, or NoResolver before the first answer."""
        if (name, kind) not in self._known:
            self._known[name, kind] = self._ask(name, kind)
        answer = self._known[name, kind]
        if isinstance(answer, Unanswered):
            raise answer
        return answer

    def texts(self, name: str) -> list[str]:
        """The TXT records. One may come in several strings, which belong together without a space (RFC 7208 3.3)."""
        return sorted(b"".join(text.strings).decode(errors="replace") for text in self.ask(name, "TXT"))

    def addresses(self, name: str, version: int) -> set[Address]:
        return {ip_address(host.address) for host in self.ask(name, "A" if version == 4 else "AAAA")}

    def has_address(self, name: str) -> bool:
        return bool(self.ask(name, "A") or self.ask(name, "AAAA"))

    def exchangers(self, name: str) -> list[str]:
        """The hosts of the MX records, best first; "" is the one that says "no mail" (RFC 7505)."""
        records = sorted(self.ask(name, "MX"), key=lambda mx: (mx.preference, mx.exchange))
        return [_spelled(mx.exchange) for mx in records]

    def names(self, address: Address) -> list[str]:
        """What the address is called, whether or not the name agrees."""
        return sorted(_spelled(record.target) for record in self.ask(pointer(address), "PTR"))[:HOSTS]

    def confirmed_names(self, address: Address) -> list[str]:
        """Those of its names that lead back to the address."""
        return [name for name in self.names(address) if address in self.addresses(name, address.version)]

    def is_known_missing(self, name: str) -> bool:
        """Whether a question about this name was answered with NXDOMAIN."""
        return name in self._missing

    def _ask(self, name: str, kind: str) -> list[dns.rdata.Rdata] | Unanswered:
        try:
            asked = dns.name.from_text(name)
        except dns.exception.DNSException:
            return []  # too long, or with an empty label: there is no such name
        left = min(self._timeout, self._end - time.monotonic())
        if left <= 0:
            return Unanswered(name, kind)
        try:
            answer = self._resolver.resolve(asked, kind, raise_on_no_answer=False, lifetime=left)
        except dns.resolver.NXDOMAIN:
            self._missing.add(name)
            self._has_answered = True
            return []
        except dns.exception.DNSException as error:
            # SERVFAIL comes from a name server that works, about a domain that does not.
            reasons = [str(reason) for _server, _tcp, _port, reason, _response in error.kwargs.get("errors", [])]
            self._has_answered |= "SERVFAIL" in reasons
            if self._has_answered:
                return Unanswered(name, kind)
            if "REFUSED" in reasons:
                raise NoResolver(
                    _("Der Nameserver lehnt Anfragen ab. Nennen Sie mit --server einen anderen.")
                ) from error
            raise NoResolver(_("Der Nameserver antwortet nicht. Nennen Sie mit --server einen anderen.")) from error
        self._has_answered = True
        return list(answer)


def pointer(address: Address) -> str:
    """The name at which DNS tells what the address is called."""
    return _spelled(dns.reversename.from_address(str(address)))


def _spelled(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).removesuffix(".").lower()


def shown(text: str, length: int = 80) -> str:
    """Of a text from DNS, what a terminal may show."""
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= length else text[: length - 1] + "…"


def listed(names: list[str]) -> str:
    first = ", ".join(shown(name) for name in names[:3])
    return first if len(names) <= 3 else f"{first}, …"
