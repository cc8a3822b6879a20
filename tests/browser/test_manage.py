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


def test_link_is_asked_for_without_a_question_in_between(page):
    page.goto("/abos/")
    page.get_by_label("E-Mail").fill("berta@example.org")
    page.get_by_role("button", name="Link schicken").click()
    expect(page.get_by_role("heading", name="Sehen Sie in Ihr Postfach")).to_be_visible()
