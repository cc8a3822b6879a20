import socket
import sys
from ipaddress import ip_address

import idna
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from newsroom.mail import mail_domain
from newsroom.maildns import Level, check, is_selector, mail_domain_name
from newsroom.maildns.resolver import Address, NoResolver, Resolver

DNS_PORT = 53


class Command(BaseCommand):
    help = _("Prüft, ob die Mails einer Domain ankommen können: MX, SPF, DKIM, DMARC und der Name des Mailservers.")
    requires_system_checks = []  # one asks this before the site is set up

    def add_arguments(self, parser):
        parser.add_argument("domain", nargs="?", help=_("ohne Angabe die von DEFAULT_FROM_EMAIL"))
        parser.add_argument(
            "--selector", action="append", metavar="NAME", help=_("Name eines DKIM-Schlüssels; mehrmals möglich")
        )
        parser.add_argument("--address", metavar="IP", help=_("Adresse des Servers, der die Mails verschickt"))
        parser.add_argument("--server", metavar="HOST[:PORT]", help=_("Nameserver, der gefragt wird"))
        parser.add_argument("--timeout", default="5", metavar=_("SEKUNDEN"), help=_("so lange wartet eine Frage (5)"))

    def handle(self, *args, domain, selector, address, server, timeout, **options):
        domain = _domain(domain or mail_domain())
        selectors = [_selector(name) for name in selector or []]
        address = _address(address) if address else None
        levels = set()
        try:
            resolver = Resolver(_server(server) if server else None, _seconds(timeout))
            for finding in check(resolver, domain, selectors=selectors, address=address):
                levels.add(finding.level)
                # The widest of the three words is „Achtung“.
                self.stdout.write(f"{finding.level.label:<7}  {finding.title}")
                for line in finding.advice.splitlines():
                    self.stdout.write(f"{'':<7}  {line}")
        except NoResolver as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_verdict(max(levels)) % {"domain": idna.decode(domain)})
        if Level.MISSING in levels:
            sys.exit(1)


def _verdict(worst: Level) -> str:
    match worst:
        case Level.GOOD:
            return _("%(domain)s: Alles in Ordnung.")
        case Level.WARNING:
            return _("%(domain)s: Das Nötige ist da. Lesen Sie, was nach „Achtung“ steht.")
    return _("%(domain)s: So kommen Mails nicht zuverlässig an. Beheben Sie, was nach „Fehlt“ steht.")


def _domain(text: str) -> str:
    try:
        return mail_domain_name(text)
    except ValueError as error:
        sentence = _("„%(text)s“ ist keine Domain für Mails; ohne Angabe gilt die von DEFAULT_FROM_EMAIL.")
        raise CommandError(sentence % {"text": text}) from error


def _selector(text: str) -> str:
    # Providers show the whole name, NAME._domainkey.example.org.
    name = text.strip().lower().partition("._domainkey")[0]
    if not is_selector(name):
        raise CommandError(_("„%(text)s“ kann kein DKIM-Selector sein.") % {"text": text})
    return name


def _address(text: str) -> Address:
    try:
        address = ip_address(text.strip())
    except ValueError as error:
        raise CommandError(_("„%(text)s“ ist keine IP-Adresse.") % {"text": text}) from error
    return getattr(address, "ipv4_mapped", None) or address  # RFC 7208 5


def _server(text: str) -> tuple[str, int]:
    """Takes 192.0.2.53, 192.0.2.53:5353, ns.example.org:53, 2001:db8::53 and [2001:db8::53]:5353."""
    host, port = text.strip(), ""
    if host.startswith("[") or host.count(":") == 1:
        host, _colon, port = host.rpartition(":") if not host.endswith("]") else (host, "", "")
    try:
        number = int(port or DNS_PORT)
        found = socket.getaddrinfo(host.strip("[]"), number, type=socket.SOCK_DGRAM)
        if not host or not 0 < number < 65536:
            raise ValueError(port)
    except (OSError, ValueError, OverflowError) as error:
        raise CommandError(_("„%(text)s“ ist kein erreichbarer Nameserver.") % {"text": text}) from error
    return found[0][4][0], number


def _seconds(text: str | float) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds <= 60:  # nor NaN
        raise CommandError(_("--timeout nennt Sekunden, mehr als 0 und höchstens 60."))
    return seconds
