"""What waits for an editor, for the first page of the admin."""

from django import template

from comments.models import Comment
from moderation.models import Notice
from newsroom.models import Outbox

MOST = 100  # counted so far and no further: the page costs the same however much has piled up

register = template.Library()


@register.simple_tag
def waiting() -> dict[str, int | Outbox]:
    """How many comments wait for a moderator and how many notices open, at most MOST each; and whether mails go out."""
    return {
        "comments": Comment.objects.for_a_moderator()[:MOST].count(),
        "mails": Outbox.now(),
        "notices": Notice.objects.filter(state=Notice.State.OPEN)[:MOST].count(),
    }
