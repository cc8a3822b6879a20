"""A worker dies in the middle of a mail: another one takes the job up again by itself, and the mail goes out once."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from newsroom.mailbox import Mailbox, receiving
from newsroom.tasks import retry_stalled_jobs, take_up
from subscriptions.models import Delivery, Subscription
from subscriptions.tasks import hand_over_due, send_opt_in
from tests import factories

# The design allows a minute: 20 s until the dead worker's heartbeat is missed and up to 15 s until somebody looks.
# The test spares itself the 20 by setting the dead worker's last heartbeat back.
MISSED = 20  # seconds
ALLOWED = 60 - MISSED


@contextmanager
def worker(mail_port: int) -> Iterator[subprocess.Popen]:
    """`manage.py work`, as `make run` starts it, on the tests' database."""
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    environment = os.environ | {"DATABASE_URL": database, "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}"}
    command = [sys.executable, "manage.py", "work"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


def test_job_of_a_killed_worker_is_taken_up_again(transactional_db, article, tmp_path: Path):
    row = factories.subscription(article, confirmed_at=None)
    send_opt_in.defer(subscription_id=row.pk)
    with killed_in_the_middle_of_a_mail() as port:
        job = ProcrastinateJob.objects.get(task_name="subscriptions.tasks.send_opt_in")
        assert job.status == "doing"
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - make_interval(secs => %s)", [MISSED]
            )
        assert recipients_within(ALLOWED, port, tmp_path / "mailbox") == ["berta@example.org"]
        assert Subscription.objects.get().opt_in_message_id != ""


def test_mail_of_a_killed_worker_is_sent_by_the_next_at_once(transactional_db, article, tmp_path: Path):
    """It waits for no job of the dead: the rows say what is owed."""
    factories.subscription(article)
    factories.comment(article)
    with killed_in_the_middle_of_a_mail() as port:
        assert Delivery.objects.get().state == Delivery.State.WAITING
        assert recipients_within(10, port, tmp_path / "mailbox") == ["berta@example.org"]
        assert Delivery.objects.get().state == Delivery.State.SENT


def test_one_that_waits_anew_already_keeps_no_other_from_being_taken_up(article, letters, run_jobs):
    """Two jobs of a dead worker; of the first, which may wait only once, another one waits by now."""
    row = factories.subscription(article, confirmed_at=None)
    hand_over_due.configure(queueing_lock="hand_over_due 1").defer(lane=1)
    send_opt_in.defer(subscription_id=row.pk)
    give_all_jobs_to_a_worker(last_heard_of="1 minute")
    hand_over_due.configure(queueing_lock="hand_over_due 1", schedule_in={"hours": 1}).defer(lane=1)
    retry_stalled_jobs.defer(timestamp=0)
    run_jobs()
    assert [letter.recipient for letter in letters()] == ["berta@example.org"]
    assert not ProcrastinateJob.objects.filter(status="doing").exists()


def test_one_that_was_taken_up_meanwhile_is_left_alone(transactional_db, article):
    """Two look for stalled jobs at once. Before the slower one acts, the job runs again under a living worker."""
    send_opt_in.defer(subscription_id=factories.subscription(article, confirmed_at=None).pk)
    give_all_jobs_to_a_worker(last_heard_of="1 minute")
    [seen] = async_to_sync(app.job_manager.get_stalled_jobs)(seconds_since_heartbeat=20)
    take_it_up = partial(async_to_sync(take_up), app.connector, seen)
    take_it_up()
    take_it_up()
    assert ProcrastinateJob.objects.values_list("status", "attempts").get() == ("todo", 1)
    living = give_all_jobs_to_a_worker(last_heard_of="0 minutes")
    take_it_up()
    job = ProcrastinateJob.objects.values_list("status", "attempts", "worker_id").get()
    assert job == ("doing", 1, living)


def test_one_whose_worker_is_forgotten_meanwhile_is_taken_up(transactional_db, article):
    """A worker that begins removes the dead ones from the list."""
    send_opt_in.defer(subscription_id=factories.subscription(article, confirmed_at=None).pk)
    give_all_jobs_to_a_worker(last_heard_of="1 minute")
    [seen] = async_to_sync(app.job_manager.get_stalled_jobs)(seconds_since_heartbeat=20)
    async_to_sync(app.job_manager.prune_stalled_workers)(20)
    async_to_sync(take_up)(app.connector, seen)
    assert ProcrastinateJob.objects.get().status == "todo"


def give_all_jobs_to_a_worker(*, last_heard_of: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - %s::interval) RETURNING id",
            [last_heard_of],
        )
        [worker_id] = cursor.fetchone()
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", [worker_id])
    return worker_id


@contextmanager
def killed_in_the_middle_of_a_mail() -> Iterator[int]:
    """A worker's end, with what it left; the port at which the next one looks for the mail server."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent_mail_server:
            silent_mail_server.settimeout(30)
            port = silent_mail_server.getsockname()[1]
            with worker(port) as first:
                sending, _address = silent_mail_server.accept()  # it greets nobody: the job hangs
                first.send_signal(signal.SIGKILL)
                first.wait()
            sending.close()
        yield port
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_workers")


def recipients_within(seconds: float, port: int, mailbox: Path) -> list[str]:
    """To whom another worker sends until there is a mail, and a moment longer."""
    until = time.monotonic() + seconds
    with receiving(mailbox, port), worker(port):
        while not Mailbox(mailbox).newest() and time.monotonic() < until:
            time.sleep(0.1)
        time.sleep(0.5)
    return [letter.recipient for letter in Mailbox(mailbox).newest()]
