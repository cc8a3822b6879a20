"""Reading threads: which comments a page shows, in what order, at what cost.

Every function here takes a fixed number of queries and touches only the rows it shows (DESIGN "The thread"): roots
are numbered, so a page of the chronological orders is a range of thread numbers; the most voted are paged by key;
the replies of all threads of a page come from one LATERAL join over the index on (root, number).
"""

import math
from collections import Counter
from dataclasses import dataclass
from functools import cache, partial

from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.urls import reverse

from articles.models import Article
from comments.models import Comment
from comments.position import Order, Position, View
from newsroom.sql.prepared import Given, Prepared, fetch_one

THREADS_PER_PAGE = 50
# Of a long thread the article page shows the first replies; the rest has a page of its own. Where many threads are
# long it shows fewer of each, but one of every thread: a page stays readable, and under 20 kB.
REPLIES_PER_THREAD = 3
CROWDED = 30  # replies on a page; it shows several of a thread as long as it has no more
LOOKED_AT = 20  # of a thread's replies, for the first that are still there
TOMBSTONES = 3  # of deleted replies, among a thread's first
REPLIES_PER_PAGE = 100
FLAT_PER_PAGE = 100
PICKS, MORE_PICKS = 3, 20  # the latest are shown, those before them folded


@dataclass
class Node:
    """A comment in its place in a thread."""

    comment: Comment
    parent: Comment | None = None
    level: int = 0  # how far it is indented
    is_flat: bool = False  # the place does not tell whom it answers
    opens: bool = False  # something stands indented beneath it
    replies: int = 0  # of that, what is published


@dataclass
class Thread:
    nodes: list[Node]
    hidden_replies: int = 0  # published, but not on this page

    @property
    def root(self) -> Comment:
        return self.nodes[0].comment


@dataclass
class ThreadPage:
    threads: list[Thread]
    position: Position
    next: Position | None = None
    last: int = 1  # the number of the last page, where pages are numbered

    def numbers(self) -> list[int | None]:
        """Of the pages to link to: the first, the last and those around this one; None where some are left out."""
        near = range(self.position.page - 2, self.position.page + 3)
        shown = sorted({1, self.last, *(number for number in near if 1 <= number <= self.last)})
        numbers: list[int | None] = []
        for number in shown:
            if numbers and number - numbers[-1] == 2:
                numbers.append(number - 1)
            elif numbers and number - numbers[-1] > 2:
                numbers.append(None)
            numbers.append(number)
        return numbers


def thread_page(article: Article, position: Position) -> ThreadPage:
    """One page of an article's threads, the same for everyone: two queries, three in the flat view."""
    if position.view == View.FLAT:
        return _flat_page(article, position)
    roots, following = _roots(article, position)
    replies = []
    if position.view != View.COLLAPSED:
        replies = _first_replies(roots)
    beneath: dict[int, list[Comment]] = {}
    for reply in replies:
        beneath.setdefault(reply.root_id, []).append(reply)
    threads = [arrange(root, beneath.get(root.id, [])) for root in roots]
    last = -(-article.counters.last_thread // THREADS_PER_PAGE)
    return ThreadPage(threads, position, following, max(last, 1))


def picked(article: Article) -> list[Comment]:
    """What the editors recommend, the latest first: one query."""
    return _picked.all(article=article.pk)


_picked = Prepared(
    lambda: (
        Comment.objects.for_page()
        .published()
        .filter(article=Given("article"), picked_at__isnull=False)
        .order_by("-picked_at")[: PICKS + MORE_PICKS]
    )
)


def whole_thread(root: Comment, after: int) -> tuple[Thread, int | None]:
    """The replies beneath `root` with numbers above `after`, and the number to go on from."""
    replies = _replies_after.all(root=root.pk, after=after)
    following = replies[REPLIES_PER_PAGE - 1].number if len(replies) > REPLIES_PER_PAGE else None
    thread = arrange(root, replies[:REPLIES_PER_PAGE])
    thread.hidden_replies = 0
    _fetch_parents(thread.nodes)
    return thread, following


_replies_after = Prepared(
    # Numbered: published, or once published and now perhaps a tombstone.
    lambda: (
        Comment.objects.for_page()
        .filter(root=Given("root"), number__gt=Given("after"))
        .order_by("number")[: REPLIES_PER_PAGE + 1]
    )
)


def arrange(root: Comment, replies: list[Comment]) -> Thread:
    """A thread in reading order, each reply beneath its parent.

    A parent's number is smaller than its replies', so the first n published ones by number hold their parents too; a
    reply whose parent is not here stands beneath the root and names whom it answers. What the editors removed has a
    tombstone only where something is beneath it.
    """
    if not replies:  # most threads of most pages
        return Thread([Node(root)], hidden_replies=root.reply_count)
    levels = settings.REPLY_LEVELS
    # By id, and not by pk, which takes three calls to say the same, six hundred times a page.
    here = {comment.id: comment for comment in [root, *replies]}
    beneath: dict[int, list[Comment]] = {}
    for comment in replies:
        place = comment.parent_id if comment.parent_id in here else root.id
        beneath.setdefault(place, []).append(comment)
    in_order, stack = [], [(root, 0)]
    while stack:
        comment, level = stack.pop()
        in_order.append((comment, level))
        stack += [(child, level + 1) for child in reversed(beneath.get(comment.id, []))]
    counts: dict[int, int] = {}  # published ones, itself included; of those that stay
    opening = set()
    for comment, _level in reversed(in_order):  # children before their parents
        staying = [counts[child.id] for child in beneath.get(comment.id, []) if child.id in counts]
        if staying:
            opening.add(comment.id)
        if comment.is_published or comment.leaves_tombstone or staying or comment is root:
            counts[comment.id] = sum(staying) + comment.is_published
    nodes = [
        Node(
            comment,
            parent=here.get(comment.parent_id),
            level=min(level, levels),
            is_flat=level > levels,
            opens=level < levels and comment.id in opening,
            replies=counts[comment.id] - comment.is_published if level < levels else 0,
        )
        for comment, level in in_order
        if comment.id in counts
    ]
    published_here = sum(reply.is_published for reply in replies)
    return Thread(nodes, hidden_replies=max(root.reply_count - published_here, 0))


# Where a thread's first replies are looked for: among its first few numbers. After a wave of spam thousands are gone.
_FIRST = f"""
    SELECT id, number, state FROM comments_comment WHERE root_id = {{root}} AND number IS NOT NULL
    ORDER BY number LIMIT {LOOKED_AT}
"""
# The first that are published, so many of each thread; and what was removed before the last of them, where something
# published answers it. What its author deleted takes nobody's place either.
_FIRST_OF_EACH = f"""
    SELECT shown.id FROM unnest(%s::bigint[], %s::int[]) AS thread(id, most)
    CROSS JOIN LATERAL (
        SELECT max(number) AS number FROM (
            SELECT number FROM ({_FIRST.format(root="thread.id")}) AS first WHERE state = 'published'
            ORDER BY number LIMIT thread.most) AS wanted) AS last
    CROSS JOIN LATERAL (
        SELECT id FROM comments_comment AS reply
        WHERE root_id = thread.id AND number <= last.number AND (state = 'published' OR state <> 'deleted' AND EXISTS (
            SELECT FROM comments_comment AS answer
            WHERE answer.parent_id = reply.id AND answer.state = 'published'))) AS shown
    UNION ALL
    SELECT deleted.id FROM unnest(%s::bigint[]) AS thread(id)
    CROSS JOIN LATERAL (
        SELECT id FROM comments_comment WHERE root_id = thread.id AND number IS NOT NULL AND state = 'deleted'
        ORDER BY number LIMIT {TOMBSTONES}) AS deleted
"""
# How many replies each thread of a page has, and how many of one's are before it, NULL if it is not looked at: bounded.
_PLACE = f"""
    SELECT array_agg(reply_count),
           (SELECT CASE WHEN bool_or(id = %s) THEN count(*) FILTER (WHERE state = 'published' AND number < %s) END
            FROM ({_FIRST.format(root="%s")}) AS first)
    FROM comments_comment WHERE article_id = %s AND thread_number > %s AND thread_number <= %s
"""


def page_of(root: Comment) -> Position:
    return Position(page=(root.thread_number - 1) // THREADS_PER_PAGE + 1)


def place_of(comment: Comment, *, explicit: bool = False, is_new: bool = False) -> str:
    """The address of the page that shows a numbered comment, with its anchor: two bounded queries at most, for a
    tombstone those of the page it may stand on.

    `explicit` for a device that remembers another order, and would look for the comment there. `is_new`: it was
    sent just now, so what its thread had before stands before it. (The third reply, sent again, stands on two pages.)
    """
    root = comment.root or comment
    page = page_of(root)
    if comment.root_id and _is_further_back(comment, page, is_new=is_new):
        address = reverse("thread", args=[comment.article.slug, root.number])
        begins = f"?ab={comment.number}" if _is_far_back(comment, is_new=is_new) else ""
        return f"{address}{begins}#{comment.anchor}"
    return f"{comment.article.get_absolute_url()}{page.query(explicit=explicit)}#{comment.anchor}"


def _is_further_back(reply: Comment, page: Position, *, is_new: bool) -> bool:
    """Is it none of the first replies, which stand on the page of its thread's root?"""
    if not reply.is_published:  # a tombstone: which of them are shown there takes the page to tell
        there = thread_page(reply.article, page).threads
        return not any(node.comment.id == reply.id for thread in there for node in thread.nodes)
    root, first = reply.root, (page.page - 1) * THREADS_PER_PAGE
    replies = root.reply_count + is_new
    if is_new and root.reply_count >= _shown_of(replies, REPLIES_PER_THREAD):
        return True
    parameters = [reply.pk, reply.number, root.pk, reply.article_id, first, first + THREADS_PER_PAGE]
    counts, earlier = fetch_one(_PLACE, parameters)
    return earlier is None or earlier >= _shown_of(replies, _most_of_each(counts))


def _is_far_back(reply: Comment, *, is_new: bool) -> bool:
    """Is it none of those that its conversation's page begins with? There it stands beneath what it answers."""
    if is_new and reply.root.reply_count >= REPLIES_PER_PAGE:
        return True
    earlier = Comment.objects.filter(root=reply.root_id, number__lt=reply.number)[:REPLIES_PER_PAGE]
    return earlier.count() >= REPLIES_PER_PAGE


def _most_of_each(counts: list[int]) -> int:
    """How many replies of each thread a page shows, if its threads have so many."""
    for most in range(REPLIES_PER_THREAD, 1, -1):
        if sum(min(replies, _shown_of(replies, most)) for replies in counts) <= CROWDED:
            return most
    return 1


def _shown_of(replies: int, most: int) -> int:
    """How many of a thread's replies its page shows at most, where it shows `most` of each. Where there is room, a
    single further one takes no more than the words that it is there."""
    return most + (most == REPLIES_PER_THREAD and replies == most + 1)


def stands(comment: Comment) -> bool:
    """Has what is not public a tombstone? If its author deleted it, or if anything that stands is beneath it, however
    deep; and if its thread stands. Walks only through what is gone."""
    if comment.root_id is None:
        return comment.leaves_tombstone or bool(comment.number and comment.reply_count)
    if comment.number is None or not (comment.root.is_published or stands(comment.root)):
        return False
    if comment.leaves_tombstone:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE beneath AS ("
            " SELECT id, state FROM comments_comment WHERE parent_id = %s"
            " UNION ALL SELECT reply.id, reply.state FROM comments_comment reply"
            " JOIN beneath ON reply.parent_id = beneath.id AND beneath.state NOT IN ('published', 'deleted'))"
            " SELECT EXISTS (SELECT FROM beneath WHERE state IN ('published', 'deleted'))",
            [comment.pk],
        )
        return cursor.fetchone()[0]


def _roots(article: Article, position: Position) -> tuple[list[Comment], Position | None]:
    roots = _roots_prepared(position.order, position.inline, bool(position.after), bool(position.block))
    last, first = article.counters.last_thread, (position.page - 1) * THREADS_PER_PAGE
    begin = first if position.order == Order.OLDEST else last - first - THREADS_PER_PAGE
    *_score, thread = position.after or (0,)
    found = roots.all(
        article=article.pk,
        begin=begin,
        end=begin + THREADS_PER_PAGE,
        score=position.after[0] if position.after else 0,
        thread=thread,
        block=position.block,
    )
    if position.is_numbered:
        return found, position.moved(page=position.page + 1) if first + THREADS_PER_PAGE < last else None
    if len(found) <= THREADS_PER_PAGE:
        return found, None
    last_root = found[THREADS_PER_PAGE - 1]
    key = (last_root.thread_number,)
    if position.order == Order.MOST_VOTED:
        key = (last_root.score, last_root.thread_number)
    return found[:THREADS_PER_PAGE], position.moved(after=key)


@cache
def _roots_prepared(order: Order, inline: bool, goes_on: bool, one_block: bool) -> Prepared[Comment]:
    return Prepared(partial(_roots_queryset, order, inline, goes_on, one_block))


def _roots_queryset(order: Order, inline: bool, goes_on: bool, one_block: bool) -> models.QuerySet[Comment]:
    """Numbered pages are a range of thread numbers; the most voted, and the few tied to a passage, go on by key."""
    # A removed root stays, as a tombstone, as long as there are replies beneath it; a deleted one for ever.
    roots = Comment.objects.for_page().filter(
        Q(state__in=[Comment.State.PUBLISHED, Comment.State.DELETED]) | Q(reply_count__gt=0),
        article=Given("article"),
        parent=None,
        number__isnull=False,
    )
    if inline:
        roots = roots.filter(passage__isnull=False)
    if one_block:
        roots = roots.filter(passage__block=Given("block"))
    if order == Order.MOST_VOTED:
        # As one row: PostgreSQL then begins right there in the index, not at the first of thousands with this score.
        key = [Given("score"), Given("thread")]
        after = RawSQL("(score, thread_number) < (%s, %s)", key, output_field=models.BooleanField())
        roots = roots.filter(after) if goes_on else roots
        return roots.order_by("-score", "-thread_number")[: THREADS_PER_PAGE + 1]
    newest = order == Order.NEWEST
    roots = roots.order_by("-thread_number" if newest else "thread_number")
    if not inline:
        return roots.filter(thread_number__gt=Given("begin"), thread_number__lte=Given("end"))
    if goes_on:
        roots = roots.filter(**{"thread_number__lt" if newest else "thread_number__gt": Given("thread")})
    return roots[: THREADS_PER_PAGE + 1]


def _first_replies(roots: list[Comment]) -> list[Comment]:
    """The first replies of each thread, by number, and the tombstones among them, in one query."""
    answered = [root for root in roots if root.reply_count]
    most = _most_of_each([root.reply_count for root in answered])
    found = _replies_prepared.all(
        answered=[root.pk for root in answered],
        limits=[_shown_of(root.reply_count, most) for root in answered],
        roots=[root.pk for root in roots],
    )
    if not any(reply.leaves_tombstone for reply in found):
        return found
    # What comes after the last one shown belongs to those that are not on this page.
    published = [reply for reply in found if reply.is_published]
    ends, shown = {reply.root_id: reply.number for reply in published}, Counter(reply.root_id for reply in published)
    ends |= {root.id: math.inf for root in roots if shown[root.id] >= root.reply_count}
    return [reply for reply in found if reply.number <= ends.get(reply.root_id, 0)]


def _replies_queryset() -> models.QuerySet[Comment]:
    shown = RawSQL(_FIRST_OF_EACH, [Given("answered"), Given("limits"), Given("roots")])
    # Only roots are tied to passages.
    return Comment.objects.for_page().select_related(None).filter(pk__in=shown).order_by("number")


_replies_prepared = Prepared(_replies_queryset)


def _flat_page(article: Article, position: Position) -> ThreadPage:
    """All comments one after another, by number."""
    last, first = article.counters.last_number - position.since, (position.page - 1) * FLAT_PER_PAGE
    newest = position.order == Order.NEWEST
    begin = position.since + first
    if newest:
        begin = article.counters.last_number - first - FLAT_PER_PAGE
    comments = _flat_prepared(newest, bool(position.since)).all(
        article=article.pk, begin=max(begin, position.since), end=begin + FLAT_PER_PAGE
    )
    nodes = [Node(comment) for comment in comments]
    _fetch_parents(nodes)
    following = position.moved(page=position.page + 1) if first + FLAT_PER_PAGE < last else None
    return ThreadPage([Thread([node]) for node in nodes], position, following, max(-(-last // FLAT_PER_PAGE), 1))


@cache
def _flat_prepared(newest: bool, is_news: bool) -> Prepared[Comment]:
    return Prepared(partial(_flat_queryset, newest, is_news))


def _flat_queryset(newest: bool, is_news: bool) -> models.QuerySet[Comment]:
    shown = [Comment.State.PUBLISHED] if is_news else [Comment.State.PUBLISHED, Comment.State.DELETED]
    comments = Comment.objects.for_page().filter(article=Given("article"), state__in=shown)
    comments = comments.filter(number__gt=Given("begin"), number__lte=Given("end"))
    return comments.order_by("-number" if newest else "number")


def _fetch_parents(nodes: list[Node]) -> None:
    """The parents that stand elsewhere: one query, if there are any."""
    orphans = [node for node in nodes if node.parent is None and node.comment.parent_id]
    parents = (
        Comment.objects.only("name", "state").in_bulk({node.comment.parent_id for node in orphans}) if orphans else {}
    )
    for node in orphans:
        node.parent, node.is_flat = parents.get(node.comment.parent_id), True
