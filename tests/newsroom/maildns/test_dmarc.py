"""DMARC: what becomes of mail that passes neither SPF nor DKIM."""

import pytest

from tests.newsroom.maildns.records import GOOD, dmarc


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
