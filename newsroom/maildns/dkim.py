"""DKIM: the key of the signatures (RFC 6376)."""

import base64
import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from newsroom.maildns.findings import Finding, good, missing, publish, warning
from newsroom.maildns.resolver import Resolver, shown
from newsroom.maildns.tags import parts_of, tag, tags_of

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


def check_dkim(resolver: Resolver, domain: str, selectors: list[str]) -> Iterator[Finding]:
    for selector in selectors:
        yield _judge_key(f"{selector}._domainkey.{domain}", selector, _keys(resolver, domain, selector))
    if selectors:
        return
    seen = []
    for selector in COMMON_SELECTORS:
        keys = _keys(resolver, domain, selector)
        # Of the keys nobody asked for, those that were revoked are nobody's problem. A wildcard shows one key often.
        if keys and keys not in seen and any(tag(key, "p") for key in keys):
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
    version = tag(text, "v")
    return tag(text, "p") is not None if version is None else version.startswith("DKIM1")


def _judge_key(where: str, selector: str, keys: list[str]) -> Finding:
    told = {"selector": selector}
    if len(keys) != 1:
        title = _("DKIM: Bei „%(selector)s“ steht mehr als ein Schlüssel; es darf nur einer sein.")
        title = title if keys else _("DKIM: Bei „%(selector)s“ steht kein Schlüssel.")
        advice = _("Veröffentlichen Sie den Schlüssel, den Ihr Mailserver oder Anbieter nennt:")
        return missing(title % told, publish(advice, where, "TXT", "v=DKIM1; k=rsa; p=MIIBIjANBgkq..."))
    renew = _("Erzeugen Sie ein neues Schlüsselpaar, RSA mit 2048 Bit, unter einem neuen Namen.")
    try:
        tags = tags_of(keys[0])
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
    if not {"*", "email"} & parts_of(tags.get("s", "*")) or "sha256" not in parts_of(tags.get("h", "sha256")):
        advice = _("Nehmen Sie „s=“ und „h=“ aus dem Eintrag; er gilt sonst nicht für Mails mit SHA-256.")
        return missing(_("DKIM: „%(selector)s“ schließt heutige Unterschriften aus.") % told, advice)
    if kind == "rsa" and bits < _RSA_BITS.start:
        title = _("DKIM: „%(selector)s“ hat nur %(bits)s Bit; das zählt nicht mehr als Unterschrift.")
        return missing(title % told, renew)
    if "y" in parts_of(tags.get("t", "")):
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
