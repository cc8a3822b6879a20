"""`manage.py sample_conversation`: two hundred comments that leave the database as readers' own would have."""

from datetime import timedelta
from io import StringIO
from itertools import product

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, Max
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from articles.services import save_article
from comments.models import Comment, Passage, Revision
from comments.position import Order, View
from newsroom.trial.prepare import publish_first_article
from subscriptions.models import Subscription
from tests import factories

State = Comment.State


@pytest.fixture
def article(db) -> Article:
    publish_first_article()
    return Article.objects.get()


def sample(*arguments: str, **options) -> str:
    out = StringIO()
    call_command("sample_conversation", *arguments, stdout=out, **options)
    return out.getvalue()


def assert_consistent(article: Article) -> None:
    """Every stored count and number is what the rows say."""
    comments = list(article.comments_all.order_by("number").annotate(given=Count("votes")))
    numbered = [comment for comment in comments if comment.number]
    published = [comment for comment in comments if comment.is_published]
    roots = [comment for comment in numbered if comment.parent_id is None]
    by_id = {comment.pk: comment for comment in comments}
    counters = Article.objects.select_related("counters").get(pk=article.pk).counters
    assert [comment.number for comment in numbered] == list(range(1, len(numbered) + 1))
    assert [comment.thread_number for comment in roots] == list(range(1, len(roots) + 1))
    assert (counters.comments, counters.last_number, counters.last_thread) == (
        len(published),
        len(numbered),
        len(roots),
    )
    for comment in comments:
        parent = by_id.get(comment.parent_id)
        assert comment.score == comment.given
        assert comment.depth == (parent.depth + 1 if parent else 0)
        assert comment.root_id == ((parent.root_id or parent.pk) if parent else None)
        beneath = [reply for reply in published if reply.root_id == comment.pk]
        assert comment.reply_count == len(beneath)
        if parent is not None and comment.number:
            assert parent.number < comment.number
    times = [comment.published_at for comment in numbered]
    assert times == sorted(times)
    assert article.published_at <= times[0]
    assert times[-1] <= timezone.now()


def test_counts_numbers_and_times_fit(article):
    answer = sample()
    assert Comment.objects.count() == 200
    published = Comment.objects.published().count()
    assert answer == f"{article.get_absolute_url()}  200 Kommentare, davon {published} veröffentlicht\n"
    assert_consistent(article)


def test_comments_of_every_kind_are_there(article):
    sample()
    comments = Comment.objects.all()
    states = dict(comments.values_list("state").annotate(Count("pk")))
    assert set(states) == set(State.values)
    assert set(comments.values_list("badge", flat=True)) == {"", "author", "editor", "moderator"}
    assert comments.aggregate(Max("depth"))["depth__max"] >= 8
    assert comments.filter(state=State.REMOVED, replies__state=State.PUBLISHED).exists()
    assert comments.filter(state=State.DELETED, replies__state=State.PUBLISHED, name="–", body="–", html="").exists()
    assert comments.filter(state=State.DELETED, replies=None, parent__isnull=False).exists()
    assert comments.filter(state=State.HELD, number=None, parent=None).exists()
    assert comments.filter(state=State.HELD, number=None, parent__isnull=False).exists()
    assert comments.filter(picked_at__isnull=False).count() >= 3
    assert comments.exclude(website="").exists()
    assert comments.aggregate(Max("score"))["score__max"] > 20
    assert comments.published().filter(score=0).exists()
    lengths = sorted(len(comment.body) for comment in comments.published())
    assert lengths[0] < 10
    assert lengths[-1] > 1000
    html = "".join(comment.html for comment in comments)
    for tag in ("<blockquote>", "<ol>", "<ul>", "<em>", "<strong>", "<code>", "<pre>", "<a href="):
        assert tag in html


def test_edited_comment_shows_what_it_said_before(article, client):
    sample()
    edited = Comment.objects.filter(edited_at__isnull=False)
    assert edited.count() == Revision.objects.count() > 0
    for comment in edited:
        revision = comment.revisions.get()
        assert revision.body != comment.body
        assert client.get(f"/kommentar/{comment.pk}/verlauf/").status_code == 200


def test_passages_quote_the_article(article):
    sample()
    passages = Passage.objects.filter(comments__isnull=False)
    assert passages.count() >= 5
    for passage in passages:
        assert passage.exact in " ".join(article.source.split())
        assert passage.comment_count == passage.comments.published().count()


def test_what_only_some_comments_are_is_there_too(article, client):
    sample()
    comments = Comment.objects.all()
    (lost,) = comments.filter(passage__block=None, passage__isnull=False)
    assert "bezieht sich auf eine frühere Fassung" in client.get(lost.get_absolute_url(), follow=True).text
    (unconfirmed,) = comments.unconfirmed()
    assert unconfirmed.email
    long = [one for one in comments.published() if 600 <= len(one.body) <= 1800 and one.body.count("\n\n") >= 2]
    assert len(long) >= 4
    save_article(Article.objects.get())
    lost.refresh_from_db()
    assert lost.passage.block is None  # as it would be if its words had been there once


def test_editors_question_is_answered(db, client):
    asking = factories.article(source="Die [[Brücke]]{Zu Recht?} bleibt gesperrt.")
    sample(asking.slug)
    answers = Comment.objects.published().filter(passage__question="Zu Recht?")
    assert (answers.count(), Passage.objects.get(question="Zu Recht?").comment_count) == (1, 1)


def test_nobody_is_told(article):
    factories.subscription(article)
    sample()
    assert (Subscription.objects.count(), ProcrastinateJob.objects.count()) == (1, 0)


def test_every_page_shows_it(article, client):
    sample()
    for order, view in product(Order.values, View.values):
        page = client.get(article.get_absolute_url(), {"sortierung": order, "ansicht": view})
        assert (page.status_code, "Swetlana M." in page.text) == (200, True), (order, view)


def test_same_seed_makes_the_same_conversation(article):
    def told() -> list:
        with transaction.atomic():
            sample(seed=7)
            shown = list(Comment.objects.order_by("created_at").values_list("number", "name", "score", "published_at"))
            transaction.set_rollback(True)
        return shown

    assert told() == told()


def test_article_with_comments_is_refused_unless_asked_for_more(article):
    first = factories.comment(article)
    Comment.objects.filter(pk=first.pk).update(published_at=article.published_at + timedelta(hours=1))
    with pytest.raises(CommandError, match="hat schon Kommentare"):
        sample()
    sample(more=True)
    sample(more=True)
    assert Comment.objects.count() == 401
    assert_consistent(article)


def test_article_by_its_address_whatever_it_says(db):
    wanted = factories.article()
    factories.article("Ein neuerer")
    sample(wanted.slug)
    assert wanted.comments_all.count() == Comment.objects.count() == 200
    assert_consistent(wanted)


def test_no_such_article(db):
    for arguments in ((), ("gibt-es-nicht",)):
        with pytest.raises(CommandError):
            sample(*arguments)
