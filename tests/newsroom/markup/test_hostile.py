"""Published holes and chance: nothing but text and a few tags comes out (C3, C4)."""

import random
import re

import nh3
import pytest
from bleach.sanitizer import Cleaner

from newsroom.markup import COMMENT_LIMIT, article_html, comment_html, excerpt
from newsroom.text.characters import normalise, normalise_line
from tests.newsroom.markup.page import ARTICLE_TAGS, COMMENT_TAGS, Page, link, names, values
from tests.newsroom.markup.slow import SLOW

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example></sCrIpT>",
    "<script",
    "</p><script>alert(1)",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "<a href=jav&#x09;ascript:alert(1)>x</a>",
    '<a href="https://evil.example" onclick="x()">https://bank.example</a>',
    "<svg onload=alert(1)>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<style>@import 'https://evil.example';</style>",
    '<p style="position:fixed">',
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<form action=/abmelden><button>",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!-- --><img src=x onerror=alert(1)> <!--",
    "<![CDATA[<img src=x onerror=alert(1)>]]>",
    "<?php echo 1 ?> <!DOCTYPE html> <%= 1 %> {{ 1 }} {% x %}",
    "&lt;script&gt;alert(1)&lt;/script&gt; &#60;script&#62; &#x3c;script",
    "[x](javascript:alert(1)) [x](JaVaScRiPt:alert(1)) [x](javascript&colon;alert(1))",
    "[x](java\u200bscript:alert(1)) java\u200bscript:alert(1) <scr\u200bipt>",
    "[x](\x01javascript:alert(1)) [x](java\x00script:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>) [x](vbscript:x) [x](blob:x)",
    '[x](https://example.org"onmouseover="alert(1))',
    "https://example.org/\"onmouseover='alert(1)",
    "[x](https://example.org/<script>)",
    '![x](https://example.org/"onerror="alert(1))',
    '![x](x"onerror="alert(1))',
    '`<img src=x onerror="alert(1)">`',
    "```<img src=x onerror=alert(1)>```",
    "<b>*fett</b>* <i",
    "\u202ehttps://gro.elpmaxe\u202c",
    "x" + "\u0301" * 4000,
    "\ud800<script>\udfff",
    "\x02wzxhzdk:0\x03 \x02klzzwxh:0001\x03 klzzwxh:0000",  # the library's own placeholders
    "\x0260\x03script\x0262\x03",
]
SAFE_HREF = re.compile(r"https?://[a-z0-9.-]+(:[0-9]+)?([/?#][!-~]*)?")


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_a_comment_is_only_text(text):
    html = comment_html(text)
    page = Page(html)
    assert page.tags - COMMENT_TAGS == set()
    assert names(page) - {("a", "href"), ("a", "rel"), ("li", "value")} == set()
    assert [href for href in values(page, "href") if not SAFE_HREF.fullmatch(href)] == []
    assert page.other == []
    assert nh3.clean(html, link_rel="nofollow ugc noopener") == html


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_an_article_is_only_text(text):
    html = article_html(text)
    page = Page(html)
    assert page.tags - ARTICLE_TAGS == set()
    allowed = {("a", "href"), ("a", "rel"), ("p", "id"), ("figure", "id")}
    assert names(page) - allowed - {("img", "src"), ("img", "alt"), ("img", "loading")} == set()
    assert [url for url in values(page, "href") + values(page, "src") if not SAFE_HREF.fullmatch(url)] == []
    assert page.other == []


@pytest.mark.parametrize("text", [text for text in HOSTILE if "<" in text and "](" not in text and "`" not in text])
def test_html_is_shown_not_removed(text):
    shown = normalise(text).replace("*fett</b>*", "fett</b>")
    assert Page(comment_html(text)).text == shown
    assert Page(article_html(text)).text == shown


def test_a_zero_width_character_does_not_wake_a_scheme():
    assert comment_html("[x](java\u200bscript:alert(1))") == "<p>[x](javascript:alert(1))</p>"
    assert comment_html("[x](https://exa\u200bmple.org)") == f"<p>x ({link('https://example.org')})</p>"


PARTS = [
    *SLOW,
    "„",
    "“",
    "2. ",
    "~~~",
    "```py\n",
    "\r\n",
    "\ufe0f",
    "1\ufe0f\u20e3",
    "\u202e",
    "<b onclick=x>",
    "\u2329",
    "각",
]


@pytest.mark.parametrize("seed", range(300))
def test_random_text_is_safe(seed):
    chance = random.Random(seed)
    parts = chance.sample(PARTS, chance.randint(2, 20))
    text = "".join(chance.choices(parts, k=chance.choice([5, 30, 200, 1000])))[:COMMENT_LIMIT]

    stored = normalise(text)
    assert normalise(stored) == stored
    assert normalise_line(normalise_line(text)) == normalise_line(text)

    html = comment_html(text)
    page = Page(html)
    assert comment_html(stored) == html
    assert page.tags - COMMENT_TAGS == set()
    assert names(page) - {("a", "href"), ("a", "rel"), ("li", "value")} == set()
    assert set(values(page, "rel")) <= {"nofollow ugc noopener"}
    assert [href for href in values(page, "href") if not SAFE_HREF.fullmatch(href)] == []
    assert page.other == []
    # Bleach, which is only asked where there is more than bare tags, would have changed nothing.
    bleach = Cleaner(tags=COMMENT_TAGS, attributes={"a": ["href", "rel"], "li": ["value"]}, protocols={"http", "https"})
    assert bleach.clean(html) == html

    article = Page(article_html(text))
    assert article.tags - ARTICLE_TAGS == set()
    assert [href for href in values(article, "href") if not SAFE_HREF.fullmatch(href)] == []
    assert len(excerpt(text, 40)) <= 40
