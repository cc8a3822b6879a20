"""Ending a subscription: by the button on a page and by the mail client's own, which posts and nothing more (B3)."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from subscriptions.bounces import note_bounce
from subscriptions.models import SECOND_THOUGHTS, Recipient, Subscription
from tests import factories

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def row(article) -> Subscription:
    return factories.subscription(article)


@pytest.fixture
def link(row) -> str:
    return f"/abo/nein/{row.token('end')}/"


def stranger() -> Client:
    """As a mail provider comes: no cookie, no token, no referer; and it minds redirects."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_the_link_changes_nothing(row, link, method):
    answer = getattr(stranger(), method)(link)
    assert answer.status_code == 200
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert (answer.cookies, Subscription.objects.get().ended_at) == ({}, None)


def test_one_click_urlencoded(row, link):
    body, kind = "List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"
    answer = stranger().post(link, body, content_type=kind)
    assert (answer.status_code, answer.cookies) == (200, {})
    assert Subscription.objects.get().ended_at is not None


def test_one_click_multipart(row, link):
    answer = stranger().post(link, ONE_CLICK)
    assert (answer.status_code, answer.cookies) == (200, {})
    assert Subscription.objects.get().ended_at is not None


def test_ending_twice_is_harmless(row, link):
    stranger().post(link, ONE_CLICK)
    first = Subscription.objects.get().ended_at
    assert "<h1>Beendet</h1>" in stranger().post(link, ONE_CLICK).text
    assert Subscription.objects.get().ended_at == first


def test_link_ends_everything_the_address_has_at_this_article(row, link, article):
    """The link says "Keine Mails mehr zu diesem Artikel"."""
    replies = factories.subscription(article, kind="replies", reader=row.reader)
    elsewhere = factories.subscription(factories.article(), reader=row.reader)
    somebody = factories.subscription(article, "carla@example.org")
    stranger().post(link, ONE_CLICK)
    still = Subscription.objects.active().order_by("pk")
    assert list(still) == [elsewhere, somebody]
    assert replies not in still


def offered(answer) -> dict | None:
    """What the button to take it back sends."""
    found = re.search(r'name="again" value="([^"]+)"', answer.text)
    return found and {"again": found[1]}


# --- by mistake ------------------------------------------------------------------------------------------------------


def test_who_ended_it_by_mistake_takes_that_back(row, link, article):
    replies = factories.subscription(article, kind="replies", reader=row.reader)
    ended_before = factories.subscription(article, kind="replies", ended_at=timezone.now() - timedelta(minutes=5))
    pending = factories.subscription(article, "berta@example.org", kind="replies", confirmed_at=None)
    again = offered(stranger().post(link, ONE_CLICK))
    answer = stranger().post(link, again)
    assert "<h1>Wieder angemeldet</h1>" in answer.text
    assert set(Subscription.objects.active()) == {row, replies}
    assert Subscription.objects.filter(pk__in=[ended_before.pk, pending.pk], ended_at=None).count() == 0
    assert "<h1>Wieder angemeldet</h1>" in stranger().post(link, again).text
    assert set(Subscription.objects.active()) == {row, replies}
    assert [event.event for event in row.consents.order_by("pk")] == ["ended", "confirmed"]
    again_agreed = row.consents.latest("pk")
    assert (again_agreed.wording, again_agreed.form_url) == (row.wording, row.form_url)
    stranger().post(link, ONE_CLICK)
    stranger().post(link, again)  # of the end before this one
    assert list(Subscription.objects.active()) == []


def by_link(row: Subscription) -> None:
    stranger().post(f"/abo/nein/{row.token('end')}/")


def by_end_all(row: Subscription) -> None:
    stranger().post(f"/abos/{Recipient.of(row.email).token}/", {"end_all": "1"})


def by_complaint(row: Subscription) -> None:
    note_bounce(email=row.email, kind="complaint", event_id="1")


@pytest.mark.parametrize("ended_again", [by_link, by_end_all, by_complaint])
def test_nobody_takes_back_what_somebody_else_ended_after_them(row, link, ended_again):
    """A mail that was passed on has the link too."""
    again = offered(stranger().post(link, ONE_CLICK))
    ended_again(row)
    assert "<h1>Beendet</h1>" in stranger().post(link, again).text
    assert list(Subscription.objects.active()) == []


def test_a_mail_program_always_ends_it(row, link):
    again = offered(stranger().post(link))
    stranger().post(link, again)
    stranger().post(link, ONE_CLICK | again)
    assert list(Subscription.objects.active()) == []


def test_an_hour_later_it_is_subscribed_anew(row, link):
    stranger().post(link)
    Subscription.objects.update(ended_at=timezone.now() - SECOND_THOUGHTS)
    row.refresh_from_db()
    assert "<h1>Beendet</h1>" in stranger().post(link, {"again": row.token("resume")}).text
    assert list(Subscription.objects.active()) == []


def test_only_who_ended_it_is_asked_whether_they_meant_it(row, link):
    """A mail that was passed on has the link too; and a complaint ended it for good."""
    stranger().post(link, ONE_CLICK)
    for answer in (stranger().get(link), stranger().post(link), stranger().post(link, {"again": "1"})):
        assert offered(answer) is None
        assert "<h1>Beendet</h1>" in answer.text
    assert list(Subscription.objects.active()) == []


def test_what_never_was_confirmed_is_not_resumed(article):
    row = factories.subscription(article, confirmed_at=None)
    link = f"/abo/nein/{row.token('end')}/"
    assert offered(stranger().post(link)) is None
    row.refresh_from_db()
    stranger().post(link, {"again": row.token("resume")})
    row.refresh_from_db()
    assert (row.confirmed_at, row.ended_at is None) == (None, False)


def test_link_never_expires(row, link):
    Subscription.objects.update(asked_at="2020-01-01T00:00Z", confirmed_at="2020-01-01T00:00Z")
    assert stranger().post(link, ONE_CLICK).status_code == 200
    assert Subscription.objects.get().ended_at is not None


def test_tokens_of_another_purpose_address_or_subscription_end_nothing(row, article):
    other = factories.subscription(article, "carla@example.org")
    number, _dash, _signature = row.token("end").partition("-")
    moved = Subscription(pk=row.pk, email="eve@example.org", asked_at=row.asked_at)
    tokens = [
        row.token("confirm"),
        moved.token("end"),
        f"{number}-{other.token('end').partition('-')[2]}",
        f"{number}-",
        row.token("end").swapcase(),
    ]
    for token in tokens:
        page = stranger().post(f"/abo/nein/{token}/", ONE_CLICK)
        assert (page.status_code, "Diesen Link kennen wir nicht" in page.text) == (404, True)
    assert not Subscription.objects.exclude(ended_at=None).exists()
