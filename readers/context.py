"""What pages show of whoever looks at them."""

from django.contrib.messages import get_messages
from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.urls import reverse
from django.utils.html import escape, format_html

from readers.device import current_reader, reads_only


def shared_page(request: HttpRequest) -> dict:
    """`shared`: this page is the same bytes for everyone, so its forms carry no token and no key. `account`: who is
    signed in, if anybody."""
    reader = None if reads_only(request) else current_reader(request)
    return {"shared": reads_only(request), "account": reader if reader is not None and reader.is_account else None}


def own_slots(request: HttpRequest) -> dict[str, str]:
    """For the slots of any page that is made for everyone: token, account, and the answer to what was just done."""
    values = {"token": csrf_input(request)}
    reader = current_reader(request)
    if reader is not None and reader.is_account:
        values["konto"] = format_html('<a href="{}" data-account>{}</a>', reverse("account_email"), reader)
    # Each answer stands where the reader acted: beside the stars, above the comments, at the subscription.
    return values | {f"antwort-{message.extra_tags}": escape(message) for message in get_messages(request)}
