"""What tests of one's own comment do with it."""

from django.test import Client

from articles.models import Article
from comments.models import Comment


def the_comment() -> Comment:
    return Comment.objects.order_by("pk").first()


def change(device: Client, body: str, **options):
    return device.post(f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": body, "form_key": ""}, **options)


def page_of(article: Article, device: Client | None = None) -> str:
    return (device or Client()).get(f"/artikel/{article.slug}/").text
