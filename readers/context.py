"""What pages show of whoever looks at them."""

from django.contrib.messages import SUCCESS, get_messages
from django.http import HttpRequest
from django.template.backends.utils import csrf_input
from django.urls import reverse
from django.utils.html import escape, format_html
from django.utils.translation import gettext as _

from readers.device import closed_bubble, current_reader, has_acted, has_session


def shared_page(request: HttpRequest) -> dict:
    """`shared`: this page is the same bytes for everyone, so its forms carry no token and no key. `account`: the
    links of who is signed in, if anybody is."""
    return {"shared": not has_acted(request), "account": _account(request) if has_acted(request) else ""}


def own_slots(request: HttpRequest) -> dict[str, str]:
    """For the slots of any page that is made for everyone: token, account, the answer to what was just
    done, and the invitation that was closed."""
    values = {"blase": ""} if closed_bubble(request) else {}
    if has_acted(request):
        values |= {"token": csrf_input(request)} | account_slot(request) | answer_slots(request)
    return values


def answer_slots(request: HttpRequest) -> dict[str, str]:
    """Each answer stands where the reader acted: beside the stars, above the comments, at the subscription; what is
    said of an account, on the front page. One that needs nothing more of them may leave the view."""
    values = {}
    for message in get_messages(request):
        sentence = escape(message)
        if message.level == SUCCESS and message.extra_tags:
            sentence = format_html('<span class="passing">{}</span>', sentence)
        values[f"antwort-{message.extra_tags or 'konto'}"] = sentence
    return values


def account_slot(request: HttpRequest) -> dict[str, str]:
    """For pages without anything to do for a reader: who is signed in."""
    account = _account(request)
    return {"konto": account} if account else {}


def _account(request: HttpRequest) -> str:
    """Who is signed in, by name, and for the house the way to its desk; "" for nobody. Whoever signed in to the admin
    is no reader before they act here."""
    if not has_session(request) or not request.user.is_authenticated:
        return ""
    reader = current_reader(request)
    if reader is not None and reader.is_account:
        name = str(reader)
    else:
        name = request.user.get_full_name() or request.user.get_username()
    desk = (
        format_html('<a href="{}">{}</a> ', reverse("admin:index"), _("Zur Redaktion")) if request.user.is_staff else ""
    )
    return format_html('{}<a href="{}" data-account>{}</a>', desk, reverse("account_email"), name)
