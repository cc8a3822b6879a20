"""A commenter's website (C5). Links within a text are markup.test_comment's."""

import pytest

from newsroom.text.links import URL_LIMIT, safe_url


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
