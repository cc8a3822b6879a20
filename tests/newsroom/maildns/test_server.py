"""Where mail comes back to, and the name of the server that sends."""

import dns.reversename
import pytest

from tests.newsroom.maildns.records import GOOD, Records

# --- MX --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "records, status, findings",
    [
        (
            {"example.org MX": ["20 b.example.org.", "10 mx.example.org."], "b.example.org AAAA": ["2001:db8::1"]},
            0,
            "Gut      MX: Rückläufer nimmt mx.example.org, b.example.org an.",
        ),
        (
            {"example.org MX": ["10 mx.example.org.", "20 gone.example.org."]},
            0,
            "Gut      MX: Rückläufer nimmt mx.example.org an.\n"
            "Achtung  MX: Zu gone.example.org gibt es keine Adresse.\n"
            "         Berichtigen Sie den Namen im MX-Eintrag, oder veröffentlichen Sie die Adresse des Servers.",
        ),
        (
            {"example.org MX": ["10 192.0.2.25."]},
            1,
            "Fehlt    MX: Zu 192.0.2.25 gibt es keine Adresse.\n"
            "         Berichtigen Sie den Namen im MX-Eintrag, oder veröffentlichen Sie die Adresse des Servers.",
        ),
        (
            {"example.org MX": ["0 ."]},
            1,
            "Fehlt    MX: Die Domain sagt, dass sie keine Post annimmt.\n"
            "         Viele weisen Absender ohne Antwortweg ab. Ersetzen Sie den Eintrag, zum Beispiel:\n"
            "         example.org. MX 10 mail.example.org.",
        ),
        (
            {"example.org MX": [], "example.org A": ["192.0.2.80"]},
            0,
            "Achtung  MX: Kein Eintrag; Rückläufer gehen an die Domain selbst.\n"
            "         Dort läuft meist nur die Website. Veröffentlichen Sie, wer Post annimmt, zum Beispiel:\n"
            "         example.org. MX 10 mail.example.org.",
        ),
    ],
)
def test_bounces_come_back(check, records: Records, status: int, findings: str):
    said = check(GOOD | {"example.org TXT": ["v=spf1 ip4:192.0.2.25 -all"]} | records)
    assert (said.about("MX"), said.status) == (findings, status)


# --- PTR -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address, names, finding",
    [
        (
            "192.0.2.9",
            ["mx.example.org.", "\\027[31m.example.org."],
            "Fehlt    PTR: 192.0.2.9 heißt \\027[31m.example.org, mx.example.org, aber der Name führt nicht zurück.\n"
            "         Veröffentlichen Sie die Adresse zu diesem Namen, oder ändern Sie den Namen:\n"
            "         \\027[31m.example.org. A 192.0.2.9",
        ),
        (
            "2001:db8::25",
            ["forged.example.net.", "mx.example.org."],
            "Gut      PTR: 2001:db8::25 heißt mx.example.org, und der Name führt zurück.",
        ),
        (
            "2001:db8::26",
            ["mx.example.org."],
            "Fehlt    PTR: 2001:db8::26 heißt mx.example.org, aber der Name führt nicht zurück.\n"
            "         Veröffentlichen Sie die Adresse zu diesem Namen, oder ändern Sie den Namen:\n"
            "         mx.example.org. AAAA 2001:db8::26",
        ),
    ],
)
def test_the_name_of_the_server(check, address: str, names: list[str], finding: str):
    pointer = dns.reversename.from_address(address).to_text(omit_final_dot=True)
    assert check(GOOD | {f"{pointer} PTR": names}, "--address", address).about("PTR") == finding
