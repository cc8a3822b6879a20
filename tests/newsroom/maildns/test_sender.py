"""SPF: who may send."""

import pytest

from tests.newsroom.maildns.records import GOOD, Records, spf

# --- SPF: the record -------------------------------------------------------------------------------------------------


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


# --- SPF: what never ends --------------------------------------------------------------------------------------------


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


# --- SPF: who may send -----------------------------------------------------------------------------------------------


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
