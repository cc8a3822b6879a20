"""What editors wrote, as HTML; what is hostile in it stands with the comments (test_hostile)."""

import re

import pytest

from newsroom.markup import ARTICLE_LIMIT, TooLong, article_html, excerpt


@pytest.mark.parametrize(
    "source, html",
    [
        ("Text *a* **b** `c`\nd", '<p id="absatz-1">Text <em>a</em> <strong>b</strong> <code>c</code><br>d</p>'),
        ("# a", '<h2 id="absatz-1">a</h2>'),
        ("## a ##", '<h2 id="absatz-1">a</h2>'),
        ("### *a*\nText", '<h3 id="absatz-1"><em>a</em></h3><p id="absatz-2">Text</p>'),
        ("#### a\n##### b", '<h4 id="absatz-1">a</h4><h4 id="absatz-2">b</h4>'),
        ("#a\n# ", '<p id="absatz-1">#a<br>#</p>'),
        ("a\n\n---\n\nb\n* * *\nc", '<p id="absatz-1">a</p><hr><p id="absatz-2">b</p><hr><p id="absatz-3">c</p>'),
        (
            "> a\n\n- b\n\n  c\n\n1. d",
            '<blockquote id="absatz-1"><p>a</p></blockquote><ul id="absatz-2"><li><p>b</p><p>c</p></li></ul>'
            '<ol id="absatz-3"><li>d</li></ol>',
        ),
        ("```\n# a\n```", '<pre id="absatz-1"><code># a\n</code></pre>'),
        (
            "| a | b |\n|---|--:|\n| *1* | 2 \\| 3 |",
            '<table id="absatz-1"><thead><tr><th>a</th><th align="right">b</th></tr></thead>'
            '<tbody><tr><td><em>1</em></td><td align="right">2 | 3</td></tr></tbody></table>',
        ),
        (r"\*a\* \# \\ \[b](c) \x", '<p id="absatz-1">*a* # \\ [b](c) \\x</p>'),
        ("<div id=absatz-9>&amp;", '<p id="absatz-1">&lt;div id=absatz-9&gt;&amp;amp;</p>'),
        # links keep their text
        (
            "[*hier*](https://example.org/ä)",
            '<p id="absatz-1"><a href="https://example.org/%C3%A4" rel="noopener"><em>hier</em></a></p>',
        ),
        ("[a](/artikel/1) [b](#absatz-2)", '<p id="absatz-1"><a href="/artikel/1">a</a> <a href="#absatz-2">b</a></p>'),
        ("[a](mailto:a@example.org)", '<p id="absatz-1"><a href="mailto:a@example.org">a</a></p>'),
        (
            "https://example.org.",
            '<p id="absatz-1"><a href="https://example.org" rel="noopener">https://example.org</a>.</p>',
        ),
        (
            "[https://a.example](https://b.example)",
            '<p id="absatz-1"><a href="https://b.example" rel="noopener">https://a.example</a></p>',
        ),
        (
            "[a](javascript:x) [a](//b.example) [a](/\\b.example)",
            '<p id="absatz-1">[a](javascript:x) [a](//b.example) [a](/\\b.example)</p>',
        ),
        # images
        (
            '![Ein Hund](/media/hund.jpg "Foto: *A. B.*")',
            '<figure id="absatz-1"><img src="/media/hund.jpg" alt="Ein Hund" loading="lazy">'
            "<figcaption>Foto: *A. B.*</figcaption></figure>",
        ),
        (
            "![](https://example.org/a.png)",
            '<figure id="absatz-1"><img src="https://example.org/a.png" alt="" loading="lazy"></figure>',
        ),
        ("a ![b](/c.png) d", '<p id="absatz-1">a <img src="/c.png" alt="b" loading="lazy"> d</p>'),
        (
            "![a](javascript:x) ![a](data:x) ![a](//b.example/c)",
            '<p id="absatz-1">![a](javascript:x) ![a](data:x) ![a](//b.example/c)</p>',
        ),
        ("![a](mailto:a@example.org) ![a](#b)", '<p id="absatz-1">![a](mailto:a@example.org) ![a](#b)</p>'),
    ],
)
def test_article_markup(source, html):
    assert article_html(source) == html


def test_passages_are_numbered_at_the_top_level_only():
    html = article_html("# a\n\nb\n\n> c\n>\n> d\n\n---\n\n- e\n\n- f\n\ng")
    assert re.findall(r'<(\w+) id="(.*?)"', html) == [
        ("h2", "absatz-1"),
        ("p", "absatz-2"),
        ("blockquote", "absatz-3"),
        ("ul", "absatz-4"),
        ("p", "absatz-5"),
    ]


def test_article_limit():
    assert article_html("x" * ARTICLE_LIMIT) == f'<p id="absatz-1">{"x" * ARTICLE_LIMIT}</p>'
    with pytest.raises(TooLong):
        article_html("x" * (ARTICLE_LIMIT + 1))


# --- Pieces ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, length, line",
    [
        ("Kurz", 20, "Kurz"),
        ("> Zitat\n\n- **a**\n- `b`\n\nLeser*innen _c_ snake_case", 60, "Zitat a b Leser*innen c snake_case"),
        ("# Titel\n```py\nx = 1\n```\nEnde", 60, "Titel x = 1 Ende"),
        ("eins zwei drei vier", 12, "eins zwei …"),
        ("Donaudampfschifffahrt", 10, "Donaudam …"),
        ("a <b> & c", 60, "a <b> & c"),
        ("a\u202e\r\nBcc: x", 60, "a Bcc: x"),
        ("", 10, ""),
    ],
)
def test_excerpt(text, length, line):
    assert excerpt(text, length) == line
