"""Automatic rules before publication: what is published at once, what is held, what is refused (C10)."""

import pytest
from django.test import Client

from articles.models import Article, Author
from comments.models import BlockedWord, Comment
from newsroom.pages.formkey import new_form_key
from newsroom.ratelimit import client_network
from readers.models import Reader
from tests import factories
from tests.comments.test_posting import WORDS, hidden_fields, post_as_guest, write_url

THREE_LINKS = "https://a.example http://b.example www.c.example"


def posted(browser: Client, article: Article, **words: str) -> Comment:
    """The comment made of these words."""
    answer = browser.post(write_url(article), factories.words(**words))
    assert answer.status_code == 302
    return Comment.objects.latest("pk")


@pytest.fixture
def regular(article) -> Client:
    """Somebody who has been published before."""
    browser = Client()
    posted(browser, article, body="Mein erster.")
    return browser


def test_fresh_installation_publishes_at_once(client, article):
    comment = posted(client, article)
    assert (comment.state, comment.held_because) == ("published", [])


# --- programs --------------------------------------------------------------------------------------------------------


def test_filled_in_trap_is_held(client, article, regular):
    for browser in (client, regular):
        assert posted(browser, article, subject="SEO").held_because == ["Unsichtbares Feld ausgefüllt"]


@pytest.mark.parametrize("age, state", [(0, "held"), (2.5, "held"), (3.5, "published"), (100_000, "published")])
def test_newcomer_takes_three_seconds_to_write(client, article, age, state, settings):
    settings.WRITING_SECONDS = 3.0
    assert posted(client, article, form_key=factories.form_key(age)).state == state


def test_too_fast_is_said_to_moderators_only(client, article):
    comment = posted(client, article, form_key=new_form_key())
    assert comment.held_because == ["Schneller abgeschickt, als jemand schreiben kann"]
    assert "Schneller abgeschickt" not in client.get(f"/artikel/{article.slug}/").text


@pytest.mark.parametrize("key", ["", "x", "1~2", "a" * 200, pytest.param(new_form_key()[:-1], id="cut off")])
def test_newcomer_without_a_key_of_ours_is_held(client, article, key):
    assert posted(client, article, form_key=key).state == "held"


def test_who_is_asked_to_confirm_must_have_read_what(guest, article, settings):
    """The page that asks carries the time; nobody is held for pressing early, they are asked once more."""
    again = post_as_guest(guest, write_url(article))
    assert (again.status_code, Comment.objects.count()) == (403, 0)
    assert "schneller, als jemand liest" in again.text
    fields = hidden_fields(again)
    assert fields["body"] == WORDS["body"]
    assert guest.post(write_url(article), fields).status_code == 403
    settings.WRITING_SECONDS = 0  # by now that has passed, by the same key
    guest.post(write_url(article), fields)
    assert Comment.objects.get().state == "published"


def test_regular_may_be_fast(regular, article):
    assert posted(regular, article, form_key=new_form_key()).state == "published"


# --- links and words -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body, state",
    [
        ("Siehe https://www.a.example und https://www.b.example", "published"),
        ("Siehe www.a.example und HTTP://b.example", "published"),
        (THREE_LINKS, "held"),
        ("https://www.a.example\nhttps://www.b.example\nhttps://www.c.example", "held"),
    ],
)
def test_newcomer_may_set_two_links(client, article, body, state):
    assert posted(client, article, body=body).state == state


def test_regular_may_set_more_links(regular, article):
    assert posted(regular, article, body=THREE_LINKS).state == "published"


def test_held_first_comment_leaves_one_a_newcomer(client, article):
    for number in range(2):
        assert posted(client, article, body=f"{THREE_LINKS} {number}").state == "held"


@pytest.mark.parametrize(
    "word, body, hit",
    [
        ("Pille", "Kauft die PILLE!", True),
        ("Pille", "Kauft Pillen!", False),
        ("Pille*", "Kauft Pillen!", True),
        ("Straße", "Auf der STRASSE", True),
        ("gute Pillen", "Kauft gute Pillen jetzt", True),
        ("pillen.example", "Siehe pillen.example heute", True),
        ("sch*", "Ein Fisch", False),
        ("a+b", "Das ist A+B.", True),
        ("(", "Nichts davon", False),
    ],
)
def test_blocked_words_hold(regular, article, word, body, hit):
    BlockedWord.objects.create(word=word)
    assert posted(regular, article, body=body).held_because == ([f"Gesperrtes Wort: {word}"] if hit else [])


def test_blocked_words_are_looked_for_in_name_and_website_too(regular, article):
    BlockedWord.objects.create(word="pillen")
    assert posted(regular, article, body="a", name="Pillen Paul").state == "held"
    assert posted(regular, article, body="b", website="https://pillen.example").state == "held"


# --- modes of an article ---------------------------------------------------------------------------------------------


def test_all_held(regular, article):
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    assert posted(regular, article).held_because == ["Alle Kommentare dieses Artikels werden geprüft"]


def test_first_held(client, regular, article):
    Article.objects.update(comment_mode=Article.CommentMode.FIRST_HELD)
    assert posted(client, article).held_because == ["Erster Kommentar"]
    assert posted(regular, article).state == "published"


def test_closed_article_has_no_form_and_no_answer_links(client, article):
    factories.comment(article)
    Article.objects.update(comment_mode=Article.CommentMode.CLOSED)
    page = client.get(f"/artikel/{article.slug}/").text
    assert "<textarea" not in page
    assert "/antworten/" not in page
    assert "Die Kommentare zu diesem Artikel sind geschlossen." in page
    assert "<textarea" not in client.get(write_url(article)).text


# --- limits ----------------------------------------------------------------------------------------------------------


def test_limits_of_one_reader(client, article):
    states = [posted(client, article, body=f"Nr. {number}").state for number in range(40)]
    assert states == ["published"] * 12 + ["held"] * 28
    refused = client.post(write_url(article), factories.words(body="Noch einer."))
    assert refused.status_code == 429
    assert "Noch einer.</textarea>" in refused.text
    assert "in zehn Minuten" in refused.text
    assert (Comment.objects.count(), Reader.objects.count()) == (40, 1)


def test_who_wrote_many_is_told_why_the_next_one_waits(client, article):
    for number in range(12):
        posted(client, article, body=f"Nr. {number}")
    page = client.post(write_url(article), factories.words(body="Noch einer."), follow=True).text
    assert "Weil es sehr viele Kommentare in kurzer Zeit waren" in page
    assert "erscheinen neue wieder sofort" in page
    caught = client.post(write_url(article), factories.words(body="Und noch.", subject="SEO"), follow=True).text
    assert "in kurzer Zeit waren" not in caught  # it waits for more than that


def test_the_same_submission_again_counts_once(client, article):
    words = factories.words()
    for _ in range(50):
        assert client.post(write_url(article), words).status_code == 302


@pytest.mark.parametrize(
    "proxies, forwarded, address, network",
    [
        (0, "203.0.113.9", "192.0.2.7", "192.0.2.0/24"),  # the header is anybody's word
        (1, "203.0.113.9, 198.51.100.3", "192.0.2.7", "198.51.100.0/24"),
        (2, "203.0.113.9, 198.51.100.3", "192.0.2.7", "203.0.113.0/24"),
        (2, "203.0.113.9", "192.0.2.7", "192.0.2.0/24"),
        (1, "", "192.0.2.7", "192.0.2.0/24"),
        (1, "\x00, <script>", "192.0.2.7", "unknown"),
        (0, "", "2001:db8:1:2::3", "2001:db8:1::/48"),
        (0, "", "::ffff:192.0.2.7", "192.0.2.0/24"),
        (0, "", "fe80::1%eth0", "fe80::/48"),
        (0, "", "", "unknown"),
    ],
)
def test_limits_count_networks_and_believe_our_proxies_only(rf, settings, proxies, forwarded, address, network):
    settings.TRUSTED_PROXIES = proxies
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert client_network(rf.get("/", headers=headers, REMOTE_ADDR=address)) == network


@pytest.mark.parametrize("name", ["Redaktion", "Die REDAKTION", "Moderator Max", "Newsroom", "jana beck", "Jana Beck"])
def test_name_of_the_house_is_held(article, name, client):
    Author.objects.create(name="Jana Beck")
    client.post(write_url(article), factories.words(name=name))
    comment = Comment.objects.get()
    assert (comment.state, comment.held_because) == ("held", ["Name der Redaktion oder einer Autorin"])


LOOKALIKES = (
    "Rеdaktion|Ｒｅｄａｋｔｉｏｎ|𝐑𝐞𝐝𝐚𝐤𝐭𝐢𝐨𝐧|Redaktíon|R e d a k t i o n|Redakti0n|Redaktlon|Redaktion_"
    "|Chefredaktion|Redaktions-Team"
    "|Jana Bеck|Jana Beck.|Jana  Beck (Autorin)|JANA BECK, Berlin|Newsroom-Team|Νewsroom|Max ✓ Autor|Chefredakteurin"
)


# With signs that look like letters, and other letters that do.
MORE_LOOKALIKES = (
    "Redaktion! |Redaktion| Redaktion1 Admin! Newsroom! Jana·Beck! Jana·Beck1 Redaktiøn Ređaktion Newsroøm ʀᴇᴅᴀᴋᴛɪᴏɴ"
    " 🆁🅴🅳🅰🅺🆃🅸🅾🅽 Redaktionsteam Red@ktion Redakt!on Moderationsteam"
)


@pytest.mark.parametrize("name", [*LOOKALIKES.split("|"), *MORE_LOOKALIKES.split(" ")])
def test_name_that_looks_like_one_of_the_house_is_held(article, name, client):
    Author.objects.create(name="Jana Beck")
    client.post(write_url(article), factories.words(name=name))
    assert Comment.objects.get().held_because == ["Name der Redaktion oder einer Autorin"]


@pytest.mark.parametrize("name", ["Beck", "Jana B.", "Badminton-Fan", "Koautor", "Жанна Бек", "Max 2000", "🙂"])
def test_name_that_only_has_something_of_one_is_not(article, name, client):
    Author.objects.create(name="Jana Beck")
    client.post(write_url(article), factories.words(name=name))
    assert Comment.objects.get().state == "published"


@pytest.mark.parametrize("name", ["Jana", "Jana Becker", "Leser der Redaktionspost", "Newsroomfan"])
def test_other_names_are_not(article, name, client):
    Author.objects.create(name="Jana Beck")
    client.post(write_url(article), factories.words(name=name))
    assert Comment.objects.get().state == "published"


def test_who_is_of_the_house_signs_with_its_name(article):
    desk = Client()
    desk.force_login(factories.editor())
    desk.post(write_url(article), factories.words(name="Redaktion"))
    assert (Comment.objects.get().state, Comment.objects.get().badge) == ("published", "editor")
