"""The same form many times at once (E7), and a comment with its jobs: both or neither (E10)."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import ConnectorException

from articles.models import Counters
from comments import posting
from comments.forms import Draft
from comments.models import Comment
from comments.posting import post_comment
from comments.screening import Circumstances
from comments.services import Refused, publish
from newsroom.pages.formkey import read_form_key
from ratings.models import Rating
from readers.models import Reader
from tests import factories
from tests.together import at_once

TIMES = 50


def jobs_about(comment_id: int) -> list[str]:
    return list(ProcrastinateJob.objects.filter(args__comment_id=comment_id).values_list("task_name", flat=True))


def post_fifty_times(article, browser) -> list[tuple[int, str]]:
    words = factories.words()

    def post(_number: int) -> tuple[int, str]:
        answer = browser().post(f"/artikel/{article.slug}/kommentieren/", words)
        return answer.status_code, answer.url

    return at_once(TIMES, post)


def assert_one_comment(article, answers) -> None:
    assert set(answers) == {(302, f"/artikel/{article.slug}/#kommentar-1")}
    comment = Comment.objects.get()
    article.counters.refresh_from_db()
    assert (article.counters.comments, article.counters.last_number, article.counters.last_thread) == (1, 1, 1)
    assert jobs_about(comment.pk) == ["subscriptions.tasks.announce"]


def test_fifty_at_once_from_one_device_are_one_comment(transactional_db, article):
    subscriber = factories.subscription(article).reader
    known = Client()
    known.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})

    def browser() -> Client:
        same = Client()
        same.cookies = known.cookies
        return same

    assert_one_comment(article, post_fifty_times(article, browser))
    assert Reader.objects.exclude(pk=subscriber.pk).count() == 1


def test_fifty_at_once_from_a_device_without_cookies_are_one_comment(transactional_db, article):
    subscriber = factories.subscription(article).reader
    assert_one_comment(article, post_fifty_times(article, Client))
    assert Reader.objects.exclude(pk=subscriber.pk).count() == 1


def test_editor_who_never_acted_before_becomes_one_reader(transactional_db, article):
    editor = factories.editor()
    known = Client()
    known.force_login(editor)

    def rate(number: int) -> int:
        same = Client()
        same.cookies = known.cookies
        return same.post(f"/artikel/{article.slug}/bewerten/", {"stars": str(number % 5 + 1)}).status_code

    assert at_once(10, rate) == [302] * 10
    assert Reader.objects.get().user == editor
    assert Rating.objects.count() == 1


def test_comment_and_job_are_stored_together(article):
    factories.subscription(article)
    comment = factories.comment(article)
    assert jobs_about(comment.pk) == ["subscriptions.tasks.announce"]


def post(article, body: str = "Ein Text.", *, notify: bool = True) -> Comment:
    how = Circumstances(key=read_form_key(factories.form_key()), network="192.0.2.0/24")
    draft = Draft(body=body, name="Anna", email="anna@example.org", notify=notify)
    return post_comment(article=article, parent=None, reader=factories.reader(), draft=draft, how=how)


def test_nobody_waits_for_what_comes_after_it_was_stored(transactional_db, article, monkeypatch):
    """The counters are what all who write at an article wait for; no Python may run while they are locked."""
    free = []

    def lock(_number: int) -> int:
        with transaction.atomic():
            return len(Counters.objects.select_for_update(nowait=True))

    def look(comment: Comment, **options) -> None:
        publish(comment, **options)
        free.extend(at_once(1, lock))

    monkeypatch.setattr(posting, "publish", look)
    post(article, notify=False)
    assert free == [1]


def post_and_break(article) -> None:
    with transaction.atomic():
        comment = post(article)
        assert jobs_about(comment.pk) == ["subscriptions.tasks.announce"]
        Rating.objects.create(article=article, reader=comment.reader, stars=6)


def test_what_breaks_after_the_job_takes_comment_job_and_counts_back(transactional_db, article):
    factories.subscription(article)
    before = ProcrastinateJob.objects.count()
    with pytest.raises(IntegrityError):
        post_and_break(article)
    assert Comment.objects.count() == 0
    assert ProcrastinateJob.objects.count() == before
    article.counters.refresh_from_db()
    assert (article.counters.comments, article.counters.last_number) == (0, 0)


def test_job_that_cannot_be_stored_takes_the_comment_back(transactional_db, article):
    """The queue's table refuses: the comment must not be there without its job."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE procrastinate_jobs ADD CONSTRAINT full_up CHECK (args ? 'nothing') NOT VALID")
    try:
        with pytest.raises(ConnectorException):
            post(article)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE procrastinate_jobs DROP CONSTRAINT full_up")
    assert Comment.objects.count() == 0
    article.counters.refresh_from_db()
    assert article.counters.comments == 0


def test_held_comment_owes_no_mail_to_subscribers(article):
    held = factories.comment(article, state=Comment.State.HELD)
    assert jobs_about(held.pk) == []


def test_slow_mode_holds_however_many_forms_are_sent_at_once(transactional_db):
    article, reader = factories.article(slow_mode=60), factories.reader("Anna")

    def post(number: int) -> bool:
        how = Circumstances(key=None, network="test")
        draft = Draft(body=f"Nummer {number}.", name="Anna")
        try:
            post_comment(article=article, parent=None, reader=reader, draft=draft, how=how)
        except Refused:
            return False
        return True

    assert sum(at_once(8, post)) == 1
