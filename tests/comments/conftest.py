import pytest
from django.test import Client

from comments.mails import owner_token
from tests import factories
from tests.comments.own import the_comment


@pytest.fixture
def author(article) -> Client:
    """A device that has just written the article's first comment."""
    device = Client()
    words = factories.words("Erste *Fassung*.", email="anna@example.org", website="example.org")
    device.post(f"/artikel/{article.slug}/kommentieren/", words)
    return device


@pytest.fixture
def other(author) -> Client:
    """The device that has opened the mailed link."""
    device = Client()
    assert device.post(f"/kommentar/mein/{owner_token(the_comment())}/").status_code == 302
    return device
