"""SPF: who may send (RFC 7208). spf.py reads the records as a receiver does."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsroom.maildns.findings import Finding, good, missing, publish, warning
from newsroom.maildns.resolver import Address, Resolver, listed, shown
from newsroom.maildns.spf import MECHANISMS, Spf, SpfError


def check_spf(resolver: Resolver, domain: str, address: Address | None) -> Iterator[Finding]:
    spf = Spf(resolver, domain, address)
    if not spf.records(domain):
        title = _("SPF: Es gibt keinen Eintrag.")
        if meant := [text for text in resolver.texts(domain) if re.search("spf1|v ?= ?spf", text, re.IGNORECASE)]:
            title = _("SPF: „%(record)s“ zählt nicht; er muss mit „v=spf1 “ beginnen.") % {"record": shown(meant[0])}
        advice = _("Veröffentlichen Sie, wer für Sie verschickt. Tut das ein Anbieter, gehört sein „include:“ dazu:")
        allowed = ["v=spf1", "mx", *([_allowing(address)] if address else []), "~all"]
        yield missing(title, publish(advice, domain, "TXT", " ".join(allowed)))
        return
    try:
        spf.walk(domain)
    except SpfError as error:
        yield missing(error.title, error.advice)
        return
    yield _judge_ending(spf)
    yield from _warn_of_spf(spf)
    if address is not None:
        yield _judge_sender(spf, address)


def _judge_ending(spf: Spf) -> Finding:
    where, end = spf.ending()
    told = {"end": shown(end.text) if end else "", "lookups": spf.lookups, "where": shown(where)}
    if end and (end.qualifier in ("-", "~") or end.name == "redirect"):
        return good(_("SPF: Gültig, endet auf „%(end)s“, %(lookups)s von 10 Abfragen.") % told)
    kept = [term.text for term in spf.written(where) if term != end]
    advice = _("Der Eintrag von %(where)s soll auf „~all“ oder „-all“ enden:") % told
    advice = publish(advice, where, "TXT", " ".join(["v=spf1", *kept, "~all"]))
    if end is None:
        return warning(_("SPF: Der Eintrag sagt nicht, was für alle anderen Server gilt."), advice)
    if end.qualifier == "?":
        return warning(_("SPF: „%(end)s“ verbietet niemandem, in Ihrem Namen zu senden.") % told, advice)
    return missing(_("SPF: „%(end)s“ erlaubt jedem, in Ihrem Namen zu senden.") % told, advice)


def _warn_of_spf(spf: Spf) -> Iterator[Finding]:
    """What does no harm yet. In included records only void lookups are our matter."""
    written, read = spf.written(spf.domain), spf.read(spf.domain)
    if any(term.name == "ptr" for term in read):
        advice = _("Manche Empfänger werten es nicht aus. Nennen Sie Ihre Server mit „a:“, „ip4:“ oder „ip6:“.")
        yield warning(_("SPF: „ptr“ soll nicht mehr verwendet werden."), advice)
    if skipped := [term.text for term in written if term not in read and (term.qualifier or term.name == "redirect")]:
        advice = _("Was davon gelten soll, muss vor „all“ stehen; den Rest nehmen Sie heraus.")
        title = _("SPF: Neben „all“ wird das nie gelesen: %(terms)s.") % {"terms": listed(skipped)}
        yield warning(title, advice)
    if mistaken := [term.text for term in written if not term.qualifier and term.name in MECHANISMS]:
        advice = _("Dort gehört ein Doppelpunkt hin, kein Gleichheitszeichen.")
        title = _("SPF: Das bedeutet nichts: %(terms)s.") % {"terms": listed(mistaken)}
        yield warning(title, advice)
    if spf.void:
        title = _("SPF: Abfragen führen ins Leere: %(names)s.") % {"names": listed(spf.void)}
        yield warning(title, _("Mehr als 2 davon machen den Eintrag ungültig. Nehmen Sie sie heraus."))


def _judge_sender(spf: Spf, address: Address) -> Finding:
    result = spf.result(spf.domain)
    told = {"address": address, "result": result}
    if result == "pass":
        return good(_("SPF: %(address)s darf senden.") % told)
    record = spf.records(spf.domain)[0]
    advice = _("Wenn dieser Server für Sie verschickt, nehmen Sie ihn auf:")
    advice = publish(advice, spf.domain, "TXT", f"{record[:6]} {_allowing(address)}{record[6:]}")
    if spf.unknown:
        told["terms"] = listed([term.text for term in spf.unknown])
        title = _("SPF: Ob %(address)s senden darf, hängt von der einzelnen Mail ab: %(terms)s.") % told
        return warning(title, advice)
    return missing(_("SPF: %(address)s darf nicht senden (Ergebnis: %(result)s).") % told, advice)


def _allowing(address: Address) -> str:
    return f"ip{address.version}:{address}"
