"""What was agreed to and withdrawn, when and how, stays provable; its owner may have it (A23, A25)."""

import json
from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from articles.models import Article
from newsroom.mailbox import Letter
from readers.services import confirm_address
from subscriptions.models import OPT_IN_VALID, Consent, Recipient, Subscription
from subscriptions.tasks import send_opt_in
from tests import factories

BERTA = "berta@example.org"
ASKED, CONFIRMED, ENDED = Consent.Event.ASKED, Consent.Event.CONFIRMED, Consent.Event.ENDED


def ask(article: Article, email: str = BERTA, kind: str = "article", browser: Client | None = None) -> Subscription:
    (browser or Client()).post(f"/artikel/{article.slug}/abonnieren/", {"kind": kind, "email": email})
    return Subscription.objects.get(article=article, email=email, kind=kind)


def press(row: Subscription) -> None:
    """The button behind the link of the opt-in mail."""
    Client().post(f"/abo/ja/{row.token('confirm')}/")


def confirmed(article: Article, email: str = BERTA) -> Subscription:
    row = ask(article, email)
    press(row)
    return row


def by_link(row: Subscription) -> None:
    Client().post(f"/abo/nein/{row.token('end')}/")


def by_one_click(row: Subscription) -> None:
    Client(enforce_csrf_checks=True).post(f"/abo/nein/{row.token('end')}/", {"List-Unsubscribe": "One-Click"})


def on_the_page(row: Subscription) -> None:
    Client().post(f"/abos/{Recipient(email=row.email).token}/", {"end": row.pk})


def all_on_the_page(row: Subscription) -> None:
    Client().post(f"/abos/{Recipient(email=row.email).token}/", {"end_all": "1"})


def message_id(letter: Letter) -> str:
    return dict(letter.headers)["Message-ID"]


def events(**which) -> list[str]:
    return list(Consent.objects.filter(**which).values_list("event", flat=True))


def test_asking_and_pressing_the_button_are_kept_word_for_word(article, letters):
    before = timezone.now()
    row = ask(article)
    send_opt_in(subscription_id=row.pk)
    press(row)
    press(row)
    asked, agreed = Consent.objects.all()
    assert (asked.event, asked.how) == (ASKED, "Formular auf der Seite")
    assert asked.wording == "Benachrichtige mich bei neuen Kommentaren: „Brücke gesperrt“"
    assert asked.form_url == f"http://localhost:8000/artikel/{article.slug}/"
    assert asked.message_id == message_id(letters()[0])
    assert (agreed.event, agreed.how) == (CONFIRMED, "Knopf auf der Seite aus der Bestätigungsmail")
    assert before <= asked.at <= agreed.at <= timezone.now()
    row.refresh_from_db()
    assert (asked.at, asked.subscription, agreed.subscription) == (row.asked_at, row, row)


def test_asking_while_one_is_pending_or_active_is_no_new_event(article):
    row = ask(article)
    ask(article)
    press(row)
    ask(article)
    assert events() == [ASKED, CONFIRMED]


def test_opening_the_pages_is_no_event(article):
    row = ask(article)
    for path in (f"/abo/ja/{row.token('confirm')}/", f"/abo/nein/{row.token('end')}/"):
        Client().get(path)
        Client().head(path)
    assert events() == [ASKED]


@pytest.mark.parametrize(
    "end, how",
    [
        (by_link, "Link in der Mail"),
        (by_one_click, "Ein-Klick-Abmeldung des Mailprogramms"),
        (on_the_page, "Seite aller Abonnements"),
        (all_on_the_page, "Seite aller Abonnements"),
    ],
)
def test_end_is_kept_once_with_its_way(article, end, how):
    row = confirmed(article)
    end(row)
    end(row)
    assert events() == [ASKED, CONFIRMED, ENDED]
    last = Consent.objects.last()
    row.refresh_from_db()
    assert (last.how, row.is_active, last.at - row.ended_at < timedelta(seconds=1)) == (how, False, True)


def test_end_of_several_is_an_event_of_each(article):
    mine = [confirmed(article), ask(article, kind="replies"), confirmed(factories.article())]
    theirs = confirmed(article, "carla@example.org")
    all_on_the_page(mine[0])
    assert [events(subscription=row)[-1] for row in (*mine, theirs)] == [ENDED, ENDED, ENDED, CONFIRMED]


def test_wish_that_was_never_confirmed_can_be_withdrawn(article):
    row = ask(article)
    by_link(row)
    press(row)
    row.refresh_from_db()
    assert (events(), row.is_active) == ([ASKED, ENDED], False)


def test_renewing_it_after_the_end_keeps_the_earlier_proof(article, letters):
    row = ask(article)
    send_opt_in(subscription_id=row.pk)
    press(row)
    by_link(row)
    earlier = list(Consent.objects.values())
    Article.objects.update(headline="Brücke wieder frei")
    row = ask(article)
    send_opt_in(subscription_id=row.pk)
    press(row)
    assert list(Consent.objects.values())[:3] == earlier
    assert events() == [ASKED, CONFIRMED, ENDED, ASKED, CONFIRMED]
    first, second = Consent.objects.filter(event=ASKED)
    assert (first.wording[-17:], second.wording[-20:]) == ("„Brücke gesperrt“", "„Brücke wieder frei“")
    assert [first.message_id, second.message_id] == [message_id(letter) for letter in letters()]


def test_wish_that_expired_and_was_renewed_is_two_wishes(article):
    ask(article)
    long_ago = timezone.now() - OPT_IN_VALID - timedelta(minutes=1)
    Subscription.objects.update(asked_at=long_ago)
    Consent.objects.update(at=long_ago)
    press(ask(article))
    assert events() == [ASKED, ASKED, CONFIRMED]
    assert [consent.at > long_ago for consent in Consent.objects.all()] == [False, True, True]


def test_address_proved_in_this_browser_is_said_to_be(article, client):
    ask(factories.article(), browser=client)
    reader = Subscription.objects.get().reader
    reader.email, reader.email_confirmed_at = BERTA, timezone.now()
    reader.save()
    row = ask(article, browser=client)
    assert (row.is_active, events(subscription=row)) == (True, [ASKED, CONFIRMED])
    assert row.consents.last().how == "Adresse in diesem Browser schon bewiesen"


def test_two_devices_that_become_one_person_keep_both_proofs(article):
    for name in ("Handy", "Rechner"):
        browser = Client()
        row = ask(factories.article(name), kind="replies", browser=browser)
        press(row)
        row.reader.email = BERTA
        row.reader.save()
        confirm_address(row.reader, BERTA)
    assert [event["event"] for event in export()["consents"]] == [ASKED, CONFIRMED, ASKED, CONFIRMED]


# --- for its owner ---------------------------------------------------------------------------------------------------


def export(email: str = BERTA) -> dict:
    answer = Client().get(f"/abos/{Recipient(email=email).token}/einwilligungen.json")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="einwilligungen.json"'
    assert (answer.headers["Referrer-Policy"], "no-store" in answer.headers["Cache-Control"]) == ("no-referrer", True)
    return json.loads(answer.content)


def test_export_tells_its_owner_everything_and_of_nobody_else(article, letters):
    row = ask(article)
    send_opt_in(subscription_id=row.pk)
    press(row)
    by_one_click(row)
    confirmed(article, "carla@example.org")
    told = export()
    times = [datetime.fromisoformat(event.pop("at")) for event in told["consents"]]
    about = {"article": f"http://localhost:8000/artikel/{article.slug}/", "kind": "neue Kommentare"}
    nothing = {"wording": "", "form_url": "", "message_id": ""}
    assert told == {
        "email": BERTA,
        "consents": [
            about
            | {
                "event": "asked",
                "how": "Formular auf der Seite",
                "wording": "Benachrichtige mich bei neuen Kommentaren: „Brücke gesperrt“",
                "form_url": about["article"],
                "message_id": message_id(letters()[0]),
            },
            about
            | {
                "event": "confirmed",
                "how": "Knopf auf der Seite aus der Bestätigungsmail",
                "wording": "Benachrichtige mich bei neuen Kommentaren: „Brücke gesperrt“",
                "form_url": about["article"],
                "message_id": "",
            },
            about | nothing | {"event": "ended", "how": "Ein-Klick-Abmeldung des Mailprogramms"},
        ],
    }
    assert times == sorted(times)
    assert all(moment.tzinfo for moment in times)


def test_export_of_who_never_asked_is_empty(db):
    assert export("nobody@example.org") == {"email": "nobody@example.org", "consents": []}


def test_export_is_only_looked_at(article):
    confirmed(article)
    assert Client().post(f"/abos/{Recipient(email=BERTA).token}/einwilligungen.json").status_code == 405
    assert events() == [ASKED, CONFIRMED]
