"""How the mails stand, and the switches for when something is wrong: on the command line and in the admin."""

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from newsroom.models import Outbox, Suppression
from newsroom.sql.prepared import execute
from readers.models import User
from subscriptions.models import Delivery
from subscriptions.outbox import STANDSTILL, keep_alive, pause
from subscriptions.tasks import send_manage_link
from tests import factories

STATUS = "/redaktion/subscriptions/delivery/stand/"
SAID = "451 4.3.0 Zu viel zu tun"


def owe(article: Article, state: str, *, due_in: float = 0, error: str = "", ago: timedelta = timedelta(0)) -> Delivery:
    row = factories.subscription(article, f"a{Delivery.objects.count()}@example.org")
    now = timezone.now()
    made = Delivery.objects.create(
        comment=factories.comment(article),
        subscription=row,
        email=row.email,
        state=state,
        due_at=now + timedelta(seconds=due_in),
        sent_at=now if state == "sent" else None,
        error=error,
    )
    Delivery.objects.filter(pk=made.pk).update(created_at=now - ago)
    return made


@pytest.fixture
def much(article) -> None:
    """One of each kind, or a few."""
    long_ago = timedelta(days=8)
    for state, count in {"sent": 4, "dropped": 3, "suppressed": 2, "failed": 1}.items():
        for _ in range(count):
            owe(article, state, error=SAID if state == "failed" else "")
        owe(article, state, ago=long_ago, error="längst vorbei")
    for _ in range(2):
        owe(article, "waiting", due_in=-3600, error=SAID)
    for _ in range(5):
        owe(article, "waiting", due_in=3600)
    Suppression.objects.suppress("x@example.org", "by_hand")
    Suppression.objects.create(email="y@example.org", lifted_at=timezone.now())


def printed(*switches: str) -> list[str]:
    out = StringIO()
    call_command("mail_status", *switches, stdout=out)
    return out.getvalue().splitlines()


def states() -> dict[str, int]:
    found = list(Delivery.objects.values_list("state", flat=True))
    return {state: found.count(state) for state in set(found)}


def stand_still(article: Article) -> None:
    """No worker for hours, with two mails owed, and then one again."""
    for _ in range(2):
        owe(article, "waiting", due_in=-7200, ago=timedelta(hours=2))
    lie_still()


def lie_still() -> None:
    Outbox.now()
    Outbox.objects.update(alive_at=timezone.now() - STANDSTILL - timedelta(hours=1))
    Delivery.objects.update(created_at=timezone.now() - STANDSTILL - timedelta(hours=2))
    keep_alive()


# --- the command -----------------------------------------------------------------------------------------------------


def test_command_says_what_there_is(much):
    lines = printed()
    assert lines[0].startswith("fällig:           2, die älteste seit ")
    assert lines[1:8] == [
        "später:           5",
        "In den letzten sieben Tagen:",
        "  gesendet:       4",
        "  entfallen:      3",
        "  unterdrückt:    2",
        "  gescheitert:    1",
        "gesperrte Adressen: 1",
    ]
    assert lines[8].startswith("Worker zuletzt:   ")
    assert lines[9:] == ["Was Mailserver ablehnten:", f"  3 × {SAID}"]


def test_nothing_there_is_said_too(db):
    lines = printed()
    assert (lines[0], len(lines)) == ("fällig:           0", 9)


def test_command_says_that_it_pauses_and_resumes(db):
    pause(SAID)
    assert printed()[0].startswith("Pause bis ")
    assert printed()[0].endswith(f"Der Mailserver sagt: {SAID}")
    assert printed("--resume")[0] == "fällig:           0"
    assert not Outbox.now().is_paused


@pytest.mark.parametrize(
    "switch, said, state",
    [("--send-set-aside", "gehen jetzt hinaus", "waiting"), ("--drop-set-aside", "verworfen", "dropped")],
)
def test_command_decides_what_was_set_aside(article, switch, said, state):
    stand_still(article)
    assert states() == {"set_aside": 2}
    assert "2 Mails sind zurückgestellt" in printed()[0]
    assert said in printed(switch)[0]
    assert states() == {state: 2}
    assert not any("zurückgestellt" in line for line in printed())


@pytest.mark.parametrize("switch, status", [("--send-set-aside", "todo"), ("--drop-set-aside", "cancelled")])
def test_mails_that_jobs_were_to_send_are_counted_and_decided_too(db, desk, switch, status):
    for _ in range(3):
        send_manage_link.defer(email="a@example.org")
    execute("UPDATE procrastinate_events SET at = at - make_interval(days => 1)", [])
    lie_still()
    assert "3 Mails sind zurückgestellt" in printed()[0]
    assert 'name="send"' in desk.get(STATUS).text
    assert printed(switch)[0].startswith("3 Mails")
    jobs = ProcrastinateJob.objects.filter(task_name__endswith="send_manage_link")
    assert [(job.status, job.scheduled_at < timezone.now() + STANDSTILL) for job in jobs] == [
        (status, status == "todo")
    ] * 3
    assert 'name="send"' not in desk.get(STATUS).text


def test_two_switches_at_once_are_refused(article):
    stand_still(article)
    with pytest.raises(CommandError):
        call_command("mail_status", "--send-set-aside", "--drop-set-aside")
    assert states() == {"set_aside": 2}


# --- the page --------------------------------------------------------------------------------------------------------


def table(page: str) -> dict[str, str]:
    rows = page.split('<th scope="row">')[1:]
    return {row.partition("</th>")[0]: row.partition("<td>")[2].partition("</td>")[0] for row in rows}


def test_page_says_the_same(desk, much):
    page = desk.get(STATUS).text
    found = table(page)
    assert found.pop("fällig").startswith("2, die älteste seit ")
    assert found.pop("gesperrte Adressen") == '<a href="/redaktion/newsroom/suppression/">1</a>'
    assert found.pop("Worker zuletzt gesehen") != ""
    assert found == {
        "später": "5",
        "gesendet in den letzten sieben Tagen": "4",
        "entfallen": "3",
        "an gesperrte Adressen": "2",
        "gescheitert": "1",
    }
    assert f"<li>3 × {SAID}</li>" in page
    assert '<form method="post">' not in page  # nothing is wrong
    assert f'href="{STATUS}"' in desk.get("/redaktion/subscriptions/delivery/").text


def test_what_a_server_said_is_text(desk, article):
    owe(article, "failed", error="550 <script>alert(1)</script>")
    pause("<b>554</b>")
    page = desk.get(STATUS).text
    assert ("<script>alert" in page, "&lt;script&gt;alert" in page, "&lt;b&gt;554" in page) == (False, True, True)


def test_buttons_do_what_they_say(desk, article):
    stand_still(article)
    pause(SAID)
    page = desk.get(STATUS).text
    assert [f'name="{name}"' in page for name in ("resume", "send", "drop")] == [True] * 3
    answer = desk.post(STATUS, {"resume": "1"}, follow=True)
    assert ("Es geht weiter." in answer.text, Outbox.now().is_paused) == (True, False)
    answer = desk.post(STATUS, {"drop": "1"}, follow=True)
    assert ("Mails entschieden." in answer.text, states()) == (True, {"dropped": 2})


def test_sending_what_was_set_aside_wakes_the_worker(desk, article):
    stand_still(article)
    desk.post(STATUS, {"send": "1"})
    assert states() == {"waiting": 2}
    assert ProcrastinateJob.objects.filter(task_name__endswith="hand_over_due", status="todo").exists()


def staff(*rights: str) -> Client:
    user = User.objects.create_user("praktikum", "p@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=rights))
    browser = Client()
    browser.force_login(user)
    return browser


@pytest.mark.parametrize("rights, status", [([], 302), (["view_delivery"], 200), (["view_suppression"], 302)])
def test_without_the_right_nothing_is_decided(article, rights, status):
    stand_still(article)
    pause(SAID)
    browser = staff(*rights)
    for button in ({}, {"resume": "1"}, {"send": "1"}, {"drop": "1"}):
        assert browser.post(STATUS, button).status_code == status
    assert browser.get(STATUS).status_code == status
    assert (states(), Outbox.now().is_paused) == ({"set_aside": 2}, True)
    assert 'name="resume"' not in browser.get(STATUS).text
    assert 'name="drop"' not in browser.get(STATUS).text


def test_with_the_right_an_editor_decides(article):
    stand_still(article)
    staff("view_delivery", "change_delivery").post(STATUS, {"drop": "1"})
    assert states() == {"dropped": 2}


def test_signed_out_and_without_a_token_nothing_is_decided(article):
    stand_still(article)
    browser = Client(enforce_csrf_checks=True)
    for method in (browser.get, browser.post):
        answer = method(STATUS, {"drop": "1"})
        assert answer.status_code in {302, 403}
        assert "zurückgestellt" not in answer.text
    browser.force_login(factories.editor())
    assert browser.post(STATUS, {"drop": "1"}).status_code == 403
    browser.get(STATUS, {"drop": "1"})
    assert states() == {"set_aside": 2}


def test_rows_are_evidence_and_not_edited(desk, article):
    row = owe(article, "sent")
    desk.post(f"/redaktion/subscriptions/delivery/{row.pk}/change/", {"state": "waiting", "email": "eve@example.org"})
    desk.post(f"/redaktion/subscriptions/delivery/{row.pk}/delete/", {"post": "yes"})
    row.refresh_from_db()
    assert (row.state, row.email) == ("sent", "a0@example.org")


def test_page_costs_the_same_however_much_is_owed(desk, article, django_assert_num_queries):
    desk.get(STATUS)
    for _ in range(2):
        for _ in range(3):
            owe(article, "waiting", error=SAID)
        with django_assert_num_queries(11):
            desk.get(STATUS)
