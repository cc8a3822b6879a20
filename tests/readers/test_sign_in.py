"""Signing up and in by a mailed code, and what becomes of the things the device did before."""

import re
import time

import pytest
from django.conf import settings
from django.contrib.auth import get_user
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from comments.models import Comment, Vote
from moderation.models import Notice
from moderation.services import give_notice
from ratings.models import Rating
from readers.merging import merge
from readers.models import Reader, User
from readers.services import sign_in as signed_in
from subscriptions.models import Consent, Delivery, Recipient, Subscription
from subscriptions.services import subscribe
from tests import factories
from tests.together import at_once

LEA, MAX = "lea@example.org", "max@example.org"


@pytest.fixture(autouse=True)
def _no_attempts_yet(transactional_db):
    """allauth counts attempts in the cache, which outlives a test."""
    cache.clear()


@pytest.fixture
def mailed_code(run_jobs, letters):
    """Delivers what is waiting; call it for the code in the newest letter."""

    def newest() -> str:
        run_jobs()
        return re.search(r"^ {4}(\d{4}-\d{4})$", letters()[-1].text, re.MULTILINE)[1]

    return newest


def sign_up(browser: Client, email: str, mailed_code) -> User:
    browser.post("/konto/signup/", {"email": email})
    browser.post("/konto/confirm-email/", {"code": mailed_code()})
    return User.objects.get(email=email)


def sign_in(browser: Client, email: str, mailed_code) -> None:
    browser.post("/konto/login/", {"login": email})
    browser.post("/konto/login/code/confirm/", {"code": mailed_code()})


def without_tokens(page) -> str:
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page.text)


def test_an_address_and_its_code_make_an_account(client, mailed_code, letters):
    asked = client.post("/konto/signup/", {"email": "Lea@Example.org"})
    assert (asked.status_code, asked.url) == (302, "/konto/confirm-email/")
    assert client.get("/konto/email/").url == "/konto/login/?next=/konto/email/"

    confirmed = client.post(asked.url, {"code": mailed_code()})

    assert (confirmed.status_code, confirmed.url) == (302, "/konto/email/")
    user = User.objects.get()
    assert (user.email, user.has_usable_password()) == (LEA, False)
    assert user.reader.owns(LEA)
    assert f"Sie sind angemeldet als <strong>{LEA}</strong>" in client.get("/konto/email/").text
    [letter] = letters()
    assert (letter.recipient, letter.subject[:27]) == (LEA, "Ihr Code für das neue Konto")


def fields(page) -> dict[str, str]:
    """What the first form of a page sends by itself."""
    form = page.text.partition("<form")[2].partition("</form>")[0]
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))


@pytest.mark.parametrize("signed_up", [True, False])
def test_who_signs_in_comes_back_to_where_they_were(article, client, mailed_code, signed_up):
    if signed_up:
        sign_up(Client(), LEA, mailed_code)
    here = f"{article.get_absolute_url()}?sortierung=neueste"
    address, field = ("/konto/login/", "login") if signed_up else ("/konto/signup/", "email")
    page = client.get(address, headers={"Referer": f"http://testserver{here}"}, follow=True)
    asked = client.post(address, fields(page) | {field: LEA}, follow=True)
    (at, _status) = asked.redirect_chain[-1]
    done = client.post(at, fields(asked) | {"code": mailed_code()})
    assert (done.status_code, done.url) == (302, here)


@pytest.mark.parametrize(
    "page", ["https://evil.example/x/", "http://testserver/", "http://testserver/konto/signup/", "x"]
)
def test_who_comes_from_elsewhere_is_led_nowhere(db, client, page):
    assert client.get("/konto/login/", headers={"Referer": page}).status_code == 200


def test_a_code_signs_in_on_another_device(client, mailed_code):
    user = sign_up(client, LEA, mailed_code)
    other = Client()

    asked = other.post("/konto/login/", {"login": LEA})
    assert (asked.status_code, asked.url) == (302, "/konto/login/code/confirm/")
    confirmed = other.post(asked.url, {"code": mailed_code().replace("-", " ")})

    assert (confirmed.status_code, confirmed.url) == (302, "/konto/email/")
    assert f"Sie sind angemeldet als <strong>{LEA}</strong>" in other.get("/konto/email/").text
    assert get_user(other) == user
    assert Reader.objects.filter(merged_into=None).count() == 1


def test_a_wrong_code_does_not_sign_in_and_says_so(client, mailed_code):
    sign_up(client, LEA, mailed_code)
    other = Client()
    other.post("/konto/login/", {"login": LEA})
    code = mailed_code()

    wrong = other.post("/konto/login/code/confirm/", {"code": "0000-0000" if code != "0000-0000" else "1111-1111"})

    assert wrong.status_code == 200
    assert '<ul class="errorlist" id="id_code_error"><li>Dieser Code stimmt nicht.' in wrong.text
    assert 'aria-invalid="true" aria-describedby="id_code_error"' in wrong.text
    assert other.get("/konto/email/").url == "/konto/login/?next=/konto/email/"
    assert other.post("/konto/login/code/confirm/", {"code": code}).url == "/konto/email/"


def test_after_three_wrong_codes_the_right_one_is_worth_nothing(client, mailed_code):
    sign_up(client, LEA, mailed_code)
    other = Client()
    other.post("/konto/login/", {"login": LEA})
    code = mailed_code()
    for _attempt in range(3):
        other.post("/konto/login/code/confirm/", {"code": "falsch"})
    assert "Das waren zu viele Versuche." in other.get("/konto/login/").text
    other.post("/konto/login/code/confirm/", {"code": code})
    assert other.get("/konto/email/").status_code == 302


@pytest.mark.parametrize(
    "address, field, to_known, to_unknown",
    [
        ("/konto/login/", "login", "Ihr Code zum Anmelden: …", "Anmelden bei Newsroom"),
        ("/konto/signup/", "email", "Ihr Konto bei Newsroom", "Ihr Code für das neue Konto: …"),
    ],
)
def test_a_known_and_an_unknown_address_get_the_same_answer(
    client, mailed_code, letters, run_jobs, address, field, to_known, to_unknown
):
    sign_up(client, LEA, mailed_code)
    cache.clear()
    answers = []
    for email in (LEA, MAX):
        browser = Client()
        answer = browser.post(address, {field: email})
        page = browser.get(answer.url)
        answers.append((answer.status_code, answer.url, without_tokens(page).replace(email, "…")))
    assert answers[0] == answers[1]

    run_jobs()
    subjects = {letter.recipient: re.sub(r"\d{4}-\d{4}", "…", letter.subject) for letter in letters()[1:]}
    assert subjects == {LEA: to_known, MAX: to_unknown}


@pytest.mark.parametrize("email", ["", "quatsch", "lea@", "a@b"])
def test_what_is_no_address_is_refused_with_a_reason(client, email):
    refused = client.post("/konto/login/", {"login": email})
    assert refused.status_code == 200
    assert 'aria-invalid="true" aria-describedby="id_login_error"' in refused.text


def test_one_address_gets_three_codes_a_minute_known_or_not(client, letters, run_jobs):
    factories.editor()
    for email in ("redaktion@example.org", MAX):
        answers = [Client().post("/konto/login/", {"login": email}).status_code for _request in range(4)]
        assert answers == [302, 302, 302, 200]
    run_jobs()
    assert sorted(letter.recipient for letter in letters()) == 3 * [MAX] + 3 * ["redaktion@example.org"]


def test_what_the_device_did_becomes_the_accounts(article, client, mailed_code):
    other = factories.comment(article)
    client.post(f"/artikel/{article.slug}/kommentieren/", {"body": "Von mir.", "name": "Lea"})
    client.post(f"/kommentar/{other.pk}/respekt/", {"wanted": "1"})
    client.post(f"/artikel/{article.slug}/bewerten/", {"stars": "4"})
    device = Comment.objects.get(name="Lea").reader
    assert settings.READER_COOKIE_NAME in client.cookies

    user = sign_up(client, LEA, mailed_code)

    assert user.reader == device
    assert (Vote.objects.get().reader, Rating.objects.get().reader) == (device, device)
    assert (user.reader.name, user.reader.email) == ("Lea", LEA)
    assert client.cookies[settings.READER_COOKIE_NAME].value == ""


def test_a_second_device_brings_its_deeds_and_no_second_vote(article, client, mailed_code):
    user = sign_up(client, LEA, mailed_code)
    other = factories.comment(article)
    client.post(f"/kommentar/{other.pk}/respekt/", {"wanted": "1"})
    client.post(f"/artikel/{article.slug}/bewerten/", {"stars": "2"})
    phone = Client()
    phone.post(f"/kommentar/{other.pk}/respekt/", {"wanted": "1"})
    phone.post(f"/artikel/{article.slug}/bewerten/", {"stars": "5"})
    phone.post(f"/artikel/{article.slug}/kommentieren/", {"body": "Vom Telefon.", "name": "Lea"})
    other.refresh_from_db()
    assert other.score == 2

    sign_in(phone, LEA, mailed_code)

    other.refresh_from_db()
    article.counters.refresh_from_db()
    assert Comment.objects.get(body="Vom Telefon.").reader == user.reader
    assert (other.score, list(Vote.objects.values_list("reader", flat=True))) == (1, [user.reader.pk])
    assert (article.counters.ratings, article.counters.stars) == (1, 2)


def test_signing_out_leaves_the_device_anonymous(article, client, mailed_code):
    user = sign_up(client, LEA, mailed_code)

    left = client.post("/konto/logout/")

    assert (left.status_code, left.url) == (302, "/")
    assert [client.get("/").text.count("Sie sind abgemeldet.") for _visit in range(2)] == [1, 0]
    assert client.get("/konto/email/").status_code == 302
    kept = {name for name, cookie in client.cookies.items() if cookie.value}
    assert kept & {settings.SESSION_COOKIE_NAME, settings.READER_COOKIE_NAME} == set()
    client.post(f"/artikel/{article.slug}/bewerten/", {"stars": "1"})
    stranger = Rating.objects.get().reader
    assert stranger != user.reader
    assert (stranger.user, stranger.name, stranger.email) == (None, "", "")


def test_looking_at_the_sign_out_page_signs_nobody_out(client, mailed_code):
    sign_up(client, LEA, mailed_code)
    assert "Möchten Sie sich abmelden?" in client.get("/konto/logout/").text
    assert client.get("/konto/email/").status_code == 200


def test_a_new_address_counts_once_its_code_is_entered_and_the_old_one_is_told(client, mailed_code, letters, run_jobs):
    user = sign_up(client, LEA, mailed_code)

    client.post("/konto/email/", {"email": MAX, "action_add": "1"})
    code = mailed_code()
    user.refresh_from_db()
    assert user.email == LEA
    client.post("/konto/confirm-email/", {"code": code})
    run_jobs()

    user.refresh_from_db()
    assert (user.email, user.reader.email, user.reader.owns(MAX)) == (MAX, MAX, True)
    assert (letters()[-1].recipient, letters()[-1].subject) == (LEA, "Ihr Konto bei Newsroom hat eine neue Adresse")


def test_subscriptions_follow_the_account_to_its_new_address(article, client, mailed_code):
    sign_up(client, LEA, mailed_code)
    reader = Reader.objects.get(user__email=LEA)
    client.post("/konto/email/", {"email": "neu@example.org", "action_add": ""})
    code = mailed_code()
    everything = factories.subscription(article, LEA, reader=reader, rhythm="daily")
    answers = factories.subscription(article, LEA, reader=reader, kind="replies")
    Recipient.objects.create(email=LEA, language="en")
    waiting = Delivery.objects.create(comment=factories.comment(article), subscription=everything, email=LEA)
    client.post("/konto/confirm-email/", {"code": code})
    assert [row.is_active for row in Subscription.objects.filter(email=LEA)] == [False, False]
    moved = Subscription.objects.active().filter(email="neu@example.org", reader=reader).order_by("kind")
    assert [(row.kind, row.rhythm, row.wording) for row in moved] == [
        ("article", "daily", everything.wording),
        ("replies", "at_once", answers.wording),
    ]
    assert [(row.event, row.how) for row in Consent.objects.order_by("pk")] == [
        ("confirmed", "Neue Adresse des Kontos"),
        ("ended", "Neue Adresse des Kontos"),
    ] * 2
    assert Recipient.of("neu@example.org").language == "en"
    waiting.refresh_from_db()
    assert (waiting.subscription, waiting.email) == (moved[0], "neu@example.org")


def moved(user: User, email: str) -> None:
    user.email = email
    user.save()
    signed_in(user, None)


def test_who_comes_back_to_the_first_address_has_the_same_again(article):
    user = User.objects.create_user("lea", LEA)
    factories.subscription(article, LEA, reader=signed_in(user, None))
    moved(user, MAX)
    moved(user, LEA)
    assert [row.email for row in Subscription.objects.active()] == [LEA]


def test_a_stranger_who_once_typed_the_new_address_keeps_no_mails_away(article):
    user = User.objects.create_user("lea", LEA)
    factories.subscription(article, LEA, reader=signed_in(user, None))
    factories.subscription(article, MAX, confirmed_at=None)
    moved(user, MAX)
    assert [row.email for row in Subscription.objects.active()] == [MAX]


def test_what_was_ended_at_the_new_address_stays_ended(article):
    user = User.objects.create_user("lea", LEA)
    reader = signed_in(user, None)
    factories.subscription(article, LEA, reader=reader)
    factories.subscription(article, MAX, ended_at=timezone.now())
    user.email = MAX
    user.save()
    signed_in(user, None)
    assert not Subscription.objects.active().exists()


def test_somebody_elses_address_cannot_be_taken_over(client, mailed_code):
    sign_up(client, LEA, mailed_code)
    thief = Client()
    user = sign_up(thief, MAX, mailed_code)
    cache.clear()
    thief.post("/konto/email/", {"email": LEA, "action_add": "1"})
    answer = thief.post("/konto/confirm-email/", {"code": mailed_code()})
    assert "Zu dieser Adresse gibt es schon ein Konto." in answer.text
    user.refresh_from_db()
    assert user.email == MAX


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:x"])
def test_signing_in_never_leads_off_the_site(client, mailed_code, target):
    sign_up(client, LEA, mailed_code)
    other = Client()
    other.post("/konto/login/", {"login": LEA, "next": target})
    confirmed = other.post("/konto/login/code/confirm/", {"code": mailed_code(), "next": target})
    assert confirmed.url == "/konto/email/"


def test_a_blocked_account_is_signed_out_and_gets_no_code(client, mailed_code, letters, run_jobs):
    user = sign_up(client, LEA, mailed_code)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/konto/email/").status_code == 302
    assert Client().post("/konto/login/", {"login": LEA}).url == "/konto/login/code/confirm/"
    run_jobs()
    assert letters()[-1].subject == "Anmelden bei Newsroom"


def test_limits_keep_neither_network_nor_mail_address(client):
    client.post("/konto/login/", {"login": LEA})
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key FROM newsroom_cache")
        keys = " ".join(key for (key,) in cursor.fetchall())
    assert "request_login_code" in keys
    assert ("127.0.0" in keys, "lea" in keys) == (False, False)


# --- at the same time ------------------------------------------------------------------------------------------------


def test_signing_in_twice_at_once_makes_one_reader(monkeypatch):
    save = Reader.save
    monkeypatch.setattr(Reader, "save", lambda *given, **options: (time.sleep(0.2), save(*given, **options)))
    user = User.objects.create_user("lea", LEA)
    for devices in ([None, None], [Reader.objects.create(name="Lea"), Reader.objects.create(name="Lea")]):
        Reader.objects.filter(user=user).delete()
        readers = at_once(2, lambda number, devices=devices: signed_in(user, devices[number]).pk)
        assert readers[0] == readers[1] == user.reader.pk
        user.refresh_from_db()


def test_a_device_that_went_on_as_another_reader_stays_with_that_one():
    """The view found the device before another tab confirmed its address."""
    user, elsewhere = User.objects.create_user("lea", LEA), Reader.objects.create(name="Lea")
    device = Reader.objects.create(name="Lea")
    stale = Reader.objects.get(pk=device.pk)
    with transaction.atomic():
        merge(device, elsewhere)

    account = signed_in(user, stale)

    device.refresh_from_db()
    assert (device.merged_into, device.user, device.name) == (elsewhere, None, "")
    assert account != device


def test_an_editor_named_at_length_with_capitals_in_the_address_is_told_of_answers(article, client):
    """Nothing of it was asked for in a form of ours."""
    name = {"first_name": "Anna " * 20, "last_name": "Beck"}
    client.force_login(User.objects.create_user("anna", "Anna.Beck@Zeitung.Example", is_staff=True, **name))
    words = {"name": "Anna Beck", "email": "anna.beck@zeitung.example", "notify": "on"}
    for body in ("Mein erster.", "Mein zweiter."):
        answer = client.post(f"/artikel/{article.slug}/kommentieren/", {**words, "body": body})
        assert answer.status_code == 302
    assert {row.email for row in Subscription.objects.all()} == {"anna.beck@zeitung.example"}
    assert User.objects.create_user("ohne", "Ä@zeitung.example").known_as == {"name": "", "email": ""}


def test_whoever_subscribes_or_reports_while_two_devices_become_one_does_so_as_the_one_that_stays(article):
    gone, stays = Reader.objects.create(name="Lea"), Reader.objects.create(name="Lea")
    stale = Reader.objects.get(pk=gone.pk)
    with transaction.atomic():
        merge(gone, stays)
    subscribe(article=article, reader=stale, kind="replies", email=LEA, network="192.0.2.0/24")
    notice = Notice(comment=factories.comment(article), reader=stale, kind="abuse", reason="x", good_faith=True)
    give_notice(notice, network="192.0.2.0/24")
    assert (Subscription.objects.get().reader, Notice.objects.get().reader) == (stays, stays)
