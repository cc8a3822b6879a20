"""The database holds the truth: every constraint refuses the row it is there to refuse."""

import uuid
from collections.abc import Callable
from datetime import time

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone

from articles.models import Article, Counters
from comments.models import Comment, OtherDevice, Passage, Revision, Vote
from moderation.models import Decision, Notice
from ratings.models import Rating
from readers.models import Reader, User
from subscriptions.models import Bounce, Consent, Delivery, Recipient, Subscription
from tests import factories

OURS = ["articles", "readers", "comments", "ratings", "subscriptions", "moderation"]


def change(model: type, **fields) -> Callable[[], object]:
    """Changes the oldest row past everything that Python would check."""
    return lambda: model.objects.filter(pk=model.objects.earliest("pk").pk).update(**fields)


def first(model: type):
    return model.objects.earliest("pk")


def again(model: type, **fields) -> Callable[[], object]:
    """Stores a second row like the oldest one."""

    def store() -> None:
        row = first(model)
        row.pk, row._state.adding = None, True
        for name, value in fields.items():
            setattr(row, name, value)
        row.save(force_insert=True)

    return store


def root_and_reply() -> tuple[Comment, Comment]:
    return Comment.objects.get(parent=None), Comment.objects.exclude(parent=None).get()


def on_root(**fields) -> Callable[[], object]:
    return lambda: Comment.objects.filter(parent=None).update(**fields)


def on_reply(**fields) -> Callable[[], object]:
    return lambda: Comment.objects.exclude(parent=None).update(**fields)


def own_parent() -> None:
    reply = root_and_reply()[1]
    Comment.objects.filter(pk=reply.pk).update(parent=reply)


def unsaid() -> None:
    Revision.objects.create(comment=root_and_reply()[0], body="", replaced_at=timezone.now())


def account_that_became_another() -> None:
    other = Reader.objects.create()
    Reader.objects.create(user=User.objects.create(username="drei"), merged_into=other)


REFUSED = {
    "article_state_valid": change(Article, state="gone"),
    "article_published_has_time": change(Article, published_at=None),
    "article_comment_mode_valid": change(Article, comment_mode="maybe"),
    "article_slow_mode_valid": change(Article, slow_mode=31),
    "counters_stars_fit_ratings": lambda: Counters.objects.update(ratings=2, stars=11),
    "counters_comments_numbered": lambda: Counters.objects.update(comments=9, last_number=8),
    "user_email_once": lambda: User.objects.create(username="zwei", email="RedAktion@example.org"),
    "reader_not_into_itself": lambda: Reader.objects.filter(pk=first(Reader).pk).update(merged_into=first(Reader)),
    "reader_account_stays": account_that_became_another,
    "reader_confirmed_has_email": change(Reader, email="", email_confirmed_at=timezone.now()),
    "passage_not_empty": change(Passage, exact=""),
    "passage_once": again(Passage),
    "comment_state_valid": on_root(state="hidden"),
    "comment_root_or_reply": on_reply(depth=0),
    "comment_not_own_parent": own_parent,
    "comment_published_is_numbered": on_reply(published_at=None),
    "comment_thread_number_on_roots": on_reply(thread_number=7),
    "comment_numbered_root_has_thread_number": on_root(thread_number=None),
    "comment_says_something": on_root(name=""),
    "comment_badge_valid": on_root(badge="boss"),
    "revision_says_something": unsaid,
    "comment_number_once": on_reply(number=1),
    "comment_thread_number_once": again(Comment, form_key=uuid.uuid4(), number=99),
    "vote_once": again(Vote),
    "other_device_once": again(OtherDevice),
    "other_device_version_rendered": change(OtherDevice, version="Roh."),
    "rating_once": again(Rating),
    "rating_one_to_five": change(Rating, stars=6),
    "subscription_once": again(Subscription),
    "subscription_to_replies_once": lambda: (
        change(Subscription, kind="replies")(),
        again(Subscription)(),
    ),
    "subscription_kind_valid": change(Subscription, kind="all"),
    "subscription_email_lower": change(Subscription, email="Berta@example.org"),
    "subscription_rhythm_valid": change(Subscription, rhythm="yearly"),
    "consent_event_valid": change(Consent, event="guessed"),
    "recipient_email_lower": change(Recipient, email="Berta@example.org"),
    "recipient_quiet_both": change(Recipient, quiet_from=time(22)),
    "delivery_once": again(Delivery),
    "delivery_state_valid": change(Delivery, state="lost"),
    "delivery_sent_has_time": change(Delivery, state="sent", sent_at=None),
    "delivery_not_its_own_digest": change(Delivery, digest=F("id")),
    "bounce_kind_valid": change(Bounce, kind="boring"),
    "notice_kind_valid": change(Notice, kind="boring"),
    "notice_state_valid": change(Notice, state="lost"),
    "notice_says_who": change(Notice, name=""),
    "decision_action_valid": change(Decision, action="laugh"),
    "decision_occasion_valid": change(Decision, occasion="rumour"),
    "notice_open_is_undecided": lambda: Notice.objects.update(decision=first(Decision)),
    "decision_removal_has_reason": change(Decision, action="remove", reason=""),
}
# The bounds on both sides, and the other half of a rule.
REFUSED_TOO = [
    ("rating_one_to_five", change(Rating, stars=0)),
    ("counters_stars_fit_ratings", lambda: Counters.objects.update(ratings=2, stars=1)),
    ("comment_root_or_reply", on_root(depth=1)),
    ("comment_says_something", on_root(body="")),
    ("comment_published_is_numbered", on_reply(number=None)),
    ("passage_not_empty", change(Passage, block=0)),
    ("notice_says_who", change(Notice, email="")),
    ("decision_occasion_valid", change(Decision, action="approve", occasion="notice")),
    ("subscription_email_lower", change(Subscription, email="")),
    ("recipient_email_lower", change(Recipient, email="")),
    ("recipient_quiet_both", change(Recipient, quiet_until=time(7))),
]


@pytest.fixture
def one_of_each(article) -> None:
    editor = factories.editor()
    passage = Passage.objects.create(article=article, block=1, exact="Erster Absatz.")
    root = factories.comment(article, passage=passage)
    factories.comment(article, parent=root)
    Vote.objects.create(comment=root, reader=root.reader)
    OtherDevice.objects.create(comment=root, reader=factories.reader("Anna"))
    Rating.objects.create(article=article, reader=root.reader, stars=3)
    row = factories.subscription(article)
    Consent.objects.create(subscription=row, event="asked", how="Formular")
    Recipient.objects.create(email=row.email)
    Delivery.objects.create(comment=root, subscription=row, email=row.email)
    Bounce.objects.create(email=row.email, kind="hard", event_id="1")
    Notice.objects.create(comment=root, kind="spam", reason="x", name="Berta", email="b@example.org", good_faith=True)
    Decision.objects.create(comment=root, moderator=editor, action="remove", reason="x")


@pytest.mark.parametrize("name, store", [*REFUSED.items(), *REFUSED_TOO])
def test_bad_row_is_refused_by_its_constraint(one_of_each, name, store):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        store()
    assert refused.value.__cause__.diag.constraint_name == name


def test_every_constraint_is_tried():
    models = [model for name in OURS for model in apps.get_app_config(name).get_models()]
    assert {constraint.name for model in models for constraint in model._meta.constraints} == set(REFUSED)


def test_form_key_is_unique(one_of_each):
    key = first(Comment).form_key
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        on_reply(form_key=key)()
    assert "form_key" in refused.value.__cause__.diag.constraint_name


def test_limits_survive_no_crash_and_so_cost_no_waiting(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT relpersistence FROM pg_class WHERE relname = 'newsroom_limit'")
        assert cursor.fetchone() == ("u",)
