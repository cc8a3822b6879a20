"""A conversation as HTML, as everyone sees it; what belongs to one reader is put into its slots by comments.own.

A page shows a hundred comments of very few forms. So a form is rendered once, with marks where a comment's values
come, and each comment then takes one `%`: 10 µs, where rendering it took 60.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache, lru_cache, partial
from typing import NamedTuple

from django.template import engines
from django.utils import dateformat, timezone
from django.utils.formats import get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _
from markupsafe import escape

from articles.models import Article
from comments.models import Comment
from comments.position import Order, Position, View
from comments.threads import PICKS, Node, Thread, ThreadPage, picked
from newsroom.text.ago import DAY, ago
from newsroom.text.links import holds_address

VOTED = "respekt-"  # the slots of the votes; their names end with the comment's id
PICKED = "empfohlen-"  # the same, of the editors' picks in their list
_END_OF_REPLIES = "</details>"
# The values that are put into a pattern: HTML, so what people wrote is escaped before.
_VALUES = {
    "comment": ["pk", "anchor", "address", "name", "website", "answers", "answered", "moment", "time", "ago", "number"]
    + ["passage", "html", "score", "replies", "closing"],
    "thread": ["comments", "address", "more", "closing"],
}


class CommentShape(NamedTuple):
    """What of a comment decides about its markup, besides its values."""

    state: str
    website: bool
    badge: str  # its label
    picked: bool
    answers: str  # "known" or "gone": its place does not tell whom
    edited: bool
    replies: bool  # some stand indented beneath it
    takes_answers: bool


class ThreadShape(NamedTuple):
    more: bool  # replies that are not on this page


def section_html(article: Article, page: ThreadPage, form: str, now: datetime) -> SafeString:
    """The whole conversation on the article's page at `now`: title, `form`, navigation, threads."""
    position = page.position
    numbered = position.is_numbered and page.last > 1
    begins = position == Position(order=position.order, view=position.view)
    picks = picked(article) if begins and position.view != View.INLINE else []
    context = {
        "article": article,
        "title": title_of(article),
        "form": SafeString(form),
        "page": page,
        "zone": timezone.get_current_timezone_name(),
        "threads": threads_html(article, page.threads, now),
        "orders": [(order, position.moved(order=order).query(explicit=True)) for order in Order],
        "views": [(view, position.moved(view=view).query(explicit=True)) for view in View],
        "all_query": position.moved(view=View.THREADS).query(explicit=True),
        "picks": picks[:PICKS],
        "more_picks": picks[PICKS:],
        "PICKED": PICKED,
        "more_picks_label": _more_picks_label(len(picks) - PICKS),
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


def threads_html(article: Article, threads: list[Thread], now: datetime) -> SafeString:
    """The threads as everyone sees them at `now`, with slots."""
    return mark_safe("".join(map(_shower(article, now), threads)))


def _shower(article: Article, now: datetime) -> Callable[[Thread], str]:
    """Prints threads. What is the same for all comments of a page is found out once."""
    article_address, takes_answers = article.get_absolute_url(), article.takes_comments
    zone, short, language = timezone.get_current_timezone(), _short_format(), get_language()
    # Of older ones a script says how many days ago (reading.js), not hours: two bytes less for each comment.
    yesterday = now - DAY

    def show_comment(node: Node, replies: int, ending: int) -> str:
        comment = node.comment
        published = comment.published_at.astimezone(zone)
        shape = CommentShape(
            comment.state,
            # A link whose words pose as another address than it leads to is none (C5).
            bool(comment.website) and not holds_address(comment.name),
            comment.badge and comment.get_badge_display(),
            comment.picked_at is not None,
            _answers(node),
            comment.edited_at is not None,
            node.opens,
            takes_answers,
        )
        return _pattern("comment", shape, language) % {
            "pk": comment.id,
            "anchor": comment.anchor,
            "address": comment.get_absolute_url(),
            "name": escape(comment.name),
            "website": comment.website and escape(comment.website),
            **_answered(node.parent if shape.answers == "known" else None),
            "moment": published.isoformat(timespec="seconds")
            if comment.published_at > yesterday
            else str(published)[:10],
            "time": short(published),
            "ago": ago(published, now, language),
            "number": comment.number,
            "passage": _quoted(article, comment),
            "html": comment.html,
            "score": comment.score,
            "replies": replies_label(replies, language) if node.opens else "",
            "closing": _END_OF_REPLIES * ending,
        }

    def show(thread: Thread) -> str:
        root, *nodes = thread.nodes
        comments = [show_comment(root, root.comment.reply_count, 0)]
        levels = [node.level for node in nodes[1:]] + [1]
        for node, next_level in zip(nodes, levels, strict=False):
            comments.append(show_comment(node, node.replies, max(node.level - next_level, 0)))
        return _pattern("thread", ThreadShape(more=bool(thread.hidden_replies)), language) % {
            "comments": "".join(comments),
            "address": f"{article_address}gespraech/{root.comment.number}/",
            "more": _more_label(thread.hidden_replies, bool(nodes), language) if thread.hidden_replies else "",
            "closing": _END_OF_REPLIES if root.opens else "",
        }

    return show


@cache  # there are some dozens
def _pattern(name: str, shape: CommentShape | ThreadShape, language: str) -> str:
    """The template of that name in this form, with `%(value)s` for each of its values."""
    marks = {value: SafeString(f"\0{value}\0") for value in _VALUES[name]}
    html = render(name, {**marks, "shape": shape, "VOTED": VOTED, "unvoted": vote_state(False)})
    return re.sub("\0(.*?)\0", r"%(\1)s", html.replace("%", "%%"))


def _quoted(article: Article, comment: Comment) -> str:
    return render("quoted", {"article": article, "passage": comment.passage}) if comment.passage_id else ""


def _answered(parent: Comment | None) -> dict[str, str]:
    if parent is None:
        return {"answers": "", "answered": ""}
    name = _("Antwort auf %(name)s") % {"name": parent.name}
    return {"answers": escape(name), "answered": parent.get_absolute_url()}


def _answers(node: Node) -> str:
    if not node.is_flat:
        return ""
    return "known" if node.parent is not None and node.parent.is_published else "gone"


def _short_format() -> Callable[[datetime], str]:
    """The site's short form of a time. strftime takes 2 µs where Django's own formatting takes 40, a hundred times a
    page; formats with more in them than numbers are left to Django."""
    wanted = get_format("SHORT_DATETIME_FORMAT")
    simple = {"d": "%d", "m": "%m", "Y": "%Y", "y": "%y", "H": "%H", "i": "%M"}
    if any(letter.isalpha() and letter not in simple for letter in wanted):
        return partial(dateformat.format, format_string=wanted)
    pattern = "".join(simple.get(letter, letter) for letter in wanted)
    return lambda moment: moment.strftime(pattern)


@lru_cache(5000)  # finding the right form takes as long as printing three comments
def replies_label(count: int, language: str) -> str:
    if not count:
        return _("Gelöschte Antworten")
    return ngettext("%d Antwort", "%d Antworten", count) % count


@lru_cache(5000)
def _more_label(count: int, after_others: bool, language: str) -> str:
    if after_others:
        return ngettext("%d weitere Antwort anzeigen", "%d weitere Antworten anzeigen", count) % count
    return ngettext("%d Antwort anzeigen", "%d Antworten anzeigen", count) % count


def _more_picks_label(count: int) -> str:
    return ngettext("%d weitere Empfehlung", "%d weitere Empfehlungen", count) % count


def vote_state(voted: bool) -> SafeString:
    if voted:
        return format_html('value="0" aria-pressed="true" title="{}"', _("Zurücknehmen"))
    return mark_safe('value="1" aria-pressed="false"')


def own_vote_state() -> SafeString:
    """Nobody gives respect to their own words."""
    return format_html('disabled title="{}"', _("Ihr eigener Kommentar"))


def render(name: str, context: dict) -> SafeString:
    return mark_safe(engines["jinja2"].get_template(f"comments/{name}.jinja").render(context))
