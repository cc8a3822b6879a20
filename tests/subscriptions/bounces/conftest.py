import pytest

from subscriptions.models import Delivery
from tests.subscriptions.bounces.returned import another_mail


@pytest.fixture(autouse=True)
def reply_domain(settings) -> None:
    settings.REPLY_DOMAIN = "antwort.example"


@pytest.fixture
def told(article) -> Delivery:
    return another_mail(article)
