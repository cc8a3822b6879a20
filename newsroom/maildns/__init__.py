"""What mailbox providers look up about a sending domain before they accept its mail (B11). Each check says what it
found and what to do about it.

    server.py     whether the domain can be answered (MX), and the name of the server that sends (PTR)
    sender.py     SPF, who may send; spf.py reads the records as a receiver does
    dkim.py       the key of the signatures
    dmarc.py      what becomes of mail that passes neither
    tags.py       how the records of the last two are written
    findings.py   what a check says
    resolver.py   asks the DNS
"""

from collections.abc import Iterator

import idna
from django.utils.translation import gettext as _

from newsroom.maildns.dkim import check_dkim, is_selector
from newsroom.maildns.dmarc import check_dmarc
from newsroom.maildns.findings import Finding, Level, missing
from newsroom.maildns.resolver import Address, Resolver, Unanswered, shown
from newsroom.maildns.sender import check_spf
from newsroom.maildns.server import check_bounces, check_reverse_name

__all__ = ["Finding", "Level", "check", "is_selector", "mail_domain_name"]


def check(
    resolver: Resolver, domain: str, *, selectors: list[str], address: Address | None = None
) -> Iterator[Finding]:
    """All findings on `domain` (see `mail_domain_name`), in the order in which one would repair them."""
    yield from _answered(check_bounces(resolver, domain))
    if resolver.is_known_missing(domain):
        return  # and so is every name below it (RFC 8020)
    yield from _answered(check_spf(resolver, domain, address))
    yield from _answered(check_dkim(resolver, domain, selectors))
    yield from _answered(check_dmarc(resolver, domain))
    if address is not None:
        yield from _answered(check_reverse_name(resolver, domain, address))


def mail_domain_name(text: str) -> str:
    """A domain, or the one of a mail address, as DNS knows it: ASCII, lower case. ValueError where it cannot be one."""
    name = idna.encode(text.strip().rpartition("@")[2].removesuffix("."), uts46=True).decode()
    if "." not in name or name.rpartition(".")[2].isdigit():
        raise ValueError(text)
    return name.lower()


def _answered(findings: Iterator[Finding]) -> Iterator[Finding]:
    """What cannot be looked up counts as missing: the recipients' servers ask the same question."""
    try:
        yield from findings
    except Unanswered as unanswered:
        told = {"kind": unanswered.kind, "name": shown(unanswered.name)}
        yield missing(
            _("%(kind)s von %(name)s lässt sich nicht abfragen.") % told,
            _("Die Nameserver der Domain antworten nicht oder melden Fehler. Versuchen Sie es später wieder."),
        )
