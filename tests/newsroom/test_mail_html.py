"""A reply mail in HTML as text: paragraphs, lists and links stay, quotes and signatures go (B18)."""

import pytest

from tests.newsroom.replies import WHEN, html, mail, written


@pytest.mark.parametrize(
    "body, text",
    [
        ("<p>Ja.</p><p>Nein.</p>", "Ja.\n\nNein."),
        ("<div>Ja.</div><div>Nein.</div><div><br></div><div>Doch.</div>", "Ja.\nNein.\n\nDoch."),
        ("Ja.<br>Nein.<br/><br />Doch.", "Ja.\nNein.\n\nDoch."),
        ("Ja\n  und   <b>nein</b>,\n&amp; &lt;doch&gt;&nbsp;!", "Ja und nein, & <doch> !"),
        ("<ul><li>eins<li>zwei<ol start=3><li>drei</ol></ul>vier", "- eins\n- zwei\n  3. drei\n\nvier"),
        ("<pre>eins\n\nzwei</pre>", "eins\n\nzwei"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ('<a href="https://example.org/a?b&amp;c">hier</a>', "hier (https://example.org/a?b&c)"),
        ('<a href="https://www.example.org/">example.org</a>', "example.org"),
        ('<a href="mailto:a@example.org">Ava</a> <a href="javascript:x">y</a>', "Ava y"),
        ('<p title="a > b" class=\'"\'>Ja.</p>', "Ja."),
        ("<style>p{}</style><script>x</script><title>x</title><!-- x --><!doctype html><?xml x?>Ja.", "Ja."),
        ("<!--[if mso]><p>x</p><![endif]-->Ja.<![if !mso]> Nein.<![endif]>", "Ja. Nein."),
        ("3 < 4 und 5 > 4, x<y", "3 < 4 und 5 > 4, x<y"),
        ("&#0;&#xD800;&#99999999999999;Ja.", "\ufffd\ufffd\ufffd;Ja."),
        ("Ja.<blockquote>Zitat<div>x</div></blockquote>Nein.", "Ja.\n\nNein."),
        ("Ja.<div class=gmail_quote><div class=gmail_attr>Le 23 nov., Bo a écrit :</div>Nein.</div>", "Ja.\n\nNein."),
        (f"Ja.<div class='moz-cite-prefix'>{WHEN[:28]} Bo:<br></div><blockquote>x</blockquote>", "Ja."),
        ("Ja.<div id=yahoo_quoted_1 class='a yahoo_quoted'>x</div>", "Ja."),
        ("Ja.<div class=AppleMailQuote>x</div>", "Ja."),
        ("<div>Ja.</div><hr><div id='divRplyFwdMsg'><b>Von:</b> x</div><div>y</div>", "Ja."),
        ("<div>Ja.<div id=Signature>Ava<br>030 000000</div></div>", "Ja."),
        ("<div>Ja.</div><div>--<br>Ava<br><br>030 000000</div>", "Ja."),
        # Some type into their signature. Better to show a name than to lose the words.
        ("<div id=Signature>Ja, das stimmt.</div>", "Ja, das stimmt."),
    ],
)
def test_html(body, text):
    assert written(html(body)) == text


def test_html_is_read_only_where_there_is_no_text():
    def alternative(plain: str) -> bytes:
        parts = f"--b\nContent-Type: text/html\n\n<p>HTML\n--b\nContent-Type: text/plain\n\n{plain}\n--b--\n"
        return mail(parts, Content_Type='multipart/alternative; boundary="b"')

    assert written(alternative("Text")) == "Text"
    assert written(alternative(" \n\u200b")) == "HTML"
