"""What our own log keeps of a request."""

import logging

import pytest
from django.urls import reverse

from comments.mails import comment_token, owner_token
from subscriptions.models import Recipient
from tests import factories


def logged(client, caplog, address: str) -> str:
    """Of a request that is turned away."""
    caplog.clear()
    assert client.options(address).status_code == 405
    (record,) = [record for record in caplog.records if record.name == "django.request"]
    for console in logging.getLogger().handlers:
        console.filter(record)
    return record.getMessage()


def test_rights_of_mailed_links_are_not_logged(client, article, caplog):
    comment = factories.comment(article, email="anna@example.org")
    subscription = factories.subscription(article)
    links = {
        "confirm_comment": comment_token(comment),
        "take_over_comment": owner_token(comment),
        "decide_by_mail": "WzEsMiwzXQ:1xX0CA:abc",
        "confirm_subscription": subscription.token("confirm"),
        "end_subscription": subscription.token("end"),
        "manage_subscriptions": Recipient(email="anna@example.org").token,
        "export_consents": Recipient(email="anna@example.org").token,
    }
    for name, token in links.items():
        said = logged(client, caplog, reverse(name, args=[token]))
        assert token not in said
        assert "/…" in said


@pytest.mark.parametrize("address", ["/artikel/{}/", "/kommentar/1/bearbeiten/"])
def test_everything_else_is(client, db, caplog, address):
    long_slug = "ein-artikel-mit-einer-sehr-langen-adresse-aus-vielen-worten-" * 2
    address = address.format(factories.article(slug=long_slug[:100]).slug)
    if "kommentar" in address:
        address = address.replace("1", str(factories.comment(factories.article()).pk))
    assert logged(client, caplog, address).endswith(address)
