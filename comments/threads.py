"""Reading threads: which comments a page shows, in what order, at what cost.

Every function here takes a fixed number of queries and touches only the rows it shows (DESIGN "The thread"): roots
are numbered, so a page of the chronological orders is a range of thread numbers; the most voted are paged by key;
the replies of all threads of a page come from one LATERAL join over the index on (root, number).
"""

from dataclasses import dataclass, field
from urllib.parse import urlencode

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from articles.models import Article
from comments.models import INDENT_LIMIT, Comment, Vote
from readers.models import Reader

THREADS_PER_PAGE = 50
# Of a long thread the article page shows the beginning; the rest has a page of its own.
REPLIES_PER_THREAD = 10
REPLIES_PER_PAGE = 100
# Beyond what anyone has written; a number that large in an address is not ours.
LAST_PAGE = 1_000_000


class Order(models.TextChoices):
    OLDEST = "aelteste", _("Älteste")
    NEWEST = "neueste", _("Neueste")
    MOST_VOTED = "meistbewertet", _("Meistbewertet")


@dataclass(frozen=True)
class Position:
    """Where in an article's conversation a reader is; made from the address's query, and turned into one."""

    order: Order = Order.OLDEST
    inline: bool = False
    page: int = 1  # of the chronological orders
    after: tuple[int, ...] = ()  # key of the last thread seen: (score, thread number), or (thread number,) inline

    @classmethod
    def from_query(cls, query: dict[str, str]) -> "Position":
        """Anything that is no position of ours means the beginning: an address is never an error (C6)."""
        order = query.get("sortierung", "")
        page = _small_int(query.get("seite", ""))
        after = tuple(_small_int(part) for part in query.get("nach", "").split(".")[:2]) if query.get("nach") else ()
        position = cls(
            order=Order(order) if order in Order.values else Order.OLDEST,
            inline=query.get("ansicht") == "inline",
            page=min(max(page or 1, 1), LAST_PAGE),
            after=() if None in after else after,
        )
        return position if len(position.after) == position._key_length else position.moved(after=())

    @property
    def _key_length(self) -> int:
        return 2 if self.order == Order.MOST_VOTED else 1 if self.inline else 0

    def moved(self, **changes) -> "Position":
        return Position(
            **{"order": self.order, "inline": self.inline, "page": self.page, "after": self.after} | changes
        )

    def query(self) -> str:
        """`?sortierung=neueste&seite=2`; empty for the first page of the default order."""
        parts = {}
        if self.order != Order.OLDEST:
            parts["sortierung"] = self.order.value
        if self.inline:
            parts["ansicht"] = "inline"
        if self.page > 1:
            parts["seite"] = self.page
        if self.after:
            parts["nach"] = ".".join(map(str, self.after))
        return f"?{urlencode(parts)}" if parts else ""


@dataclass
class Node:
    """A comment in its place in a thread."""

    comment: Comment
    parent: Comment | None = None
    voted: bool = False
    away: bool = False  # the parent stands on another page

    @property
    def indent(self) -> int:
        return min(self.comment.depth, INDENT_LIMIT)

    @property
    def is_flat(self) -> bool:
        """Deeper than we indent, or far from its parent: the place does not tell whom it answers."""
        return self.comment.depth > INDENT_LIMIT or self.away


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
    waiting: list[Comment] = field(default_factory=list)  # the reader's own, held, with no place among the threads

    def nodes(self) -> list[Node]:
        return [node for thread in self.threads for node in thread.nodes]


def thread_page(article: Article, position: Position, reader: Reader | None = None) -> ThreadPage:
    """One page of an article's threads: two queries, and two more for a reader who has acted."""
    roots, following = _roots(article, position)
    replies = _first_replies([root.pk for root in roots if root.reply_count])
    held = (
        list(Comment.objects.held().select_related("passage").filter(article=article, reader=reader)) if reader else []
    )
    beneath: dict[int, list[Comment]] = {}
    for reply in replies:
        beneath.setdefault(reply.root_id, []).append(reply)
    page = ThreadPage([], position, following)
    for root in roots:
        mine = [comment for comment in held if comment.root_id == root.pk]
        page.threads.append(arrange(root, beneath.get(root.pk, []), mine))
    placed = {node.comment.pk for node in page.nodes()}
    page.waiting = [comment for comment in held if comment.pk not in placed]
    if reader:
        _mark_votes(page.nodes(), reader)
    return page


def whole_thread(root: Comment, after: int, reader: Reader | None = None) -> tuple[Thread, int | None]:
    """The replies beneath `root` with numbers above `after`, and the number to go on from."""
    replies = list(
        _visible(Comment.objects.filter(root=root, number__gt=after)).order_by("number")[: REPLIES_PER_PAGE + 1]
    )
    following = replies[REPLIES_PER_PAGE - 1].number if len(replies) > REPLIES_PER_PAGE else None
    held = list(Comment.objects.held().filter(root=root, reader=reader)) if reader else []
    thread = arrange(root, replies[:REPLIES_PER_PAGE], held)
    thread.hidden_replies = 0
    _fetch_parents(thread.nodes)
    if reader:
        _mark_votes(thread.nodes, reader)
    return thread, following


def arrange(root: Comment, replies: list[Comment], held: list[Comment] = ()) -> Thread:
    """A thread in reading order, each reply beneath its parent.

    A parent's number is smaller than its replies', so the first n replies by number always hold their parents too; a
    reply whose parent is not here stands beneath the root and names whom it answers. Tombstones stay only where
    something is beneath them.
    """
    here = {comment.pk: comment for comment in [root, *replies, *held]}
    beneath: dict[int, list[Comment]] = {}
    for comment in [*replies, *held]:
        place = comment.parent_id if comment.parent_id in here else root.pk
        beneath.setdefault(place, []).append(comment)
    in_order, stack = [], [root]
    while stack:
        comment = stack.pop()
        in_order.append(comment)
        stack += reversed(beneath.get(comment.pk, []))
    stays: set[int] = {root.pk}
    for comment in reversed(in_order):  # children before their parents
        alive = comment.is_published or comment.is_held
        if alive or any(child.pk in stays for child in beneath.get(comment.pk, [])):
            stays.add(comment.pk)
    nodes = [Node(comment, here.get(comment.parent_id)) for comment in in_order if comment.pk in stays]
    published_here = sum(reply.is_published for reply in replies)
    return Thread(nodes, hidden_replies=max(root.reply_count - published_here, 0))


def place_of(comment: Comment) -> str:
    """The address of the page that shows a numbered comment, with its anchor: two bounded queries at most."""
    root = comment.root or comment
    page = Position(page=(root.thread_number - 1) // THREADS_PER_PAGE + 1)
    if comment.root_id:
        earlier = _visible(Comment.objects.filter(root=root, number__lt=comment.number))
        if len(earlier.values_list("pk")[:REPLIES_PER_THREAD]) >= REPLIES_PER_THREAD:
            address = reverse("thread", args=[comment.article.slug, root.number])
            return f"{address}?ab={comment.number}#{comment.anchor}"
    return f"{comment.article.get_absolute_url()}{page.query()}#{comment.anchor}"


def _visible(comments: models.QuerySet) -> models.QuerySet:
    """Numbered ones: published, or once published and now perhaps a tombstone."""
    return comments.filter(number__isnull=False)


def _roots(article: Article, position: Position) -> tuple[list[Comment], Position | None]:
    # A removed or deleted root stays, as a tombstone, as long as there are replies beneath it.
    roots = Comment.objects.filter(
        Q(state=Comment.State.PUBLISHED) | Q(reply_count__gt=0), article=article, parent=None, number__isnull=False
    ).select_related("passage")
    if position.inline:
        return _inline_roots(roots.filter(passage__isnull=False), position)
    if position.order == Order.MOST_VOTED:
        return _most_voted_roots(roots, position)
    last = article.counters.last_thread
    first = (position.page - 1) * THREADS_PER_PAGE
    if position.order == Order.OLDEST:
        roots = roots.filter(thread_number__gt=first, thread_number__lte=first + THREADS_PER_PAGE)
        roots = roots.order_by("thread_number")
    else:
        roots = roots.filter(thread_number__lte=last - first, thread_number__gt=last - first - THREADS_PER_PAGE)
        roots = roots.order_by("-thread_number")
    following = position.moved(page=position.page + 1) if first + THREADS_PER_PAGE < last else None
    return list(roots), following


def _most_voted_roots(roots: models.QuerySet, position: Position) -> tuple[list[Comment], Position | None]:
    if position.after:
        score, thread = position.after
        roots = roots.filter(Q(score__lt=score) | Q(score=score, thread_number__lt=thread), score__lte=score)
    return _cut(list(roots.order_by("-score", "-thread_number")[: THREADS_PER_PAGE + 1]), position)


def _inline_roots(roots: models.QuerySet, position: Position) -> tuple[list[Comment], Position | None]:
    """Few comments are tied to a passage: all three orders are paged by key."""
    if position.order == Order.MOST_VOTED:
        return _most_voted_roots(roots, position)
    newest = position.order == Order.NEWEST
    if position.after:
        roots = roots.filter(**{"thread_number__lt" if newest else "thread_number__gt": position.after[0]})
    roots = roots.order_by("-thread_number" if newest else "thread_number")
    return _cut(list(roots[: THREADS_PER_PAGE + 1]), position)


def _cut(roots: list[Comment], position: Position) -> tuple[list[Comment], Position | None]:
    if len(roots) <= THREADS_PER_PAGE:
        return roots, None
    last = roots[THREADS_PER_PAGE - 1]
    key = (last.score, last.thread_number) if position.order == Order.MOST_VOTED else (last.thread_number,)
    return roots[:THREADS_PER_PAGE], position.moved(after=key)


def _first_replies(roots: list[int]) -> list[Comment]:
    """The first replies of each thread, by number, in one query."""
    first = RawSQL(
        "SELECT reply.id FROM unnest(%s::bigint[]) AS thread(id) CROSS JOIN LATERAL ("
        " SELECT id FROM comments_comment WHERE root_id = thread.id AND number IS NOT NULL"
        " ORDER BY number LIMIT %s) AS reply",
        [roots, REPLIES_PER_THREAD],
    )
    return list(Comment.objects.filter(pk__in=first).order_by("number"))


def _fetch_parents(nodes: list[Node]) -> None:
    """The parents that stand on another page: one query, if there are any."""
    orphans = [node for node in nodes if node.parent is None and node.comment.parent_id]
    parents = Comment.objects.in_bulk({node.comment.parent_id for node in orphans}) if orphans else {}
    for node in orphans:
        node.parent, node.away = parents.get(node.comment.parent_id), True


def _mark_votes(nodes: list[Node], reader: Reader) -> None:
    """What belongs to the viewer, apart from what belongs to everyone."""
    shown = [node.comment.pk for node in nodes]
    voted = set(Vote.objects.filter(reader=reader, comment__in=shown).values_list("comment_id", flat=True))
    for node in nodes:
        node.voted = node.comment.pk in voted


def _small_int(text: str) -> int | None:
    """A number of at most nine ASCII digits; int() alone takes "１２" and chokes on 10^5 digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else None
