"""A conversation as HTML: what everyone sees, and apart from it what belongs to one reader (newsroom.slots)."""

import math
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial

from django.conf import settings
from django.template import engines
from django.utils import dateformat, timezone
from django.utils.formats import get_format
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.models import Article
from comments.models import Comment
from comments.threads import Node, Thread
from newsroom.formkey import new_form_key
from newsroom.prepared import fetch_all
from newsroom.slots import Skeleton, slot
from readers.models import Reader

_OWN = """
    WITH wanted AS (SELECT %s::bigint AS article, %s::bigint AS reader, %s::bigint[] AS shown)
    SELECT 'vote', comment_id FROM comments_vote, wanted WHERE reader_id = reader AND comment_id = ANY (shown)
    UNION ALL
    SELECT 'comment', id FROM comments_comment, wanted WHERE reader_id = reader AND article_id = article
      AND (state = 'held' OR state = 'published' AND id = ANY (shown))
"""
VOTED = "respekt-"  # the slots of the votes; their names end with the comment's id


def threads_html(article: Article, threads: list[Thread]) -> SafeString:
    """The threads as everyone sees them, with slots."""
    article_address = article.get_absolute_url()
    context = {
        "article": article,
        "threads": threads,
        "unvoted": _vote_state(False),
        "local": partial(timezone.localtime, timezone=timezone.get_current_timezone()),
        "short": _short_format(),
        "thread_address": lambda thread: f"{article_address}gespraech/{thread.root.number}/",
        "replies_label": cache(lambda count: ngettext("%d Antwort", "%d Antworten", count) % count),
        "more_label": _more_label,
    }
    return _render("threads", context)


def vote_html(comment: Comment, *, voted: bool) -> SafeString:
    return _render("vote", {"comment": comment, "state": _vote_state(voted)})


def held_html(comment: Comment) -> SafeString:
    return _render("held", {"comment": comment, "tools": tools_html(comment)})


def reply_html(comment: Comment) -> SafeString:
    """A reply just written, alone, for its author; with the number of comments, which stands elsewhere on the page."""
    if not comment.is_published:
        return _render("reply", {"shown": held_html(comment), "title": ""})
    article = comment.article
    article.counters.refresh_from_db()
    thread = Thread([Node(comment, parent=comment.parent)])
    shown = Skeleton.cut(threads_html(article, [thread])).fill({f"eigen-{comment.pk}": tools_html(comment)})
    count = article.counters.comments
    title = ngettext("%(count)s Kommentar", "%(count)s Kommentare", count) % {"count": count}
    return _render("reply", {"shown": mark_safe(shown), "title": title})


def tools_html(comment: Comment) -> SafeString:
    """What its author may still do with a comment."""
    now = timezone.now()
    left = (comment.editable_until - now).total_seconds()
    undo = settings.UNDO_SECONDS - (now - (comment.published_at or comment.created_at)).total_seconds()
    minutes = ngettext("noch %d Minute", "noch %d Minuten", math.ceil(left / 60)) % math.ceil(left / 60)
    return _render("tools", {"address": comment.get_absolute_url(), "left": left, "minutes": minutes, "undo": undo})


def form_slots() -> dict[str, str]:
    """The initial values of a comment form that is made for everyone."""
    return {name: slot(f"wert-{name}") for name in ("name", "email", "website", "form_key")}


def own_form(reader: Reader | None) -> dict[str, str]:
    """What the form knows of a reader, and its own key."""
    known = {"wert-form_key": new_form_key()}
    if reader is not None:
        known |= {f"wert-{name}": escape(getattr(reader, name)) for name in ("name", "email", "website")}
        if reader.is_account and reader.email:
            known["email-feld"] = ""  # known and proved: not asked for again (A29)
    return known


def own_marks(article: Article, reader: Reader | None, page: Skeleton) -> dict[str, str]:
    """The reader's votes and own comments on a page: one query, and one more if there are own comments."""
    if reader is None:
        return {}
    shown = [int(name.removeprefix(VOTED)) for name in page.names if name.startswith(VOTED)]
    found = fetch_all(_OWN, [article.pk, reader.pk, shown])
    by_kind: dict[str, list[int]] = {}
    for kind, number in found:
        by_kind.setdefault(kind, []).append(number)
    values = {f"{VOTED}{pk}": _vote_state(True) for pk in by_kind.get("vote", [])}
    own = by_kind.get("comment", [])
    for comment in Comment.objects.filter(pk__in=own).order_by("pk") if own else []:
        if comment.is_published:
            values[f"eigen-{comment.pk}"] = tools_html(comment)
        else:
            # Beneath what it answers, if that is shown, or above all threads.
            place = f"unter-{comment.parent_id}" if comment.parent_id in shown else "wartend"
            values[place] = values.get(place, "") + held_html(comment)
    return values


def _vote_state(voted: bool) -> SafeString:
    if voted:
        return format_html('value="0" aria-pressed="true" title="{}"', _("Zurücknehmen"))
    return mark_safe('value="1" aria-pressed="false"')


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


def _render(name: str, context: dict) -> SafeString:
    return mark_safe(engines["jinja2"].get_template(f"comments/{name}.jinja").render(context))
