"""What an attacker tried: to become another reader, to mail a stranger, to stuff the ballot."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import Comment
from comments.services import vote
from moderation.services import remove, restore
from newsroom.addresses import canonical_address
from newsroom.ratelimit import count_up
from ratings.services import rate_article
from readers.device import NEW_READERS
from readers.merging import merge
from readers.models import Reader
from readers.services import confirm_address
from subscriptions.models import Subscription
from subscriptions.services import NOBODY
from tests import factories
from tests.together import at_once


def confirmed(email: str) -> Reader:
    return factories.reader("Vera", email, email_confirmed_at=timezone.now())


def jobs(task: str) -> int:
    return ProcrastinateJob.objects.filter(task_name=task).count()


def test_an_address_that_only_looks_alike_takes_nothing_over(db):
    victim, attacker = confirmed("vera@gmail.com"), factories.reader("Mallory", "vera@gmaıl.com")
    confirm_address(attacker, "vera@gmaıl.com")
    victim.refresh_from_db()
    assert victim.merged_into is None


def test_what_is_confirmed_is_what_was_mailed(db):
    reader = factories.reader("Mallory", "mallory@evil.example")
    Reader.objects.filter(pk=reader.pk).update(email="vera@gmail.com")  # a comment under way in another tab
    confirm_address(reader, "mallory@evil.example")
    reader.refresh_from_db()
    assert reader.email_confirmed_at is None


def test_the_same_address_makes_one_reader_of_two_devices(db):
    old, new = confirmed("vera@gmail.com"), factories.reader("Vera", "vera@gmail.com")
    confirm_address(new, "vera@gmail.com")
    old.refresh_from_db()
    assert old.merged_into == new


def test_two_devices_that_confirm_at_once_become_one(transactional_db):
    devices = [factories.reader("Vera", "vera@gmail.com") for _ in range(4)]

    def confirm(number: int) -> None:
        confirm_address(devices[number], "vera@gmail.com")

    at_once(4, confirm)
    assert Reader.objects.filter(merged_into=None).count() == 1


def test_readers_are_merged_and_act_at_once_without_deadlock(transactional_db):
    """Counters and comments in opposite orders: each pair voted for and rated both articles, both in both roles."""
    articles = [factories.article(f"Artikel {number}") for number in range(2)]
    pairs = [[factories.reader("Vera"), factories.reader("Vera")] for _ in range(6)]
    for number, pair in enumerate(pairs):
        first, second = articles[:: 1 if number % 2 else -1]
        root, own = factories.comment(first), factories.comment(first, reader=pair[0])
        factories.comment(first, parent=own, reader=pair[0])
        for reader in pair:
            vote(comment=root, reader=reader, wanted=True)
            vote(comment=own, reader=reader, wanted=True)  # the one who did not write it
            rate_article(article=second, reader=reader, stars=3)

    def act(number: int) -> None:
        source, target = pairs[number % len(pairs)]
        if number < len(pairs):
            with transaction.atomic():
                merge(source, target)
        else:
            for comment in Comment.objects.filter(parent__isnull=False):
                remove(comment, moderator=None, reason="Regel 1")
                restore(comment, moderator=None)

    at_once(len(pairs) + 2, act)
    for article in articles:
        article.counters.refresh_from_db()
        assert article.counters.ratings == article.rating_set.count() == 3
    scores = Comment.objects.filter(parent=None).order_by("pk").values_list("score", flat=True)
    assert list(scores) == [1, 0] * len(pairs)


def test_an_action_under_way_goes_to_the_reader_it_was_merged_into(article):
    stale, target = factories.reader("Vera"), factories.reader("Vera")
    merge(Reader.objects.get(pk=stale.pk), target)
    assert Reader.objects.lock(stale) == target


@pytest.mark.parametrize(
    "spelling",
    ["opfer@exa\u00admple.org", "opfer@ｅxample.org", "OPFER@Example.ORG", "opfer@example。org", " opfer@example.org "],
)
def test_every_spelling_of_an_address_is_one(spelling):
    assert canonical_address(spelling) == "opfer@example.org"


@pytest.mark.parametrize("address", ["opfér@example.org", "opfer@", "opfer@-.org", "@example.org", "opfer"])
def test_what_no_mail_server_takes_is_no_address(address):
    with pytest.raises(ValueError):
        canonical_address(address)


def test_spellings_make_one_subscription_and_one_mail(article):
    for spelling in ["opfer@exa\u00admple.org", "opfer@ｅxample.org", "OPFER@example.org"]:
        Client().post(f"/artikel/{article.slug}/abonnieren/", {"kind": "article", "email": spelling})
    assert list(Subscription.objects.values_list("email", flat=True)) == ["opfer@example.org"]
    opt_ins = ProcrastinateJob.objects.filter(task_name="subscriptions.tasks.send_opt_in")
    assert opt_ins.exclude(args__subscription_id=NOBODY).count() == 1


def test_confirmation_mails_to_one_address_are_limited(db):
    article = factories.article(comment_mode=Article.CommentMode.CONFIRMED)
    for number in range(15):
        words = factories.words(body=f"Nummer {number}", email="opfer@example.org")
        Client().post(f"/artikel/{article.slug}/kommentieren/", words)
    assert jobs("comments.tasks.send_confirmation") == 10


def test_one_network_cannot_be_a_thousand_readers(article):
    for _ in range(NEW_READERS - 2):
        count_up("new reader", "network 127.0.0.0/24", window=timedelta(hours=1))
    answers = [Client().post(f"/artikel/{article.slug}/bewerten/", {"stars": "5"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 429, 429]
    article.counters.refresh_from_db()
    assert article.counters.ratings == 2
    assert "Es ist nichts verloren" in answers[-1].text
