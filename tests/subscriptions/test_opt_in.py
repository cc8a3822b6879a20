"""Asking for mails: one opt-in, confirmed by a button, the same answer for everybody (A25, A26, B12-B14, C7)."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from readers.models import Reader
from subscriptions.models import OPT_IN_VALID, Subscription
from subscriptions.services import NOBODY
from subscriptions.tasks import send_opt_in
from tests import factories

ADDRESS = "berta@example.org"


def ask(browser: Client, article, email: str = ADDRESS, kind: str = "article", **options):
    return browser.post(f"/artikel/{article.slug}/abonnieren/", {"kind": kind, "email": email}, **options)


def opt_ins_owed() -> int:
    jobs = ProcrastinateJob.objects.filter(task_name="subscriptions.tasks.send_opt_in")
    return jobs.exclude(args__subscription_id=NOBODY).count()


@pytest.fixture
def pending(article, client) -> Subscription:
    ask(client, article)
    return Subscription.objects.get()


@pytest.fixture
def link(pending) -> str:
    return f"/abo/ja/{pending.token('confirm')}/"


# --- asking ----------------------------------------------------------------------------------------------------------


def test_whole_way_to_the_confirmed_subscription(transactional_db, article, letters, run_jobs):
    asked = ask(Client(), article, "Berta@Example.ORG")
    assert (asked.status_code, asked.url) == (302, f"/artikel/{article.slug}/#abonnieren")
    run_jobs()
    (letter,) = letters()
    assert letter.recipient == ADDRESS
    path = re.search(r"http://localhost:8000(/abo/ja/\S+)", letter.text)[1]
    browser = Client(enforce_csrf_checks=True)
    assert "Ja, bitte benachrichtigen</button>" in browser.get(path).text
    assert Subscription.objects.get().confirmed_at is None
    assert "<h1>Bestätigt</h1>" in browser.post(path).text
    row = Subscription.objects.get()
    assert (row.is_active, row.email, row.kind) == (True, ADDRESS, "article")
    run_jobs()
    assert len(letters()) == 1


def test_consent_is_provable(transactional_db, article, letters, run_jobs):
    ask(Client(), article, kind="replies")
    run_jobs()
    row = Subscription.objects.get()
    assert row.wording == "Benachrichtige mich bei neuen Antworten auf meine Kommentare: „Brücke gesperrt“"
    assert row.form_url == f"http://localhost:8000/artikel/{article.slug}/"
    assert row.opt_in_message_id == dict(letters()[0].headers)["Message-ID"]
    assert row.asked_at <= row.opt_in_sent_at <= timezone.now()


def test_opt_in_mail_is_plain_and_complete(pending, letters):
    send_opt_in(subscription_id=pending.pk)
    (letter,) = letters()
    assert letter.subject.strip() == "Bitte bestätigen: Benachrichtigungen zu „Brücke gesperrt“"
    headers = dict(letter.headers)
    assert (headers["Auto-Submitted"], headers["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    links = {
        f"http://localhost:8000/artikel/{pending.article.slug}/",
        f"http://localhost:8000/abo/ja/{pending.token('confirm')}/",
    }
    assert set(re.findall(r"https?://[^\s\"<>]+", letter.text)) == links
    assert set(re.findall(r'href="([^"]+)"', letter.html)) == links
    assert "Der Link gilt 48 Stunden." in " ".join(letter.text.split())
    assert "List-Unsubscribe" not in headers


@pytest.mark.parametrize("wrong", [{"email": ""}, {"email": "berta"}, {"email": "a@b@example.org"}, {"kind": "alles"}])
def test_wrong_form_is_shown_again_with_what_was_typed(article, client, wrong):
    page = client.post(f"/artikel/{article.slug}/abonnieren/", {"kind": "replies", "email": ADDRESS} | wrong)
    assert page.status_code == 422
    assert 'class="errorlist"' in page.text
    assert f'value="{wrong.get("email", ADDRESS)}"' in page.text or wrong.get("email") == ""
    assert (Subscription.objects.count(), Reader.objects.count(), opt_ins_owed()) == (0, 0, 0)


def test_stranger_without_cookie_is_asked_to_confirm_the_form_first(article, guest):
    assert "Bitte bestätigen" in ask(guest, article).text
    assert Subscription.objects.count() == 0


def test_guest_may_ask_with_the_comment(article, client):
    words = factories.words(email="Anna@example.org", notify="on")
    client.post(f"/artikel/{article.slug}/kommentieren/", words)
    row = Subscription.objects.get()
    assert (row.kind, row.email, row.is_pending, row.reader.name) == ("replies", "anna@example.org", True, "Anna")
    assert opt_ins_owed() == 1


def test_untaken_tick_asks_for_nothing(article, client):
    client.post(f"/artikel/{article.slug}/kommentieren/", factories.words(email="anna@example.org"))
    assert Subscription.objects.count() == 0


# --- the link --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_changes_nothing(pending, link, method):
    answer = getattr(Client(), method)(link)
    assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert (answer.cookies, Subscription.objects.get().confirmed_at) == ({}, None)


def test_button_confirms_and_a_second_press_is_harmless(pending, link):
    for _ in range(2):
        assert "<h1>Bestätigt</h1>" in Client(enforce_csrf_checks=True).post(link).text
    first = Subscription.objects.get().confirmed_at
    Client().post(link)
    assert Subscription.objects.get().confirmed_at == first


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(pending, link, method):
    assert getattr(Client(), method)(link).status_code == 405
    assert Subscription.objects.get().confirmed_at is None


def test_link_expires_after_48_hours(pending):
    for age, active in [(OPT_IN_VALID + timedelta(minutes=1), False), (OPT_IN_VALID - timedelta(minutes=1), True)]:
        Subscription.objects.update(asked_at=timezone.now() - age)
        pending.refresh_from_db()
        page = Client().post(f"/abo/ja/{pending.token('confirm')}/")
        assert page.status_code == 200
        assert ("Dieser Link gilt nicht mehr" in page.text) is not active
        pending.refresh_from_db()
        assert pending.is_active is active


def test_expired_opt_in_is_not_sent_any_more(pending, letters):
    Subscription.objects.update(asked_at=timezone.now() - OPT_IN_VALID - timedelta(minutes=1))
    send_opt_in(subscription_id=pending.pk)
    assert letters() == []


def test_asking_again_after_the_link_expired_makes_a_new_one(pending, article, client):
    Subscription.objects.update(asked_at=timezone.now() - OPT_IN_VALID - timedelta(minutes=1))
    pending.refresh_from_db()
    old = pending.token("confirm")
    ask(client, article)
    assert opt_ins_owed() == 2
    assert client.post(f"/abo/ja/{old}/").status_code == 404
    pending.refresh_from_db()
    assert client.post(f"/abo/ja/{pending.token('confirm')}/").status_code == 200
    pending.refresh_from_db()
    assert pending.is_active


def test_ended_subscription_can_be_asked_for_again_but_not_confirmed_by_the_old_link(pending, link, article, client):
    client.post(link)
    client.post(f"/abo/nein/{pending.token('end')}/")
    assert "Dieser Link gilt nicht mehr" in client.post(link).text
    pending.refresh_from_db()
    assert not pending.is_active
    ask(Client(), article)
    pending.refresh_from_db()
    assert (pending.is_pending, opt_ins_owed()) == (True, 2)


def forged_links(row: Subscription, other: Subscription) -> dict[str, str]:
    own, foreign, end = row.token("confirm"), other.token("confirm"), row.token("end")
    moved = Subscription.objects.get(pk=row.pk)
    moved.email = "eve@example.org"
    return {
        "another purpose": end,
        "another's signature": own.partition("-")[0] + "-" + foreign.partition("-")[2],
        "another address": moved.token("confirm"),
        "no signature": own.partition("-")[0] + "-",
        "nothing": "-",
        "shortened": own[:-1],
        "lengthened": own + "A",
        "no number": "x",
        "too large": "zzzzzzzzzzzzz-" + own.partition("-")[2],
    }


def test_forged_links_confirm_nothing(pending, article):
    other = factories.subscription(article, "carla@example.org", confirmed_at=None)
    for name, token in forged_links(pending, other).items():
        assert Client().post(f"/abo/ja/{token}/").status_code == 404, name
    assert not Subscription.objects.exclude(confirmed_at=None).exists()


# --- against bombing -------------------------------------------------------------------------------------------------


def test_no_second_opt_in_while_one_is_pending(pending, article):
    for _ in range(3):
        ask(Client(), article)
    assert (Subscription.objects.count(), opt_ins_owed()) == (1, 1)


def test_three_opt_ins_a_day_for_one_address_over_the_whole_site(db):
    for _ in range(5):
        assert ask(Client(), factories.article()).status_code == 302
    ask(Client(), factories.article(), "carla@example.org")
    assert opt_ins_owed() == 3 + 1


def test_limit_counts_an_address_however_it_is_spelled(db):
    for email in ["berta@example.org", "Berta@example.org", "BERTA@EXAMPLE.ORG", "berta@EXAMPLE.org"]:
        ask(Client(), factories.article(), email)
    assert opt_ins_owed() == 3


def test_one_network_cannot_write_to_everybody(db, article):
    for number in range(32):
        ask(Client(headers={"X-Forwarded-For": f"198.51.{number}.1"}), article, f"a{number}@example.org")
    assert opt_ins_owed() == 30


def test_answer_is_the_same_for_known_unknown_pending_and_limited_addresses(db, article):
    factories.subscription(article, "k@example.org")
    factories.subscription(article, "p@example.org", confirmed_at=None, opt_in_sent_at=timezone.now())
    factories.subscription(article, "e@example.org", ended_at=timezone.now())
    factories.reader(email="r@example.org", email_confirmed_at=timezone.now())
    for _ in range(4):
        ask(Client(), factories.article(), "l@example.org")
    answers, pages = set(), set()
    for email in ["k@example.org", "u@example.org", "p@example.org", "e@example.org", "r@example.org", "l@example.org"]:
        fragment = ask(Client(), article, email, headers={"HX-Request": "true"})
        answers.add((fragment.status_code, fragment.text.replace(email, "…")))
        browser = Client()
        plain = ask(browser, article, email)
        page = browser.get(f"/artikel/{article.slug}/")
        said = re.search(r'id="abonnieren".*?role="status">(.*?)</p>', page.text, re.DOTALL)[1].replace(email, "…")
        pages.add((plain.status_code, plain.url, said))
    assert len(answers) == len(pages) == 1


def test_asking_costs_the_same_for_known_unknown_and_pending_addresses(db, article):
    """Or the time it takes would say which they are: it was half as long again for an unknown one."""
    factories.subscription(article, "k@example.org")
    factories.subscription(article, "p@example.org", confirmed_at=None, opt_in_sent_at=timezone.now())
    ask(Client(), factories.article(), "w@example.org")
    cost, owed = {}, opt_ins_owed()
    for name in ("known", "pending", "unknown"):
        jobs = ProcrastinateJob.objects.count()
        with CaptureQueriesContext(connection) as queries:
            ask(Client(), article, f"{name[0]}@example.org")
        assert ProcrastinateJob.objects.count() == jobs + 1
        cost[name] = len(queries)
    assert opt_ins_owed() == owed + 1
    assert cost["known"] == cost["pending"]
    assert abs(cost["unknown"] - cost["known"]) <= 1, cost


def test_only_who_proved_the_address_here_is_told_that_it_is_subscribed(article, client):
    ask(client, article)
    client.post(f"/kommentar/{factories.comment(article).pk}/respekt/", {"wanted": "1"})
    reader = Subscription.objects.get().reader
    Reader.objects.filter(pk=reader.pk).update(email=ADDRESS, email_confirmed_at=timezone.now())
    other = factories.article()
    ask(client, other)
    assert f"Wir schreiben Ihnen an {ADDRESS}." in client.get(f"/artikel/{other.slug}/").text
    assert Subscription.objects.get(article=other).is_active
    assert opt_ins_owed() == 1
