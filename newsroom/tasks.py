"""Jobs that keep the house itself: nothing stays half done, nothing is kept for ever."""

import logging
from datetime import datetime

from django.core.mail import EmailMessage
from django.core.management import call_command
from django.db import OperationalError
from procrastinate import BaseConnector, RetryStrategy
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job

from newsroom import ratelimit
from newsroom.mail import hand_over, standard_headers
from newsroom.sql.prepared import execute

logger = logging.getLogger(__name__)

# Only what time can cure is tried again (smtplib's errors are OSErrors): ten tries over about eight hours.
PATIENT = RetryStrategy(max_attempts=10, exponential_wait=3, retry_exceptions={OSError, OperationalError})


# Only while it still is the dead worker's. Two of these jobs may run at once (the next is due while one is slow), and
# what the other has put back may be running again under a living worker: one mail would go out twice.
_STILL_ITS = """
    SELECT id FROM procrastinate_jobs
     WHERE id = %(job_id)s AND status = 'doing' AND (worker_id IS NULL OR worker_id = %(worker_id)s) FOR UPDATE
"""
_PUT_BACK = f"""
    WITH its AS MATERIALIZED ({_STILL_ITS}) SELECT procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL) FROM its
"""
_DROP = f"""
    WITH its AS MATERIALIZED ({_STILL_ITS}) SELECT procrastinate_finish_job_v1(id, 'aborted', true) FROM its
"""


@app.periodic(cron="* * * * * */15")
@app.task(queueing_lock="retry_stalled_jobs", pass_context=True)
async def retry_stalled_jobs(context, timestamp: int) -> None:
    """Takes up the jobs of a killed worker; procrastinate leaves them at "doing" for ever.

    Each for itself: of a job that may wait only once another may be waiting by now, which does the same. It kept all
    that came after it from being taken up (found by `make faults`, E11).
    """
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=20):
        try:
            await take_up(manager.connector, job)
        except ConnectorException as trouble:
            logger.warning("Job %s: %s", job.id, trouble.__cause__)


async def take_up(connector: BaseConnector, job: Job) -> None:
    """The job waits again, unless another that does the same waits already or somebody else has taken it up."""
    its = {"job_id": job.id, "worker_id": job.worker_id}
    try:
        await connector.execute_query_async(_PUT_BACK, **its)
    except UniqueViolation:
        await connector.execute_query_async(_DROP, **its)


@app.periodic(cron="17 * * * *")
@app.task(queueing_lock="forget_finished_jobs", pass_context=True)
async def forget_finished_jobs(context, timestamp: int) -> None:
    """Job arguments may name people: a day is enough for what went well, a week to look into a failure (A22, A24)."""
    await context.app.job_manager.delete_old_jobs(nb_hours=24)
    await context.app.job_manager.delete_old_jobs(nb_hours=7 * 24, include_failed=True)


@app.periodic(cron="27 * * * *")
@app.task(queueing_lock="forget_expired")
def forget_expired(timestamp: int) -> None:
    """Limits, and sessions that are over: an unfinished sign-in holds an address and its code."""
    ratelimit.forget_expired()
    call_command("clearsessions")


@app.task(retry=PATIENT)
def send_account_mail(to: str, subject: str, body: str) -> None:
    """Sign-in codes go through the queue like every mail: the page answers as fast for a known as for an unknown
    address (C7), and a mail server that is away for a minute costs nobody their sign-in."""
    message = EmailMessage(subject=subject, body=body, to=[to], headers=standard_headers())
    hand_over(message, even_if_suppressed=True)  # somebody sits before the page and waits for it


# --- after a standstill (E20) ----------------------------------------------------------------------------------------

# Every job that sends a mail by itself is called send_...
_SINGLE_MAILS = r"""
    UPDATE procrastinate_jobs SET {change} WHERE status = 'todo' AND task_name LIKE '%%.send\_%%' AND {which}
"""
_PUT_OFF = "scheduled_at > now() + make_interval(years => 50)"


def put_off(*, owed_before: datetime) -> int:
    """Mails that jobs were to send before this moment wait until a person says. Returns how many."""
    change = "scheduled_at = now() + make_interval(years => 100)"
    which = "id IN (SELECT job_id FROM procrastinate_events WHERE type = 'deferred' AND at < %s)"
    return execute(_SINGLE_MAILS.format(change=change, which=which), [owed_before])


def take_up_again() -> int:
    return execute(_SINGLE_MAILS.format(change="scheduled_at = now()", which=_PUT_OFF), [])


def call_off() -> int:
    return execute(_SINGLE_MAILS.format(change="status = 'cancelled'", which=_PUT_OFF), [])
