"""Views of a conversation: with replies, without, one after another; numbered pages; what the device remembers."""

import re

import pytest
from django.test import Client

from comments.models import Comment
from comments.threads import FLAT_PER_PAGE, THREADS_PER_PAGE
from tests import factories
from tests.comments.test_threads import chain, link, shown, threads, walk


def test_without_replies_shows_roots_and_how_many_answered(article, client):
    root, _reply, _answer = chain(article, 3)
    alone = factories.comment(article)
    page = client.get(f"/artikel/{article.slug}/?ansicht=eingeklappt")
    assert shown(page) == [root.number, alone.number]
    whole = client.get(link(page, "2 Antworten anzeigen"))
    assert shown(whole) == [1, 2, 3]


@pytest.mark.parametrize("order", ["aelteste", "neueste"])
def test_one_after_another_reaches_every_comment_once(article, order):
    root = factories.comment(article)
    for number in range(FLAT_PER_PAGE + 5):
        factories.comment(article, parent=root if number % 3 else None)
    gone = Comment.objects.get(number=7)
    Comment.objects.filter(pk=gone.pk).update(state=Comment.State.REMOVED)
    numbers = [number for page in walk(f"/artikel/{article.slug}/?ansicht=flach&sortierung={order}") for number in page]
    expected = sorted(set(range(1, FLAT_PER_PAGE + 7)) - {7}, reverse=order == "neueste")
    assert numbers == expected


def test_one_after_another_says_whom_each_answers(article, client):
    chain(article, 3)
    page = client.get(f"/artikel/{article.slug}/?ansicht=flach").text
    assert re.findall(r"Antwort auf ([^<]+)<", page) == ["Person 0", "Person 1"]


def test_since_a_number_shows_what_came_after(article, client):
    chain(article, 5)
    page = client.get(f"/artikel/{article.slug}/?ansicht=flach&seit=3")
    assert shown(page) == [4, 5]
    assert "nach Kommentar #3" in page.text
    assert "Seitdem ist nichts dazugekommen." in client.get(f"/artikel/{article.slug}/?ansicht=flach&seit=5").text


def test_votes_order_threads_and_not_single_comments(article, client):
    page = client.get(f"/artikel/{article.slug}/?ansicht=flach&sortierung=meistbewertet")
    assert page.status_code == 200
    assert link(page, "Nacheinander") == f"/artikel/{article.slug}/?ansicht=flach#ordnung"


# --- numbered pages --------------------------------------------------------------------------------------------------


def pages(page) -> list[str]:
    navigation = page.text.partition('<nav class="pages"')[2].partition("</nav>")[0]
    return re.findall(r">([\d…]+)<", navigation)


def test_pages_are_numbered_and_far_ones_left_out(article, client):
    factories.comment(article)
    assert pages(client.get(f"/artikel/{article.slug}/")) == []
    article.counters.last_thread = 20 * THREADS_PER_PAGE
    article.counters.last_number = 20 * THREADS_PER_PAGE
    article.counters.save()
    article.counters.__class__.objects.touch(article.pk)
    assert pages(client.get(f"/artikel/{article.slug}/")) == ["1", "2", "3", "…", "20"]
    assert pages(client.get(f"/artikel/{article.slug}/?seite=4")) == ["1", "2", "3", "4", "5", "6", "…", "20"]
    assert pages(client.get(f"/artikel/{article.slug}/?seite=10")) == ["1", "…", "8", "9", "10", "11", "12", "…", "20"]
    assert pages(client.get(f"/artikel/{article.slug}/?sortierung=meistbewertet")) == []


def test_number_leads_to_its_page(article, client):
    comments = threads(article, THREADS_PER_PAGE + 3)
    second = client.get(link(client.get(f"/artikel/{article.slug}/"), "2").partition("#")[0])
    assert shown(second) == [comment.number for comment in comments[THREADS_PER_PAGE:]]


# --- remembered on the device ----------------------------------------------------------------------------------------


def remember(device: Client, article, choice: str):
    return device.post(f"/artikel/{article.slug}/ansicht/", {"ansicht": choice})


def test_order_and_view_are_remembered_without_a_trace_of_who(article):
    threads(article, 3)
    device = Client(enforce_csrf_checks=True)
    assert remember(device, article, "neueste.eingeklappt").status_code == 302
    assert {name: cookie.value for name, cookie in device.cookies.items()} == {"ansicht": "neueste.eingeklappt"}
    page = device.get(f"/artikel/{article.slug}/")
    assert shown(page) == [3, 2, 1]
    asked = Client().get(f"/artikel/{article.slug}/?sortierung=neueste&ansicht=eingeklappt")
    assert page.content == asked.content  # the same bytes as for everyone who asks for it
    assert page.headers["Cache-Control"] == "public, no-cache"


def test_address_that_says_what_it_wants_is_obeyed(article):
    threads(article, THREADS_PER_PAGE + 3)
    device = Client()
    remember(device, article, "neueste.faeden")
    assert shown(device.get(f"/artikel/{article.slug}/?sortierung=aelteste"))[0] == 1
    assert shown(device.get(f"/artikel/{article.slug}/?seite=2"))[0] == THREADS_PER_PAGE + 1
    answer = device.get(f"/kommentar/{Comment.objects.get(number=1).pk}/")
    assert answer.url == f"/artikel/{article.slug}/?sortierung=aelteste#kommentar-1"


def test_choosing_the_first_order_forgets(article):
    device = Client()
    remember(device, article, "neueste.faeden")
    remember(device, article, "aelteste.faeden")
    assert device.cookies["ansicht"].value == ""


@pytest.mark.parametrize("choice", ["", "quatsch", "neueste.inline", "<script>.flach", "x" * 5000])
def test_nonsense_is_the_beginning(article, choice):
    threads(article, 2)
    device = Client()
    remember(device, article, choice)
    device.cookies["ansicht"] = choice.replace("<", "")
    assert device.get(f"/artikel/{article.slug}/").status_code == 200


# --- excerpts --------------------------------------------------------------------------------------------------------


def test_excerpt_keeps_words_and_paragraphs_apart(article):
    comment = factories.comment(article, "Das ist **schneller**.\n\nUnd *gut*, wie\nich finde.\n\n- Eins\n- `Zwei`")
    assert comment.excerpt == "Das ist schneller. Und gut, wie ich finde. Eins Zwei"
