"""SPF: what the record of a domain says of the servers that may send its mail (RFC 7208), read as a receiver reads it.

Records include others, and any of them may be malicious. The limits of the RFC end every walk through them; a record
that goes beyond is an SpfError, and so is one that is written wrongly.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import chain

from django.utils.translation import gettext as _

from newsroom.maildns.resolver import HOSTS, Address, Resolver, listed, shown

LOOKUPS = 10  # terms that ask DNS, over all included records (RFC 7208 4.6.4)
VOID_LOOKUPS = 2  # so many of those may come to nothing
MECHANISMS = ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
_ASKING = ("include", "a", "mx", "ptr", "exists", "redirect")
_MECHANISM = re.compile(rf"([-+~?]?)({'|'.join(MECHANISMS)})([:/].*)?", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=([!-~]*)", re.IGNORECASE)
_HOST_AND_LENGTHS = re.compile(r"(?::([^/]+))?(?:/(0|[1-9]\d?))?(?://(0|[1-9]\d{0,2}))?")
_NETWORK = re.compile(r":([0-9a-f.:]+(?:/(?:0|[1-9]\d{0,2}))?)", re.IGNORECASE)
_TARGET = re.compile(r"[!-~]+\.(?!\d+\.?$)[a-z0-9]([a-z0-9-]*[a-z0-9])?\.?|[!-~]*%\{[!-~]+\}", re.IGNORECASE)
_MACRO = re.compile(r"%\{([slodiphv])((?:[1-9]\d{0,2})?)(r?)([-.+,/_=]*)\}|%([%_-])", re.IGNORECASE)
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


class SpfError(Exception):
    """RFC 7208's permerror: with this in it a record is worth nothing, whatever else it says."""

    def __init__(self, title: str, advice: str = "") -> None:
        super().__init__(title, advice)
        self.title, self.advice = title, advice


@dataclass(frozen=True)
class Term:
    text: str  # as it stands in the record
    name: str  # of the mechanism or modifier
    qualifier: str = ""  # "" for modifiers
    target: str = ""  # the domain it names, perhaps with macros; "" where it means its own
    network: IPv4Network | IPv6Network | None = None
    lengths: tuple[int, int] = (32, 128)  # of the networks around an IPv4 and an IPv6 address


def _term(word: str) -> Term:
    """Raises ValueError for what is no term to RFC 7208 12."""
    if not word.isascii():
        raise ValueError(word)
    if modifier := _MODIFIER.fullmatch(word):
        name, target = modifier[1].lower(), modifier[2]
        return Term(word, name, target=_target(target) if name in ("redirect", "exp") else "")
    mechanism = _MECHANISM.fullmatch(word)
    if mechanism is None:
        raise ValueError(word)
    qualifier, name, rest = mechanism[1] or "+", mechanism[2].lower(), mechanism[3] or ""
    if not rest and name in ("all", "a", "mx", "ptr"):
        return Term(word, name, qualifier)
    if name in ("ip4", "ip6") and (network := _NETWORK.fullmatch(rest)):
        version = IPv4Network if name == "ip4" else IPv6Network
        return Term(word, name, qualifier, network=version(network[1], strict=False))
    if name in ("a", "mx") and (parts := _HOST_AND_LENGTHS.fullmatch(rest)):
        lengths = int(parts[2] or 32), int(parts[3] or 128)
        if lengths[0] <= 32 and lengths[1] <= 128:
            return Term(word, name, qualifier, _target(parts[1]) if parts[1] else "", lengths=lengths)
    if name in ("include", "exists", "ptr") and rest.startswith(":"):
        return Term(word, name, qualifier, _target(rest[1:]))
    raise ValueError(word)


def _target(text: str) -> str:
    if len(text) > 255 or not _TARGET.fullmatch(text) or "%" in _MACRO.sub("", text):
        raise ValueError(text)
    return text.lower().removesuffix(".")


class Spf:
    """The SPF record of a domain with all that it includes, as a receiver reads it: for mail from `address`, or any.

    `walk` comes first. It raises SpfError where a receiver would give up; what it has been through has an end.
    """

    def __init__(self, resolver: Resolver, domain: str, address: Address | None) -> None:
        self.resolver, self.domain, self.address = resolver, domain, address
        self.lookups = 0
        self.void: list[str] = []  # names that were asked about for nothing
        self.unknown: list[Term] = []  # terms whose macros only a mail on its way could fill in

    def records(self, domain: str) -> list[str]:
        return [text for text in self.resolver.texts(domain) if re.match(r"(?ai)v=spf1(?: |\Z)", text)]

    def written(self, domain: str) -> list[Term]:
        """All terms of the domain's record."""
        told = {"domain": shown(domain)}
        records = self.records(domain)
        if len(records) > 1:
            advice = _("Damit gilt keiner. Machen Sie aus ihnen einen:")
            raise SpfError(
                _("SPF: %(domain)s hat mehr als einen Eintrag.") % told, "\n".join([advice, *map(shown, records[:3])])
            )
        terms = []
        for word in filter(None, records[0].split(" ")[1:]):
            try:
                terms.append(_term(word))
            except ValueError as error:
                told["term"] = shown(word)
                raise SpfError(
                    _("SPF: „%(term)s“ bei %(domain)s ist falsch geschrieben.") % told,
                    _("Richtig, ohne Leerzeichen: mx a:mail.example.org ip4:192.0.2.1 include:spf.example.org ~all"),
                ) from error
        names = [term.name for term in terms]
        if names.count("redirect") > 1 or names.count("exp") > 1:
            raise SpfError(_("SPF: „redirect=“ oder „exp=“ steht bei %(domain)s mehr als einmal.") % told)
        return terms

    def read(self, domain: str) -> list[Term]:
        """Those that are looked at, in their order: "all" ends the record, "redirect" waits for its end (5.1, 6.1)."""
        terms = self.written(domain)
        mechanisms = [term for term in terms if term.qualifier]
        for place, term in enumerate(mechanisms):
            if term.name == "all":
                return mechanisms[: place + 1]
        return mechanisms + [term for term in terms if term.name == "redirect"]

    def walk(self, domain: str, above: tuple[str, ...] = ()) -> None:
        """Through all that makes a receiver ask; `above` are the records that led here."""
        for term in self.read(domain):
            if term.name not in _ASKING:
                continue
            self.lookups += 1
            if self.lookups > LOOKUPS:
                raise SpfError(
                    _("SPF: Der Eintrag löst mehr als 10 Abfragen aus und gilt deshalb nicht."),
                    _("Nehmen Sie „include:“ heraus, die Sie nicht brauchen. „ip4:“ und „ip6:“ fragen nichts ab."),
                )
            target = self._asked(term, domain)
            if target is None:
                self.unknown.append(term)
            elif term.name in ("include", "redirect"):
                self._enter(term, target, (*above, domain))
            elif term.name != "ptr":
                self._look_up(term, target)

    def ending(self) -> tuple[str, Term | None]:
        """What is said of all other servers, and by which domain."""
        domain = self.domain
        while (terms := self.read(domain)) and terms[-1].name == "redirect" and terms[-1] not in self.unknown:
            domain = self._asked(terms[-1], domain)
        return domain, terms[-1] if terms and terms[-1].name in ("all", "redirect") else None

    def result(self, domain: str) -> str:
        """What the domain's record says of a mail from `address` (RFC 7208 2.6)."""
        for term in self.read(domain):
            if term in self.unknown:
                continue
            if term.name == "redirect":
                return self.result(self._asked(term, domain))
            if self._matches(term, domain):
                return _RESULTS[term.qualifier]
        return "neutral"

    def _enter(self, term: Term, target: str, above: tuple[str, ...]) -> None:
        told = {"term": shown(term.text)}
        if target in above:
            raise SpfError(_("SPF: „%(term)s“ führt im Kreis.") % told, _("Nehmen Sie „%(term)s“ heraus.") % told)
        if not self.records(target):
            raise SpfError(
                _("SPF: „%(term)s“ führt zu keinem SPF-Eintrag.") % told,
                _("Damit gilt der ganze Eintrag nicht. Berichtigen Sie den Namen, oder nehmen Sie ihn heraus."),
            )
        self.walk(target, above)

    def _look_up(self, term: Term, target: str) -> None:
        if term.name == "exists":
            self.void += [] if self.resolver.ask(target, "A") else [target]
        else:
            hosts = self._hosts(term, target)
            if len(hosts) > HOSTS:
                raise SpfError(_("SPF: „%(term)s“ führt zu mehr als 10 Servern.") % {"term": shown(term.text)})
            self.void += [host for host in hosts if not self.resolver.has_address(host)] if hosts else [target]
        if len(self.void) > VOID_LOOKUPS:
            raise SpfError(
                _("SPF: Mehr als 2 Abfragen führen ins Leere; der Eintrag gilt deshalb nicht."),
                _("Berichtigen Sie diese Namen, oder nehmen Sie sie heraus: %(names)s") % {"names": listed(self.void)},
            )

    def _matches(self, term: Term, domain: str) -> bool:
        target = self._asked(term, domain)
        match term.name:
            case "all":
                return True
            case "ip4" | "ip6":
                return self.address in term.network
            case "include":
                return self.result(target) == "pass"
            case "exists":
                return bool(self.resolver.ask(target, "A"))
            case "ptr":
                return any(f".{name}".endswith(f".{target}") for name in self.resolver.confirmed_names(self.address))
        length = term.lengths[self.address.version == 6]
        found = (self.resolver.addresses(host, self.address.version) for host in self._hosts(term, target))
        return any(self.address in ip_network((host, length), strict=False) for host in chain.from_iterable(found))

    def _hosts(self, term: Term, target: str) -> list[str]:
        return self.resolver.exchangers(target) if term.name == "mx" else [target]

    def _asked(self, term: Term, domain: str) -> str | None:
        """The name that a term asks about, its macros filled in (7.3); None where they depend on more than we know."""
        values = {"d": domain, "o": self.domain}
        if self.address is not None:
            is_six = self.address.version == 6
            values["i"] = ".".join(self.address.exploded.replace(":", "")) if is_six else str(self.address)
            values["v"] = "ip6" if is_six else "in-addr"

        def value(macro: re.Match) -> str:
            letter, digits, is_reversed, delimiters, escaped = macro.groups()
            if escaped:
                return {"%": "%", "_": " ", "-": "%20"}[escaped]
            parts = re.split(f"[{re.escape(delimiters or '.')}]", values[letter.lower()])
            if is_reversed:
                parts.reverse()
            return ".".join(parts[-int(digits or 0) :])

        try:
            return _MACRO.sub(value, term.target) or domain
        except KeyError:
            return None
