"""Plain functions that make what a test is about; what matters stands in the test."""

import itertools
import uuid

from django.core.signing import Signer
from django.db import transaction
from django.utils import timezone

from articles.models import Article, Author, Section
from articles.services import save_article
from comments.models import Comment
from comments.services import publish
from readers.models import Reader, User
from subscriptions.models import Subscription

_count = itertools.count(1)


def article(headline: str = "Brücke gesperrt", **fields) -> Article:
    fields.setdefault("author", Author.objects.get_or_create(name="UKIN")[0])
    fields.setdefault("section", Section.objects.get_or_create(name="Politik")[0])
    fields.setdefault("source", "Erster Absatz.\n\nZweiter Absatz.")
    fields.setdefault("state", Article.State.PUBLISHED)
    fields.setdefault("slug", f"artikel-{next(_count)}")
    return save_article(Article(headline=headline, **fields))


def reader(name: str = "", email: str = "", **fields) -> Reader:
    return Reader.objects.create(name=name, email=email, **fields)


def editor(username: str = "redaktion") -> User:
    """Signed in by force_login: hashing a password takes longer than most tests."""
    return User.objects.create_superuser(username, f"{username}@example.org")


def comment(article: Article, body: str = "Ein Kommentar.", *, parent: Comment | None = None, **fields) -> Comment:
    """A published comment, or one in the given state."""
    state = fields.pop("state", Comment.State.PUBLISHED)
    author = fields.pop("reader", None) or reader(name=fields.get("name", "Anna"))
    made = Comment(
        article=article,
        parent=parent,
        root=(parent.root or parent) if parent else None,
        depth=parent.depth + 1 if parent else 0,
        reader=author,
        name=fields.pop("name", author.name or "Anna"),
        email=fields.pop("email", author.email),
        body=body,
        form_key=uuid.uuid4(),
        **fields,
    )
    made.render()
    with transaction.atomic():
        if state == Comment.State.HELD:
            made.save()
        else:
            publish(made)
            if state != Comment.State.PUBLISHED:
                Comment.objects.filter(pk=made.pk).update(state=state)
                made.state = state
    return made


def subscription(article: Article, email: str = "berta@example.org", **fields) -> Subscription:
    """A confirmed subscription to the article, or of the given kind and times."""
    author = fields.pop("reader", None) or reader(email=email)
    now = timezone.now()
    fields = {"kind": "article", "wording": "Ja.", "form_url": "http://localhost:8000/", "confirmed_at": now} | fields
    return Subscription.objects.create(article=article, reader=author, email=email, **fields)


def form_key(age: float = 60) -> str:
    """The key of a form that was opened `age` seconds ago."""
    opened = timezone.now().timestamp() - age
    return Signer(salt="newsroom.formkey").sign(f"{uuid.uuid4().hex}~{opened:.1f}")


def words(body: str = "Das überzeugt mich *nicht*.", **fields: str) -> dict[str, str]:
    """What a reader who took a minute sends with the comment form."""
    return {"body": body, "name": "Anna", "email": "", "website": "", "form_key": form_key()} | fields
