"""DMARC: what becomes of mail that passes neither SPF nor DKIM (RFC 9989)."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsroom.maildns.findings import Finding, good, missing, publish, warning
from newsroom.maildns.resolver import Resolver, shown
from newsroom.maildns.tags import tag, tags_of

_POLICIES = ("none", "quarantine", "reject")


def check_dmarc(resolver: Resolver, domain: str) -> Iterator[Finding]:
    where, records = _policy(resolver, domain)
    example = (f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    if not records:
        advice = _("Beginnen Sie mit einem Eintrag, der nur Berichte bestellt; die Adresse muss Post annehmen:")
        yield missing(_("DMARC: Es gibt keinen Eintrag."), publish(advice, *example))
        return
    if len(records) > 1:
        advice = "\n".join([_("Damit gilt keiner. Lassen Sie einen stehen:"), *map(shown, records[:3])])
        yield missing(_("DMARC: Es gibt mehr als einen Eintrag."), advice)
        return
    try:
        tags = tags_of(records[0])
    except ValueError:
        tags = {}
    policy = tags.get("p", "").lower()
    if where != domain and tags.get("sp", "").lower() in _POLICIES:
        policy = tags["sp"].lower()
    told = {"record": shown(records[0]), "where": where, "policy": policy}
    if policy not in _POLICIES:
        advice = _("Nach „v=DMARC1;“ kommt p=none, p=quarantine oder p=reject, zum Beispiel:")
        title = _("DMARC: „%(record)s“ nennt keine gültige Regel.") % told
        yield missing(title, publish(advice, f"_dmarc.{where}", *example[1:]))
        return
    told |= {tag: "s" if tags.get(tag, "").lower() == "s" else "r" for tag in ("adkim", "aspf")}
    yield good(_("DMARC: Gültig bei %(where)s, p=%(policy)s, adkim=%(adkim)s, aspf=%(aspf)s.") % told)
    if policy == "none":
        advice = _("Zeigen die Berichte, dass Ihre eigenen Mails bestehen, stellen Sie auf p=quarantine um.")
        yield warning(_("DMARC: p=none hält keine gefälschte Mail auf."), advice)
    if tags.get("t", "").lower() == "y" or (tags.get("pct", "100") != "100" and policy != "none"):
        advice = _("Nehmen Sie „t=“ und „pct=“ heraus, wenn Ihre eigenen Mails bestehen.")
        yield warning(_("DMARC: Die Regel gilt nur zur Probe oder für einen Teil der Mails."), advice)
    if "mailto:" not in tags.get("rua", "").lower():
        advice = _("So erfahren Sie nicht, wer in Ihrem Namen sendet. Ergänzen Sie: rua=mailto:dmarc@%(where)s")
        yield warning(_("DMARC: Es gibt keine Adresse für Berichte (rua)."), advice % told)


def _policy(resolver: Resolver, domain: str) -> tuple[str, list[str]]:
    """The records that count for `domain`, and where: its own, or that of its organisation (RFC 9989 4.10)."""
    found: list[tuple[str, list[str]]] = []
    for place in _tree(domain):
        texts = resolver.texts(f"_dmarc.{place}")
        records = [text for text in texts if text[:1] == "v" and tag(text.partition(";")[0], "v") == "DMARC1"]
        if place == domain and records:
            return place, records
        if len(records) == 1:
            found.append((place, records))
            psd = tag(records[0], "psd")
            if psd == "y":  # a registry: the organisation is the name just below it
                below = [entry for entry in found if entry[0].count(".") == place.count(".") + 1]
                return below[0] if below else found[-1]
            if psd == "n":
                break
    return found[-1] if found else (domain, [])


def _tree(domain: str) -> Iterator[str]:
    """The domain and those above it, at most eight: of a long name, only the last seven labels (RFC 9989 4.10)."""
    labels = domain.split(".")
    yield domain
    for start in range(max(1, len(labels) - 7), len(labels)):
        yield ".".join(labels[start:])
