"""What of a conversation belongs to one reader: votes, own comments, what the form knows (newsroom.pages.slots)."""

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from django.conf import settings
from django.db.models.expressions import RawSQL
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from articles.models import Article
from comments.hidden import hidden_names
from comments.models import Comment
from comments.position import Order, Position, View
from comments.screening import waits_for_proof
from comments.seen import new_since, wants_news
from comments.showing import PICKED, VOTED, own_vote_state, render, threads_html, title_of, vote_state
from comments.threads import Node, Thread
from newsroom.pages.formkey import new_form_key
from newsroom.pages.slots import Skeleton, slot
from newsroom.sql.prepared import Given, Prepared, Question, ask
from readers.device import current_reader, has_session
from readers.models import Reader

_VOTES = "SELECT comment_id FROM comments_vote WHERE reader_id = %s AND comment_id = ANY (%s)"
_OF_OTHERS = (
    "reader_id IS DISTINCT FROM %s"
    " AND id <> ALL (ARRAY(SELECT comment_id FROM comments_otherdevice WHERE reader_id = %s))"
)
# Nobody hides what they wrote themselves: the tools for it stand there.
_OF_HIDDEN = f"SELECT id, name FROM comments_comment WHERE id = ANY (%s) AND name = ANY (%s) AND {_OF_OTHERS}"
# In parts, each by an index of its own: somebody may have written thousands here. OFFSET 0 keeps PostgreSQL to those
# that are shown: its plan for anybody goes through all that one reader wrote, of whom most have written little.
_OWN = RawSQL(
    "SELECT id FROM (SELECT id, reader_id, state FROM comments_comment WHERE id = ANY (%s) OFFSET 0) AS shown"
    " WHERE reader_id = %s AND state = 'published'"
    " UNION ALL SELECT id FROM comments_comment WHERE reader_id = %s AND article_id = %s AND state = 'held'"
    " UNION ALL SELECT comment_id FROM comments_otherdevice AS also"
    " JOIN comments_comment AS comment ON comment.id = comment_id"
    " WHERE also.reader_id = %s AND (state = 'published' AND comment.id = ANY (%s)"
    " OR state = 'held' AND article_id = %s AND (has_words OR proved OR comment.email = %s))",
    [Given(name) for name in ("shown", "reader", "reader", "article", "reader", "shown", "article", "proved")],
)


class _Shared(NamedTuple):
    """Of a held comment that other devices have too: a version that waits beside its words; and whether this device may
    not read these, and what it may see of it all the same."""

    version_html: str
    is_unread: bool
    id: int
    name: str
    number: int | None
    parent_id: int | None
    created_at: datetime
    published_at: datetime | None


_TO_BE_SEEN = _Shared._fields[2:]


def _shared(whose: str, *, is_unread: str) -> str:
    return (
        f"SELECT version_html, {is_unread}, comment.id, name, number, parent_id, comment.created_at, published_at"
        " FROM comments_otherdevice AS also JOIN comments_comment AS comment ON comment.id = comment_id"
        f" WHERE {whose} AND article_id = %s AND state = 'held'"
    )


# Its own row, and those of the others for who has the comment. The words themselves come with the right to read them,
# in one statement (_OWN): either may change between two.
_MAY_READ = "has_words OR proved OR comment.email IS NOT DISTINCT FROM %s OR comment.reader_id = also.reader_id"
_SHARED = " UNION ALL ".join(
    (
        _shared("also.reader_id = %s", is_unread=f"NOT ({_MAY_READ})"),
        _shared("comment.reader_id = %s AND also.reader_id <> comment.reader_id", is_unread="false"),
    )
)
_NEW = f"number > %s AND state = 'published' AND {_OF_OTHERS}"
_NEW_HERE = f"SELECT id FROM comments_comment WHERE id = ANY (%s) AND {_NEW}"
_HOW_MANY = f"SELECT count(*) FROM (SELECT FROM comments_comment WHERE article_id = %s AND {_NEW} LIMIT %s) AS counted"
_COUNTED = 100  # of more the running numbers tell well enough, and no page costs more because much is new
_own_comments = Prepared(lambda: Comment.objects.filter(pk__in=_OWN).order_by("pk"))


def own_marks(request: HttpRequest, article: Article, page: Skeleton, *also: Question) -> dict[str, str]:
    """The reader's votes and own comments on a page, what is new to them, whom they hide, and what `also` is answered
    with, values of slots too: one trip to the database. Who moderates finds the way to the desk."""
    shown = [int(name.removeprefix(VOTED)) for name in page.names if name.startswith(VOTED)]
    reader = current_reader(request)
    marks = _marks_of(reader, article, shown, page.names) if reader else ()
    if wants_news(request):
        marks += _news(article, shown, new_since(request, article), reader)
    if names := hidden_names(request):
        listed = [int(name.removeprefix(PICKED)) for name in page.names if name.startswith(PICKED)]
        marks += (Question(_OF_HIDDEN, [shown + listed, names, *[reader and reader.pk] * 2], _away),)
    values = {}
    for answer in ask(*also, *marks):
        values |= answer
    if has_session(request) and request.user.is_staff and request.user.has_perm("comments.change_comment"):
        desk, label = reverse("admin:comments_comment_changelist"), _("Moderieren")
        for pk in shown:
            link = format_html(' <a href="{}{}/change/">{}</a>', desk, pk, label)
            values[f"eigen-{pk}"] = values.get(f"eigen-{pk}", "") + link
    return values


def _marks_of(reader: Reader, article: Article, shown: list[int], names: Collection[str]) -> tuple[Question, ...]:
    proved = reader.email if reader.email and reader.owns(reader.email) else None
    comments = _own_comments.question(article=article.pk, reader=reader.pk, shown=shown, proved=proved)
    beside: dict[int, list[str]] = {}  # answered before the comments are
    unread: list[Comment] = []

    def read_shared(rows: list[tuple]) -> dict[str, str]:
        for row in map(_Shared._make, rows):
            if row.version_html:
                beside.setdefault(row.id, []).append(row.version_html)
            if row.is_unread:
                unread.append(Comment(state=Comment.State.HELD, **{name: getattr(row, name) for name in _TO_BE_SEEN}))
        return {}

    return (
        Question(_VOTES, [reader.pk, shown], lambda rows: {f"{VOTED}{pk}": vote_state(True) for (pk,) in rows}),
        Question(_SHARED, [proved, *[reader.pk, article.pk] * 2], read_shared),
        comments._replace(read=lambda rows: _own_html(comments.read(rows), unread, names, beside)),
    )


def _news(article: Article, shown: list[int], since: int | None, reader: Reader | None) -> tuple[Question, Question]:
    """What came after number `since`, or nothing at the first visit; one's own are not new."""
    last, pk = article.counters.last_number, reader and reader.pk
    since = last if since is None else since
    badge = format_html(' <b class="badge fresh">{}</b>', _("neu"))

    def bar(rows: list[tuple[int]]) -> dict[str, str]:
        count = rows[0][0] if rows[0][0] < _COUNTED else last - since
        label = ngettext(
            "%d neuer Kommentar seit Ihrem letzten Besuch", "%d neue Kommentare seit Ihrem letzten Besuch", count
        )
        query = Position(order=Order.OLDEST, view=View.FLAT, since=since).query(explicit=True)
        context = {"article": article, "count": count, "label": label % count, "since": since, "query": query}
        return {"neu": render("news", context)}

    return (
        Question(_NEW_HERE, [shown, since, pk, pk], lambda rows: {f"neu-{comment}": badge for (comment,) in rows}),
        Question(_HOW_MANY, [article.pk, since, pk, pk, _COUNTED], bar),
    )


def _away(hidden: list[tuple[int, str]]) -> dict[str, str]:
    """The stylesheet shows nothing else of a comment with such a button but its head; an editors' pick goes."""
    button = (
        '<button class="back" form="tat" formaction="/kommentar/{}/ausblenden/" name="wanted" value="0">{}</button>'
    )
    label = _("Sie haben %(name)s ausgeblendet. Wieder zeigen")
    values = {f"eigen-{pk}": format_html(button, pk, label % {"name": name}) for pk, name in hidden}
    return values | {f"{PICKED}{pk}": " hidden" for pk, _name in hidden}


def _own_html(
    comments: list[Comment], unread: list[Comment], names: Collection[str], beside: dict[int, list[str]]
) -> dict[str, str]:
    """`unread` are held comments whose words this device may not read, and which hold none."""
    values = {}
    for comment in comments:
        if comment.is_published:
            values |= _author_slots(comment)
    readable = [comment for comment in comments if comment.is_held]
    waiting = readable + [comment for comment in unread if comment not in comments]
    for comment in waiting:
        # In its place, or beneath what it answers, if the page shows that; or above all threads.
        places = (f"unter-{comment.pk}", f"unter-{comment.parent_id}")
        place = next((place for place in places if place in names), "wartend")
        stands_elsewhere = place == places[0] or comment.number is None
        html = held_html(
            comment,
            beside.get(comment.pk, []),
            may_read=comment in readable,
            place="" if stands_elsewhere else comment.anchor,
        )
        values[place] = values.get(place, "") + html
    return values


def _author_slots(comment: Comment) -> dict[str, str]:
    return {f"eigen-{comment.pk}": tools_html(comment), f"{VOTED}{comment.pk}": own_vote_state()}


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


def vote_html(comment: Comment, *, voted: bool, is_own: bool) -> SafeString:
    return render("vote", {"comment": comment, "state": own_vote_state() if is_own else vote_state(voted)})


def held_html(comment: Comment, beside: Sequence[str] = (), *, may_read: bool = True, place: str = "") -> SafeString:
    """With the versions `beside` it, and without its own words if this device may not read them; `place` is the anchor
    of its place, if the page shows none."""
    context = {"comment": comment, "beside": beside, "may_read": may_read, "tools": tools_html(comment, may_read)}
    return render("held", context | {"waits_for_proof": waits_for_proof(comment), "place": place})


def reply_html(comment: Comment, sentence: str, *, passing: bool, count: bool) -> SafeString:
    """A reply just written, alone, for its author; with what stands elsewhere on the page: a sentence about it, which
    may leave the view if it is `passing`, and the number of comments if it is to `count`."""
    if not comment.is_published:
        return render("reply", {"shown": held_html(comment), "title": "", "sentence": sentence, "passing": passing})
    article = comment.article
    article.counters.refresh_from_db()
    thread = Thread([Node(comment, parent=comment.parent)])
    shown = Skeleton.cut(threads_html(article, [thread], timezone.now())).fill(_author_slots(comment))
    said = {"sentence": sentence, "passing": passing}
    return render("reply", {"shown": mark_safe(shown), "title": title_of(article) if count else "", **said})


def tools_html(comment: Comment, may_read: bool = True) -> SafeString:
    """What its author may still do with a comment; words they may not read cannot be taken back into the form."""
    now = timezone.now()
    left = (comment.editable_until - now).total_seconds()
    undo = settings.UNDO_SECONDS - (now - (comment.published_at or comment.created_at)).total_seconds()
    if not may_read:
        undo = 0
    minutes = ngettext("noch %d Minute", "noch %d Minuten", math.ceil(left / 60)) % math.ceil(left / 60)
    return render("tools", {"address": comment.get_absolute_url(), "left": left, "minutes": minutes, "undo": undo})
