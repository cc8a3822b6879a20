"""A commenter's website, and names that pose as one (C5). Links within a text are markup.test_comment's."""

import pytest

from newsroom.text.links import URL_LIMIT, holds_address, safe_url


@pytest.mark.parametrize(
    "given, url",
    [
        ("example.org", "https://example.org"),
        (" Example.ORG/Über ", "https://example.org/%C3%9Cber"),
        ("http://www.example.org:8080/a?b#c", "http://www.example.org:8080/a?b#c"),
        ("HTTPS://example.org/", "https://example.org/"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://example.org/" + "a" * 180, "https://example.org/" + "a" * 180),
    ],
)
def test_a_website(given, url):
    assert safe_url(given) == url


@pytest.mark.parametrize(
    "given",
    ["", " ", "https://", "localhost", "example", "1.2.3.4", "https://example.org/a b", "a@example.org"]
    + [
        "javascript:alert(1)",
        "javascript://example.org/%0aalert(1)",
        "JaVaScRiPt:x",
        "data:text/html,x",
        "ftp://example.org",
    ]
    + [
        "https://user@example.org",
        "https://a:b@example.org",
        r"https://a.example\@b.example",
        "//example.org",
        "/a.html",
    ]
    + [
        "java\u200bscript://example.org",
        "https://exam\u200bple.org",
        "https://exam\x00ple.org",
        "https://a.example/\u202eb",
    ]
    + [
        "https://a.example/\nb",
        "https://a.example/\ud800",
        "https://example.org/" + "a" * 181,
        "a.example/" + "ä" * 100,
    ],
)
def test_not_a_website(given):
    assert safe_url(given) is None


def test_the_websites_length_is_the_columns():
    assert len(safe_url("https://example.org/" + "a" * 180)) == URL_LIMIT


@pytest.mark.parametrize(
    "name",
    ["https://www.sparkasse.de", "HTTP://x", "Anna (www.anna.example)", "sparkasse.de", "Anna von sparkasse.de/login"]
    + ["ｗｗｗ．ｓparkasse．de", "ｈttps：／／x", "Sparkasse。DE", "𝐬𝐩𝐚𝐫𝐤𝐚𝐬𝐬𝐞.𝐝𝐞", "sparkasse.dе", "späti-köln.de"]
    + ["x.com"],
)
def test_a_name_that_poses_as_an_address(name):
    assert holds_address(name)


@pytest.mark.parametrize(
    "name",
    ["St.Pauli-Fan", "St.Pauli", "Dr.Müller", "Dr.Meier", "A.B.", "B.Sc.", "Anna", "J.R.R. Tolkien", "Na...de"]
    + ["3.Liga", "Ende. Aus.", "Herr.Lehmann", "wwwanna", "Anna: die", "z.B. ich", "Łukasz K.", ""],
)
def test_a_name_with_a_dot_is_no_address(name):
    assert not holds_address(name)
