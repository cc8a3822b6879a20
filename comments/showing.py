"""A conversation as HTML, as everyone sees it; what belongs to one reader is put into its slots by comments.own."""

from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from typing import NamedTuple

from django.template import engines
from django.utils import dateformat, timezone
from django.utils.formats import get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.models import Article
from comments.models import INDENT_LIMIT, Comment
from comments.threads import Node, Order, Position, Thread, ThreadPage, View, picked
from newsroom.slots import slot

VOTED = "respekt-"  # the slots of the votes; their names end with the comment's id
_END_OF_REPLIES = [SafeString("</details>" * level) for level in range(INDENT_LIMIT + 1)]


class Shown(NamedTuple):
    """What a page says of one comment, ready to be printed."""

    comment: Comment
    address: str
    anchor: str
    html: SafeString
    moment: str  # when it was published, for machines; and for people, in the site's short form
    time: str
    answers: str  # whom, where its place does not tell
    vote: SafeString
    tools: SafeString
    beneath: SafeString
    replies: str  # "3 Antworten" where some stand indented beneath it
    closing: SafeString  # of the replies that end with it


class ShownThread(NamedTuple):
    comments: list[Shown]
    address: str
    more: str  # "3 weitere Antworten anzeigen"
    closing: SafeString


def section_html(article: Article, page: ThreadPage, form: str) -> SafeString:
    """The whole conversation on the article's page: title, `form`, navigation, threads."""
    position = page.position
    numbered = position.is_numbered and page.last > 1
    context = {
        "article": article,
        "title": title_of(article),
        "form": SafeString(form),
        "page": page,
        "threads": threads_html(article, page.threads),
        "orders": [(order, position.moved(order=order).query(explicit=True)) for order in Order],
        "views": [(view, position.moved(view=view).query(explicit=True)) for view in View],
        "all_query": position.moved(view=View.THREADS).query(explicit=True),
        "picks": picked(article) if position == Position(order=position.order) else [],
        "pages": [
            (number, number and position.moved(page=number).query(explicit=True))
            for number in (page.numbers() if numbered else [])
        ],
        "first_query": position.moved(page=1, after=()).query(explicit=True),
        "all_passages_query": position.moved(block=0, after=()).query(explicit=True),
    }
    return render("section", context)


def title_of(article: Article) -> str:
    count = article.counters.comments
    return ngettext("%(count)s Kommentar", "%(count)s Kommentare", count) % {"count": count}


def threads_html(article: Article, threads: list[Thread]) -> SafeString:
    """The threads as everyone sees them, with slots."""
    show = _shower(article)
    return render("threads", {"article": article, "threads": [show(thread) for thread in threads]})


def _shower(article: Article) -> Callable[[Thread], ShownThread]:
    """Makes threads ready to be printed. What is the same for all comments of a page is found out once."""
    article_address = article.get_absolute_url()
    zone, short, unvoted = timezone.get_current_timezone(), _short_format(), vote_state(False)
    replies_label = cache(lambda count: ngettext("%d Antwort", "%d Antworten", count) % count)

    def show_comment(node: Node, label: str, ending: int) -> Shown:
        comment, pk = node.comment, node.comment.pk
        published = comment.published_at.astimezone(zone)
        return Shown(
            comment=comment,
            address=comment.get_absolute_url(),
            anchor=comment.anchor,
            html=SafeString(comment.html),
            moment=published.isoformat(timespec="seconds"),
            time=short(published),
            answers=_answers(node.parent) if node.is_flat else "",
            vote=slot(f"{VOTED}{pk}", unvoted),
            tools=slot(f"eigen-{pk}"),
            beneath=slot(f"unter-{pk}"),
            replies=label,
            closing=_END_OF_REPLIES[ending],
        )

    def show(thread: Thread) -> ShownThread:
        root, *nodes = thread.nodes
        comments = [show_comment(root, replies_label(root.comment.reply_count) if root.replies else "", 0)]
        levels = [node.level for node in nodes[1:]] + [1]
        for node, next_level in zip(nodes, levels, strict=False):
            label = replies_label(node.replies) if node.replies else ""
            comments.append(show_comment(node, label, max(node.level - next_level, 0)))
        return ShownThread(
            comments,
            f"{article_address}gespraech/{root.comment.number}/",
            _more_label(thread) if thread.hidden_replies else "",
            _END_OF_REPLIES[1 if root.replies else 0],
        )

    return show


def _answers(parent: Comment | None) -> str:
    if parent is None or not parent.is_published:
        return _("Antwort auf einen Kommentar, den es nicht mehr gibt")
    return _("Antwort auf %(name)s") % {"name": parent.name}


def _short_format() -> Callable[[datetime], str]:
    """The site's short form of a time. strftime takes 2 µs where Django's own formatting takes 40, a hundred times a
    page; formats with more in them than numbers are left to Django."""
    wanted = get_format("SHORT_DATETIME_FORMAT")
    simple = {"d": "%d", "m": "%m", "Y": "%Y", "y": "%y", "H": "%H", "i": "%M"}
    if any(letter.isalpha() and letter not in simple for letter in wanted):
        return partial(dateformat.format, format_string=wanted)
    pattern = "".join(simple.get(letter, letter) for letter in wanted)
    return lambda moment: moment.strftime(pattern)


def _more_label(thread: Thread) -> str:
    count = thread.hidden_replies
    if len(thread.nodes) == 1:
        return ngettext("%d Antwort anzeigen", "%d Antworten anzeigen", count) % count
    return ngettext("%d weitere Antwort anzeigen", "%d weitere Antworten anzeigen", count) % count


def vote_state(voted: bool) -> SafeString:
    if voted:
        return format_html('value="0" aria-pressed="true" title="{}"', _("Zurücknehmen"))
    return mark_safe('value="1" aria-pressed="false"')


def render(name: str, context: dict) -> SafeString:
    return mark_safe(engines["jinja2"].get_template(f"comments/{name}.jinja").render(context))
