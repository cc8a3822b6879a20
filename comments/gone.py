"""What was once public and is not, or not now: a link to it, out of a mail or a browser's history, is told so."""

from django.http import Http404
from django.utils.translation import gettext as _

from comments.models import Comment


class Gone(Http404):
    """Title, what is `said` and `address`, the article's, stand on the page for what is not found (newsroom.views)."""

    def __init__(self, title: str, said: str, address: str):
        super().__init__(said)
        self.title, self.said, self.address = title, said, address


def gone(comment: Comment) -> Http404:
    """To be raised about a comment that cannot be shown. Of one that nobody saw there is no trace."""
    by_its_author = _("Dieser Kommentar wurde von seiner Autorin oder seinem Autor gelöscht.")
    said = {
        Comment.State.DELETED: by_its_author,
        Comment.State.TAKEN_BACK: by_its_author,
        Comment.State.HELD: _("Dieser Kommentar wird gerade von der Redaktion geprüft."),
        Comment.State.REMOVED: _("Dieser Kommentar wurde von der Redaktion entfernt."),
    }.get(comment.state)
    if comment.number is None or said is None:
        return Http404()
    comes_back = comment.state == Comment.State.HELD
    title = _("Dieser Kommentar ist gerade nicht zu lesen") if comes_back else _("Diesen Kommentar gibt es nicht mehr")
    return Gone(title, said, f"{comment.article.get_absolute_url()}#kommentare")
