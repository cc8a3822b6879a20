"""What mailbox providers look up about a sending domain before they accept its mail (B11): whether it can be answered,
SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 9989), and the name of the server that sends. Each check says what it found
and what to do about it.

resolver.py asks, spf.py reads SPF records as a receiver does.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass

import idna
from django.db.models import IntegerChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from newsroom.resolver import HOSTS, Address, Resolver, Unanswered, listed, pointer, shown
from newsroom.spf import MECHANISMS, Spf, SpfError


class Level(IntegerChoices):
    GOOD = 0, gettext_lazy("Gut")
    WARNING = 1, gettext_lazy("Achtung")
    MISSING = 2, gettext_lazy("Fehlt")


@dataclass(frozen=True)
class Finding:
    level: Level
    title: str
    advice: str = ""  # what to do, one line or several; a record to publish stands alone on the last


def good(title: str, advice: str = "") -> Finding:
    return Finding(Level.GOOD, title, advice)


def warning(title: str, advice: str = "") -> Finding:
    return Finding(Level.WARNING, title, advice)


def missing(title: str, advice: str = "") -> Finding:
    """For what is broken too: to a receiver it is the same."""
    return Finding(Level.MISSING, title, advice)


def check(
    resolver: Resolver, domain: str, *, selectors: list[str], address: Address | None = None
) -> Iterator[Finding]:
    """All findings on `domain` (see `mail_domain_name`), in the order in which one would repair them."""
    yield from _answered(_check_bounces(resolver, domain))
    if resolver.is_known_missing(domain):
        return  # and so is every name below it (RFC 8020)
    yield from _answered(_check_spf(resolver, domain, address))
    yield from _answered(_check_dkim(resolver, domain, selectors))
    yield from _answered(_check_dmarc(resolver, domain))
    if address is not None:
        yield from _answered(_check_reverse_name(resolver, domain, address))


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


def _publish(advice: str, name: str, kind: str, value: str) -> str:
    """The advice, and below it the record as a zone file has it, if it is one that a person could copy."""
    if len(value) > 1000:
        return advice
    if kind == "TXT":
        value = " ".join(f'"{part}"' for part in re.findall(".{1,255}", shown(value, 1000)))
    return f"{advice}\n{name}. {kind} {value}"


# --- can we be answered? ------------------------------------------------------------------------------------------


def _check_bounces(resolver: Resolver, domain: str) -> Iterator[Finding]:
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
        yield warning(_("MX: Kein Eintrag; Rückläufer gehen an die Domain selbst."), _publish(advice, *example))
    elif not hosts:
        advice = _("Veröffentlichen Sie, wer Post annimmt, zum Beispiel:")
        yield missing(_("MX: Kein Server nimmt Rückläufer an."), _publish(advice, *example))
    elif "" in hosts:
        advice = _("Viele weisen Absender ohne Antwortweg ab. Ersetzen Sie den Eintrag, zum Beispiel:")
        yield missing(_("MX: Die Domain sagt, dass sie keine Post annimmt."), _publish(advice, *example))
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


# --- SPF: who may send --------------------------------------------------------------------------------------------


def _check_spf(resolver: Resolver, domain: str, address: Address | None) -> Iterator[Finding]:
    spf = Spf(resolver, domain, address)
    if not spf.records(domain):
        title = _("SPF: Es gibt keinen Eintrag.")
        if meant := [text for text in resolver.texts(domain) if re.search("spf1|v ?= ?spf", text, re.IGNORECASE)]:
            title = _("SPF: „%(record)s“ zählt nicht; er muss mit „v=spf1 “ beginnen.") % {"record": shown(meant[0])}
        advice = _("Veröffentlichen Sie, wer für Sie verschickt. Tut das ein Anbieter, gehört sein „include:“ dazu:")
        allowed = ["v=spf1", "mx", *([_allowing(address)] if address else []), "~all"]
        yield missing(title, _publish(advice, domain, "TXT", " ".join(allowed)))
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
    advice = _publish(advice, where, "TXT", " ".join(["v=spf1", *kept, "~all"]))
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
    advice = _publish(advice, spf.domain, "TXT", f"{record[:6]} {_allowing(address)}{record[6:]}")
    if spf.unknown:
        told["terms"] = listed([term.text for term in spf.unknown])
        title = _("SPF: Ob %(address)s senden darf, hängt von der einzelnen Mail ab: %(terms)s.") % told
        return warning(title, advice)
    return missing(_("SPF: %(address)s darf nicht senden (Ergebnis: %(result)s).") % told, advice)


def _allowing(address: Address) -> str:
    return f"ip{address.version}:{address}"


# --- DKIM: the key of the signatures ------------------------------------------------------------------------------

# Of mail servers and of the larger providers; there is no list in DNS of those that a domain has.
COMMON_SELECTORS = [
    *["default", "dkim", "mail", "google", "selector1", "selector2", "s1", "s2", "k1", "k2", "k3"],
    *["fm1", "fm2", "fm3", "protonmail", "sig1", "mailjet", "mandrill", "brevo1", "brevo2", "resend"],
]
_RSA_BITS = range(1024, 4097)  # what every receiver must be able to check (RFC 8301 3.2)
_SHORT_RSA = 2048  # what signers should use at least
_RSA = bytes.fromhex("06092a864886f70d010101")  # its object identifier
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def is_selector(text: str) -> bool:
    return len(text) <= 100 and all(_LABEL.fullmatch(label) for label in text.split("."))


def _check_dkim(resolver: Resolver, domain: str, selectors: list[str]) -> Iterator[Finding]:
    for selector in selectors:
        yield _judge_key(f"{selector}._domainkey.{domain}", selector, _keys(resolver, domain, selector))
    if selectors:
        return
    seen = []
    for selector in COMMON_SELECTORS:
        keys = _keys(resolver, domain, selector)
        # Of the keys nobody asked for, those that were revoked are nobody's problem. A wildcard shows one key often.
        if keys and keys not in seen and any(_tag(key, "p") for key in keys):
            seen.append(keys)
            yield _judge_key(f"{selector}._domainkey.{domain}", selector, keys)
    if not seen:
        yield warning(
            _("DKIM: Unter den üblichen Namen steht kein Schlüssel; er kann einen anderen haben."),
            _("Nennen Sie ihn: --selector NAME. In Ihren Mails steht er im Kopf „DKIM-Signature“ nach „s=“."),
        )


def _keys(resolver: Resolver, domain: str, selector: str) -> list[str]:
    """The records that mean to be keys; with a wildcard, any record may stand at a selector."""
    return [text for text in resolver.texts(f"{selector}._domainkey.{domain}") if _is_key(text)]


def _is_key(text: str) -> bool:
    """A key need not say what it is (RFC 6376 3.6.1)."""
    version = _tag(text, "v")
    return _tag(text, "p") is not None if version is None else version.startswith("DKIM1")


def _judge_key(where: str, selector: str, keys: list[str]) -> Finding:
    told = {"selector": selector}
    if len(keys) != 1:
        title = _("DKIM: Bei „%(selector)s“ steht mehr als ein Schlüssel; es darf nur einer sein.")
        title = title if keys else _("DKIM: Bei „%(selector)s“ steht kein Schlüssel.")
        advice = _("Veröffentlichen Sie den Schlüssel, den Ihr Mailserver oder Anbieter nennt:")
        return missing(title % told, _publish(advice, where, "TXT", "v=DKIM1; k=rsa; p=MIIBIjANBgkq..."))
    renew = _("Erzeugen Sie ein neues Schlüsselpaar, RSA mit 2048 Bit, unter einem neuen Namen.")
    try:
        tags = _tags(keys[0])
        key = base64.b64decode("".join(tags["p"].split()), validate=True)
        kind = tags.get("k", "rsa")
        bits = _rsa_bits(key) if kind == "rsa" and key else 0
        if tags.get("v", "DKIM1") != "DKIM1" or (kind == "ed25519" and key and len(key) != 32):
            raise ValueError(keys[0])
    except (KeyError, ValueError):
        advice = _("Kopieren Sie ihn noch einmal und vollständig; oft fehlt das Ende, oder Zeichen wie \\ kamen dazu.")
        return missing(_("DKIM: Der Schlüssel „%(selector)s“ ist beschädigt.") % told, advice)
    if not key:
        return missing(_("DKIM: Der Schlüssel „%(selector)s“ ist widerrufen (p= ist leer).") % told, renew)
    told |= {"bits": bits, "kind": shown(kind)}
    if kind not in ("rsa", "ed25519"):
        return missing(_("DKIM: „%(selector)s“ hat die unbekannte Art k=%(kind)s.") % told, renew)
    if not {"*", "email"} & _parts(tags.get("s", "*")) or "sha256" not in _parts(tags.get("h", "sha256")):
        advice = _("Nehmen Sie „s=“ und „h=“ aus dem Eintrag; er gilt sonst nicht für Mails mit SHA-256.")
        return missing(_("DKIM: „%(selector)s“ schließt heutige Unterschriften aus.") % told, advice)
    if kind == "rsa" and bits < _RSA_BITS.start:
        title = _("DKIM: „%(selector)s“ hat nur %(bits)s Bit; das zählt nicht mehr als Unterschrift.")
        return missing(title % told, renew)
    if "y" in _parts(tags.get("t", "")):
        advice = _("Nehmen Sie „t=y“ aus dem Eintrag, wenn die Unterschriften stimmen.")
        return warning(_("DKIM: „%(selector)s“ ist als Test markiert (t=y).") % told, advice)
    if kind == "rsa" and bits not in _RSA_BITS:
        title = _("DKIM: „%(selector)s“ hat %(bits)s Bit; nicht jeder Empfänger kann mehr als 4096 prüfen.")
        return warning(title % told, renew)
    if kind == "rsa" and bits < _SHORT_RSA:
        return warning(_("DKIM: „%(selector)s“ hat %(bits)s Bit; 2048 sollten es sein.") % told, renew)
    if kind == "rsa":
        return good(_("DKIM: Schlüssel „%(selector)s“, RSA mit %(bits)s Bit.") % told)
    advice = _("Nicht jeder Empfänger prüft Ed25519. Unterschreiben Sie auch mit RSA (RFC 8463).")
    return good(_("DKIM: Schlüssel „%(selector)s“, Ed25519.") % told, advice)


def _tag(text: str, name: str) -> str | None:
    """Of a text that may be anything. No pattern: 60 kB of spaces took one ten seconds."""
    for part in text.split(";"):
        key, equals, value = part.partition("=")
        if equals and key.strip() == name:
            return value.strip()
    return None


def _tags(text: str) -> dict[str, str]:
    """`a=1; b=2` (RFC 6376 3.2). ValueError for a tag that is there twice, and for what is none."""
    if not text.isascii():
        raise ValueError(text)  # a space that only looks like one, say
    tags = {}
    for part in text.strip().removesuffix(";").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals or name in tags:
            raise ValueError(part)
        tags[name] = value
    return tags


def _parts(value: str) -> set[str]:
    return {part.strip() for part in value.split(":")}


def _rsa_bits(key: bytes) -> int:
    """Length of the modulus: in a SubjectPublicKeyInfo, as everyone publishes it, or in the bare RSAPublicKey of RFC
    6376 3.6.1. ValueError for anything else."""
    inner = _der(key, 0x30)[0]
    if inner.startswith(b"\x30"):
        algorithm, rest = _der(inner, 0x30)
        if not algorithm.startswith(_RSA):
            raise ValueError("not RSA")
        inner = _der(_der(rest, 0x03)[0][1:], 0x30)[0]
    modulus, rest = _der(inner, 0x02)
    _exponent, _rest = _der(rest, 0x02)
    return int.from_bytes(modulus).bit_length()


def _der(data: bytes, kind: int) -> tuple[bytes, bytes]:
    """The content of the first element, and what follows it."""
    if len(data) < 2 or data[0] != kind:
        raise ValueError("not the expected element")
    size, start = data[1], 2
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(data[2:start])
    if start + size > len(data):
        raise ValueError("cut off")
    return data[start : start + size], data[start + size :]


# --- DMARC: what becomes of mail that is neither -------------------------------------------------------------------

_POLICIES = ("none", "quarantine", "reject")


def _check_dmarc(resolver: Resolver, domain: str) -> Iterator[Finding]:
    where, records = _policy(resolver, domain)
    example = (f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    if not records:
        advice = _("Beginnen Sie mit einem Eintrag, der nur Berichte bestellt; die Adresse muss Post annehmen:")
        yield missing(_("DMARC: Es gibt keinen Eintrag."), _publish(advice, *example))
        return
    if len(records) > 1:
        advice = "\n".join([_("Damit gilt keiner. Lassen Sie einen stehen:"), *map(shown, records[:3])])
        yield missing(_("DMARC: Es gibt mehr als einen Eintrag."), advice)
        return
    try:
        tags = _tags(records[0])
    except ValueError:
        tags = {}
    policy = tags.get("p", "").lower()
    if where != domain and tags.get("sp", "").lower() in _POLICIES:
        policy = tags["sp"].lower()
    told = {"record": shown(records[0]), "where": where, "policy": policy}
    if policy not in _POLICIES:
        advice = _("Nach „v=DMARC1;“ kommt p=none, p=quarantine oder p=reject, zum Beispiel:")
        title = _("DMARC: „%(record)s“ nennt keine gültige Regel.") % told
        yield missing(title, _publish(advice, f"_dmarc.{where}", *example[1:]))
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
        records = [text for text in texts if text[:1] == "v" and _tag(text.partition(";")[0], "v") == "DMARC1"]
        if place == domain and records:
            return place, records
        if len(records) == 1:
            found.append((place, records))
            psd = _tag(records[0], "psd")
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


# --- the sending address ------------------------------------------------------------------------------------------


def _check_reverse_name(resolver: Resolver, domain: str, address: Address) -> Iterator[Finding]:
    """Large providers take no mail from an address without a name that leads back to it."""
    names = resolver.names(address)
    told = {"address": address, "names": listed(names)}
    if not names:
        advice = _("Das stellt ein, wem die Adresse gehört: meist der Anbieter Ihres Servers, zum Beispiel auf:")
        advice = _publish(advice, pointer(address), "PTR", f"mail.{domain}.")
        yield missing(_("PTR: %(address)s hat keinen Namen.") % told, advice)
    elif confirmed := resolver.confirmed_names(address):
        told["names"] = listed(confirmed)
        yield good(_("PTR: %(address)s heißt %(names)s, und der Name führt zurück.") % told)
    else:
        advice = _("Veröffentlichen Sie die Adresse zu diesem Namen, oder ändern Sie den Namen:")
        advice = _publish(advice, shown(names[0], 255), "A" if address.version == 4 else "AAAA", str(address))
        yield missing(_("PTR: %(address)s heißt %(names)s, aber der Name führt nicht zurück.") % told, advice)
