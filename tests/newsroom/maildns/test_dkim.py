"""DKIM: the key of the signatures."""

import base64

import pytest

from tests.newsroom.maildns.records import ED25519, GOOD, RSA_1024, dkim, rsa

RENEW = "\n         Erzeugen Sie ein neues Schlüsselpaar, RSA mit 2048 Bit, unter einem neuen Namen."
AGAIN = "\n         Kopieren Sie ihn noch einmal und vollständig; oft fehlt das Ende, oder Zeichen wie \\ kamen dazu."
NARROW = "\n         Nehmen Sie „s=“ und „h=“ aus dem Eintrag; er gilt sonst nicht für Mails mit SHA-256."


@pytest.mark.parametrize(
    "record, status, finding",
    [
        (f"v=DKIM1; k=rsa; p={rsa(2048)}", 0, "Gut      DKIM: Schlüssel „mail2026“, RSA mit 2048 Bit."),
        (f"p={rsa(4096)}", 0, "Gut      DKIM: Schlüssel „mail2026“, RSA mit 4096 Bit."),
        (
            f" v = DKIM1 ; h=sha1:sha256; s=email ; t=s; p = {rsa(2048)[:99]} \t{rsa(2048)[99:]} ; ",
            0,
            "Gut      DKIM: Schlüssel „mail2026“, RSA mit 2048 Bit.",
        ),
        (
            (f"v=DKIM1; k=rsa; p={rsa(2048)}"[:50], f"v=DKIM1; k=rsa; p={rsa(2048)}"[50:250], rsa(2048)[232:]),
            0,
            "Gut      DKIM: Schlüssel „mail2026“, RSA mit 2048 Bit.",
        ),
        (
            f"v=DKIM1; k=ed25519; p={ED25519}",
            0,
            "Gut      DKIM: Schlüssel „mail2026“, Ed25519.\n"
            "         Nicht jeder Empfänger prüft Ed25519. Unterschreiben Sie auch mit RSA (RFC 8463).",
        ),
        (f"v=DKIM1; p={RSA_1024}", 0, "Achtung  DKIM: „mail2026“ hat 1024 Bit; 2048 sollten es sein." + RENEW),
        (
            f"v=DKIM1; p={rsa(8192)}",
            0,
            "Achtung  DKIM: „mail2026“ hat 8192 Bit; nicht jeder Empfänger kann mehr als 4096 prüfen." + RENEW,
        ),
        (
            f"v=DKIM1; t=s:y; p={rsa(2048)}",
            0,
            "Achtung  DKIM: „mail2026“ ist als Test markiert (t=y).\n"
            "         Nehmen Sie „t=y“ aus dem Eintrag, wenn die Unterschriften stimmen.",
        ),
        (
            f"v=DKIM1; p={rsa(768)}",
            1,
            "Fehlt    DKIM: „mail2026“ hat nur 768 Bit; das zählt nicht mehr als Unterschrift." + RENEW,
        ),
        ("v=DKIM1; p=", 1, "Fehlt    DKIM: Der Schlüssel „mail2026“ ist widerrufen (p= ist leer)." + RENEW),
        ("k=ed25519; p=;", 1, "Fehlt    DKIM: Der Schlüssel „mail2026“ ist widerrufen (p= ist leer)." + RENEW),
        (f"v=DKIM1; k=dsa; p={ED25519}", 1, "Fehlt    DKIM: „mail2026“ hat die unbekannte Art k=dsa." + RENEW),
        (
            f"v=DKIM1; h=sha1; p={rsa(2048)}",
            1,
            "Fehlt    DKIM: „mail2026“ schließt heutige Unterschriften aus." + NARROW,
        ),
        (
            f"v=DKIM1; s=other; p={rsa(2048)}",
            1,
            "Fehlt    DKIM: „mail2026“ schließt heutige Unterschriften aus." + NARROW,
        ),
        *(
            (record, 1, "Fehlt    DKIM: Der Schlüssel „mail2026“ ist beschädigt." + AGAIN)
            for record in [
                "v=DKIM1; k=rsa",
                "v=DKIM1; k=rsa; p=none",
                f"v=DKIM1\\; k=rsa\\; p={rsa(2048)}",
                f"v=DKIM1; p={rsa(2048)}; p={rsa(2048)}",
                f"v=DKIM1; p={rsa(2048)[:200]}",
                f"v=DKIM1; p={rsa(2048)[4:]}",
                f"v=DKIM1; p={ED25519}",
                f"v=DKIM1; k=ed25519; p={rsa(2048)}",
                f"v=DKIM1; p=“{rsa(2048)}”",
                f"v=DKIM1; p={base64.b64encode(bytes([0x30, 0xFF]) + bytes(200)).decode()}",
            ]
        ),
        *(
            (
                record,
                1,
                "Fehlt    DKIM: Bei „mail2026“ steht kein Schlüssel.\n"
                "         Veröffentlichen Sie den Schlüssel, den Ihr Mailserver oder Anbieter nennt:\n"
                '         mail2026._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkq..."',
            )
            for record in ["v=spf1 -all", "v=DMARC1; p=none", "", ";" * 60_000, " " * 60_000]
        ),
    ],
)
def test_the_key_of_a_selector(check, record: str | tuple[str, ...], status: int, finding: str):
    said = check(dkim(record), selectors=["mail2026"])
    assert (said.about("DKIM"), said.status) == (finding, status)


def test_two_keys_at_one_selector(check):
    keys = [f"v=DKIM1; p={rsa(2048)}", f"v=DKIM1; p={RSA_1024}"]
    said = check(GOOD | {"mail2026._domainkey.example.org TXT": keys}, selectors=["mail2026"])
    assert said.about("DKIM").splitlines()[0] == (
        "Fehlt    DKIM: Bei „mail2026“ steht mehr als ein Schlüssel; es darf nur einer sein."
    )


def test_several_selectors_as_providers_show_them(check):
    said = check(GOOD, selectors=["Default._domainkey.example.org", "2026.eu"])
    assert said.about("DKIM") == (
        "Gut      DKIM: Schlüssel „default“, RSA mit 2048 Bit.\n"
        "Fehlt    DKIM: Bei „2026.eu“ steht kein Schlüssel.\n"
        "         Veröffentlichen Sie den Schlüssel, den Ihr Mailserver oder Anbieter nennt:\n"
        '         2026.eu._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=MIIBIjANBgkq..."'
    )


def test_a_key_that_the_provider_keeps(check):
    alias = {
        "selector1._domainkey.example.org CNAME": ["key.provider.example."],
        "key.provider.example TXT": [f"v=DKIM1; p={rsa(2048)}"],
    }
    said = check(GOOD | alias, selectors=["selector1"])
    assert said.about("DKIM") == "Gut      DKIM: Schlüssel „selector1“, RSA mit 2048 Bit."


def test_keys_nobody_named(check):
    """Each once; withdrawn ones and other records of a wildcard are not what we look for."""
    keys = [f"v=DKIM1; p={rsa(2048)}", f"v=DKIM1; p={RSA_1024}", "v=DKIM1; p=", "v=spf1 -all"]
    names = ["default", "dkim", "google", "s1", "s2"]
    found = zip(names, [*keys, keys[0]], strict=True)
    said = check(GOOD | {f"{name}._domainkey.example.org TXT": [key] for name, key in found}, selectors=[])
    assert said.about("DKIM") == (
        "Gut      DKIM: Schlüssel „default“, RSA mit 2048 Bit.\n"
        "Achtung  DKIM: „dkim“ hat 1024 Bit; 2048 sollten es sein." + RENEW
    )
