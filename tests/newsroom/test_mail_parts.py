"""Which parts of a mail are read, and in which characters."""

import base64

import pytest

from tests.newsroom.replies import mail, written


@pytest.mark.parametrize(
    "body, headers, text",
    [
        ("Größe".encode("latin-1"), {"Content_Type": "text/plain; charset=iso-8859-1"}, "Größe"),
        ("„5 €“".encode("cp1252"), {"Content_Type": "text/plain; charset=iso-8859-1"}, "„5 €“"),
        ("Größe".encode("latin-1"), {"Content_Type": "text/plain; charset=utf-8"}, "Größe"),
        ("Größe".encode() + b"\xc3\n", {"Content_Type": "text/plain; charset=utf-8"}, "Größe\ufffd"),
        ("Größe".encode("latin-1"), {"Content_Type": "text/plain"}, "Größe"),
        ("Größe".encode(), {"Content_Type": "text/plain; charset=us-ascii"}, "Größe"),
        ("Größe".encode(), {"Content_Type": "text/plain; charset=nonsense"}, "Größe"),
        ("Größe".encode(), {"Content_Type": "text/plain; charset=idna"}, "Größe"),
        ("Größe".encode(), {"Content_Type": "text"}, "Größe"),
        ("Größe".encode(), {"Content_Type": None}, "Größe"),
        ("Größe".encode("utf-16"), {"Content_Type": "text/plain; charset=UTF-16"}, "Größe"),
        ("Größe".encode("utf-7"), {"Content_Type": "text/plain; charset=utf-7"}, "Größe"),
        ("Größe".encode("cp850"), {"Content_Type": "text/plain; charset*=us-ascii''cp850"}, "Größe"),
        ("ä\x00b\ud800c".encode("utf-8", "surrogatepass"), {}, "äb\ufffd\ufffd\ufffdc"),
        (base64.b64encode("Größe".encode()), {"Content_Transfer_Encoding": "BASE64"}, "Größe"),
        (b"R3LDtsOfZQ\n==\n!x", {"Content_Transfer_Encoding": "base64"}, "Größe"),
        (b"Gr=C3=B6=\n=C3=9Fe =ZZ", {"Content_Transfer_Encoding": "quoted-printable"}, "Größe =ZZ"),
        (b"eins \nzwei\n drei", {"Content_Type": "text/plain; format=flowed"}, "eins zwei\ndrei"),
        (b"ei \nns", {"Content_Type": "text/plain; format=flowed; delsp=yes"}, "eins"),
        (b"eins \n> zwei \n> drei\nvier \n-- \nAva", {"Content_Type": "text/plain; format=flowed"}, "eins\n\nvier"),
        (b"eins \nzwei", {"Content_Type": "text/plain"}, "eins\nzwei"),
        (b"Ja.\r\nNein.\r\n", {}, "Ja.\nNein."),
    ],
)
def test_encodings(body, headers, text):
    assert written(mail(body, **headers)) == text


def test_attachments_count_for_nothing():
    parts = [
        "Content-Type: text/plain\nContent-Disposition: attachment\n\nfalsch",
        "Content-Type: text/plain\nContent-Disposition: inline; filename*0=a; filename*1=.txt\n\nfalsch",
        "Content-Type: image/png\n\nfalsch",
        "Content-Type: message/rfc822\n\nSubject: x\n\nfalsch",
        "\nrichtig",
        "Content-Type: multipart/signed; boundary=c\n\n--c\n\nunterschrieben\n--c\n\nfalsch\n--c--",
    ]
    body = "Vorwort\n" + "".join(f"--b b\n{part}\n" for part in parts) + "--b b--\nNachwort"
    assert written(mail(body, Content_Type='multipart/mixed; boundary*0="b "; boundary*1=b')) == (
        "richtig\n\nunterschrieben"
    )


def test_a_clear_signature_goes():
    body = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nJa.\n- - eins\n- -- \nAva\n"
    assert written(body + "-----BEGIN PGP SIGNATURE-----\n\nxyz\n-----END PGP SIGNATURE-----") == "Ja.\n- eins"
