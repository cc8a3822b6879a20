"""Who sent a mail: one address or nobody's (B17); and machines, whom nobody answers."""

import pytest

from newsroom.answers import MAX_BYTES, read_answer
from tests.newsroom.replies import mail, refusal

NO_SENDER = "Wir erkennen nicht, von welcher Adresse Ihre Mail kommt."


@pytest.mark.parametrize(
    "header, sender, name",
    [
        ("ava@example.org", "ava@example.org", ""),
        ("AVA@Example.ORG", "ava@example.org", ""),
        ("<ava@example.org>", "ava@example.org", ""),
        ("ava@example.org (Ava)", "ava@example.org", ""),
        ("Ava Beispiel <ava@example.org>", "ava@example.org", "Ava Beispiel"),
        ('"Beispiel, Ava \\"Avi\\"" <ava@example.org>', "ava@example.org", 'Beispiel, Ava "Avi"'),
        ('"bo@example.org" <ava@example.org>', "ava@example.org", "bo@example.org"),
        ("ava@example.org <ava@example.org>", "ava@example.org", "ava@example.org"),
        ("=?utf-8?q?Ava_Gr=C3=BC?=\n =?utf-8?b?bg==?= <ava@example.org>", "ava@example.org", "Ava Grün"),
        ("=?nonsense?q?Ava?= <ava@example.org>", "ava@example.org", "Ava"),
        ("Ava Grün <ava@example.org>", "ava@example.org", "Ava Grün"),
        ("Ava \\u00 =?utf-8?b?a?= <ava@example.org>", "ava@example.org", "Ava \\u00 =?utf-8?b?a?="),
        ("Ava <ava@gr\u00fcn.example>", "ava@xn--grn-ioa.example", "Ava"),
    ],
)
def test_one_sender(header, sender, name):
    answer = read_answer(mail(From=header))
    assert (answer.sender, answer.sender_name) == (sender, name)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Ava",
        "ava@",
        "@example.org",
        "a@example.org, b@example.org",
        "Ava <a@example.org>, Bo <b@example.org>",
        "a@example.org <b@example.org>",
        "Ava <a@example.org> <b@example.org>",
        "<a@example.org>b@example.org",
        "Alle: a@example.org, b@example.org;",
        "Beispiel, Ava <ava@example.org>",
        "Ava <a@b@example.org>",
        "Ava <ava@example.org",
        '"Ava <ava@example.org>',
        "<@example.net:ava@example.org>",
        "ava @example.org",
        "äva@example.org",
        "Ava <ava@example.org>" + " " * 2000 + ", b@example.org",
        "ava@example.org\nFrom: bo@example.org",
        f"{'a' * 250}@example.org",
    ],
)
def test_no_sender_or_more_than_one(header):
    assert refusal(mail(From=header)) == NO_SENDER


AUTOMATIC = [
    {"Auto_Submitted": "auto-replied"},
    {"Auto_Submitted": "Auto-Generated; owner-email=a@example.org"},
    {"Precedence": "bulk"},
    {"Precedence": "AUTO_REPLY"},
    {"X_Auto_Response_Suppress": "All"},
    {"X_Auto_Response_Suppress": "DR, OOF, AutoReply"},
    {"X_Autoreply": "yes"},
    {"X_Autorespond": "Ich bin verreist"},
    {"List_Id": "<liste.example.org>"},
    {"Return_Path": "<>"},
    {"From": "MAILER-DAEMON@example.org (Mail Delivery System)"},
    {"From": "Postmaster <postmaster@example.org>"},
    {"From": "<>", "Return_Path": "<>"},
    {"Content_Type": "multipart/report; report-type=delivery-status; boundary=b"},
    {"Subject": "Automatische Antwort: Re: Brücke"},
    {"Subject": "=?utf-8?q?Abwesenheitsnotiz?="},
    {"Subject": "Abwesenheitsnotiz: Brücke"},
    {"Subject": "Abwesend: Brücke"},
    {"Subject": "Abwesenheit: Brücke"},
    {"Subject": "[Auto-Reply] Brücke"},
    {"Subject": "Out of Office: Brücke"},
    {"Subject": "Out of Office AutoReply: Brücke"},
    {"Subject": "Automatic reply: Brücke"},
]
PERSONAL = [
    {"Auto_Submitted": "no"},
    {"Precedence": "normal"},
    {"X_Auto_Response_Suppress": "None"},
    {"X_Autoreply": "no"},
    {"Return_Path": "<ava@example.org>"},
    {"Subject": "Re: Abwesenheitsnotiz: ein Artikel"},
    {"Subject": "AW: Out of Office"},
    {"Subject": "Out of office hours"},
    {"Subject": "Abwesend waren alle"},
    {"From": "Postmaster <ava@example.org>"},
    {"From": "kein-postmaster@example.org"},
    {"Subject": None},
]


@pytest.mark.parametrize("headers", AUTOMATIC, ids=str)
def test_machines_are_told_from_people(headers):
    assert read_answer(mail(**headers)).is_automatic


@pytest.mark.parametrize("headers", PERSONAL, ids=str)
def test_people_get_through(headers):
    assert not read_answer(mail(**headers)).is_automatic


@pytest.mark.parametrize("headers", AUTOMATIC, ids=str)
def test_a_machine_is_never_told_that_it_was_not_understood(headers):
    """A caller who answers Unreadable would otherwise write to a vacation program, and it back."""
    for body in ("", "x" * MAX_BYTES, "-----BEGIN PGP MESSAGE-----"):
        answer = read_answer(mail(body, **headers))
        assert (answer.is_automatic, answer.text) == (True, "")
