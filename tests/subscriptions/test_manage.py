"""The page of everything that goes to an address, and the way to it (B12, B13, C6, C7)."""

import re
import time
from datetime import time as wall
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from django.core.signing import TimestampSigner, b62_encode
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from newsroom.models import Suppression
from readers.models import User
from subscriptions.models import MANAGE_LINK_VALID, Delivery, Recipient, Subscription
from subscriptions.outbox import send_due
from subscriptions.services import choose_rhythm
from subscriptions.tasks import announce, send_manage_link
from tests import factories

BERTA, CARLA = "berta@example.org", "carla@example.org"
DEAD = "<h1>Dieser Link gilt nicht mehr</h1>"


@pytest.fixture
def row(article) -> Subscription:
    return factories.subscription(article)


@pytest.fixture
def link(row) -> str:
    return link_of(BERTA)


def link_of(email: str) -> str:
    return f"/abos/{Recipient.of(email).token}/"


def browser() -> Client:
    """As somebody comes out of a mail: without a cookie, and checking CSRF like the real site."""
    return Client(enforce_csrf_checks=True)


def save(link: str, **fields: str) -> HttpResponse:
    usual = {"daily_at": "07:00", "quiet_from": "", "quiet_until": "", "time_zone": "", "language": ""}
    return browser().post(link, {"save": "1"} | usual | fields)


def active(email: str = BERTA) -> list[str]:
    return list(Subscription.objects.active().filter(email=email).values_list("article__headline", flat=True))


# --- looking ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get", "head"])
@pytest.mark.parametrize("asked", ["", "?end_all=1&save=1"])
def test_opening_the_page_changes_nothing(row, link, method, asked):
    answer = getattr(browser(), method)(link + asked)
    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert "no-store" in answer.headers["Cache-Control"]
    assert (answer.cookies, active(), Recipient.objects.count()) == ({}, ["Brücke gesperrt"], 0)


def test_page_shows_what_goes_to_this_address_and_nothing_else(row, link):
    factories.subscription(factories.article("Rathaus offen"), kind="replies", reader=row.reader, rhythm="daily")
    factories.subscription(factories.article("Beendet"), ended_at=timezone.now())
    factories.subscription(factories.article("Unbestätigt"), confirmed_at=None)
    factories.subscription(factories.article("Anderer Leute"), CARLA)
    page = browser().get(link).text
    assert re.findall(r"<legend><a [^>]+>(.*?)</a></legend>", page) == ["Brücke gesperrt", "Rathaus offen"]
    assert len(re.findall(r'type="radio"[^>]* checked', page)) == 2
    assert CARLA not in page


def test_page_takes_as_many_queries_for_one_as_for_many(row, link):
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            browser().get(link)
        return len(queries)

    one = count()
    for _article in range(9):
        factories.subscription(factories.article(), reader=row.reader)
    assert (one, count()) == (2, 2)


def test_nothing_to_show(link):
    Subscription.objects.all().delete()
    assert "Zurzeit schreiben wir Ihnen nicht." in browser().get(link).text


# --- the link --------------------------------------------------------------------------------------------------------


class Earlier(TimestampSigner):
    """Signs as if `age` ago."""

    age = timedelta()

    def timestamp(self) -> str:
        return b62_encode(int(time.time() - self.age.total_seconds()))


def aged(age: timedelta) -> str:
    signer = Earlier(salt="subscriptions.manage")
    signer.age = age
    return signer.sign_object(BERTA)


def test_link_opens_the_page_for_thirty_days(row):
    assert browser().get(f"/abos/{aged(MANAGE_LINK_VALID - timedelta(hours=1))}/").status_code == 200
    for method in ("get", "post"):
        answer = getattr(browser(), method)(f"/abos/{aged(MANAGE_LINK_VALID + timedelta(hours=1))}/", {"end_all": "1"})
        assert (answer.status_code, DEAD in answer.text) == (404, True)
    assert active() == ["Brücke gesperrt"]


def forged(row: Subscription) -> dict[str, str]:
    mine, theirs = Recipient(email=BERTA).token, Recipient(email=CARLA).token
    value, stamp, signature = mine.rsplit(":", 2)
    return {
        "another's signature": f"{value}:{stamp}:{theirs.rsplit(':', 1)[1]}",
        "another's address": f"{theirs.partition(':')[0]}:{stamp}:{signature}",
        "a later time": f"{value}:{b62_encode(int(time.time()) + 9999)}:{signature}",
        "another purpose": TimestampSigner(salt="etwas anderes").sign_object(BERTA),
        "a link that ends": row.token("end"),
        "shortened": mine[:-1],
        "lengthened": f"{mine}A",
        "no signature": f"{value}:{stamp}:",
        "the address itself": BERTA,
        "a path": quote("../../etc/passwd", safe=""),
        "not ASCII": quote("ünïcödé"),
        "huge": "a" * 6000,
        "colons": ":::",
        "one letter": "x",
    }


def test_forged_links_open_and_change_nothing_but_offer_a_new_one(row):
    for name, token in forged(row).items():
        for answer in (browser().get(f"/abos/{token}/"), browser().post(f"/abos/{token}/", {"end_all": "1"})):
            assert (answer.status_code, name) == (404, name)
        if "/" not in token and "%2F" not in token:
            assert DEAD in answer.text, name
            assert '<form method="post" action="/abos/"' in answer.text, name
        assert browser().get(f"/abos/{token}/einwilligungen.json").status_code == 404, name
    assert active() == ["Brücke gesperrt"]


def test_link_of_one_address_opens_no_other(row):
    assert "Brücke gesperrt" not in browser().get(link_of(CARLA)).text


# --- ending ----------------------------------------------------------------------------------------------------------


def test_ending_one(row, link):
    other = factories.subscription(factories.article("Rathaus offen"), reader=row.reader)
    answer = browser().post(link, {"end": other.pk}, follow=True)
    assert (answer.redirect_chain, active()) == ([(f"{link}?ended", 302)], ["Brücke gesperrt"])
    assert "Davon kommt keine Mail mehr." in answer.text


def test_ending_all_ends_what_is_pending_too(row, link):
    factories.subscription(factories.article("Rathaus offen"), reader=row.reader)
    pending = factories.subscription(factories.article(), confirmed_at=None)
    factories.subscription(factories.article(), CARLA)
    assert browser().post(link, {"end_all": "1"}).url == f"{link}?ended"
    pending.refresh_from_db()
    assert (active(), len(active(CARLA)), pending.is_pending) == ([], 1, False)


@pytest.mark.parametrize("again", [{"end_all": "1"}, {"end": "1"}])
def test_ending_twice_is_harmless(row, link, again):
    fields = again if "end_all" in again else {"end": row.pk}
    browser().post(link, fields)
    first = Subscription.objects.get().ended_at
    assert browser().post(link, fields).status_code == 302
    assert (first is not None, Subscription.objects.get().ended_at) == (True, first)


def test_nobody_ends_anothers_subscription_by_its_number(row, link):
    theirs = factories.subscription(factories.article(), CARLA)
    browser().post(link, {"end": theirs.pk})
    save(link, **{f"{theirs.pk}-rhythm": "daily"})
    theirs.refresh_from_db()
    assert (theirs.is_active, theirs.rhythm, active()) == (True, "at_once", ["Brücke gesperrt"])


# --- how often, when, in which language ------------------------------------------------------------------------------


def test_everything_is_saved(row, link):
    other = factories.subscription(factories.article("Rathaus offen"), reader=row.reader)
    answer = save(
        link,
        daily_at="18:30",
        quiet_from="22:00",
        quiet_until="06:15",
        time_zone="America/New_York",
        language="en",
        **{f"{row.pk}-rhythm": "daily", f"{other.pk}-rhythm": "hourly"},
    )
    assert (answer.status_code, answer.url) == (302, f"{link}?kept")
    me = Recipient.objects.get()
    assert (me.email, me.daily_at, me.quiet_from, me.quiet_until) == (BERTA, wall(18, 30), wall(22), wall(6, 15))
    assert (me.time_zone, me.language) == ("America/New_York", "en")
    assert dict(Subscription.objects.values_list("pk", "rhythm")) == {row.pk: "daily", other.pk: "hourly"}
    page = browser().get(answer.url).text
    assert "Gespeichert." in page
    assert [value in page for value in ('value="18:30"', 'value="22:00"', 'value="06:15"')] == [True] * 3
    save(link, **{f"{row.pk}-rhythm": "at_once"})
    me.refresh_from_db()
    assert (me.quiet_from, me.quiet_until, me.time_zone, me.language) == (None, None, "", "")


def test_what_is_waiting_follows(row, link):
    choose_rhythm(row, "hourly")
    announce(comment_id=factories.comment(row.article).pk)
    in_two_hours = timezone.localtime(timezone.now() + timedelta(hours=2))  # not on the clock: it may be put forward
    save(link, daily_at=f"{in_two_hours:%H:%M}", **{f"{row.pk}-rhythm": "daily"})
    due_in = Delivery.objects.get().due_at - timezone.now()
    assert timedelta(hours=1, minutes=58) < due_in <= timedelta(hours=2)


def test_what_is_due_already_stays_in_the_mail_it_may_be_in(row, link):
    """A worker that died may have handed it over: a digest with more in it would bear the same Message-ID."""
    announce(comment_id=factories.comment(row.article).pk)
    due_at = Delivery.objects.get().due_at
    save(link, **{f"{row.pk}-rhythm": "hourly"})
    waiting = Delivery.objects.get()
    assert (waiting.due_at, waiting.gathered) == (due_at, False)


@pytest.mark.parametrize(
    "field, value",
    [
        ("daily_at", ""),
        ("daily_at", "25:00"),
        ("daily_at", "morgens"),
        ("quiet_from", "24:00"),
        ("quiet_until", "6"),
        ("quiet_from", "22:00"),  # and no end
        ("quiet_until", "06:00"),  # and no beginning
        ("time_zone", "../../etc/passwd"),
        ("time_zone", "europe/berlin"),
        ("language", "tlh"),
    ],
)
def test_wrong_values_save_nothing_and_stay_in_the_form(row, link, field, value):
    answer = save(link, **{"daily_at": "18:30", field: value, f"{row.pk}-rhythm": "daily"})
    assert answer.status_code == 422
    assert "Es ist noch nichts gespeichert." in answer.text
    assert answer.text.count('class="errorlist"') == 1
    assert (Recipient.objects.count(), Subscription.objects.get().rhythm) == (0, "at_once")
    assert re.search(r'value="daily"[^>]* checked', answer.text)
    if field in {"daily_at", "quiet_from", "quiet_until"} and value:
        assert f'value="{value}"' in answer.text
    if field != "daily_at":
        assert 'value="18:30"' in answer.text


def test_rhythm_that_does_not_exist_is_not_stored(row, link):
    save(link, **{f"{row.pk}-rhythm": "hourly"})
    for rhythm in ("minutely", "HOURLY", "at_once; --", "daily\n"):
        save(link, **{f"{row.pk}-rhythm": rhythm})
        assert Subscription.objects.get().rhythm == "hourly"


HOSTILE = {
    "huge": "x" * 200_000,
    "NUL": "a\x00b",
    "path": "../../etc/passwd",
    "negative": "-1",
    "beyond 64 bits": str(2**63),
    "400 digits": str(10**400),
    "Arabic digits": "٣:٤",
    "turned": "\u202e",
    "markup": "'\"><b>",
}
FIELDS = ["daily_at", "quiet_from", "quiet_until", "time_zone", "language"]


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_values_are_turned_away(row, link, value):
    answer = save(link, **dict.fromkeys([*FIELDS, f"{row.pk}-rhythm", value], value))
    assert answer.status_code in {400, 422}
    assert "<b>" not in answer.text
    assert browser().post(link, {"end": value}).status_code in {302, 400}
    assert browser().get(f"{link}?{urlencode({value: value})}").status_code in {200, 400}
    assert Client().post("/abos/", {"email": value}).status_code in {400, 422}
    assert (active(), Recipient.objects.count()) == (["Brücke gesperrt"], 0)


def test_bytes_that_are_no_text_are_turned_away(row, link):
    raw = b"save=1&daily_at=%ED%A0%80&time_zone=%ff%fe&end=%C0%80"
    assert browser().post(link, raw, content_type="application/x-www-form-urlencoded").status_code == 422
    assert active() == ["Brücke gesperrt"]


# --- the language of the mails ---------------------------------------------------------------------------------------


def test_mails_speak_the_chosen_language_and_the_page_the_sites(row, link, letters):
    save(link, language="en", **{f"{row.pk}-rhythm": "at_once"})
    factories.subscription(row.article, CARLA)
    announce(comment_id=factories.comment(row.article, "Aha.").pk)
    send_due()
    theirs, german = sorted(letters(), key=lambda letter: letter.recipient)
    assert (theirs.subject, german.subject) == ("Comments on “Brücke gesperrt”", "Kommentare zu „Brücke gesperrt“")
    assert theirs.text.startswith("Anna wrote a comment on “Brücke gesperrt”.")
    assert german.text.startswith("Anna hat einen Kommentar zu „Brücke gesperrt“ geschrieben.")
    assert ("Kommentar" in theirs.html, "Kommentar" in german.html) == (False, True)
    send_manage_link(email=BERTA)
    assert letters()[-1].subject == "Your notifications from Newsroom"
    page = browser().get(link).text
    assert ('<html lang="de">' in page, "<h1>Ihre Benachrichtigungen</h1>" in page) == (True, True)


def test_digest_speaks_it_too(row, link, letters):
    Recipient.objects.create(email=BERTA, language="en")
    choose_rhythm(row, "hourly")
    for _comment in range(2):
        announce(comment_id=factories.comment(row.article).pk)
    Delivery.objects.update(due_at=timezone.now())
    send_due()
    (letter,) = letters()
    assert letter.text.startswith("2 new comments on “Brücke gesperrt”.")


# --- the way to the page ---------------------------------------------------------------------------------------------


def mails_owed() -> int:
    return ProcrastinateJob.objects.filter(task_name="subscriptions.tasks.send_manage_link").count()


def ask(email: str, **options) -> HttpResponse:
    return Client().post("/abos/", {"email": email}, **options)


def test_whole_way_from_the_address_to_the_page(transactional_db, row, letters, run_jobs):
    assert "Sehen Sie in Ihr Postfach" in ask("Berta@Example.ORG").text
    run_jobs()
    (letter,) = letters()
    path = re.search(r"http://localhost:8000(/abos/\S+)", letter.text)[1]
    assert "Brücke gesperrt" in browser().get(path).text
    assert (letter.recipient, letter.subject) == (BERTA, "Ihre Benachrichtigungen von Newsroom")


def test_answer_is_the_same_for_known_unknown_suppressed_and_limited_addresses(row, letters):
    factories.subscription(row.article, "ended@example.org", ended_at=timezone.now())
    factories.subscription(row.article, "gone@example.org")
    Suppression.objects.suppress("gone@example.org", Suppression.Reason.BOUNCED)
    for _ask in range(4):
        ask("often@example.org")
    emails = [BERTA, "ended@example.org", "gone@example.org", "often@example.org", "nobody@example.org"]
    answers = {email: ask(email) for email in emails}
    assert len({(answer.status_code, answer.text.replace(email, "…")) for email, answer in answers.items()}) == 1
    assert len({str(answer.cookies) for answer in answers.values()}) == 1
    for email in emails:
        send_manage_link(email=email)
    assert [letter.recipient for letter in letters()] == [BERTA, "ended@example.org"]


def test_three_links_a_day_to_one_address(row):
    for email in [BERTA, "Berta@example.org", "berta+x@example.org", "BERTA@EXAMPLE.ORG", BERTA]:
        assert ask(email).status_code == 200
    ask(CARLA)
    assert mails_owed() == 3 + 1


def test_one_network_cannot_have_us_write_to_everybody(db):
    for number in range(32):
        assert ask(f"a{number}@example.org", headers={"X-Forwarded-For": f"198.51.{number}.1"}).status_code == 200
    assert mails_owed() == 30
    ask("b@example.org", REMOTE_ADDR="203.0.113.9")
    assert mails_owed() == 31


@pytest.mark.parametrize("email", ["", "berta", "a@b@example.org", "berta@example"])
def test_wrong_address_is_shown_again(db, email):
    answer = ask(email)
    assert (answer.status_code, answer.text.count('class="errorlist"'), mails_owed()) == (422, 1, 0)
    assert f'value="{email}"' in answer.text or not email


def test_stranger_without_cookie_is_asked_to_confirm_first(row):
    answer = browser().post("/abos/", {"email": BERTA})
    assert (answer.status_code, mails_owed()) == (403, 0)
    assert f'value="{BERTA}"' in answer.text


def test_account_is_led_to_its_own_page_and_a_mere_address_is_not(row, client):
    user = User.objects.create_user("berta", BERTA)
    mine = factories.reader("Berta", BERTA, user=user)
    client.force_login(user)
    assert "Link schicken" in client.get("/abos/").text  # the address is not proved
    mine.email_confirmed_at = timezone.now()
    mine.save()
    answer = client.get("/abos/", follow=True)
    assert Recipient.by_token(answer.redirect_chain[0][0].split("/")[2]).email == BERTA
    assert "Brücke gesperrt" in answer.text


def test_places_stand_once_and_an_older_name_stays_chosen(client, db):
    me = Recipient.objects.create(email="berta@example.org", time_zone="Asia/Calcutta")
    factories.subscription(factories.article(), me.email)
    choices = re.findall(r'<option value="([^"]*)"( selected)?>([^<]*)</option>', client.get(f"/abos/{me.token}/").text)
    names = {value: (shown, bool(chosen)) for value, chosen, shown in choices}
    assert names["Asia/Kolkata"] == ("Asia/Kolkata", False)
    assert names["Asia/Calcutta"] == ("Asia/Calcutta", True)
    assert names["America/New_York"] == ("America/New York", False)
    assert not {"Asia/Saigon", "Europe/Belfast", "US/Eastern"} & names.keys()
