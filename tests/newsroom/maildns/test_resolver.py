"""Name servers in trouble."""

import socket

import pytest
from django.core.management import CommandError, call_command

from newsroom.maildns.resolver import Resolver, Unanswered
from tests.newsroom.maildns.nameserver import GARBAGE, SILENT
from tests.newsroom.maildns.records import GOOD


def unanswered(kind: str, name: str) -> str:
    return (
        f"Fehlt    {kind} von {name} lässt sich nicht abfragen.\n"
        "         Die Nameserver der Domain antworten nicht oder melden Fehler. Versuchen Sie es später wieder."
    )


@pytest.mark.parametrize("trouble", ["SERVFAIL", "REFUSED", "NOTIMP", SILENT, GARBAGE])
def test_one_name_is_not_answered(check, trouble: str):
    said = check(GOOD, failing={"_dmarc.example.org": trouble})
    assert said.text == (
        "Gut      MX: Rückläufer nimmt mx.example.org an.\n"
        "Gut      SPF: Gültig, endet auf „-all“, 1 von 10 Abfragen.\n"
        "Gut      DKIM: Schlüssel „default“, RSA mit 2048 Bit.\n"
        f"{unanswered('TXT', '_dmarc.example.org')}\n"
        "example.org: So kommen Mails nicht zuverlässig an. Beheben Sie, was nach „Fehlt“ steht.\n"
    )
    assert said.status == 1


def test_the_domains_name_servers_are_down(check):
    names = ["example.org", "_dmarc.example.org", "default._domainkey.example.org"]
    said = check(GOOD, failing=dict.fromkeys(names, "SERVFAIL"))
    assert said.text.splitlines()[:-1] == [
        *unanswered("MX", "example.org").splitlines(),
        *unanswered("TXT", "example.org").splitlines(),
        *unanswered("TXT", "default._domainkey.example.org").splitlines(),
        *unanswered("TXT", "_dmarc.example.org").splitlines(),
    ]


@pytest.mark.parametrize(
    "trouble, sentence",
    [
        (SILENT, "Der Nameserver antwortet nicht. Nennen Sie mit --server einen anderen."),
        (GARBAGE, "Der Nameserver antwortet nicht. Nennen Sie mit --server einen anderen."),
        ("REFUSED", "Der Nameserver lehnt Anfragen ab. Nennen Sie mit --server einen anderen."),
    ],
)
def test_the_name_server_is_none(check, trouble: str, sentence: str):
    with pytest.raises(CommandError) as refusal:
        check(GOOD, failing={"example.org": trouble})
    assert str(refusal.value) == sentence


def test_nobody_listens():
    with socket.socket(type=socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        server = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(CommandError) as refusal:
            call_command("check_mail_dns", "example.org", "--server", server, "--timeout", "0.2")
    assert str(refusal.value) == "Der Nameserver antwortet nicht. Nennen Sie mit --server einen anderen."


def test_aliases_in_a_circle(check):
    circle = {"_dmarc.example.org CNAME": ["d.example.org."], "d.example.org CNAME": ["_dmarc.example.org."]}
    said = check(GOOD | {"_dmarc.example.org TXT": []} | circle)
    assert said.about("TXT") == unanswered("TXT", "_dmarc.example.org")


def test_slow_answers_end_at_the_deadline(server, monkeypatch):
    monkeypatch.setattr("newsroom.maildns.resolver.DEADLINE", 1)
    monkeypatch.setattr(server, "delay", 0.15)
    resolver = Resolver(("127.0.0.1", server.port), timeout=0.4)
    with pytest.raises(Unanswered):
        [resolver.ask(f"n{number}.example.org", "A") for number in range(100)]
