"""Not to read somebody, on this device: names in a cookie, and nothing of it on the server."""

import re
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils.html import escape

from comments.hidden import MOST_BYTES, MOST_NAMES
from comments.models import Comment
from moderation.services import pick
from readers.models import Reader
from tests import factories


@pytest.fixture
def talk(article) -> list[Comment]:
    """Anna, an answer by Berta & Co., Anna again."""
    first = factories.comment(article, "Annas erster.", name="Anna")
    answer = factories.comment(article, "Von Berta.", name="Berta & Co.", parent=first)
    return [first, answer, factories.comment(article, "Annas zweiter.", name="Anna")]


def press(browser: Client, comment: Comment, wanted: str = "1", **fields: str):
    return browser.post(f"/kommentar/{comment.pk}/ausblenden/", {"wanted": wanted, **fields})


def way_back(comment: Comment) -> str:
    button = (
        f'<button class="back" form="tat" formaction="/kommentar/{comment.pk}/ausblenden/" name="wanted" value="0">'
    )
    return f"{button}Sie haben {escape(comment.name)} ausgeblendet. Wieder zeigen</button>"


def hidden(browser: Client, address: str, comments: list[Comment]) -> list[int]:
    """The numbers of those that stand hidden there."""
    page = browser.get(address).text
    marked = [comment.number for comment in comments if way_back(comment) in page]
    assert page.count('class="back"') == len(marked)
    return marked


def test_person_is_hidden_and_shown_again(guest, article, talk):
    first, answer, second = talk
    pressed = press(guest, second)
    assert (pressed.status_code, pressed.url) == (302, f"/kommentar/{second.pk}/")
    cookie = pressed.cookies["ausgeblendet"]
    assert (cookie.value, cookie["max-age"], cookie["path"]) == ("Anna", 365 * 24 * 3600, "/")
    assert (cookie["samesite"], cookie["httponly"], cookie["secure"]) == ("Lax", "", "")  # a script writes it too
    here = article.get_absolute_url()
    for query in ("", "?ansicht=flach&sortierung=neueste", "?sortierung=meistbewertet", "?seite=1"):
        assert hidden(guest, f"{here}{query}", talk) == [1, 3]
    assert hidden(guest, f"{here}gespraech/1/", talk) == [1]
    assert hidden(Client(), here, talk) == []

    press(guest, answer)
    assert guest.cookies["ausgeblendet"].value == "Anna|Berta%20%26%20Co."
    assert hidden(guest, here, talk) == [1, 2, 3]
    press(guest, first, "0")
    assert hidden(guest, here, talk) == [2]
    gone = press(guest, answer, "0").cookies["ausgeblendet"]
    assert (gone.value, gone["max-age"]) == ("", 0)
    assert not Reader.objects.exclude(pk__in=[comment.reader_id for comment in talk]).exists()


def test_what_editors_recommend_of_them_is_not_listed_either(guest, article, talk):
    for comment in talk[:2]:
        pick(comment, moderator=None)
    here = article.get_absolute_url()
    assert guest.get(here).text.count("<li hidden>") == 0
    press(guest, talk[0])
    page = guest.get(here).text
    assert f'<li hidden><a href="/kommentar/{talk[0].pk}/">' in page
    assert page.count("<li hidden>") == 1


def test_a_strangers_page_hides_and_shows_nobody(guest, talk):
    """It brings no cookie along: whoever was hidden before would not be any more."""
    for wanted in "10":
        address = f"/kommentar/{talk[0].pk}/ausblenden/"
        answer = guest.post(address, {"wanted": wanted}, headers={"Sec-Fetch-Site": "cross-site"})
        assert (answer.status_code, list(answer.cookies)) == (302, [])


def test_over_tls_the_cookie_stays_there(client, settings, talk):
    settings.SECURE = True
    assert press(client, talk[0]).cookies["ausgeblendet"]["secure"] is True


def test_page_with_the_cookie_is_nobody_elses(guest, article, talk):
    here = article.get_absolute_url()
    etag = Client().get(here).headers["ETag"]
    press(guest, talk[0])
    for address in (here, f"{here}gespraech/1/", "/", "/impressum/"):
        mine = guest.get(address, headers={"If-None-Match": f"{etag}, W/{etag}"})
        assert (mine.status_code, mine.headers["Cache-Control"]) == (200, "private, no-cache")
        assert "Cookie" in mine.headers["Vary"]
        # It is no act: reading goes on setting no cookie, and its forms carry no token.
        assert mine.cookies == {}
        assert "csrfmiddlewaretoken" not in mine.text
    others = Client().get(here)
    assert (others.headers["Cache-Control"], others.headers["ETag"]) == ("public, no-cache", etag)
    assert 'class="back"' not in others.text
    guest.cookies.clear()
    assert guest.get(here).content == others.content  # after showing everybody again


def test_page_takes_one_query_more_however_many_are_hidden(article, django_assert_num_queries):
    for name in ["Anna"] * 10 + ["Berta"] * 20 + ["Carla"] * 10:
        factories.comment(article, name=name)
    reader = factories.reader("Dora")
    factories.comment(article, reader=reader)
    browser = Client()
    browser.get(article.get_absolute_url())  # rendered once for everyone
    for names in ("Nobody", "Anna", "Anna|Berta|Carla"):
        browser.cookies["ausgeblendet"] = names
        with django_assert_num_queries(2):  # the article's version
            browser.get(article.get_absolute_url())


def test_back_to_where_the_button_was_pressed(client, article, talk):
    for page in ("", "?sortierung=neueste&seite=2", "gespraech/1/"):
        assert press(client, talk[0], "0", von=page).url == f"{article.get_absolute_url()}{page}#kommentar-1"
    for page in ("//evil.example", "https://evil.example", "../../konto/", "x" * 9999):
        assert press(client, talk[0], von=page).url == f"/kommentar/{talk[0].pk}/"


def test_page_asks_who_comes_without_the_form(guest, talk):
    address = f"/kommentar/{talk[1].pk}/ausblenden/"
    asks = guest.get(address)
    assert (asks.status_code, asks.cookies, asks.headers["Cache-Control"]) == (200, {}, "private, no-cache")
    assert "<h1>Berta &amp; Co. ausblenden?</h1>" in asks.text
    assert '<button class="primary" name="wanted" value="1">Auf diesem Gerät ausblenden</button>' in asks.text
    press(guest, talk[1])
    asks = guest.get(address).text
    assert "<h1>Berta &amp; Co. wieder zeigen?</h1>" in asks
    assert '<button class="primary" name="wanted" value="0">Wieder zeigen</button>' in asks


def test_way_in_is_beneath_the_report(guest, talk):
    page = guest.get(f"/kommentar/{talk[0].pk}/melden/").text
    form = f'<form class="apart" method="post" action="/kommentar/{talk[0].pk}/ausblenden/">'
    assert page.index("Meldung absenden") < page.index(form) < page.index('value="1" data-hides>')
    assert "Möchten Sie von Anna nur nichts mehr lesen?" in page
    press(guest, talk[0])
    page = guest.get(f"/kommentar/{talk[2].pk}/melden/").text
    assert "Anna ist auf diesem Gerät ausgeblendet." in page
    assert 'value="0" data-hides>Wieder zeigen</button>' in page


def test_nobody_hides_themselves(article):
    factories.comment(article, name="Anna")
    me = Client()
    me.post(f"/artikel/{article.slug}/kommentieren/", factories.words(name="Anna"))
    other, own = Comment.objects.order_by("number")
    for answer in (press(me, own), me.get(f"/kommentar/{own.pk}/ausblenden/")):
        assert (answer.status_code, answer.url) == (302, f"/kommentar/{own.pk}/")
        assert "ausgeblendet" not in me.cookies
    assert "ausblenden/" not in me.get(f"/kommentar/{own.pk}/melden/").text
    press(me, other)  # goes by the same name
    assert hidden(me, article.get_absolute_url(), [other, own]) == [other.number]
    assert f'href="/kommentar/{own.pk}/loeschen/"' in me.get(article.get_absolute_url()).text


def test_what_nobody_can_read_hides_nobody(client, article):
    assert press(client, Comment(pk=99999)).status_code == 404
    for state in (Comment.State.HELD, Comment.State.REMOVED, Comment.State.DELETED):
        comment = factories.comment(article, state=state)
        assert press(client, comment).status_code == 404
        assert client.get(f"/kommentar/{comment.pk}/ausblenden/").status_code == 404
    assert client.cookies == {}


def test_when_it_is_full_the_oldest_goes(client, article):
    for number in range(MOST_NAMES + 2):
        press(client, factories.comment(article, name=f"Leser {number}"))
    names = client.cookies["ausgeblendet"].value.split("|")
    assert names == [f"Leser%20{number}" for number in range(2, MOST_NAMES + 2)]


def test_long_names_are_fewer(client, article):
    names = [letter * 80 for letter in "😀😁😂🤣"]  # 960 bytes each
    for name in names:
        press(client, factories.comment(article, name=name))
    value = client.cookies["ausgeblendet"].value
    assert value == "|".join(map(quote, names[1:]))
    assert len(value) < MOST_BYTES


@pytest.mark.parametrize(
    "value, numbers",
    [
        ("", []),
        ("|||", []),
        ("%00", []),
        ("Anna%00|%00Anna", []),
        ("%zz|%|%ED%A0%80|%FF", []),
        ("%5B" * 900, []),
        ('"\\"Anna\\""', []),
        ("Anna|" * 1000, []),  # longer than any of ours
        ("x" * 100_000, []),
        ("a|" * 1400 + "Anna", [1, 3]),  # of too many the last count
        ("Anna|" + "a|" * 30, []),
        ("'%3B DROP TABLE comments_comment%3B --|Anna", [1, 3]),
        ("anna|Anna%20", []),
        ("<script>|%3Cscript%3E|Anna", [1, 3]),
    ],
)
def test_hostile_cookie_is_harmless(article, talk, value, numbers):
    browser = Client(headers={"Cookie": f"ausgeblendet={value}"})
    here = article.get_absolute_url()
    assert hidden(browser, here, talk) == numbers
    for address in (here, f"{here}gespraech/1/", f"/kommentar/{talk[0].pk}/melden/", "/"):
        assert browser.get(address).status_code == 200
    kept = press(browser, talk[1]).cookies["ausgeblendet"].value
    assert re.fullmatch(r"([\w.~%-]+\|)*Berta%20%26%20Co\.", kept, re.ASCII)
    assert len(kept) <= MOST_BYTES
    assert kept.count("|") < MOST_NAMES
