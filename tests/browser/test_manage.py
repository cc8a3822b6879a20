"""The page of everything that goes to an address, by keyboard and by finger."""

from playwright.sync_api import Page, expect

from subscriptions.models import Recipient, Subscription
from tests import factories


def test_enter_in_a_time_saves_and_ends_nothing(visit, article):
    row = factories.subscription(article)
    page: Page = visit()
    page.goto(f"/abos/{Recipient.of(row.email).token}/")
    page.get_by_label("Ruhe von").fill("22:00")
    page.get_by_label("Ruhe bis").fill("07:00")
    page.get_by_label("Ruhe bis").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Gespeichert")
    assert Recipient.of(row.email).quiet_from.hour == 22
    assert Subscription.objects.get().is_active
