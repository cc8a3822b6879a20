"""What concerns a person as a whole, and therefore stands above everything the person did."""

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

import comments.services
import ratings.services
import subscriptions.services
from articles.models import Counters
from readers.models import Reader, User


def sign_in(user: User, device: Reader | None) -> Reader:
    """The account's reader, with everything the device did before as its own. The address is proved: allauth mailed
    a code to it."""
    known = user.known_as
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # signing in twice at once: one after the other
        reader = Reader.objects.filter(user=user).first()
        locked = _lock(*(one.pk for one in (reader, device) if one is not None))
        reader = locked[reader.pk] if reader is not None else None
        address_before = reader.email if reader is not None and reader.email_confirmed_at else ""
        device = locked.get(device.pk) if device is not None else None
        if device is not None and (device.is_account or device.merged_into_id):
            device = None  # it became somebody in the meantime
        if reader is None and device is not None:
            reader, device = device, None
            reader.user = user
        elif reader is None:
            reader = Reader(user=user)
        reader.name = reader.name or known["name"]
        reader.email, reader.email_confirmed_at = known["email"], timezone.now() if known["email"] else None
        reader.save()
        if address_before and reader.email and address_before != reader.email:
            subscriptions.services.follow_address(reader, old=address_before, new=reader.email)
        if device is not None:
            merge(device, reader)
    return reader


def confirm_address(reader: Reader, email: str) -> None:
    """The reader pressed the button behind a mail to `email`, in the browser they act with: everyone else who proved
    this address is the same person."""
    with transaction.atomic():
        guests = _lock(reader.pk, email=email)
        reader = guests.pop(reader.pk, None)
        # A comment under another address may be under way in the same browser; what is confirmed is what was mailed.
        if reader is None or not email or reader.email != email or reader.is_account or reader.merged_into_id:
            return
        reader.email_confirmed_at = timezone.now()
        reader.save(update_fields=["email_confirmed_at"])
        for other in guests.values():
            if other.owns(email):
                merge(other, reader)


def reader_at(email: str, *, name: str) -> Reader:
    """The reader who proved this address, an account before a guest; a new one where nobody did. Only for who writes
    from that mailbox: whoever once typed the address on the site is somebody else (decision 0011)."""
    proved = Reader.objects.filter(email=email, email_confirmed_at__isnull=False, merged_into=None)
    reader = proved.order_by(F("user").asc(nulls_last=True), "pk").first()
    if reader is None:
        return Reader.objects.create(name=name, email=email, email_confirmed_at=timezone.now())
    reader.name = reader.name or name
    return reader


def continue_as(writer: Reader, *, email: str, device: Reader | None) -> Reader:
    """A link mailed to `email`, which `writer` once gave, was opened on a device: what was written with this address
    is that device's from now on.

    The mailbox is proved, not that its owner is whoever wrote: anybody can type an address. So the two do not become
    one reader, or a stranger's cookie would have rights over everything the one who opened the link does.
    """
    with transaction.atomic():
        if device is None:
            device = Reader.objects.create(name=writer.name, email=email)
        changes = {}
        if device.pk != writer.pk:
            _lock(writer.pk, device.pk, email=email)
            changes = comments.services.give_written_to(writer, device, email=email)
            subscriptions.services.give_to(writer, device, email=email)
        confirm_address(device, email)
        _count(changes)
    return device


def merge(source: Reader, target: Reader) -> None:
    """Everything `source` did becomes `target`'s; its old cookies lead there. Call in a transaction.

    Both readers are locked first, as every action locks its reader: nothing is done for `source` meanwhile.
    """
    locked = _lock(source.pk, target.pk)
    if any(reader.merged_into_id for reader in locked.values()):
        return  # somebody was faster
    source, target = locked[source.pk], locked[target.pk]
    changes = comments.services.give_to(source, target) | ratings.services.give_to(source, target)
    subscriptions.services.give_to(source, target)
    Reader.objects.filter(merged_into=source).update(merged_into=target)
    source.merged_into = target
    source.name = source.email = source.website = ""
    source.email_confirmed_at = None
    source.save()
    _count(changes)
    source.notices.update(reader=target)  # after the counters, as for whoever removes a comment and answers notices


def _count(changes: dict[int, dict[str, int]]) -> None:
    """Last, and in this order everywhere (no deadlock)."""
    for article_id, changed in sorted(changes.items()):
        Counters.objects.touch(article_id, **changed)


def _lock(*pks: int, email: str = "") -> dict[int, Reader]:
    """These readers and all guests who gave `email`, locked in the same order by everyone (no deadlock)."""
    wanted = Q(pk__in=pks)
    if email:
        wanted |= Q(email=email, user=None, merged_into=None)
    readers = Reader.objects.select_for_update(no_key=True).filter(wanted).order_by("pk")
    return {reader.pk: reader for reader in readers}
