import pytest
from django.test import Client

from tests import factories


@pytest.fixture
def author(article) -> Client:
    """A device that has just written the article's first comment."""
    device = Client()
    words = factories.words("Erste *Fassung*.", email="anna@example.org", website="example.org")
    device.post(f"/artikel/{article.slug}/kommentieren/", words)
    return device
