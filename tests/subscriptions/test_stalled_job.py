"""A worker dies in the middle of a mail: another one takes the job up again by itself, and the mail goes out once."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from newsroom.mailbox import Mailbox, receiving
from subscriptions.models import Delivery
from tests import factories

# The design allows a minute: 20 s until the dead worker's heartbeat is missed and up to 15 s until somebody looks.
# The test spares itself the 20 by setting the dead worker's last heartbeat back.
MISSED = 20  # seconds
ALLOWED = 60 - MISSED


@contextmanager
def worker(mail_port: int) -> Iterator[subprocess.Popen]:
    """`manage.py procrastinate worker`, as `make run` starts it, on the tests' database."""
    database = os.environ["DATABASE_URL"].rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    environment = os.environ | {"DATABASE_URL": database, "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}"}
    command = [sys.executable, "manage.py", "procrastinate", "worker"]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(20)


def test_job_of_a_killed_worker_is_taken_up_again(transactional_db, article, tmp_path: Path):
    factories.subscription(article)
    factories.comment(article)
    try:
        with socket.create_server(("127.0.0.1", 0)) as silent_mail_server:
            silent_mail_server.settimeout(30)
            port = silent_mail_server.getsockname()[1]
            with worker(port) as first:
                sending, _address = silent_mail_server.accept()  # it greets nobody: the job hangs
                first.send_signal(signal.SIGKILL)
                first.wait()
            sending.close()
        job = ProcrastinateJob.objects.get(task_name="subscriptions.tasks.deliver", args__delivery_id=delivery().pk)
        assert (job.status, delivery().state) == ("doing", Delivery.State.WAITING)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - make_interval(secs => %s)", [MISSED]
            )
        began = time.monotonic()
        with receiving(tmp_path / "mailbox", port), worker(port):
            while delivery().state != Delivery.State.SENT and time.monotonic() - began < ALLOWED:
                time.sleep(0.2)
        assert delivery().state == Delivery.State.SENT
        assert [letter.recipient for letter in Mailbox(tmp_path / "mailbox").newest()] == ["berta@example.org"]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM procrastinate_workers")


def delivery() -> Delivery:
    return Delivery.objects.get()
