"""`manage.py check_mail_dns` (B11): what it says of a domain as a whole, and what it cannot be asked."""

import pytest
from django.core.management import CommandError, call_command

from tests.newsroom.maildns.records import GOOD, rsa

# --- the whole of it -------------------------------------------------------------------------------------------------


def test_everything_is_there(check):
    said = check(GOOD, "--address", "192.0.2.25")
    assert said.text == (
        "Gut      MX: Rückläufer nimmt mx.example.org an.\n"
        "Gut      SPF: Gültig, endet auf „-all“, 1 von 10 Abfragen.\n"
        "Gut      SPF: 192.0.2.25 darf senden.\n"
        "Gut      DKIM: Schlüssel „default“, RSA mit 2048 Bit.\n"
        "Gut      DMARC: Gültig bei example.org, p=reject, adkim=r, aspf=r.\n"
        "Gut      PTR: 192.0.2.25 heißt mx.example.org, und der Name führt zurück.\n"
        "example.org: Alles in Ordnung.\n"
    )
    assert said.status == 0
    assert said.asked == [
        "udp example.org MX",
        "udp mx.example.org A",
        "udp example.org TXT",
        "udp default._domainkey.example.org TXT",
        "udp _dmarc.example.org TXT",
        "udp 25.2.0.192.in-addr.arpa PTR",
    ]


def test_nothing_is_there_yet(check):
    said = check({"example.org SOA": []}, "--address", "192.0.2.25", selectors=[])
    assert said.text == (
        "Fehlt    MX: Kein Server nimmt Rückläufer an.\n"
        "         Veröffentlichen Sie, wer Post annimmt, zum Beispiel:\n"
        "         example.org. MX 10 mail.example.org.\n"
        "Fehlt    SPF: Es gibt keinen Eintrag.\n"
        "         Veröffentlichen Sie, wer für Sie verschickt. Tut das ein Anbieter, gehört sein „include:“ dazu:\n"
        '         example.org. TXT "v=spf1 mx ip4:192.0.2.25 ~all"\n'
        "Achtung  DKIM: Unter den üblichen Namen steht kein Schlüssel; er kann einen anderen haben.\n"
        "         Nennen Sie ihn: --selector NAME. In Ihren Mails steht er im Kopf „DKIM-Signature“ nach „s=“.\n"
        "Fehlt    DMARC: Es gibt keinen Eintrag.\n"
        "         Beginnen Sie mit einem Eintrag, der nur Berichte bestellt; die Adresse muss Post annehmen:\n"
        '         _dmarc.example.org. TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"\n'
        "Fehlt    PTR: 192.0.2.25 hat keinen Namen.\n"
        "         Das stellt ein, wem die Adresse gehört: meist der Anbieter Ihres Servers, zum Beispiel auf:\n"
        "         25.2.0.192.in-addr.arpa. PTR mail.example.org.\n"
        "example.org: So kommen Mails nicht zuverlässig an. Beheben Sie, was nach „Fehlt“ steht.\n"
    )
    assert said.status == 1


def test_what_it_suggests_passes(check):
    """The records printed for an empty domain, published as they stand."""
    suggested = {
        "example.org MX": ["10 mail.example.org."],
        "example.org TXT": ["v=spf1 mx ip4:192.0.2.25 ~all"],
        "_dmarc.example.org TXT": ["v=DMARC1; p=none; rua=mailto:dmarc@example.org"],
        "25.2.0.192.in-addr.arpa PTR": ["mail.example.org."],
        "mail.example.org A": ["192.0.2.25"],
        "mail2026._domainkey.example.org TXT": [f"v=DKIM1; k=rsa; p={rsa(2048)}"],
    }
    said = check(suggested, "--address", "192.0.2.25", selectors=["mail2026"])
    assert said.text == (
        "Gut      MX: Rückläufer nimmt mail.example.org an.\n"
        "Gut      SPF: Gültig, endet auf „~all“, 1 von 10 Abfragen.\n"
        "Gut      SPF: 192.0.2.25 darf senden.\n"
        "Gut      DKIM: Schlüssel „mail2026“, RSA mit 2048 Bit.\n"
        "Gut      DMARC: Gültig bei example.org, p=none, adkim=r, aspf=r.\n"
        "Achtung  DMARC: p=none hält keine gefälschte Mail auf.\n"
        "         Zeigen die Berichte, dass Ihre eigenen Mails bestehen, stellen Sie auf p=quarantine um.\n"
        "Gut      PTR: 192.0.2.25 heißt mail.example.org, und der Name führt zurück.\n"
        "example.org: Das Nötige ist da. Lesen Sie, was nach „Achtung“ steht.\n"
    )
    assert said.status == 0


def test_without_a_domain_it_is_that_of_our_mails(check, settings):
    settings.DEFAULT_FROM_EMAIL = "Müller-Zeitung <post@müller-zeitung.de>"
    said = check({}, domain="")
    assert said.text == (
        "Fehlt    Die Domain xn--mller-zeitung-wob.de gibt es nicht.\n"
        "         Prüfen Sie die Schreibweise, und ob die Domain noch Ihnen gehört.\n"
        "müller-zeitung.de: So kommen Mails nicht zuverlässig an. Beheben Sie, was nach „Fehlt“ steht.\n"
    )
    assert (said.status, said.asked) == (1, ["udp xn--mller-zeitung-wob.de MX"])


@pytest.mark.parametrize("given", ["EXAMPLE.org", "example.org.", " example.org ", "post@example.org", "ｅxample。org"])
def test_spellings_of_a_domain(check, given: str):
    assert check(GOOD, domain=given).text.splitlines()[-1] == "example.org: Alles in Ordnung."


# --- what cannot be asked --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "domain",
    [
        "localhost",
        "192.0.2.1",
        "[2001:db8::1]",
        "https://example.org",
        "a b.example",
        "example..org",
        ".org",
        "@",
        "a@",
        " ",
    ]
    + ["a-.example", "x" * 64 + ".org", "x." * 130 + "org", "_dmarc.example.org", "exa\u202emple.org", "e\x1b[31m.org"],
)
def test_not_a_domain(domain: str):
    with pytest.raises(CommandError) as refusal:
        call_command("check_mail_dns", domain)
    assert str(refusal.value) == f"„{domain}“ ist keine Domain für Mails; ohne Angabe gilt die von DEFAULT_FROM_EMAIL."


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["--address", "192.0.2.256"], "„192.0.2.256“ ist keine IP-Adresse."),
        (["--address", "192.0.2.0/24"], "„192.0.2.0/24“ ist keine IP-Adresse."),
        (["--selector", "a b"], "„a b“ kann kein DKIM-Selector sein."),
        (["--selector", "a..b"], "„a..b“ kann kein DKIM-Selector sein."),
        (["--selector", "x" * 64], f"„{'x' * 64}“ kann kein DKIM-Selector sein."),
        (["--server", "127.0.0.1:dns"], "„127.0.0.1:dns“ ist kein erreichbarer Nameserver."),
        (["--server", "127.0.0.1:0"], "„127.0.0.1:0“ ist kein erreichbarer Nameserver."),
        (["--server", "127.0.0.1:65536"], "„127.0.0.1:65536“ ist kein erreichbarer Nameserver."),
        (["--server", ":53"], "„:53“ ist kein erreichbarer Nameserver."),
        (["--server", "https://127.0.0.1"], "„https://127.0.0.1“ ist kein erreichbarer Nameserver."),
        (["--timeout", "0"], "--timeout nennt Sekunden, mehr als 0 und höchstens 60."),
        (["--timeout", "nan"], "--timeout nennt Sekunden, mehr als 0 und höchstens 60."),
        (["--timeout", "lang"], "--timeout nennt Sekunden, mehr als 0 und höchstens 60."),
    ],
)
def test_what_cannot_be_asked(arguments: list[str], sentence: str):
    with pytest.raises(CommandError) as refusal:
        call_command("check_mail_dns", "example.org", *arguments)
    assert str(refusal.value) == sentence
