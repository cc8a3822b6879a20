"""Who cannot be reached or complains is not written to again, and an editor can undo it (B15, E18)."""

import re
import uuid
from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import Comment
from newsroom.models import Suppression
from readers.models import User
from subscriptions.bounces import SOFT_BOUNCES, SOFT_WINDOW, note_bounce
from subscriptions.inbound import UnknownAddressError, take_in
from subscriptions.models import Bounce, Consent
from subscriptions.outbox import send_due
from subscriptions.tasks import announce
from tests import factories
from tests.subscriptions.bounces.returned import (
    BERTA,
    HARD,
    SOFT,
    another_mail,
    bounces,
    comes_back,
    suppressed,
)
from tests.together import at_once

# --- whose, and once -------------------------------------------------------------------------------------------------


def test_forged_addresses_suppress_nobody(article, told):
    other = another_mail(article, "carl@example.org")
    own, foreign = told.mail_token("rueck"), other.mail_token("rueck")
    forged = [
        f"{own.rpartition('-')[0]}-{foreign.rpartition('-')[2]}",
        f"rueck-{told.mail_token('antwort').partition('-')[2]}",
        own[:-1],
        "rueck-1-",
        "rueck",
    ]
    for local in forged:
        with pytest.raises(UnknownAddressError):
            take_in(HARD["Postfix"][0].encode(), recipient=f"{local}@antwort.example", sender="")
    assert (suppressed(), bounces()) == ([], [])


def test_it_is_the_mails_own_recipient_who_is_suppressed(article, told):
    """Whatever the report says about whom it could not reach."""
    comes_back(told, HARD["Postfix"][0].replace(BERTA, "carl@example.org"))
    assert suppressed() == [(BERTA, "bounced")]


def test_report_at_the_address_for_answers_is_no_comment(article, told):
    raw = HARD["Postfix"][0].replace("\n", "\r\n").encode()
    for sender in ("", "MAILER-DAEMON@mx.example.com"):
        take_in(raw, recipient=f"{told.mail_token('antwort')}@antwort.example", sender=sender)
    assert (Comment.objects.count(), ProcrastinateJob.objects.filter(task_name__contains="send_answer").count()) == (
        1,
        0,
    )


def test_same_report_ten_times_is_one_event(told):
    for _ in range(10):
        comes_back(told, SOFT["mailbox full"])
    assert (suppressed(), bounces()) == ([], [(BERTA, "soft")])


def test_same_event_many_times_at_once_is_one_change(transactional_db):
    def note(number: int) -> bool:
        return note_bounce(email=BERTA, kind=Bounce.Kind.HARD, event_id="a", detail=f"{number}")

    assert sorted(at_once(8, note)) == [False] * 7 + [True]
    assert (suppressed(), bounces()) == ([(BERTA, "bounced")], [(BERTA, "hard")])


# --- several soft ones -----------------------------------------------------------------------------------------------


def soft(email: str = BERTA) -> None:
    note_bounce(email=email, kind=Bounce.Kind.SOFT, event_id=str(uuid.uuid4()))


def pass_time(by: timedelta) -> None:
    Bounce.objects.update(at=F("at") - by)
    Suppression.objects.update(created_at=F("created_at") - by, lifted_at=F("lifted_at") - by)


def test_fifth_soft_bounce_suppresses(article):
    soft("carl@example.org")
    for _ in range(SOFT_BOUNCES):
        assert suppressed() == []
        comes_back(another_mail(article), SOFT["mailbox full"])
    assert suppressed() == [(BERTA, "bounced_often")]


def test_soft_ones_longer_ago_do_not_count(db):
    for _ in range(SOFT_BOUNCES - 1):
        soft()
    pass_time(SOFT_WINDOW + timedelta(minutes=1))
    for _ in range(SOFT_BOUNCES - 1):
        soft()
    assert suppressed() == []
    soft()
    assert suppressed() == [(BERTA, "bounced_often")]


# --- complaints ------------------------------------------------------------------------------------------------------


def test_complaint_ends_consent_everywhere_and_suppresses(article):
    rows = [factories.subscription(article), factories.subscription(factories.article(), kind="replies")]
    pending = factories.subscription(factories.article(), confirmed_at=None)
    other = factories.subscription(article, "carl@example.org")
    for _ in range(2):
        note_bounce(email=BERTA, kind=Bounce.Kind.COMPLAINT, event_id="a", detail="abuse")
    for row in [*rows, pending, other]:
        row.refresh_from_db()
    assert [row.is_active for row in rows] == [False, False]
    assert (pending.is_pending, other.is_active) == (False, True)
    assert suppressed() == [(BERTA, "complained")]
    assert set(Consent.objects.values_list("subscription__email", "event", "how")) == {
        (BERTA, "ended", "als Spam gemeldet")
    }


# --- the way back, and by hand ---------------------------------------------------------------------------------------


LIST = "/redaktion/newsroom/suppression/"


def lift(desk: Client) -> None:
    chosen = [row.pk for row in Suppression.objects.all()]
    desk.post(LIST, {"action": "lift", "_selected_action": chosen})


def test_list_says_who_why_and_since_when(desk, told):
    comes_back(told, HARD["Postfix"][0])
    page = desk.get(LIST).text
    assert BERTA in page
    assert "Die Adresse nimmt keine Mails an" in page
    assert "5.1.1 smtp; 550 5.1.1" in page
    assert f"{timezone.localtime():%Y}" in page


@pytest.mark.parametrize("again", ["hard", "soft"])
def test_lifted_it_takes_new_bounces_to_suppress_again(desk, article, again):
    told = another_mail(article)
    for _ in range(SOFT_BOUNCES - 1):
        soft()
    comes_back(told, HARD["Postfix"][0])
    lift(desk)
    assert (suppressed(), Suppression.objects.count()) == ([], 1)
    comes_back(told, HARD["Postfix"][0])  # an old one, brought once more
    assert suppressed() == []
    if again == "hard":
        comes_back(another_mail(article), HARD["Exim"][0])
        assert suppressed() == [(BERTA, "bounced")]
        return
    for _ in range(SOFT_BOUNCES):
        assert suppressed() == []
        soft()
    assert suppressed() == [(BERTA, "bounced_often")]


def test_lifted_it_is_written_to_again(desk, article, letters):
    told = another_mail(article)
    comes_back(told, HARD["Postfix"][0])
    lift(desk)
    announce(comment_id=factories.comment(article).pk)
    send_due()
    assert [letter.recipient for letter in letters()] == [BERTA]


def test_added_by_hand_in_its_one_spelling(desk):
    for spelled in ("Berta@Example.ORG", "berta@EXAMPLE.org", " berta@example.org "):
        answer = desk.post(f"{LIST}add/", {"email": spelled, "detail": "bat am Telefon darum"})
        assert answer.status_code == 302
    assert suppressed() == [(BERTA, "by_hand")]
    assert "Diese Adresse ist schon gesperrt." in desk.get(LIST).text


@pytest.mark.parametrize("email", ["", "berta", "a@b@example.org", "jörg@example.org"])
def test_what_is_no_address_is_not_added(desk, email):
    assert (desk.post(f"{LIST}add/", {"email": email}).status_code, suppressed()) == (200, [])


def test_rows_are_neither_rewritten_nor_deleted(desk):
    Suppression.objects.suppress(BERTA, "by_hand")
    row = Suppression.objects.get()
    desk.post(f"{LIST}{row.pk}/change/", {"email": "carl@example.org", "detail": "x"})
    desk.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    desk.post(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert suppressed() == [(BERTA, "by_hand")]


def test_without_the_right_nobody_adds_or_lifts(db):
    Suppression.objects.suppress(BERTA, "by_hand")
    for user in (
        User.objects.create_user("p", "p@example.org", is_staff=True),
        User.objects.create_user("q", "q@x.de"),
    ):
        browser = Client()
        browser.force_login(user)
        lift(browser)
        browser.post(f"{LIST}add/", {"email": "carl@example.org"})
    lift(Client())
    assert suppressed() == [(BERTA, "by_hand")]


# --- and the pages say nothing of it (C7) ----------------------------------------------------------------------------


def without_what_is_theirs(page: str, email: str) -> str:
    return re.sub(r'value="[^"]{30,}"|\d+', "", page.replace(email, "…"))


def do_mails() -> None:
    for job in ProcrastinateJob.objects.filter(task_name__contains=".send_").order_by("pk"):
        app.tasks[job.task_name](**job.args)


def test_suppressed_address_gets_the_same_pages_and_no_mail(article, letters):
    Suppression.objects.suppress(BERTA, "complained")
    Article.objects.update(comment_mode=Article.CommentMode.CONFIRMED)
    pages = {}
    for email in (BERTA, "carl@example.org"):
        browser = Client()
        asked = [
            browser.post(f"/artikel/{article.slug}/abonnieren/", {"kind": "article", "email": email}, follow=True),
            browser.post("/abos/", {"email": email}),
            browser.post(
                f"/artikel/{article.slug}/kommentieren/", factories.words(email=email, notify="on"), follow=True
            ),
        ]
        pages[email] = [(answer.status_code, without_what_is_theirs(answer.text, email)) for answer in asked]
        do_mails()
        Comment.objects.all().delete()  # the next one's page shows the same conversation
    assert pages[BERTA] == pages["carl@example.org"]
    assert {letter.recipient for letter in letters()} == {"carl@example.org"}
