"""`manage.py check_mail_dns` (B11), asking a real name server of ours over UDP and TCP."""

import base64
import socket
import socketserver
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from io import StringIO
from threading import Thread

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset
import pytest
from django.core.management import CommandError, call_command
from dns.rdtypes.ANY.TXT import TXT

from newsroom.maildns.resolver import Resolver, Unanswered

UDP_LIMIT = 512  # a longer answer is cut off and asked for again over TCP (RFC 1035 4.2.1)
SILENT, GARBAGE = "silent", "garbage"


def rsa(bits: int) -> str:
    """A public key of that length as providers publish it; nobody signs with it."""

    def element(kind: int, content: bytes) -> bytes:
        size = len(content).to_bytes(2)
        return bytes([kind, 0x82]) + size + content

    modulus = (1 << (bits - 1)) + 1
    numbers = element(2, b"\0" + modulus.to_bytes(bits // 8)) + element(2, b"\1\0\1")
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    key = element(0x30, algorithm + element(3, b"\0" + element(0x30, numbers)))
    return base64.b64encode(key).decode()


# From the RFCs themselves, 6376 C and 8463 A.2.
RSA_1024 = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od"
    "+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
)
ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

# Name and type; then the data, of a TXT its whole text, or its several strings.
Records = dict[str, list[str | tuple[str, ...]]]

GOOD: Records = {
    "example.org MX": ["10 mx.example.org."],
    "example.org TXT": ["v=spf1 mx -all", "something-else=1"],
    "default._domainkey.example.org TXT": [f"v=DKIM1; k=rsa; p={rsa(2048)}"],
    "_dmarc.example.org TXT": ["v=DMARC1; p=reject; rua=mailto:dmarc@example.org"],
    "mx.example.org A": ["192.0.2.25"],
    "mx.example.org AAAA": ["2001:db8::25"],
    "25.2.0.192.in-addr.arpa PTR": ["mx.example.org."],
}


@dataclass
class NameServer:
    port: int = 0
    records: Records = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)  # names, and the code they are answered, SILENT or GARBAGE
    delay: float = 0  # seconds
    asked: list[str] = field(default_factory=list)

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        [question] = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{transport} {name} {kind}")
        time.sleep(self.delay)
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.failing:
            if self.failing[name] in (SILENT, GARBAGE):
                return b"\xff" * 40 if self.failing[name] == GARBAGE else None
            response.set_rcode(dns.rcode.from_text(self.failing[name]))
            return response.to_wire()
        while f"{name} CNAME" in self.records and len(response.answer) < 20:
            self._add(response, name, "CNAME")
            name = self.records[f"{name} CNAME"][0].removesuffix(".")
        self._add(response, name, kind)
        if not any(f".{key.split(' ')[0]}".endswith(f".{name}") for key in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        answer = response.to_wire(max_size=65535)
        if transport == "udp" and len(answer) > UDP_LIMIT:
            response.flags |= dns.flags.TC
            response.answer.clear()
            answer = response.to_wire()
        return answer

    def _add(self, response: dns.message.Message, name: str, kind: str) -> None:
        if data := self.records.get(f"{name} {kind}"):
            read = strings if kind == "TXT" else partial(dns.rdata.from_text, "IN", kind)
            response.answer.append(dns.rrset.from_rdata_list(dns.name.from_text(name), 0, [read(one) for one in data]))


def strings(text: str | tuple[str, ...]) -> TXT:
    """The text cut into strings of at most 255 bytes, or as it is cut already."""
    raw = text.encode() if isinstance(text, str) else b""
    cut = [raw[start : start + 255] for start in range(0, len(raw), 255)] or [b""]
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, cut if isinstance(text, str) else text)


@pytest.fixture(scope="module")
def server() -> Iterator[NameServer]:
    """Listens on loopback, on one port for UDP and TCP."""
    server = NameServer()

    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            if (answer := server.answer(wire, "udp")) is not None:
                sock.sendto(answer, self.client_address)

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            wire = self.rfile.read(int.from_bytes(self.rfile.read(2)))
            if (answer := server.answer(wire, "tcp")) is not None:
                self.wfile.write(len(answer).to_bytes(2) + answer)

    with ExitStack() as stack:
        # TCP chooses the port: of its ports more are taken.
        tcp = stack.enter_context(socketserver.TCPServer(("127.0.0.1", 0), Connection))
        server.port = tcp.server_address[1]
        udp = stack.enter_context(socketserver.UDPServer(("127.0.0.1", server.port), Datagram))
        for one in (tcp, udp):
            Thread(target=one.serve_forever, args=[0.01], daemon=True).start()
            stack.callback(one.shutdown)
        yield server


@dataclass(frozen=True)
class Said:
    text: str
    status: int
    asked: list[str]

    def about(self, topic: str) -> str:
        """The findings that begin so, with their advice."""
        lines, is_wanted = [], False
        for line in self.text.splitlines():
            if not line.startswith(" "):
                is_wanted = line[9:].startswith(topic)
            if is_wanted:
                lines.append(line)
        return "\n".join(lines)


@pytest.fixture
def check(server) -> Callable[..., Said]:
    """Runs the command on a domain with these records. Without `selectors` it has to guess them."""

    def check(
        records: Records,
        *arguments: str,
        domain: str = "example.org",
        selectors: Sequence[str] = ("default",),
        failing: dict[str, str] | None = None,
    ) -> Said:
        server.records, server.failing, server.asked = records, failing or {}, []
        # Long enough for a machine with much to do, unless there is nothing to wait for.
        seconds = 0.4 if {SILENT, GARBAGE} & set(server.failing.values()) else 5
        options = [f"--selector={name}" for name in selectors]
        options += [f"--server=127.0.0.1:{server.port}", f"--timeout={seconds}"]
        out, status = StringIO(), 0
        try:
            call_command("check_mail_dns", *filter(None, [domain]), *arguments, *options, stdout=out)
        except SystemExit as end:
            status = end.code
        return Said(out.getvalue(), status, server.asked)

    return check


def spf(text: str, **others: str) -> Records:
    """The good domain with this SPF record, and records of names below it."""
    return GOOD | {"example.org TXT": [text]} | {f"{name}.example.org TXT": [other] for name, other in others.items()}


def dkim(text: str | tuple[str, ...]) -> Records:
    return GOOD | {"mail2026._domainkey.example.org TXT": [text]}


def dmarc(text: str) -> Records:
    return GOOD | {"_dmarc.example.org TXT": [text]}


# --- the whole of it ----------------------------------------------------------------------------------------------


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


# --- MX -----------------------------------------------------------------------------------------------------------


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


# --- SPF: the record ----------------------------------------------------------------------------------------------


def test_an_spf_record_that_is_none(check):
    said = check(spf("“v=spf1 mx -all”"))
    assert said.about("SPF") == (
        "Fehlt    SPF: „“v=spf1 mx -all”“ zählt nicht; er muss mit „v=spf1 “ beginnen.\n"
        "         Veröffentlichen Sie, wer für Sie verschickt. Tut das ein Anbieter, gehört sein „include:“ dazu:\n"
        '         example.org. TXT "v=spf1 mx ~all"'
    )


def test_two_spf_records(check):
    said = check(GOOD | {"example.org TXT": ["v=spf1 mx -all", "V=SPF1 include:b.example.org -all", "v=spf10"]})
    assert said.about("SPF") == (
        "Fehlt    SPF: example.org hat mehr als einen Eintrag.\n"
        "         Damit gilt keiner. Machen Sie aus ihnen einen:\n"
        "         V=SPF1 include:b.example.org -all\n"
        "         v=spf1 mx -all"
    )


@pytest.mark.parametrize(
    "record, title",
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", "Gut      SPF: Gültig, endet auf „-all“, 0 von 10 Abfragen."),
        ("V=spf1  IP6:2001:DB8::/32  ~ALL ", "Gut      SPF: Gültig, endet auf „~ALL“, 0 von 10 Abfragen."),
        ("v=spf1 redirect=b.example.org", "Gut      SPF: Gültig, endet auf „~all“, 2 von 10 Abfragen."),
        ("v=spf1 include:b.example.org -all", "Gut      SPF: Gültig, endet auf „-all“, 2 von 10 Abfragen."),
        ("v=spf1 include:%{i}.%{d} -all", "Gut      SPF: Gültig, endet auf „-all“, 1 von 10 Abfragen."),
        ("v=spf1 include:b.%{d} exp=x.%{d} -all", "Gut      SPF: Gültig, endet auf „-all“, 2 von 10 Abfragen."),
        ("v=spf1 a:mx.example.org/24//64 -all", "Gut      SPF: Gültig, endet auf „-all“, 1 von 10 Abfragen."),
    ],
)
def test_good_spf_records(check, record: str, title: str):
    assert check(spf(record, b="v=spf1 mx:example.org ~all")).about("SPF") == title


@pytest.mark.parametrize(
    "record, status, finding",
    [
        ("v=spf1 mx ?all", 0, "Achtung  SPF: „?all“ verbietet niemandem, in Ihrem Namen zu senden."),
        ("v=spf1 mx", 0, "Achtung  SPF: Der Eintrag sagt nicht, was für alle anderen Server gilt."),
        ("v=spf1 mx all", 1, "Fehlt    SPF: „all“ erlaubt jedem, in Ihrem Namen zu senden."),
        ("v=spf1 mx +all", 1, "Fehlt    SPF: „+all“ erlaubt jedem, in Ihrem Namen zu senden."),
    ],
)
def test_spf_that_forbids_nobody(check, record: str, status: int, finding: str):
    said = check(spf(record))
    assert said.about("SPF") == (
        f"{finding}\n"
        "         Der Eintrag von example.org soll auf „~all“ oder „-all“ enden:\n"
        '         example.org. TXT "v=spf1 mx ~all"'
    )
    assert said.status == status


def test_the_redirect_decides_how_it_ends(check):
    said = check(spf("v=spf1 ip4:192.0.2.1 redirect=b.example.org", b="v=spf1 mx:example.org +all"))
    assert said.about("SPF") == (
        "Fehlt    SPF: „+all“ erlaubt jedem, in Ihrem Namen zu senden.\n"
        "         Der Eintrag von b.example.org soll auf „~all“ oder „-all“ enden:\n"
        '         b.example.org. TXT "v=spf1 mx:example.org ~all"'
    )


@pytest.mark.parametrize(
    "term",
    ["ip4: 192.0.2.1", "ip4:192.0.2.256", "ip4:192.0.2.0/33", "ip4:192.0.2.1:25", "ip4:2001:db8::1", "ip6:192.0.2.1"]
    + ["ip4:192.0.2.0/255.255.255.0", "ip6:2001:db8::/129", "ip4", "ipv4:192.0.2.1", "192.0.2.1"]
    + ["a:192.0.2.1", "a:", "a:museum", "a:example.-com", "a/33", "a//129", "mx:", "mx:example.org/ab"]
    + ["include", "include:", "include:example.org/24", "include:%{x}.example.org", "exists:100%.example.org"]
    + ["all:", "-all.", "--all", "redirect=", "redirect=localhost", "ptr:", "ptr/24", "a:" + "a." * 130 + "org"]
    + ["mx\tall", "mx,a", "", "–all", "mx/2４", "\x1b[31mall", "a:x.example.org\nall"],
)
def test_misspelt_spf(check, term: str):
    said = check(spf(f"v=spf1 {term or 'mx;'} -all"))
    word = (term or "mx;").split(" ")[0].replace("\x1b", "?").replace("\n", "?").replace("\t", "?")
    assert said.about("SPF") == (
        f"Fehlt    SPF: „{word if len(word) <= 80 else word[:79] + '…'}“ bei example.org ist falsch geschrieben.\n"
        "         Richtig, ohne Leerzeichen: mx a:mail.example.org ip4:192.0.2.1 include:spf.example.org ~all"
    )
    assert said.status == 1


def test_misspelt_within_an_include(check):
    said = check(spf("v=spf1 include:b.example.org -all", b="v=spf1 ipv4:192.0.2.1 -all"))
    assert said.about("SPF").splitlines()[0] == (
        "Fehlt    SPF: „ipv4:192.0.2.1“ bei b.example.org ist falsch geschrieben."
    )


@pytest.mark.parametrize(
    "record, warning",
    [
        (
            "v=spf1 ptr -all",
            "Achtung  SPF: „ptr“ soll nicht mehr verwendet werden.\n"
            "         Manche Empfänger werten es nicht aus. Nennen Sie Ihre Server mit „a:“, „ip4:“ oder „ip6:“.",
        ),
        (
            "v=spf1 a:mx.example.org -all ip4:192.0.2.1 redirect=b.example.org",
            "Achtung  SPF: Neben „all“ wird das nie gelesen: ip4:192.0.2.1, redirect=b.example.org.\n"
            "         Was davon gelten soll, muss vor „all“ stehen; den Rest nehmen Sie heraus.",
        ),
        (
            "v=spf1 mx include=b.example.org later=x -all",
            "Achtung  SPF: Das bedeutet nichts: include=b.example.org.\n"
            "         Dort gehört ein Doppelpunkt hin, kein Gleichheitszeichen.",
        ),
        (
            "v=spf1 a:gone.example.org -all",
            "Achtung  SPF: Abfragen führen ins Leere: gone.example.org.\n"
            "         Mehr als 2 davon machen den Eintrag ungültig. Nehmen Sie sie heraus.",
        ),
    ],
)
def test_spf_that_does_no_harm_yet(check, record: str, warning: str):
    said = check(spf(record))
    assert said.about("SPF") == f"Gut      SPF: Gültig, endet auf „-all“, 1 von 10 Abfragen.\n{warning}"
    assert said.status == 0


# --- SPF: what never ends -----------------------------------------------------------------------------------------

TOO_MANY = (
    "Fehlt    SPF: Der Eintrag löst mehr als 10 Abfragen aus und gilt deshalb nicht.\n"
    "         Nehmen Sie „include:“ heraus, die Sie nicht brauchen. „ip4:“ und „ip6:“ fragen nichts ab."
)


def test_ten_lookups_are_allowed(check):
    tree = spf(
        "v=spf1 include:b.example.org redirect=c.example.org",
        b="v=spf1 a:mx.example.org mx:example.org exists:mx.example.org ptr -all a:after.example.org",
        c="v=spf1 a:mx.example.org a:mx.example.org a:mx.example.org include:d.example.org -all",
        d="v=spf1 ip4:192.0.2.1 -all",
    )
    assert check(tree).about("SPF") == "Gut      SPF: Gültig, endet auf „-all“, 10 von 10 Abfragen."
    assert check(tree | {"d.example.org TXT": ["v=spf1 a:mx.example.org -all"]}).about("SPF") == TOO_MANY


def test_two_lookups_may_be_void(check):
    two = "v=spf1 a:one.example.org exists:two.example.org mx -all"
    assert check(spf(two)).about("SPF") == (
        "Gut      SPF: Gültig, endet auf „-all“, 3 von 10 Abfragen.\n"
        "Achtung  SPF: Abfragen führen ins Leere: one.example.org, two.example.org.\n"
        "         Mehr als 2 davon machen den Eintrag ungültig. Nehmen Sie sie heraus."
    )
    said = check(spf("v=spf1 include:b.example.org mx:three.example.org -all", b=two))
    assert said.about("SPF") == (
        "Fehlt    SPF: Mehr als 2 Abfragen führen ins Leere; der Eintrag gilt deshalb nicht.\n"
        "         Berichtigen Sie diese Namen, oder nehmen Sie sie heraus:"
        " one.example.org, two.example.org, b.example.org"
    )


@pytest.mark.parametrize(
    "term", ["include:example.org", "redirect=example.org", "include:%{d}", "include:EXAMPLE.ORG."]
)
def test_a_record_that_includes_itself(check, term: str):
    said = check(spf(f"v=spf1 mx {term}"))
    assert said.about("SPF") == (f"Fehlt    SPF: „{term}“ führt im Kreis.\n         Nehmen Sie „{term}“ heraus.")
    assert said.status == 1


def test_records_that_include_each_other(check):
    said = check(
        spf("v=spf1 include:b.example.org ~all", b="v=spf1 redirect=c.example.org", c="v=spf1 include:b.example.org")
    )
    assert said.about("SPF").splitlines()[0] == "Fehlt    SPF: „include:b.example.org“ führt im Kreis."


def test_ten_thousand_records_each_with_the_next(check):
    chain = {
        f"n{number}.example.org TXT": [f"v=spf1 include:n{number + 1}.example.org -all"] for number in range(10_000)
    }
    said = check(GOOD | chain | {"example.org TXT": ["v=spf1 include:n0.example.org -all"]})
    assert said.about("SPF") == TOO_MANY
    assert [line for line in said.asked if ".example.org TXT" in line and " n" in line] == [
        f"udp n{number}.example.org TXT" for number in range(10)
    ]


def test_a_record_as_long_as_dns_can_carry(check):
    """60 kB: as many includes as fit, or as many addresses."""
    said = check(spf("v=spf1" + " include:b.example.org" * 2700 + " -all", b="v=spf1 ip4:192.0.2.1 -all"))
    assert said.about("SPF") == TOO_MANY
    assert [line for line in said.asked if line.endswith(" example.org TXT")] == [
        "udp example.org TXT",
        "tcp example.org TXT",
    ]
    said = check(spf("v=spf1" + " ip4:192.0.2.1" * 4000 + " +all"))
    assert said.about("SPF") == (
        "Fehlt    SPF: „+all“ erlaubt jedem, in Ihrem Namen zu senden.\n"
        "         Der Eintrag von example.org soll auf „~all“ oder „-all“ enden:"
    )


def test_an_mx_of_eleven_hosts(check):
    hosts = [f"{number} h{number}.example.org." for number in range(11)]
    said = check(spf("v=spf1 mx:many.example.org -all") | {"many.example.org MX": hosts})
    assert said.about("SPF") == "Fehlt    SPF: „mx:many.example.org“ führt zu mehr als 10 Servern."


@pytest.mark.parametrize("name", ["gone.example.org", "mx.example.org", "a..example.org", "x." * 120 + "example.org"])
def test_an_include_without_a_record(check, name: str):
    said = check(spf(f"v=spf1 include:{name} -all"))
    shown = f"include:{name}" if len(name) < 70 else f"include:{name}"[:79] + "…"
    assert said.about("SPF") == (
        f"Fehlt    SPF: „{shown}“ führt zu keinem SPF-Eintrag.\n"
        "         Damit gilt der ganze Eintrag nicht. Berichtigen Sie den Namen, oder nehmen Sie ihn heraus."
    )


# --- SPF: who may send --------------------------------------------------------------------------------------------

SENDERS: Records = {
    "mx.example.org A": ["192.0.2.25"],
    "a.example.org A": ["192.0.2.7", "192.0.2.8"],
    "a.example.org AAAA": ["2001:db8::7"],
    "8.2.0.192.in-addr.arpa PTR": ["forged.example.net.", "a.example.org."],
    "8.2.0.192.list.example.org A": ["127.0.0.2"],
    "7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.example.org A": ["127.0.0.2"],
    "pass.example.org TXT": ["v=spf1 ip4:192.0.2.8 -all"],
    "soft.example.org TXT": ["v=spf1 ?ip4:192.0.2.8 ~all"],
}


@pytest.mark.parametrize(
    "record, address, result",
    [
        ("ip4:192.0.2.8 -all", "192.0.2.8", "pass"),
        ("ip4:192.0.2.8 -all", "192.0.2.9", "fail"),
        ("ip4:192.0.2.8 -all", "::ffff:192.0.2.8", "pass"),
        ("ip4:192.0.2.9/30 ~all", "192.0.2.10", "pass"),
        ("ip4:192.0.2.9/30 ~all", "192.0.2.12", "softfail"),
        ("ip4:0.0.0.0/0 -all", "2001:db8::7", "fail"),
        ("ip6:2001:db8::/126 -all", "2001:db8::3", "pass"),
        ("ip6:2001:db8::/126 -all", "2001:db8::4", "fail"),
        ("-ip4:192.0.2.8 ip4:192.0.2.0/24 -all", "192.0.2.8", "fail"),
        ("?ip4:192.0.2.8 -all", "192.0.2.8", "neutral"),
        ("ip4:192.0.2.9", "192.0.2.8", "neutral"),
        ("-all ip4:192.0.2.8", "192.0.2.8", "fail"),
        ("a:a.example.org -all", "192.0.2.8", "pass"),
        ("a:a.example.org -all", "192.0.2.9", "fail"),
        ("a:a.example.org//120 -all", "2001:db8::ff", "pass"),
        ("a:a.example.org/29 -all", "2001:db8::ff", "fail"),
        ("a -all", "192.0.2.8", "fail"),
        ("mx -all", "192.0.2.25", "pass"),
        ("mx/24 -all", "192.0.2.9", "pass"),
        ("mx -all", "192.0.2.9", "fail"),
        ("include:pass.example.org -all", "192.0.2.8", "pass"),
        ("include:pass.example.org ~all", "192.0.2.9", "softfail"),
        ("include:soft.example.org -all", "192.0.2.8", "fail"),
        ("?include:pass.example.org -all", "192.0.2.8", "neutral"),
        ("redirect=soft.example.org", "192.0.2.9", "softfail"),
        ("ip4:192.0.2.9 redirect=soft.example.org", "192.0.2.9", "pass"),
        ("exists:a.example.org -all", "192.0.2.1", "pass"),
        ("exists:%{ir}.list.%{d} -all", "192.0.2.8", "pass"),
        ("exists:%{ir}.list.%{d2} -all", "192.0.2.9", "fail"),
        ("exists:%{ir}.%{v}.%{o} -all", "2001:db8::7", "pass"),
        ("ptr -all", "192.0.2.8", "pass"),
        ("ptr:example.net -all", "192.0.2.8", "fail"),
        ("ptr:ample.org -all", "192.0.2.8", "fail"),
    ],
)
def test_who_may_send(check, record: str, address: str, result: str):
    said = check(GOOD | SENDERS | {"example.org TXT": [f"v=spf1 {record}"]}, "--address", address)
    address = address.removeprefix("::ffff:")
    allowed = f"Gut      SPF: {address} darf senden."
    refused = (
        f"Fehlt    SPF: {address} darf nicht senden (Ergebnis: {result}).\n"
        "         Wenn dieser Server für Sie verschickt, nehmen Sie ihn auf:\n"
        f'         example.org. TXT "v=spf1 ip{6 if ":" in address else 4}:{address} {record}"'
    )
    assert said.about(f"SPF: {address}") == (allowed if result == "pass" else refused)


def test_who_may_send_depends_on_the_mail(check):
    said = check(GOOD | {"example.org TXT": ["v=spf1 exists:%{l}.list.example.org -all"]}, "--address", "192.0.2.8")
    assert said.about("SPF: Ob") == (
        "Achtung  SPF: Ob 192.0.2.8 senden darf, hängt von der einzelnen Mail ab: exists:%{l}.list.example.org.\n"
        "         Wenn dieser Server für Sie verschickt, nehmen Sie ihn auf:\n"
        '         example.org. TXT "v=spf1 ip4:192.0.2.8 exists:%{l}.list.example.org -all"'
    )


# --- DKIM ---------------------------------------------------------------------------------------------------------

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


# --- DMARC --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "record, status, findings",
    [
        (
            "v=DMARC1;p=quarantine;rua=mailto:a@example.org!10m,mailto:b@example.org;adkim=s;aspf=r",
            0,
            "Gut      DMARC: Gültig bei example.org, p=quarantine, adkim=s, aspf=r.",
        ),
        (
            "v = DMARC1 ; p = REJECT ; aspf = S; rua=mailto:a@example.org; ",
            0,
            "Gut      DMARC: Gültig bei example.org, p=reject, adkim=r, aspf=s.",
        ),
        (
            "v=DMARC1; p=none",
            0,
            "Gut      DMARC: Gültig bei example.org, p=none, adkim=r, aspf=r.\n"
            "Achtung  DMARC: p=none hält keine gefälschte Mail auf.\n"
            "         Zeigen die Berichte, dass Ihre eigenen Mails bestehen, stellen Sie auf p=quarantine um.\n"
            "Achtung  DMARC: Es gibt keine Adresse für Berichte (rua).\n"
            "         So erfahren Sie nicht, wer in Ihrem Namen sendet. Ergänzen Sie: rua=mailto:dmarc@example.org",
        ),
        (
            "v=DMARC1; p=reject; pct=20; rua=mailto:a@example.org",
            0,
            "Gut      DMARC: Gültig bei example.org, p=reject, adkim=r, aspf=r.\n"
            "Achtung  DMARC: Die Regel gilt nur zur Probe oder für einen Teil der Mails.\n"
            "         Nehmen Sie „t=“ und „pct=“ heraus, wenn Ihre eigenen Mails bestehen.",
        ),
        *(
            (
                record,
                1,
                f"Fehlt    DMARC: „{record}“ nennt keine gültige Regel.\n"
                "         Nach „v=DMARC1;“ kommt p=none, p=quarantine oder p=reject, zum Beispiel:\n"
                '         _dmarc.example.org. TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.org"',
            )
            for record in [
                "v=DMARC1",
                "v=DMARC1; p=",
                "v=DMARC1; p=monitor; rua=mailto:a@example.org",
                "v=DMARC1; p=none; p=reject",
                "v=DMARC1; p:none",
                "v=DMARC1; „p=none“",
            ]
        ),
    ],
)
def test_the_dmarc_record(check, record: str, status: int, findings: str):
    said = check(dmarc(record))
    assert (said.about("DMARC"), said.status) == (findings, status)


@pytest.mark.parametrize("record", ["V=DMARC1; p=none", "v=dmarc1; p=none", "v=DMARC10; p=none", "p=none; v=DMARC1"])
def test_not_a_dmarc_record(check, record: str):
    assert check(dmarc(record)).about("DMARC").splitlines()[0] == "Fehlt    DMARC: Es gibt keinen Eintrag."


def test_two_dmarc_records(check):
    said = check(GOOD | {"_dmarc.example.org TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none", "note"]})
    assert said.about("DMARC") == (
        "Fehlt    DMARC: Es gibt mehr als einen Eintrag.\n"
        "         Damit gilt keiner. Lassen Sie einen stehen:\n"
        "         v=DMARC1; p=none\n"
        "         v=DMARC1; p=reject"
    )
    assert said.status == 1


RUA = "; rua=mailto:a@example.org"


@pytest.mark.parametrize(
    "records, title",
    [
        ({"example.org": "p=reject"}, "Gültig bei example.org, p=reject"),
        ({"example.org": "p=reject; sp=quarantine"}, "Gültig bei example.org, p=quarantine"),
        ({"news.example.org": "p=none; sp=reject", "example.org": "p=reject"}, "Gültig bei example.org, p=reject"),
        (
            {"news.example.org": "p=quarantine; psd=n", "example.org": "p=reject"},
            "Gültig bei news.example.org, p=quarantine",
        ),
        (
            {"news.example.org": "p=quarantine", "example.org": "p=reject; psd=y"},
            "Gültig bei news.example.org, p=quarantine",
        ),
        ({"example.org": "p=quarantine", "org": "p=reject; psd=y"}, "Gültig bei example.org, p=quarantine"),
        ({"org": "p=reject; psd=y"}, "Gültig bei org, p=reject"),
        (
            {"a.news.example.org": "p=quarantine; sp=none", "example.org": "p=reject"},
            "Gültig bei a.news.example.org, p=quarantine",
        ),
    ],
)
def test_dmarc_of_the_organisation(check, records: dict[str, str], title: str):
    placed = {f"_dmarc.{name} TXT": [f"v=DMARC1; {record}{RUA}"] for name, record in records.items()}
    said = check({"a.news.example.org A": ["192.0.2.1"]} | placed, domain="a.news.example.org")
    assert said.about("DMARC") == f"Gut      DMARC: {title}, adkim=r, aspf=r."


def test_a_long_name_costs_eight_questions(check):
    said = check({"l.k.j.i.h.g.f.e.d.c.b.a.org A": ["192.0.2.1"]}, domain="l.k.j.i.h.g.f.e.d.c.b.a.org")
    assert [line for line in said.asked if "_dmarc" in line] == [
        "udp _dmarc.l.k.j.i.h.g.f.e.d.c.b.a.org TXT",
        "udp _dmarc.f.e.d.c.b.a.org TXT",
        "udp _dmarc.e.d.c.b.a.org TXT",
        "udp _dmarc.d.c.b.a.org TXT",
        "udp _dmarc.c.b.a.org TXT",
        "udp _dmarc.b.a.org TXT",
        "udp _dmarc.a.org TXT",
        "udp _dmarc.org TXT",
    ]


# --- PTR ----------------------------------------------------------------------------------------------------------


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


# --- name servers in trouble --------------------------------------------------------------------------------------


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


# --- what cannot be asked -----------------------------------------------------------------------------------------


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
