"""What concerns a person as a whole, and therefore stands above everything the person did."""

from django.db import transaction
from django.utils import timezone

import comments.services
import ratings.services
import subscriptions.services
from readers.models import Reader, User


def sign_in(user: User, device: Reader | None) -> Reader:
    """The account's reader, with everything the device did before as its own. The address is proved: allauth mailed
    a code to it."""
    with transaction.atomic():
        reader = Reader.objects.filter(user=user).first()
        if reader is None and device is not None:
            reader, device = device, None
            reader.user = user
        elif reader is None:
            reader = Reader(user=user)
        reader.name = reader.name or user.get_full_name()
        reader.email, reader.email_confirmed_at = user.email.lower(), timezone.now() if user.email else None
        reader.save()
        if device is not None and device != reader:
            merge(device, reader)
    return reader


def confirm_address(reader: Reader, email: str) -> None:
    """The reader pressed the button behind a mail to `email`, in the browser they act with."""
    with transaction.atomic():
        # The condition stands in the UPDATE: a comment under another address may be under way in the same browser,
        # and what is confirmed must be what was mailed.
        still_theirs = Reader.objects.filter(pk=reader.pk, user=None, merged_into=None, email=email)
        if not email or not still_theirs.update(email_confirmed_at=timezone.now()):
            return
        same_person = Reader.objects.filter(
            email=email, email_confirmed_at__isnull=False, user=None, merged_into=None
        ).exclude(pk=reader.pk)
        for other in same_person.order_by("pk"):
            merge(other, reader)


def continue_as(reader: Reader, *, email: str, device: Reader | None) -> Reader:
    """A link mailed to `email`, which `reader` once gave, was opened on another device: it goes on as that reader, with
    what it did itself; an account takes the reader in. A device that gave another address keeps its deeds to itself."""
    with transaction.atomic():
        if device is not None and device.is_account:
            merge(reader, device)
            return device
        if device is not None and device.pk != reader.pk and device.email in ("", email):
            merge(device, reader)
        confirm_address(reader, email)
    return reader


def merge(source: Reader, target: Reader) -> None:
    """Everything `source` did becomes `target`'s; its old cookies lead there. Call in a transaction.

    Both readers are locked first, as every action locks its reader: nothing is done for `source` meanwhile.
    """
    locked = Reader.objects.select_for_update(no_key=True).filter(pk__in=[source.pk, target.pk]).order_by("pk")
    if any(reader.merged_into_id for reader in locked):
        return  # somebody was faster
    source, target = (next(reader for reader in locked if reader.pk == pk) for pk in (source.pk, target.pk))
    comments.services.hand_over(source, target)
    ratings.services.hand_over(source, target)
    subscriptions.services.hand_over(source, target)
    source.notices.update(reader=target)
    Reader.objects.filter(merged_into=source).update(merged_into=target)
    source.merged_into = target
    source.name = source.email = source.website = ""
    source.email_confirmed_at = None
    source.save()
