"""Where mail comes back to (MX), and the name of the server that sends (PTR)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsroom.maildns.findings import Finding, good, missing, publish, warning
from newsroom.maildns.resolver import HOSTS, Address, Resolver, listed, pointer, shown


def check_bounces(resolver: Resolver, domain: str) -> Iterator[Finding]:
    """A sender to whom nothing can be returned is refused by many (RFC 5321 5.1, RFC 7505 4.2)."""
    hosts = resolver.exchangers(domain)
    if resolver.is_known_missing(domain):
        yield missing(
            _("Die Domain %(domain)s gibt es nicht.") % {"domain": domain},
            _("Prüfen Sie die Schreibweise, und ob die Domain noch Ihnen gehört."),
        )
        return
    example = (domain, "MX", f"10 mail.{domain}.")
    if not hosts and resolver.has_address(domain):
        advice = _("Dort läuft meist nur die Website. Veröffentlichen Sie, wer Post annimmt, zum Beispiel:")
        yield warning(_("MX: Kein Eintrag; Rückläufer gehen an die Domain selbst."), publish(advice, *example))
    elif not hosts:
        advice = _("Veröffentlichen Sie, wer Post annimmt, zum Beispiel:")
        yield missing(_("MX: Kein Server nimmt Rückläufer an."), publish(advice, *example))
    elif "" in hosts:
        advice = _("Viele weisen Absender ohne Antwortweg ab. Ersetzen Sie den Eintrag, zum Beispiel:")
        yield missing(_("MX: Die Domain sagt, dass sie keine Post annimmt."), publish(advice, *example))
    else:
        reached = [host for host in hosts[:HOSTS] if resolver.has_address(host)]
        lost = [host for host in hosts[:HOSTS] if host not in reached]
        if reached:
            yield good(_("MX: Rückläufer nimmt %(hosts)s an.") % {"hosts": listed(reached)})
        if lost:
            yield (warning if reached else missing)(
                _("MX: Zu %(hosts)s gibt es keine Adresse.") % {"hosts": listed(lost)},
                _("Berichtigen Sie den Namen im MX-Eintrag, oder veröffentlichen Sie die Adresse des Servers."),
            )


def check_reverse_name(resolver: Resolver, domain: str, address: Address) -> Iterator[Finding]:
    """Large providers take no mail from an address without a name that leads back to it."""
    names = resolver.names(address)
    told = {"address": address, "names": listed(names)}
    if not names:
        advice = _("Das stellt ein, wem die Adresse gehört: meist der Anbieter Ihres Servers, zum Beispiel auf:")
        advice = publish(advice, pointer(address), "PTR", f"mail.{domain}.")
        yield missing(_("PTR: %(address)s hat keinen Namen.") % told, advice)
    elif confirmed := resolver.confirmed_names(address):
        told["names"] = listed(confirmed)
        yield good(_("PTR: %(address)s heißt %(names)s, und der Name führt zurück.") % told)
    else:
        advice = _("Veröffentlichen Sie die Adresse zu diesem Namen, oder ändern Sie den Namen:")
        advice = publish(advice, shown(names[0], 255), "A" if address.version == 4 else "AAAA", str(address))
        yield missing(_("PTR: %(address)s heißt %(names)s, aber der Name führt nicht zurück.") % told, advice)
