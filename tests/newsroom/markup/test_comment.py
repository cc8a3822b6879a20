"""What somebody wrote in a comment, as HTML: paragraphs, quotes, lists, links (C5), and where it ends."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from newsroom.markup import COMMENT_LIMIT, MARKUP_LIMIT, TooLong, comment_html
from tests.newsroom.markup.page import Page, link


@pytest.mark.parametrize(
    "text, html",
    [
        ("", ""),
        ("Hallo", "<p>Hallo</p>"),
        ("eins\nzwei\n\ndrei", "<p>eins<br>zwei</p><p>drei</p>"),
        ("a\n\n\n\n\nb", "<p>a</p><p>b</p>"),
        ("„Ja“ – sagte sie …", "<p>„Ja“ – sagte sie …</p>"),
        # emphasis
        ("*a* und _b_", "<p><em>a</em> und <em>b</em></p>"),
        ("**a** und __b__", "<p><strong>a</strong> und <strong>b</strong></p>"),
        ("***a***", "<p><strong><em>a</em></strong></p>"),
        ("**a *b* c**", "<p><strong>a <em>b</em> c</strong></p>"),
        ("(*a*), „*b*“!", "<p>(<em>a</em>), „<em>b</em>“!</p>"),
        ("*a\nb*", "<p><em>a<br>b</em></p>"),
        ("*a **b* c**", "<p><em>a **b</em> c**</p>"),
        ("*a *b*", "<p>*a <em>b</em></p>"),
        ("* a *", "<ul><li>a *</li></ul>"),
        ("5 * 3 * 2, 2*3*4, **", "<p>5 * 3 * 2, 2*3*4, **</p>"),
        ("eine_lange_kennung, a__b__c, _", "<p>eine_lange_kennung, a__b__c, _</p>"),
        ("Leser*innen und Autor*innen", "<p>Leser*innen und Autor*innen</p>"),
        ("**Leser*innen** und *Autor*innen*", "<p><strong>Leser*innen</strong> und <em>Autor*innen</em></p>"),
        ("Preis* **\n\n*ohne Gewähr", "<p>Preis* **</p><p>*ohne Gewähr</p>"),
        (r"¯\_(ツ)_/¯", r"<p>¯\_(ツ)_/¯</p>"),
        ("****a****", "<p>****a****</p>"),
        # code
        ("`a *b* <c>`", "<p><code>a *b* &lt;c&gt;</code></p>"),
        ("``a`b`` und ```c```", "<p><code>a`b</code> und <code>c</code></p>"),
        ("*a `b*` c*", "<p><em>a <code>b*</code> c</em></p>"),
        ("` ` und", "<p>` ` und</p>"),
        ("` `a`", "<p>` <code>a</code></p>"),
        ("`https://example.org`", "<p><code>https://example.org</code></p>"),
        ("```\nx < 1\n\n\n- *y*\n```", "<pre><code>x &lt; 1\n\n\n- *y*\n</code></pre>"),
        ("a\n```python\n  x\n```\nb\n\nc", "<p>a</p><pre><code>  x\n</code></pre><p>b</p><p>c</p>"),
        ("~~~\n```\n~~~", "<pre><code>```\n</code></pre>"),
        ("````\n```\n````", "<pre><code>```\n</code></pre>"),
        ("```\noffen\n\n> x", "<pre><code>offen\n\n&gt; x\n</code></pre>"),
        ("```\n```", "<p>```<br>```</p>"),
        ("    vier Leerzeichen", "<p>vier Leerzeichen</p>"),
        # quotes
        ("> a\n> b\n>\n> c", "<blockquote><p>a<br>b</p><p>c</p></blockquote>"),
        (">a\nmeine Antwort", "<blockquote><p>a</p></blockquote><p>meine Antwort</p>"),
        ("sie schrieb:\n> a", "<p>sie schrieb:</p><blockquote><p>a</p></blockquote>"),
        ("> a\n> > b\n> c", "<blockquote><p>a</p><blockquote><p>b</p></blockquote><p>c</p></blockquote>"),
        ("> - a\n> - b", "<blockquote><ul><li>a</li><li>b</li></ul></blockquote>"),
        ("> ```\n> a\n> ```\n> b", "<blockquote><pre><code>a\n</code></pre><p>b</p></blockquote>"),
        ("1 > 0\n> ", "<p>1 &gt; 0<br>&gt;</p>"),
        # lists
        ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
        ("* a\n+ b", "<ul><li>a</li><li>b</li></ul>"),
        ("Gründe:\n- a\n- b", "<p>Gründe:</p><ul><li>a</li><li>b</li></ul>"),
        ("- a\nweiter\n- b", "<ul><li>a<br>weiter</li><li>b</li></ul>"),
        ("- a\n\n- b\n\nc", "<ul><li><p>a</p></li><li><p>b</p></li></ul><p>c</p>"),
        ("- a\n\n  mehr\n- b", "<ul><li><p>a</p><p>mehr</p></li><li><p>b</p></li></ul>"),
        ("- a\n  - b\n    - c\n- d", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ul>"),
        ("- a\n    - b\n\t- c", "<ul><li>a<ul><li>b</li><li>c</li></ul></li></ul>"),
        ("1. a\n   - b\n2. c", "<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>"),
        ("1) a\n2) b", "<ol><li>a</li><li>b</li></ol>"),
        ("- a\n1. b\n\nc", "<ul><li>a</li></ul><ol><li>b</li></ol><p>c</p>"),
        ("- a\n  > b", "<ul><li>a<blockquote><p>b</p></blockquote></li></ul>"),
        ("-a\n- ", "<p>-a<br>-</p>"),
        # the number shown is the number written
        ("3. Oktober\n9. November", '<ol><li value="3">Oktober</li><li value="9">November</li></ol>'),
        ("1. a\n\nText\n\n2. b", '<ol><li>a</li></ol><p>Text</p><ol><li value="2">b</li></ol>'),
        ("Am\n3. Oktober", "<p>Am<br>3. Oktober</p>"),
        ("9999999999. a", "<p>9999999999. a</p>"),
        # what comments do not have
        ("# a\n## b", "<p># a<br>## b</p>"),
        ("a\n===\nb\n---", "<p>a<br>===<br>b<br>---</p>"),
        ("[a]: https://example.org/x", f"<p>[a]: {link('https://example.org/x')}</p>"),
        ("[a][b] und [c]", "<p>[a][b] und [c]</p>"),
        ("a | b\n--|--\n1 | 2", "<p>a | b<br>--|--<br>1 | 2</p>"),
        ("&lt; &amp; &#60; &nbsp;", "<p>&amp;lt; &amp;amp; &amp;#60; &amp;nbsp;</p>"),
        ("a < b & c > d", "<p>a &lt; b &amp; c &gt; d</p>"),
    ],
)
def test_comment_markup(text, html):
    assert comment_html(text) == html


@pytest.mark.parametrize(
    "text, html",
    [
        ("https://example.org", link("https://example.org")),
        ("HTTP://Example.ORG/Pfad", link("http://example.org/Pfad")),
        ("www.example.org/a", link("https://www.example.org/a")),
        ("https://example.org:8080/a?b=c&d=e#f", link("https://example.org:8080/a?b=c&amp;d=e#f")),
        ("https://example.org/a_b_c*d*", link("https://example.org/a_b_c*d") + "*"),
        # what stands around an address is not part of it
        ("(https://example.org/a).", f"({link('https://example.org/a')})."),
        ("(https://example.org/a_(b))", f"({link('https://example.org/a_(b)')})"),
        ("„https://example.org/a“, sagt er", f"„{link('https://example.org/a')}“, sagt er"),
        ("»https://example.org/a«", f"»{link('https://example.org/a')}«"),
        ("“https://example.org/a”", f"“{link('https://example.org/a')}”"),
        ("‚https://example.org/a‘!?", f"‚{link('https://example.org/a')}‘!?"),
        ('"https://example.org/a"', f'"{link("https://example.org/a")}"'),
        ("<https://example.org/a>", f"&lt;{link('https://example.org/a')}&gt;"),
        ("*https://example.org/a*", f"<em>{link('https://example.org/a')}</em>"),
        ("**https://example.org/a_**", f"<strong>{link('https://example.org/a')}_</strong>"),
        # the text shown is the target
        ("[hier](https://example.org/a)", f"hier ({link('https://example.org/a')})"),
        (
            "[*hier* `x`](https://example.org/a_(b))",
            f"<em>hier</em> <code>x</code> ({link('https://example.org/a_(b)')})",
        ),
        ("[https://bank.example](https://evil.example)", f"https://bank.example ({link('https://evil.example')})"),
        ("[https://a.example/](https://a.example/)", link("https://a.example/")),
        ("[](https://a.example/)", link("https://a.example/")),
        ("![Bild](https://example.org/a.png)", f"Bild ({link('https://example.org/a.png')})"),
        # a long address is cut, its host never
        (
            f"https://example.org/{'x' * 99}",
            link(f"https://example.org/{'x' * 99}", f"https://example.org/{'x' * 39}…"),
        ),
        (
            f"https://{'a.' * 40}example.org/xyz",
            link(f"https://{'a.' * 40}example.org/xyz", f"https://{'a.' * 40}example.org…"),
        ),
        # hosts beyond ASCII: umlauts are shown, all that could be a twin is shown as it is linked
        (
            "https://straße.example/größe",
            link("https://xn--strae-oqa.example/gr%C3%B6%C3%9Fe", "https://straße.example/größe"),
        ),
        ("https://BÜCHER.example", link("https://xn--bcher-kva.example", "https://bücher.example")),
        ("https://аррӏе.com", link("https://xn--80ak6aa92e.com")),  # all Cyrillic
        ("https://pаypal.com", link("https://xn--pypal-4ve.com")),  # one Cyrillic letter
        ("https://xn--80ak6aa92e.com", link("https://xn--80ak6aa92e.com")),
        ("https://example.рф", link("https://example.xn--p1ai")),
        # letters from right to left would change places with the host
        ("https://example.org/אב", link("https://example.org/%D7%90%D7%91")),
    ],
)
def test_comment_links(text, html):
    assert comment_html(text) == f"<p>{html}</p>"


@pytest.mark.parametrize(
    "text",
    [
        "http://user:pass@example.org/ http://bank.example@evil.example http://@example.org",
        r"http://bank.example\@evil.example http://bank.example\.evil.example",
        "ftp://example.org javascript://example.org/%0aalert(1) data:text/html,x file:///etc/passwd //example.org",
        "[a](javascript:alert(1)) [a](data:text/html;base64,PHN2Zz4=) [a](/intern) [a](//example.org)",
        "[a](mailto:a@example.org) [a](http://user@example.org) [a](https://localhost) ![a](javascript:x)",
        "http://localhost http://intranet/ http:// https:///example.org http://.example.org http://example..org",
        "http://127.0.0.1 http://0x7f.1 http://2130706433 http://1.2 http://[::1]/ http://example.123",
        "http://example.org:99999 http://example.org:0/ http://example.org:a",
        "http://-a.example http://a-.example http://a_b.example http://a%2eexample",
        "http://ｅxample.org http://example。org http://example.org⁄evil.example http://ﬁ.example",
        "http://" + "a" * 64 + ".example http://" + "a." * 130 + "example http://a.example/" + "x" * 2000,
        "leser@example.org, mailto:leser@example.org, example.org, xhttp://example.org, awww.example.org",
    ],
)
def test_not_a_link(text):
    assert comment_html(text) == f"<p>{text}</p>"


@pytest.mark.parametrize("mark, tag", [("> ", "blockquote"), (">", "blockquote"), ("- ", "ul"), ("1. ", "ol")])
def test_nesting_ends_at_five(mark, tag):
    html = comment_html(mark * 8 + "x")
    assert (html.count(f"<{tag}>"), Page(html).text) == (5, mark * 3 + "x")


def test_quotes_and_lists_share_the_depth():
    html = comment_html("> - > - > - > - x")
    assert (html.count("<blockquote>"), html.count("<ul>"), Page(html).text) == (3, 2, "- > - x")


def test_at_the_limit():
    assert comment_html("x" * COMMENT_LIMIT) == f"<p>{'x' * COMMENT_LIMIT}</p>"


@pytest.mark.parametrize("text", ["x" * (COMMENT_LIMIT + 1), "\u200b" * (COMMENT_LIMIT + 1), "x" * 10_000_000])
def test_over_the_limit(text):
    with pytest.raises(TooLong):
        comment_html(text)


def test_a_browsers_line_break_counts_once():
    assert comment_html("x" * (COMMENT_LIMIT - 2) + "\r\ny") == f"<p>{'x' * (COMMENT_LIMIT - 2)}<br>y</p>"


def test_composition_does_not_smuggle_text_over_the_limit():
    with pytest.raises(TooLong):
        comment_html("\U0001d160" * COMMENT_LIMIT)  # one character, three in NFC


def test_more_marks_than_a_comment_has_are_shown_as_written():
    assert comment_html("*a* <" * MARKUP_LIMIT) == f"<p>{'*a* &lt;' * MARKUP_LIMIT}</p>"
    assert comment_html("> a\n" * MARKUP_LIMIT + "\n- b\n<i>") == (
        f"<p>{'<br>'.join(['&gt; a'] * MARKUP_LIMIT)}</p>\n\n<p>- b<br>&lt;i&gt;</p>"
    )


def test_as_many_lines_as_a_comment_may_have():
    lines = [f"Zeile {number}" for number in range(MARKUP_LIMIT - 1)]
    assert comment_html("\n".join(lines)) == f"<p>{'<br>'.join(lines)}</p>"


def test_threads_do_not_mix():
    texts = [f"> *{number}*\n\n- https://example.org/{number}" for number in range(200)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(comment_html, texts))
    assert together == [
        f"<blockquote><p><em>{n}</em></p></blockquote><ul><li>{link(f'https://example.org/{n}')}</li></ul>"
        for n in range(200)
    ]
