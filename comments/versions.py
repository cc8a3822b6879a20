"""A held comment in versions: what a device writes that may not read the comment's words waits beside them, until a
moderator publishes one of the two (decision 0011)."""

from django.db.models import Q
from django.utils import timezone

from comments.models import Comment, OtherDevice
from comments.screening import IN_VERSIONS
from newsroom.markup import comment_html
from readers.models import Reader


def write_version(comment: Comment, reader: Reader, body: str, because: list[str]) -> None:
    """Puts a device's words beside those it may not read; what was public last takes its version away again. `because`
    is what screening found in it. Call with the comment locked."""
    version, html = (body, comment_html(body)) if body != comment.public_words else ("", "")
    mine = comment.other_devices.filter(reader=reader)
    mine.update(version=version, version_html=html, version_because=because if version else [])
    comment.held_because = with_versions(comment, comment.held_because)
    comment.save(update_fields=["held_because"])


def with_versions(comment: Comment, because: list[str]) -> list[str]:
    """Why its own words wait; and, while versions do, that. So neither the address confirmed nor other words of its
    owner's publish it then, or a version would be lost."""
    reasons = [reason for reason in because if reason != str(IN_VERSIONS)]
    return [*reasons, str(IN_VERSIONS)] if comment.waiting_beside else reasons


def take_version(comment: Comment, device: OtherDevice) -> None:
    """A held comment's words give way to those that wait beside them. Call with the comment locked, and publish it."""
    comment.body, comment.html = device.version, device.version_html
    comment.other_devices.update(has_words=Q(pk=device.pk))
    if comment.number is not None:
        comment.edited_at = timezone.now()


def settle_versions(comment: Comment) -> None:
    """What waited beside the comment's words waits no longer."""
    comment.other_devices.filter(reader=comment.reader_id).delete()  # was kept for nothing else
    comment.other_devices.exclude(version="").update(version="", version_html="", version_because=[])
