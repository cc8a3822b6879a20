"""Threads as readers meet them: orders, pages, depth, tombstones, and permalinks that always arrive."""

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.test import Client

from articles.models import Article
from comments.models import Comment, Passage
from comments.position import REMEMBERED
from comments.threads import CROWDED, REPLIES_PER_PAGE, REPLIES_PER_THREAD, THREADS_PER_PAGE
from moderation.services import remove
from tests import factories

ORDERS = ["aelteste", "neueste", "meistbewertet"]
SCORES = [0, 5, 1, 5, 3, 0, 2]


def shown(page) -> list[int]:
    """The numbers of the comments on a page, from top to bottom."""
    return [int(number) for number in re.findall(r'id="kommentar-(\d+)"', page.text)]


class Links(HTMLParser):
    """The links of a page: their attributes by their text."""

    def __init__(self, page):
        super().__init__()
        self.found, self.open = {}, None
        self.feed(page.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.open = dict(attributes)

    def handle_data(self, text: str) -> None:
        if self.open is not None:
            self.found[text.strip()] = self.open

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self.open = None


def link(page, text: str) -> str | None:
    return Links(page).found.get(text, {}).get("href")


def walk(address: str, more: str = "Weitere Kommentare") -> list[list[int]]:
    """The numbers on each page, following the link to more until there is none."""
    pages, browser = [], Client()
    while address:
        page = browser.get(address)
        assert page.status_code == 200
        pages.append(shown(page))
        following = link(page, more)
        address = following and str(urlsplit(address)._replace(query=urlsplit(following).query).geturl())
    return pages


def threads(article: Article, count: int, **fields) -> list[Comment]:
    """Many threads, with scores that repeat."""
    made = [factories.comment(article, f"Faden {number}", **fields) for number in range(count)]
    for number, comment in enumerate(made):
        comment.score = SCORES[number % len(SCORES)]
    Comment.objects.bulk_update(made, ["score"])
    return made


def in_order(comments: list[Comment], order: str) -> list[int]:
    keys = {
        "aelteste": lambda comment: comment.number,
        "neueste": lambda comment: -comment.number,
        "meistbewertet": lambda comment: (-comment.score, -comment.number),
    }
    return [comment.number for comment in sorted(comments, key=keys[order])]


# --- orders and pages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ORDERS)
def test_order(article, client, order):
    comments = threads(article, 7)
    page = client.get(f"/artikel/{article.slug}/?sortierung={order}")
    assert shown(page) == in_order(comments, order)
    sorting = ("Älteste", "Neueste", "Meistbewertet")
    current = [text for text in sorting if "aria-current" in Links(page).found[text]]
    assert current == [{"aelteste": "Älteste", "neueste": "Neueste", "meistbewertet": "Meistbewertet"}[order]]


def test_every_thread_is_reached_once_in_every_order_and_inline(article):
    passage = Passage.objects.create(article=article, block=1, exact="Erster Absatz.")
    comments = threads(article, 2 * THREADS_PER_PAGE + 3, passage=passage)
    gone = comments[3::10]
    Comment.objects.filter(pk__in=[comment.pk for comment in gone]).update(state=Comment.State.REMOVED)
    there = [comment for comment in comments if comment not in gone]
    for order in ORDERS:
        for inline in ("", "&ansicht=inline"):
            pages = walk(f"/artikel/{article.slug}/?sortierung={order}{inline}")
            assert [number for page in pages for number in page] == in_order(there, order)
            assert max(map(len, pages)) <= THREADS_PER_PAGE


def test_fifty_threads_have_no_second_page(article, client):
    threads(article, THREADS_PER_PAGE)
    for order in ORDERS:
        page = client.get(f"/artikel/{article.slug}/?sortierung={order}")
        assert (len(shown(page)), link(page, "Weitere Kommentare")) == (THREADS_PER_PAGE, None)


def test_inline_shows_comments_on_passages_only_and_leads_back(article, client):
    passage = Passage.objects.create(article=article, block=2, exact="Zweiter Absatz.")
    factories.comment(article)
    tied = factories.comment(article, passage=passage)
    reply = factories.comment(article, parent=tied)
    everything = client.get(f"/artikel/{article.slug}/?sortierung=neueste")
    inline = client.get(link(everything, "Inline-Feedback"))
    assert shown(inline) == [tied.number, reply.number]
    back = link(inline, "Alle Kommentare anzeigen")
    assert back == f"/artikel/{article.slug}/?sortierung=neueste#faeden"


NONSENSE = [
    "sortierung=1;DROP TABLE comments_comment--",
    "sortierung=score,(SELECT 1)",
    "sortierung[]=neueste",
    "seite=0",
    "seite=-1",
    "seite=²",
    "seite=９",
    f"seite={'9' * 5000}",
    "sortierung=meistbewertet&nach=1",
    "sortierung=meistbewertet&nach=a.b",
    "ansicht=inline&nach=1.2",
    "nach=",
    "ansicht=alles",
]


@pytest.mark.parametrize("query", NONSENSE)
def test_what_is_no_position_is_the_beginning(article, client, query):
    factories.comment(article)
    page = client.get(f"/artikel/{article.slug}/?{query}")
    assert (page.status_code, shown(page)) == (200, [1] if "inline" not in query else [])


def test_page_beyond_the_last_is_empty_and_leads_back(article, client):
    factories.comment(article)
    page = client.get(f"/artikel/{article.slug}/?seite=99")
    assert (shown(page), link(page, "Weitere Kommentare")) == ([], None)
    assert "Auf dieser Seite steht nichts." in page.text
    assert link(page, "Zum Anfang der Kommentare") == f"/artikel/{article.slug}/?sortierung=aelteste#faeden"


# --- depth -----------------------------------------------------------------------------------------------------------


def chain(article: Article, length: int) -> list[Comment]:
    """Each answers the one before."""
    comments = [factories.comment(article, name="Person 0")]
    for number in range(1, length):
        comments.append(factories.comment(article, parent=comments[-1], name=f"Person {number}"))
    return comments


def test_replies_indent_to_five_and_then_say_whom_they_answer(article, client):
    chain(article, 9)
    page = client.get(f"/artikel/{article.slug}/gespraech/1/").text
    assert indents(page) == [0, 1, 2, 3, 4, 5, 5, 5, 5]
    assert re.findall(r"Antwort auf ([^<]+)<", page) == ["Person 5", "Person 6", "Person 7"]


def test_how_far_replies_indent_is_the_sites_choice(article, client, settings):
    chain(article, 5)
    address = f"/artikel/{article.slug}/"
    before = client.get(address)["ETag"]
    settings.REPLY_LEVELS = 2
    assert client.get(address)["ETag"] != before  # what browsers have kept looks otherwise
    page = client.get(f"/artikel/{article.slug}/gespraech/1/").text
    assert indents(page) == [0, 1, 2, 2, 2]
    assert re.findall(r"Antwort auf ([^<]+)<", page) == ["Person 2", "Person 3"]


def indents(page: str) -> list[int]:
    """How deep each comment stands within the lists of replies."""
    depth, found = 0, []
    for mark in re.findall(r'<details class="replies"|</details>|<article id="kommentar', page):
        depth += {"<d": 1, "</": -1, "<a": 0}[mark[:2]]
        if mark.startswith("<article"):
            found.append(depth)
    assert depth == 0
    return found


def test_replies_stand_beneath_their_parents(article, client):
    one, two = factories.comment(article), factories.comment(article)
    one_a = factories.comment(article, parent=one)
    two_a = factories.comment(article, parent=two)
    one_b = factories.comment(article, parent=one)
    one_a_a = factories.comment(article, parent=one_a)
    expected = [comment.number for comment in (one, one_a, one_a_a, one_b, two, two_a)]
    assert shown(client.get(f"/artikel/{article.slug}/")) == expected


# --- long threads ----------------------------------------------------------------------------------------------------


def test_long_thread_shows_its_beginning_and_a_page_of_its_own(article, client):
    root = factories.comment(article)
    for _ in range(REPLIES_PER_THREAD + 3):
        factories.comment(article, parent=root)
    page = client.get(f"/artikel/{article.slug}/")
    assert len(shown(page)) == 1 + REPLIES_PER_THREAD
    whole = client.get(link(page, "3 weitere Antworten anzeigen"))
    assert len(shown(whole)) == 1 + REPLIES_PER_THREAD + 3


def test_a_single_further_reply_is_not_hidden_behind_words_as_long(article, client):
    root = factories.comment(article)
    for _ in range(REPLIES_PER_THREAD + 1):
        last = factories.comment(article, parent=root)
    assert len(shown(client.get(f"/artikel/{article.slug}/"))) == 2 + REPLIES_PER_THREAD
    assert client.get(f"/kommentar/{last.pk}/").url == f"/artikel/{article.slug}/#kommentar-{last.number}"
    last = factories.comment(article, parent=root)
    page = client.get(f"/artikel/{article.slug}/")
    assert len(shown(page)) == 1 + REPLIES_PER_THREAD
    assert "2 weitere Antworten anzeigen" in page.text
    assert "/gespraech/1/" in client.get(f"/kommentar/{last.pk}/").url


@pytest.mark.parametrize(
    "count, replies, each, more",
    [
        (THREADS_PER_PAGE, 2, 1, "1 weitere Antwort anzeigen"),
        (CROWDED // 2 + 1, 5, 1, "4 weitere Antworten anzeigen"),
        (CROWDED // 2, 5, 2, "3 weitere Antworten anzeigen"),
        (CROWDED // 3 + 1, 3, 2, "1 weitere Antwort anzeigen"),
        (CROWDED // 3, 5, 3, "2 weitere Antworten anzeigen"),
        (CROWDED // 4, 4, 4, None),
    ],
)
def test_crowded_page_shows_fewer_replies_of_each_thread_but_one_of_every(article, client, count, replies, each, more):
    roots = threads(article, count)
    for root in roots:
        for _ in range(replies):
            factories.comment(article, parent=root)
    page = client.get(f"/artikel/{article.slug}/")
    first = [[root.number, *root.replies.order_by("number").values_list("number", flat=True)[:each]] for root in roots]
    assert shown(page) == [number for thread in first for number in thread]
    assert page.text.count("anzeigen</a>") == page.text.count(f">{more}</a>") == (count if more else 0)
    on_page = {}
    for comment in Comment.objects.published():
        place, _hash, _anchor = client.get(f"/kommentar/{comment.pk}/").url.partition("#")
        on_page[place] = on_page.get(place) or shown(client.get(place))
        assert comment.number in on_page[place], place


def test_every_reply_of_a_very_long_thread_is_reached_once(article):
    root = factories.comment(article)
    replies = [factories.comment(article, parent=root).number for _ in range(REPLIES_PER_PAGE + 5)]
    pages = walk(f"/artikel/{article.slug}/gespraech/1/", "Weitere Antworten")
    assert [page[0] for page in pages] == [1, 1]
    assert [number for page in pages for number in page[1:]] == replies


def test_link_to_a_reply_shows_what_it_answers_if_its_conversation_has_one_page(article, client):
    root = factories.comment(article)
    replies = [factories.comment(article, parent=root) for _ in range(REPLIES_PER_PAGE - 1)]
    answer = factories.comment(article, parent=replies[60])
    further = factories.comment(article, parent=replies[60])
    page = client.get(f"/kommentar/{answer.pk}/").url
    assert page == f"/artikel/{article.slug}/gespraech/1/#kommentar-{answer.number}"
    assert {replies[60].number, answer.number} <= set(shown(client.get(page)))
    page = client.get(f"/kommentar/{further.pk}/").url
    assert page == f"/artikel/{article.slug}/gespraech/1/?ab={further.number}#kommentar-{further.number}"


def test_reply_whose_parent_is_on_another_page_says_whom_it_answers_and_leads_there(article, client):
    root = factories.comment(article)
    first = factories.comment(article, parent=root, name="Ferdinand")
    far = factories.comment(article, parent=first)
    page = client.get(f"/artikel/{article.slug}/gespraech/1/?ab={far.number}")
    assert shown(page) == [root.number, far.number]
    assert f'href="/kommentar/{first.pk}/">Antwort auf Ferdinand</a>' in page.text


@pytest.mark.parametrize("query", ["ab=x", "nach=²", "ab=-5", f"nach={'9' * 5000}", "ab=", "nach=999999999"])
def test_nonsense_in_the_address_of_a_thread_is_no_error(article, client, query):
    factories.comment(article)
    page = client.get(f"/artikel/{article.slug}/gespraech/1/?{query}")
    assert (page.status_code, shown(page)) == (200, [1])


def test_only_roots_have_a_thread_page(article, client):
    root = factories.comment(article)
    factories.comment(article, parent=root)
    addresses = [f"/artikel/{article.slug}/gespraech/{number}/" for number in (2, 3, 10**30)]
    assert [client.get(address).status_code for address in addresses] == [404] * 3


# --- tombstones ------------------------------------------------------------------------------------------------------

GONE = "Dieser Kommentar wurde von der Redaktion entfernt."


def test_tombstone_stays_where_something_published_is_beneath(article, client):
    editor = factories.editor()
    root, reply, answer = chain(article, 3)
    for comment in (root, reply):
        remove(comment, moderator=editor, reason="Regel 1")
    page = client.get(f"/artikel/{article.slug}/")
    assert shown(page) == [root.number, reply.number, answer.number]
    assert page.text.count(GONE) == 2
    assert "Person 0" not in page.text
    remove(answer, moderator=editor, reason="Regel 1")
    page = client.get(f"/artikel/{article.slug}/")
    assert (shown(page), page.text.count(GONE)) == ([], 0)
    assert "0 Kommentare<" in page.text


def test_tombstone_has_nothing_to_press(article, client):
    root, _reply = chain(article, 2)
    remove(root, moderator=factories.editor(), reason="Regel 1")
    page = client.get(f"/artikel/{article.slug}/").text
    for action in ("antworten", "melden", "respekt"):
        assert f"/kommentar/{root.pk}/{action}/" not in page


def test_deleted_by_the_author_is_said_so(article, client):
    root, _reply = chain(article, 2)
    Comment.objects.filter(pk=root.pk).update(state=Comment.State.DELETED)
    assert "von seiner Autorin oder seinem Autor gelöscht" in client.get(f"/artikel/{article.slug}/").text


# --- permalinks ------------------------------------------------------------------------------------------------------


def test_permalink_leads_to_a_page_that_shows_the_comment(article, client):
    """Roots on both pages; replies in short threads, in long ones, deep ones and far ones."""
    roots = threads(article, THREADS_PER_PAGE + 2)
    for root in (roots[0], roots[-1]):
        for _ in range(REPLIES_PER_THREAD - 1):
            last = factories.comment(article, parent=root)
        for _ in range(4):
            last = factories.comment(article, parent=last)
    factories.comment(article, parent=roots[5])
    # Removed ones keep their numbers: the count must not shift what stands on which page.
    for number in (2, THREADS_PER_PAGE + 5):
        remove(Comment.objects.get(number=number), moderator=None, reason="Regel 1")
    on_page = {}
    for comment in Comment.objects.published():
        answer = client.get(f"/kommentar/{comment.pk}/")
        assert answer.status_code == 302
        place, _hash, anchor = answer.url.partition("#")
        assert anchor == f"kommentar-{comment.number}"
        on_page[place] = on_page.get(place) or shown(client.get(place))
        assert comment.number in on_page[place], answer.url
    assert {f"/artikel/{article.slug}/", f"/artikel/{article.slug}/?seite=2"} < set(on_page)


def test_permalink_of_a_removed_comment_is_not_there(article, client):
    comment = factories.comment(article)
    root = factories.comment(article)
    reply = factories.comment(article, parent=root)
    for gone in (comment, reply):
        remove(gone, moderator=None, reason="Regel 1")
        assert client.get(f"/kommentar/{gone.pk}/").status_code == 404


def test_permalink_of_a_tombstone_whose_answer_is_further_back(article, client):
    root = factories.comment(article)
    gone = factories.comment(article, parent=root)
    for _ in range(REPLIES_PER_THREAD):
        factories.comment(article, parent=root)
    factories.comment(article, "Die Antwort darauf.", parent=gone)
    remove(gone, moderator=None, reason="Regel 1")
    page = client.get(f"/kommentar/{gone.pk}/", follow=True)
    assert f'id="kommentar-{gone.number}"' in page.text
    assert "Die Antwort darauf." in page.text


def test_permalink_of_a_tombstone_leads_to_it(article, client):
    *above, _alive = chain(article, 4)
    for gone in above:
        remove(gone, moderator=None, reason="Regel 1")
    for gone in above:
        place, _hash, anchor = client.get(f"/kommentar/{gone.pk}/").url.partition("#")
        assert f'id="{anchor}"' in client.get(place).text


@pytest.mark.parametrize("number", [0, 10**18, 10**30, "9" * 5000])
def test_permalink_of_nothing_is_not_there(db, client, number):
    assert client.get(f"/kommentar/{number}/").status_code == 404


def test_number_leads_to_the_comment(article, client):
    """Out of an anchor, for the script: the page it was copied from may be another one on this device."""
    root = factories.comment(article)
    address = f"{article.get_absolute_url()}kommentar/"
    assert client.get(f"{address}1/").url == f"{article.get_absolute_url()}#{root.anchor}"
    client.cookies[REMEMBERED] = "neueste.faeden"
    assert client.get(f"{address}1/").url == f"{article.get_absolute_url()}?sortierung=aelteste#{root.anchor}"
    assert client.get(f"{address}7/").url == article.get_absolute_url()
    remove(root, moderator=None, reason="Regel 1")
    assert client.get(f"{address}1/").url == article.get_absolute_url()
    Article.objects.update(state=Article.State.DRAFT)
    assert client.get(f"{address}1/").status_code == 404
