"""An article's text may be long. Only its own page shows it; nothing else fetches it, neither once nor for each row."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from subscriptions.models import Subscription
from tests import factories


@pytest.fixture
def comment(article):
    return factories.comment(article)


@pytest.fixture
def subscription(article):
    return Subscription.objects.create(
        article=article, kind=Subscription.Kind.ARTICLE, email="a@example.org", reader=factories.reader("Anna")
    )


def fetched(ask) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        ask()
    assert asked.captured_queries
    return [query["sql"] for query in asked.captured_queries if '"articles_article"."source"' in query["sql"]]


@pytest.mark.parametrize(
    "address",
    [
        "/kommentar/{comment.pk}/",
        "/artikel/{comment.article.slug}/gespraech/{comment.number}/",
        "/kommentar/{comment.pk}/verlauf/",
        "/kommentar/{comment.pk}/melden/",
        "/sitemap.xml",
    ],
)
def test_pages(client, comment, address):
    assert fetched(lambda: client.get(address.format(comment=comment))) == []


@pytest.mark.parametrize(
    "address",
    ["comments/comment/", "comments/comment/{comment.pk}/change/", "subscriptions/subscription/"],
)
def test_desk(desk, comment, subscription, address):
    assert fetched(lambda: desk.get("/redaktion/" + address.format(comment=comment))) == []
