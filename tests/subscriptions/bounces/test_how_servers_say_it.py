"""What mail servers say of a mail that they return, and what of it is believed (B15, E18)."""

import pytest

from newsroom.models import Suppression
from subscriptions.models import Bounce, Delivery
from subscriptions.outbox import send_due
from subscriptions.tasks import announce
from tests import factories
from tests.subscriptions.bounces.returned import BERTA, HARD, SOFT, bounces, comes_back, postfix, suppressed


@pytest.mark.parametrize("raw, detail", HARD.values(), ids=HARD)
def test_no_such_mailbox_suppresses_at_once(told, raw, detail):
    comes_back(told, raw)
    assert (suppressed(), bounces()) == ([(BERTA, "bounced")], [(BERTA, "hard")])
    assert Suppression.objects.get().detail.startswith(detail)


@pytest.mark.parametrize("raw", SOFT.values(), ids=SOFT)
def test_what_may_pass_is_noted_and_suppresses_nobody(told, raw):
    comes_back(told, raw)
    assert (suppressed(), bounces()) == ([], [(BERTA, "soft")])


NOTHING = {
    "delayed": postfix("4.4.1", "X-Postfix; Connection timed out", action="delayed"),
    "delivered": postfix("2.0.0", "smtp; 250 2.0.0 Ok", action="delivered"),
    "relayed": postfix("2.0.0", "smtp; 250 2.0.0 Ok", action="relayed"),
    "expanded": postfix("2.0.0", "smtp; 250 2.0.0 Ok", action="expanded"),
    "out of office": "From: berta@example.org\nSubject: Abwesend\nAuto-Submitted: auto-replied\n\nBis Montag.\n",
    "read receipt": "Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/disposition-notification"
    "\n\nDisposition: automatic-action; displayed\n--x--\n",
    "words about a failure": "From: berta@example.org\n\nAction: failed\nStatus: 5.1.1\n",
    "empty": "",
    "report without end": "Content-Type: message/delivery-status",
    "report far behind": "\n" * 250_000 + "Content-Type: message/delivery-status\n\nAction: failed\nStatus: 5.1.1\n",
}


@pytest.mark.parametrize("raw", NOTHING.values(), ids=NOTHING)
def test_what_tells_of_no_failure_changes_nothing(told, raw):
    comes_back(told, raw)
    assert (suppressed(), bounces()) == ([], [])


@pytest.mark.parametrize("said", ["smtp; 550 5.1.1 \0NUL", "smtp; 550 5.1.1 \udcff", "smtp; 550 5.1.1 " + "x" * 10_000])
def test_whatever_a_server_says_can_be_stored(told, said):
    comes_back(told, postfix("5.1.1", said).encode("utf-8", "surrogateescape"))
    assert suppressed() == [(BERTA, "bounced")]
    assert Bounce.objects.get().detail.startswith("5.1.1 smtp; 550 5.1.1")


def test_mail_to_it_is_dropped_then(article, told, letters):
    comes_back(told, HARD["Postfix"][0])
    announce(comment_id=factories.comment(article).pk)
    send_due()
    assert letters() == []
    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["sent", "suppressed"]
