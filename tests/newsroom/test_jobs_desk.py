"""What the worker does, in the admin: looked at, tried again, called off."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client

from newsroom.models import Job
from newsroom.tasks import forget_expired, send_account_mail
from readers.models import User

JOBS = "/redaktion/newsroom/job/"


def job(status: str = "todo") -> Job:
    pk = send_account_mail.defer(to="anna@example.org", subject="Ihr Code", body="1234")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s WHERE id = %s", [status, pk])
    return Job.objects.get(pk=pk)


def act(browser: Client, action: str, *jobs: Job) -> str:
    chosen = {"action": action, "_selected_action": [job.pk for job in jobs]}
    return browser.post(JOBS, chosen, follow=True).text


def states(*jobs: Job) -> list[str]:
    return [Job.objects.get(pk=job.pk).status for job in jobs]


def test_jobs_are_shown_in_german_and_once(desk):
    failed = job("failed")
    page = desk.get(f"{JOBS}?status=failed").text
    assert "<h1>Aufträge</h1>" in page
    assert "send_account_mail" in page
    assert "gescheitert" in page
    alone = desk.get(f"{JOBS}{failed.pk}/change/").text
    assert "<h1>Auftrag</h1>" in alone
    assert "to: …, body: …, subject: …" in alone
    assert "1234" not in alone + page
    assert "anna@example.org" not in alone + page
    assert "aufgegeben" in alone
    assert "Procrastinate" not in desk.get("/redaktion/").text
    assert desk.get("/redaktion/procrastinate/procrastinatejob/").status_code == 404


@pytest.mark.parametrize("status", ["failed", "todo"])
def test_filter_by_state(desk, status):
    job("failed")
    assert ("send_account_mail" in desk.get(f"{JOBS}?status={status}").text) is (status == "failed")


@pytest.mark.parametrize(
    "question", ["args__to=anna@example.org", "args__body__regex=1", "args__icontains=1", "id__gt=0"]
)
def test_the_address_of_the_page_asks_nothing(desk, question):
    """With yes and no alone a code could be read, digit by digit."""
    job("failed")
    assert "send_account_mail" not in desk.get(f"{JOBS}?{question}", follow=True).text


@pytest.mark.parametrize("status", ["xyz", "", "all", "x\u0300"])
def test_whatever_state_is_asked_for(desk, status):
    job("failed")
    assert "send_account_mail" in desk.get(JOBS, {"status": status}, follow=True).text


def test_what_failed_is_tried_again(desk):
    failed, waiting, done = job("failed"), job("todo"), job("succeeded")
    assert "1 Auftrag geändert." in act(desk, "try_again", failed, waiting, done)
    assert states(failed, waiting, done) == ["todo", "todo", "succeeded"]


def test_what_waits_is_called_off(desk):
    waiting, running, failed = job("todo"), job("doing"), job("failed")
    assert "1 Auftrag geändert." in act(desk, "call_off", waiting, running, failed)
    assert states(waiting, running, failed) == ["cancelled", "doing", "failed"]


def test_what_another_one_does_already_is_not_tried_again(transactional_db, desk):
    first = forget_expired.defer(timestamp=0)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed' WHERE id = %s", [first])
    forget_expired.defer(timestamp=0)
    assert "0 Aufträge geändert." in act(desk, "try_again", Job.objects.get(pk=first))
    assert states(Job.objects.get(pk=first)) == ["failed"]


def test_nothing_is_made_or_deleted_by_hand(desk):
    assert desk.get(f"{JOBS}add/").status_code == 403
    assert desk.get(f"{JOBS}{job().pk}/delete/").status_code == 403


def test_who_may_only_look_changes_nothing(client, db):
    onlooker = User.objects.create_user("zuschauer", is_staff=True)
    onlooker.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(onlooker)
    waiting, failed = job("todo"), job("failed")
    assert "send_account_mail" in client.get(JOBS).text
    for action in ("call_off", "try_again"):
        act(client, action, waiting, failed)
    assert states(waiting, failed) == ["todo", "failed"]
