"""After a standstill, or with a restored backup, nobody gets what others had yesterday (E20)."""

from datetime import timedelta

import pytest
from django.db.models import F, Q
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from comments.models import Comment
from newsroom.models import Outbox
from newsroom.sql.prepared import execute
from newsroom.tasks import send_account_mail
from subscriptions.models import Delivery
from subscriptions.outbox import STANDSTILL, keep_alive, release_set_aside, send_due
from subscriptions.tasks import announce
from tests import factories
from tests.subscriptions.outbox.owing import (
    DROPPED,
    SENT,
    SET_ASIDE,
    address,
    addresses,
    critical,
    later,
    owe,
    states,
)
from tests.subscriptions.scripted import EVERYBODY


def a_day_passes_without_a_worker() -> None:
    """Everything that there is became a day older: an outage, or yesterday's dump."""
    day = timedelta(days=1)
    Outbox.now()
    Outbox.objects.update(alive_at=F("alive_at") - day)
    Delivery.objects.update(created_at=F("created_at") - day, due_at=F("due_at") - day)
    Comment.objects.update(published_at=F("published_at") - day)
    execute("UPDATE procrastinate_events SET at = at - make_interval(days => 1)", [])


def letters_owed() -> list[str]:
    """To whom jobs that may run now would send a mail of their own."""
    due = Q(scheduled_at=None) | Q(scheduled_at__lte=timezone.now())
    jobs = ProcrastinateJob.objects.filter(due, status="todo", task_name="newsroom.tasks.send_account_mail")
    return sorted(jobs.values_list("args__to", flat=True))


@pytest.fixture
def restored(article, server) -> None:
    """Two mails and a mail's job of yesterday; and one of each that came in since."""
    owe(article, "anton berta")
    send_account_mail.defer(to="lea@example.org", subject="Code", body="1234")
    a_day_passes_without_a_worker()
    owe(factories.article(), "carla")
    send_account_mail.defer(to="max@example.org", subject="Code", body="1234")


def test_what_was_owed_before_a_standstill_is_set_aside_and_the_rest_goes_out(restored, server, caplog):
    assert letters_owed() == ["lea@example.org", "max@example.org"]
    send_due()
    assert server.recipients == [address("carla")]
    assert states() == {"anton": SET_ASIDE, "berta": SET_ASIDE, "carla": SENT}
    assert letters_owed() == ["max@example.org"]
    (alarm,) = critical(caplog)
    assert alarm.endswith(": 3 mails are set aside (mail_status)")
    later(days=1)
    send_due()
    assert (server.recipients, critical(caplog)) == ([address("carla")], [alarm])


def test_it_was_an_outage_so_they_are_sent(restored, server):
    send_due()
    assert release_set_aside(send=True) == 3
    assert letters_owed() == ["lea@example.org", "max@example.org"]
    send_due()
    send_due()
    assert server.recipients == addresses("carla anton berta")
    assert release_set_aside(send=True) == 0


def test_it_was_an_old_dump_so_they_are_dropped(restored, server):
    send_due()
    assert release_set_aside(send=False) == 3
    later(days=1)
    send_due()
    assert server.recipients == [address("carla")]
    assert states() == {"anton": DROPPED, "berta": DROPPED, "carla": SENT}
    assert letters_owed() == ["max@example.org"]
    assert ProcrastinateJob.objects.get(args__to="lea@example.org").status == "cancelled"
    assert release_set_aside(send=True) == 0


def test_comments_of_before_announced_only_now_are_set_aside_too(article, server):
    """Their job was in the dump; their mails may have gone out."""
    for name in ("anton", "berta"):
        factories.subscription(article, address(name))
    old = factories.comment(article)
    a_day_passes_without_a_worker()
    keep_alive()
    new = factories.comment(article)
    for comment in (old, new):
        announce(comment_id=comment.pk)
    send_due()
    assert server.recipients == addresses("anton berta")
    assert states(comment=old) == {"anton": SET_ASIDE, "berta": SET_ASIDE}
    assert states(comment=new) == {"anton": SENT, "berta": SENT}


@pytest.mark.parametrize("send, expected", [(True, SENT), (False, DROPPED)])
def test_digest_set_aside_is_one_mail_still(article, server, send, expected):
    for _comment in range(3):
        owe(article, "anton")
    Delivery.objects.update(gathered=True)
    server.to_recipient[EVERYBODY] = "451 4.3.0 Spaeter"
    send_due()
    server.to_recipient.clear()
    a_day_passes_without_a_worker()
    send_due()
    assert release_set_aside(send=send) == 1
    send_due()
    assert len(server.taken) == send
    assert set(Delivery.objects.values_list("state", flat=True)) == {expected}


def test_three_hours_without_a_worker_is_not_yet_a_standstill(article, server):
    owe(article, "anton")
    Outbox.now()
    Outbox.objects.update(alive_at=timezone.now() - STANDSTILL + timedelta(seconds=10))
    send_due()
    assert server.recipients == [address("anton")]
