"""What concerns a person as a whole, and therefore stands above everything the person did."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

import comments.services
import subscriptions.services
from readers.merging import lock, merge, merge_all, one_at_a_time
from readers.models import Reader, User


def sign_in(user: User, device: Reader | None) -> Reader:
    """The account's reader, with everything the device did before as its own. The address is proved: allauth mailed
    a code to it."""
    known = user.known_as
    with transaction.atomic():
        if device is not None:
            one_at_a_time()
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # signing in twice at once: one after the other
        reader = Reader.objects.filter(user=user).first()
        locked = lock(*(one.pk for one in (reader, device) if one is not None))
        reader = locked[reader.pk] if reader is not None else None
        address_before = reader.email if reader is not None and reader.email_confirmed_at else ""
        device = locked.get(device.pk) if device is not None else None
        if device is not None and device.is_account:
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
        one_at_a_time()
        guests = lock(reader.pk, email=email)
        if reader.pk in guests:
            others = _the_same_as(guests[reader.pk], email, guests)
            _confirm(guests[reader.pk], email)
            merge_all(others, guests[reader.pk])


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
        one_at_a_time()
        device = _as_it_goes_on(device) if device else Reader.objects.create(name=writer.name, email=email)
        guests = lock(writer.pk, device.pk, email=email)
        device = guests[device.pk]
        others = _the_same_as(device, email, guests)
        changes = {}
        if device.pk != writer.pk:
            comments.services.lock_given({writer, *others}, device)
            changes = comments.services.give_written_to(writer, device, email=email)
            subscriptions.services.give_to(writer, device, email=email)
        _confirm(device, email)
        merge_all(others, device, counting=changes)
    return device


def _may_confirm(reader: Reader, email: str) -> bool:
    """A comment under another address may be under way in the same browser; what is confirmed is what was mailed."""
    return bool(email) and reader.email == email and not reader.is_account


def _confirm(reader: Reader, email: str) -> None:
    if _may_confirm(reader, email):
        reader.email_confirmed_at = timezone.now()
        reader.save(update_fields=["email_confirmed_at"])


def _the_same_as(reader: Reader, email: str, guests: dict[int, Reader]) -> list[Reader]:
    """Who proved the address that this one proves now."""
    if not _may_confirm(reader, email):
        return []
    return [other for other in guests.values() if other.pk != reader.pk and other.owns(email) and not other.is_account]


def _as_it_goes_on(reader: Reader) -> Reader:
    """As stored now, or the one it has become."""
    reader.refresh_from_db()
    while reader.merged_into is not None:
        reader = reader.merged_into
    return reader
