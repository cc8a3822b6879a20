"""One's own comment on another device, through a link that is mailed to its address (decision 0011)."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article, Counters
from comments.mails import owner_token
from comments.models import Comment, OtherDevice, Vote
from moderation.services import approve
from newsroom.mailbox import Letter
from readers.models import Reader
from readers.services import confirm_address
from subscriptions.models import Subscription
from tests import factories
from tests.comments.own import change, page_of, the_comment


def ask(email: str) -> str:
    answer = Client().post(f"/kommentar/{the_comment().pk}/meiner/", {"email": email})
    assert answer.status_code == 200
    return answer.text


def jobs() -> int:
    return ProcrastinateJob.objects.filter(task_name="comments.tasks.send_owner_mail").count()


def test_only_the_right_address_gets_a_link_and_nobody_learns_which(
    transactional_db, article, author, letters, run_jobs
):
    wrong, right = ask("eve@example.org"), ask("anna@example.org")
    assert (wrong, jobs()) == (right, 2)  # as much work for the one as for the other (C7)
    run_jobs()
    assert [letter.recipient for letter in letters()] == ["anna@example.org"]


def test_comment_of_an_account_has_no_link(transactional_db, article, author, letters, run_jobs):
    reader = the_comment().reader
    reader.user = factories.editor("anna")
    reader.save()
    ask("anna@example.org")
    run_jobs()
    assert letters() == []
    assert author.get(f"/kommentar/mein/{owner_token(the_comment())}/").status_code == 404


def test_a_strangers_page_makes_nobody_somebody_else(article, author):
    """By a form that sends its visitors to its own mailed link."""
    visitor = Client(enforce_csrf_checks=True)
    link = f"/kommentar/mein/{owner_token(the_comment())}/"
    assert visitor.post(link).status_code == 403
    assert "leser" not in visitor.cookies
    token = visitor.get(link).text.partition('name="csrfmiddlewaretoken" value="')[2].partition('"')[0]
    assert visitor.post(link, {"csrfmiddlewaretoken": token}).status_code == 302
    assert visitor.get(f"/kommentar/{the_comment().pk}/bearbeiten/").status_code == 200


def test_links_are_limited(article, author):
    for _ in range(9):
        ask("anna@example.org")
    assert jobs() == 3


def test_mailed_link_gives_the_rights_to_another_device(transactional_db, article, author, letters, run_jobs):
    ask("anna@example.org")
    run_jobs()
    [letter] = [each for each in letters() if "Ihr Kommentar" in each.subject]
    link = link_in(letter)
    other = Client()
    assert other.get(link).status_code == 200
    assert change(other, "Neu.").status_code == 403  # GET gives nothing (B12)
    assert other.post(link).status_code == 302
    assert change(other, "Neu.").status_code == 302
    assert the_comment().body == "Neu."


def link_in(letter: Letter) -> str:
    return next(word for word in letter.text.split() if "/kommentar/mein/" in word).removeprefix(
        "http://localhost:8000"
    )


def test_what_the_other_device_did_goes_along(article, author):
    other = Client()
    other.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Vom Telefon."))
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    assert set(Comment.objects.values_list("reader", flat=True)) == {the_comment().reader_id}


@pytest.mark.parametrize("proved", [False, True])
@pytest.mark.parametrize("email", ["", "eve@example.org", "anna@example.org"])
def test_a_link_gives_its_writer_nothing(article, author, email, proved):
    """Whoever typed an address, their own or a stranger's, gets no rights over what the one who opens the link did."""
    eve = Client()
    eve.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Eves Wort.", email=email))
    eves = Comment.objects.get(body="Eves Wort.")
    if proved:
        Reader.objects.filter(pk=the_comment().reader_id).update(email_confirmed_at=timezone.now())
    eve.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    assert change(eve, "Geändert.").status_code == 302
    one_person = proved and email == "anna@example.org"  # both devices proved this address
    for act in ("bearbeiten", "loeschen"):
        assert author.get(f"/kommentar/{eves.pk}/{act}/").status_code == (200 if one_person else 403)


def test_what_else_the_writer_did_stays_theirs(article, author):
    author.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Anderes.", email="mallory@example.org"))
    other = Client()
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    others = Comment.objects.get(body="Anderes.")
    assert author.get(f"/kommentar/{others.pk}/bearbeiten/").status_code == 200
    assert other.get(f"/kommentar/{others.pk}/bearbeiten/").status_code == 403


def test_replies_are_still_mailed_to_the_address(article, author):
    row = factories.subscription(article, "anna@example.org", kind="replies", reader=the_comment().reader)
    other = Client()
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    row.refresh_from_db()
    assert row.reader == the_comment().reader
    assert row.is_active


def test_account_takes_the_guest_in(article, author):
    user = factories.editor("anna")
    other = Client()
    other.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    other.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    assert (the_comment().reader.user, change(other, "Neu.").status_code) == (user, 302)


def test_link_dies_after_three_days_and_when_the_comment_is_gone(article, author):
    for days, status in [(0, 200), (2, 200), (3, 404)]:
        token = owner_token(the_comment(), made_on=timezone.localdate() - timedelta(days=days))
        assert Client().get(f"/kommentar/mein/{token}/").status_code == status
    token = owner_token(the_comment())
    author.post(f"/kommentar/{the_comment().pk}/loeschen/")
    assert Client().get(f"/kommentar/mein/{token}/").status_code == 404


def test_forged_links_give_nothing(article, author):
    good = owner_token(the_comment())
    for token in (good[:-1] + ("A" if good[-1] != "A" else "B"), "1-x", "zz", owner_token(factories.comment(article))):
        assert Client().post(f"/kommentar/mein/{token}/").status_code == 404


def test_link_is_worth_nothing_to_a_third_device(article, author):
    """Whoever finds it later in a mailbox, or in a proxy's log, has no rights over what its first user wrote since."""
    link = f"/kommentar/mein/{owner_token(the_comment())}/"
    first, third = Client(), Client()
    assert first.post(link).status_code == 302
    refused = third.post(link)
    assert (refused.status_code, f"/kommentar/{the_comment().pk}/meiner/" in refused.text) == (404, True)
    assert third.get(f"/kommentar/{the_comment().pk}/bearbeiten/").status_code == 403
    assert "meiner/" in author.get(link).text  # nor to the one it was written with: it needs a link of its own
    # The device that has them is led to the comment.
    assert first.get(link).url.endswith(f"#{the_comment().anchor}")
    assert first.get(f"/kommentar/{the_comment().pk}/bearbeiten/").status_code == 200


def test_link_pressed_twice_gives_the_second_press_the_cookie_too(article, author):
    """The first one's answer never arrived: the browser was on its way already."""
    link = f"/kommentar/mein/{owner_token(the_comment())}/"
    browser, thief = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    tokens = [re.search(r'csrfmiddlewaretoken" value="(\w+)"', one.get(link).text)[1] for one in (browser, thief)]
    for _press in range(2):
        browser.cookies.pop(settings.READER_COOKIE_NAME, None)
        assert browser.post(link, {"csrfmiddlewaretoken": tokens[0]}).status_code == 302
        assert browser.get(f"/kommentar/{the_comment().pk}/bearbeiten/").status_code == 200
    assert Reader.objects.filter(merged_into=None).count() == 2
    for _press in range(3):  # another browser, and one whose link never was any
        assert thief.post(link, {"csrfmiddlewaretoken": tokens[1]}).status_code == 404
        assert thief.post(f"{link[:-4]}abc/", {"csrfmiddlewaretoken": tokens[1]}).status_code == 404


def test_link_for_another_device_is_at_hand_also_while_the_comment_is_held(transactional_db, letters, run_jobs):
    """Nobody else can tell that it is there: it is asked for on the device that has it."""
    article = factories.article(comment_mode=Article.CommentMode.ALL_HELD)
    phone, laptop = Client(), Client()
    phone.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Wartet.", email="anna@example.org"))
    ask_here = f"/kommentar/{the_comment().pk}/meiner/"
    assert ask_here in phone.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text
    assert (laptop.get(ask_here).status_code, phone.get(ask_here).status_code) == (404, 200)
    phone.post(ask_here, {"email": "anna@example.org"})
    run_jobs()
    [letter] = [letter for letter in letters() if "/kommentar/mein/" in letter.text]
    link = re.search(r"/kommentar/mein/[^\s/]+/", letter.text)[0]
    assert laptop.post(link).status_code == 302
    assert "Wartet.</textarea>" in laptop.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text
    assert change(phone, "Auch hier.").status_code == 302


# --- both devices have it from then on -------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["bearbeiten", "loeschen"])
def test_both_devices_may_change_and_delete(article, author, other, act):
    for device in (author, other):
        assert device.get(f"/kommentar/{the_comment().pk}/{act}/").status_code == 200
        assert f"/kommentar/{the_comment().pk}/{act}/" in page_of(article, device)


def test_a_change_on_the_device_with_the_link_appears_at_once(article, author, other):
    change(other, "Zweite Fassung.")
    assert (the_comment().state, the_comment().body) == ("published", "Zweite Fassung.")


def test_a_change_on_the_other_one_is_looked_at_first(article, author, other):
    """A stranger may have typed the address, and what it counts for is confirmed by now."""
    form = author.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text
    assert "sieht sich deshalb jemand aus der Redaktion an" in form
    assert "deshalb jemand" not in other.get(f"/kommentar/{the_comment().pk}/bearbeiten/").text
    answer = author.post(
        f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": "Untergeschoben.", "form_key": ""}, follow=True
    )
    assert "Jemand aus der Redaktion sieht sie sich an" in answer.text
    assert (the_comment().state, the_comment().body) == ("held", "Untergeschoben.")
    assert the_comment().held_because == ["Auf einem Gerät geändert, das die Adresse nicht bestätigt hat"]
    assert "Untergeschoben" not in page_of(article)
    for device in (author, other):
        assert "Geändert auf einem Gerät, das die Adresse nicht bestätigt hat" in page_of(article, device)
    approve(the_comment(), moderator=factories.editor())
    assert "Untergeschoben" in page_of(article)


def test_the_address_proved_on_both_makes_them_one_person(article, author, other):
    author.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    assert the_comment().also_by.count() == 0
    for number, device in enumerate((author, other)):
        change(device, f"Fassung {number}.")
        assert (the_comment().state, the_comment().body) == ("published", f"Fassung {number}.")


def test_confirmed_otherwise_it_becomes_one_persons_too(article, author, other):
    """As in the mail that asks whether to tell of answers."""
    phone = the_comment().also_by.get()
    confirm_address(phone, "anna@example.org")
    assert (the_comment().reader, the_comment().also_by.count()) == (phone, 0)


def test_a_device_that_proved_it_by_another_mail_is_trusted(article, author, other):
    Reader.objects.filter(pk=the_comment().also_by.get().pk).update(email_confirmed_at=timezone.now())
    change(author, "Zweite Fassung.")
    assert the_comment().is_published


def test_three_devices_keep_it(article, author, other):
    """The third has given another address before, so it does not become the same reader."""
    third = Client()
    third.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Vom Amt.", email="amt@example.org"))
    third.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    for device in (author, other, third):
        assert device.get(f"/kommentar/{the_comment().pk}/loeschen/").status_code == 200
    assert the_comment().also_by.count() == 2
    change(other, "Vom zweiten Gerät.")  # it has proved the address
    assert the_comment().is_published


def test_what_waits_for_the_address_goes_on_waiting_for_that(db):
    """Whoever opens the mail reads what it says by then."""
    article = factories.article(comment_mode=Article.CommentMode.CONFIRMED)
    phone, other = Client(), Client()
    phone.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Wartet.", email="anna@example.org"))
    other.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    words = {"body": "Wartet immer noch.", "form_key": factories.form_key()}
    phone.post(f"/kommentar/{the_comment().pk}/bearbeiten/", words)
    assert (the_comment().is_unconfirmed, the_comment().body) == (True, "Wartet immer noch.")
    assert "Wartet immer noch." in page_of(article, phone)


def test_a_used_link_stays_dead_when_the_first_device_has_opened_one_too(article, author):
    used = f"/kommentar/mein/{owner_token(the_comment())}/"
    other, third = Client(), Client()
    for device in (other, author):
        assert device.post(f"/kommentar/mein/{owner_token(the_comment())}/").status_code == 302
    assert third.post(used).status_code == 404


@pytest.mark.parametrize("before", ["vote", "another address"])
def test_a_device_that_did_something_before_counts_as_proved_too(article, author, before):
    other = Client()
    if before == "vote":
        other.post(f"/artikel/{article.slug}/bewerten/", {"stars": "3"})
    else:
        other.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Vom Amt.", email="amt@example.org"))
    for device in (other, author):
        device.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    for number, device in enumerate((author, other)):
        change(device, f"Fassung {number}.")
        assert (the_comment().state, the_comment().body) == ("published", f"Fassung {number}.")


def test_a_device_that_belongs_to_another_proved_address_keeps_all_it_got_through_a_link(article, author):
    other, third = Client(), Client()
    other.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Vom Amt.", email="amt@example.org"))
    Reader.objects.filter(email="amt@example.org").update(email_confirmed_at=timezone.now())
    for device in (other, third):
        device.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    change(other, "Vom Amt aus.")
    assert (the_comment().state, the_comment().body) == ("published", "Vom Amt aus.")


@pytest.mark.parametrize("body", ["Von dort.", "Von dort, besser."])
def test_proved_afterwards_it_appears_when_it_is_saved_again(article, author, other, body):
    author.post(f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": "Von dort.", "form_key": factories.form_key()})
    assert "Gerät, das die Adresse nicht bestätigt hat" in page_of(article, other)
    author.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    author.post(f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": body, "form_key": factories.form_key()})
    assert (the_comment().state, the_comment().body) == ("published", body)


def test_the_owners_words_take_the_place_of_what_waits_for_proof(article, author, other):
    author.post(f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": "Von dort.", "form_key": factories.form_key()})
    assert the_comment().is_held
    other.post(f"/kommentar/{the_comment().pk}/bearbeiten/", {"body": "Von hier.", "form_key": factories.form_key()})
    assert (the_comment().state, the_comment().body) == ("published", "Von hier.")
    assert "Von dort" not in Client().get(f"/kommentar/{the_comment().pk}/verlauf/").text


def test_the_same_words_again_are_the_same_comment(article, author, other):
    address = f"/artikel/{article.slug}/kommentieren/"
    author.post(address, factories.words("Erste *Fassung*.", email="anna@example.org", website="example.org"))
    assert Comment.objects.count() == 1


def test_the_pause_between_two_is_kept(article, author, other):
    Article.objects.update(slow_mode=300)
    answer = author.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Noch etwas."))
    assert answer.status_code == 429


def test_deleted_by_either(article, author, other):
    assert author.post(f"/kommentar/{the_comment().pk}/loeschen/").status_code == 302
    assert the_comment().state == "deleted"


def test_neither_votes_for_it_nor_hides_it(article, author, other):
    for device in (author, other):
        device.post(f"/kommentar/{the_comment().pk}/respekt/", {"wanted": "1"})
        device.post(f"/kommentar/{the_comment().pk}/ausblenden/", {"wanted": "1"})
        assert "Sie haben Anna ausgeblendet" not in page_of(article, device)
    assert (the_comment().score, Vote.objects.count()) == (0, 0)


def test_votes_for_it_are_dropped_where_readers_become_one(article, author, other):
    """The laptop voted before it was known to be the phone's owner."""
    phone, laptop = the_comment().also_by.get(), factories.reader("Anna", "neu@example.org")
    Vote.objects.create(comment=the_comment(), reader=laptop)
    Comment.objects.update(score=1)
    Reader.objects.filter(pk=phone.pk).update(email="neu@example.org", email_confirmed_at=timezone.now())
    etag = Client().get(f"/artikel/{article.slug}/").headers["ETag"]
    confirm_address(laptop, "neu@example.org")
    assert (the_comment().score, Vote.objects.count()) == (0, 0)
    assert list(the_comment().also_by.all()) == [laptop]
    assert author.get(f"/kommentar/{the_comment().pk}/loeschen/").status_code == 200
    assert Client().get(f"/artikel/{article.slug}/").headers["ETag"] != etag


@pytest.mark.parametrize("noted", [True, False])
def test_a_form_sent_again_without_its_cookie_is_nobody_elses(article, noted):
    """Its key, kept until somebody else took the comment over, must not fetch that one's cookie."""
    form = factories.words("Untergeschoben.", email="anna@example.org")
    Client().post(f"/artikel/{article.slug}/kommentieren/", form)
    victim = Client()
    victim.post(f"/artikel/{article.slug}/kommentieren/", factories.words("Meins.", email="anna@example.org"))
    victim.post(f"/kommentar/mein/{owner_token(the_comment())}/")
    if not noted:  # as an older program left it
        OtherDevice.objects.all().delete()
        Comment.objects.update(created_at=timezone.now() - timedelta(hours=2))
    again = Client()
    again.post(f"/artikel/{article.slug}/kommentieren/", form)
    mine = Comment.objects.get(body="Meins.")
    assert again.get(f"/kommentar/{mine.pk}/bearbeiten/").status_code == 403
    assert Counters.objects.get().comments == 2


def test_answers_are_told_to_whoever_wrote_it_and_never_their_own(article, author, other):
    first = the_comment().also_by.get()
    answers = factories.subscription(article, "neben@example.org", kind="replies", reader=first)
    told = Subscription.objects.told_about
    assert answers in told(factories.comment(article, parent=the_comment()))
    everything = factories.subscription(article, "alles@example.org", reader=first)
    assert everything not in told(the_comment())
