"""The same readers become one in several requests at the same moment, while they act: nobody waits for somebody who
waits for them, and nothing is counted twice."""

import random
import time
from threading import Event

from django.db import transaction
from django.test import Client
from django.utils import timezone

from articles.models import Article, Counters
from comments.mails import owner_token
from comments.models import Comment, Vote
from comments.services import delete_comment, vote
from moderation.services import remove, restore
from ratings.services import rate_article
from readers.models import Reader, User
from readers.services import confirm_address, continue_as, sign_in
from tests import factories
from tests.together import at_once

ADDRESS, ROUNDS = "vera@example.org", 6


def devices(articles: list[Article]) -> list[Reader]:
    """Four of one person, who wrote, answered, voted and rated on each, in other orders."""
    readers = [factories.reader("Vera", ADDRESS) for _ in range(4)]
    for number, reader in enumerate(readers):
        for article in articles[:: 1 if number % 2 else -1]:
            root = factories.comment(article, reader=reader, email=ADDRESS)
            factories.comment(article, parent=root, reader=readers[number - 1], email=ADDRESS)
            rate_article(article=article, reader=reader, stars=3)
    for reader in readers:
        for comment in Comment.objects.order_by("?"):
            vote(comment=comment, reader=reader, wanted=True)
    return readers


def test_an_account_is_never_merged_into_a_guest(transactional_db, article):
    """Its reader signs in while the link to what they wrote as a guest is opened elsewhere."""
    writer = factories.reader("Vera", ADDRESS, email_confirmed_at=timezone.now())
    link = f"/kommentar/mein/{owner_token(factories.comment(article, reader=writer, email=ADDRESS))}/"
    user, signing_in = User.objects.create_user("vera", ADDRESS), Event()

    def act(number: int) -> int | None:
        if number == 0:
            signing_in.wait(10)
            return Client().post(link).status_code
        with transaction.atomic():
            sign_in(user, writer)
            signing_in.set()
            time.sleep(0.5)
        return None

    assert at_once(2, act) == [404, None]
    assert sign_in(user, None).merged_into is None


def test_one_link_opened_on_two_devices_at_once_gives_one_the_comment(transactional_db, article):
    writer = factories.reader("Vera", ADDRESS)
    link = f"/kommentar/mein/{owner_token(factories.comment(article, reader=writer, email=ADDRESS))}/"
    answers = at_once(4, lambda number: Client().post(link).status_code)
    assert sorted(answers) == [302, 404, 404, 404]


def test_readers_become_one_from_several_sides_at_once(transactional_db, moderator):
    articles = [factories.article(f"Artikel {number}") for number in range(2)]
    for _round in range(ROUNDS):
        readers = devices(articles)
        comments = list(Comment.objects.filter(reader__in=readers).select_related("reader"))
        Reader.objects.filter(pk=readers[0].pk).update(email_confirmed_at=timezone.now())

        def act(number: int, readers=readers, comments=comments) -> None:
            chance = random.Random(number)
            for comment in chance.sample(comments, 4):
                if number < 3:
                    confirm_address(readers[number], ADDRESS)
                    vote(comment=comment, reader=readers[number], wanted=chance.random() < 0.5)
                elif number < 6:
                    continue_as(Comment.objects.get(pk=comment.pk).reader, email=ADDRESS, device=readers[number - 3])
                elif number < 8:
                    rate_article(article=comment.article, reader=readers[number - 5], stars=4)
                    delete_comment(comment=comment, reader=comment.reader)
                elif comment.is_published:
                    remove(comment, moderator=moderator, reason="Regel 1")
                    restore(comment, moderator=moderator)

        at_once(10, act)
        assert Reader.objects.filter(pk__in=[reader.pk for reader in readers[:3]], merged_into=None).count() == 1
        for article in articles:
            counters = Counters.objects.get(article=article)
            assert counters.ratings == article.rating_set.count()
            assert counters.comments == Comment.objects.published().filter(article=article).count()
        for comment in Comment.objects.all():
            assert comment.score == Vote.objects.filter(comment=comment).count()
            if comment.root_id is None:
                assert comment.reply_count == Comment.objects.published().filter(root=comment).count()
