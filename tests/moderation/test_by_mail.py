"""The editor on duty gets what waits by mail, and may decide it from there: once, as it was read (B12, B13)."""

import re
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes

import pytest
from django.contrib.auth.models import Permission
from django.core import signing
from django.db.models import F
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from articles.models import Article
from comments.models import BlockedWord, Comment
from comments.screening import Circumstances
from comments.services import delete_comment, edit_comment
from moderation import tasks
from moderation.by_mail import VALID, Step, instruction_token
from moderation.mails import held_comment_mail, notice_mail, notice_receipt_mail
from moderation.models import Decision, Notice, OnDuty
from moderation.services import approve, dismiss, remove, restore
from moderation.tasks import send_held_comment, send_notice
from newsroom.mail import NotNowError
from newsroom.mailbox import Letter
from newsroom.models import Limit, Suppression
from readers.models import User
from tests import factories
from tests.comments.test_hostile_input import SCRIPTS, Danger
from tests.together import at_once

REPORTER, WORDS = "dora@example.org", "Das ist eine Beleidigung nach Regel 2."


@pytest.fixture
def editor(db) -> User:
    return on_duty("redaktion")


@pytest.fixture
def held(article) -> Comment:
    return factories.comment(article, "Böse Worte.", state=Comment.State.HELD, held_because=["Gesperrtes Wort: böse"])


@pytest.fixture
def sent(letters) -> Callable[[], list[Letter]]:
    """All mails, after the jobs that owe them."""

    def do_jobs() -> list[Letter]:
        for job in ProcrastinateJob.objects.filter(task_name__contains=".send_").order_by("pk"):
            app.tasks[job.task_name](**job.args)
        return letters()

    return do_jobs


def on_duty(name: str) -> User:
    user = factories.editor(name)
    OnDuty.objects.create(user=user)
    return user


def report(comment: Comment, **fields) -> Notice:
    """By the form, as anybody may."""
    known = {"kind": "insult", "reason": WORDS, "name": "Dora Dorn", "email": REPORTER, "good_faith": "on"}
    here = f"http://localhost:8000/kommentar/{comment.pk}/"
    Client().post(f"/kommentar/{comment.pk}/melden/", known | {"url": here} | fields)
    return Notice.objects.latest("pk")


def address(step: Step, editor: User, comment: Comment, notice: Notice | None = None) -> str:
    return f"/dienst/{instruction_token(step, editor, comment, notice)}/"


def state(comment: Comment) -> str:
    return Comment.objects.get(pk=comment.pk).state


def decisions() -> list[tuple[str, str, str]]:
    return list(Decision.objects.order_by("pk").values_list("action", "reason", "moderator__username"))


def paths(letter: Letter) -> list[str]:
    return re.findall(r"http://localhost:8000(/dienst/\S+)", letter.text)


# --- who is told -----------------------------------------------------------------------------------------------------


def test_held_comment_and_report_reach_who_is_on_duty(article, editor, sent):
    factories.editor("zuhause")
    BlockedWord.objects.create(word="Pillen")
    shown = factories.comment(article, "Etwas Anstößiges.", name="Anna")
    Client().post(f"/kommentar/{shown.pk}/antworten/", factories.words("Kauft *Pillen*.", name="Carl"))
    report(shown)
    waits, receipt, reported = sorted(sent(), key=lambda letter: letter.subject, reverse=True)
    assert [waits.recipient, reported.recipient, receipt.recipient] == [editor.email, editor.email, REPORTER]
    assert waits.subject == "Wartet auf Sie: Carl zu „Brücke gesperrt“"
    assert "Warum er wartet: Gesperrtes Wort: Pillen" in waits.text
    assert ("> Etwas Anstößiges." in waits.text, "Kauft *Pillen*." in waits.text) == (True, True)
    assert reported.subject == "Gemeldet: Beleidigung oder Hass, zu „Brücke gesperrt“"
    assert (WORDS in reported.text, "Etwas Anstößiges." in reported.text) == (True, True)
    for letter in (waits, reported):
        assert len(paths(letter)) == 2
        assert set(paths(letter)) == set(re.findall(r'href="http://localhost:8000(/dienst/[^"]+)"', letter.html))
        assert dict(letter.headers)["Auto-Submitted"] == "auto-generated"


def test_whole_way_with_a_real_worker(transactional_db, article, letters, run_jobs):
    on_duty("redaktion")
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    Client().post(f"/artikel/{article.slug}/kommentieren/", factories.words("Hallo."))
    run_jobs()
    (letter,) = letters()
    Client(enforce_csrf_checks=True).post(paths(letter)[0])
    assert [comment.state for comment in Comment.objects.all()] == ["published"]
    assert decisions() == [("approve", "", "redaktion")]


def test_held_again_after_a_change_is_a_new_mail(article, editor, sent):
    BlockedWord.objects.create(word="Pillen")
    comment = factories.comment(article)
    how = Circumstances(key=None, network="x")
    for body in ("Kauft Pillen.", "Kauft mehr Pillen."):
        edit_comment(comment=comment, reader=comment.reader, body=body, how=how)
        letters = sent()
    first, second, third = [dict(letter.headers)["Message-ID"] for letter in letters]
    assert first != second
    assert second == third  # both jobs ran then: the same mail, which mail programs show once


def nobody_on_duty(editor: User) -> None:
    OnDuty.objects.all().delete()


def no_address(editor: User) -> None:
    User.objects.update(email="")


def left_the_house(editor: User) -> None:
    User.objects.update(is_staff=False)


def lost_the_right(editor: User) -> None:
    User.objects.update(is_superuser=False)


def locked_out(editor: User) -> None:
    User.objects.update(is_active=False)


def bounced(editor: User) -> None:
    Suppression.objects.suppress(editor.email, "bounced")


@pytest.mark.parametrize("meanwhile", [nobody_on_duty, no_address, left_the_house, lost_the_right, locked_out, bounced])
@pytest.mark.parametrize("when", ["before", "between"])
def test_who_cannot_decide_or_be_reached_is_not_written_to(article, editor, sent, meanwhile, when):
    if when == "before":
        meanwhile(editor)
    Article.objects.update(comment_mode=Article.CommentMode.ALL_HELD)
    Client().post(f"/artikel/{article.slug}/kommentieren/", factories.words())
    if when == "between":
        meanwhile(editor)
    assert sent() == []


def test_what_is_decided_by_then_needs_no_mail(article, editor, held, letters):
    notice = report(factories.comment(article))
    approve(held, moderator=editor)
    remove(notice.comment, moderator=editor, reason="Regel 2")
    send_held_comment(comment_id=held.pk, editor_id=editor.pk)
    send_notice(notice_id=notice.pk, editor_id=editor.pk)
    assert letters() == []


# --- how many --------------------------------------------------------------------------------------------------------


def test_thirty_an_hour_and_the_last_one_says_so(article, editor, held, letters, monkeypatch):
    assert tasks.MAILS_PER_HOUR == 30
    monkeypatch.setattr(tasks, "MAILS_PER_HOUR", 4)  # a mail takes its time
    other = on_duty("spaetdienst")
    notice = report(factories.comment(article), name="", email="", kind="abuse")
    for _ in range(3):
        send_held_comment(comment_id=held.pk, editor_id=editor.pk)
        send_notice(notice_id=notice.pk, editor_id=editor.pk)
    send_held_comment(comment_id=held.pk, editor_id=other.pk)
    last = "In dieser Stunde kommen keine weiteren Mails dieser Art."
    said = [(letter.recipient, last in " ".join(letter.text.split()), last in letter.html) for letter in letters()]
    assert said == [(editor.email, False, False)] * 3 + [(editor.email, True, True), (other.email, False, False)]
    Limit.objects.update(until=F("until") - timedelta(hours=1))
    send_held_comment(comment_id=held.pk, editor_id=editor.pk)
    assert letters()[-1].recipient == editor.email


def test_what_the_mail_server_did_not_take_is_not_counted(editor, held, letters, settings, monkeypatch):
    monkeypatch.setattr(tasks, "MAILS_PER_HOUR", 2)
    there, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    for _ in range(4):
        with pytest.raises(NotNowError):
            send_held_comment(comment_id=held.pk, editor_id=editor.pk)
    settings.EMAIL_PORT = there
    send_held_comment(comment_id=held.pk, editor_id=editor.pk)
    assert [letter.recipient for letter in letters()] == [editor.email]
    assert "keine weiteren Mails" not in letters()[0].text


# --- who reported is nobody's business (A8) --------------------------------------------------------------------------


def test_who_reported_stands_in_no_mail_but_their_own(article, editor, sent):
    author = factories.reader("Anna", "anna@example.org", email_confirmed_at=timezone.now())
    comment = factories.comment(article, reader=author)
    factories.subscription(article, "carl@example.org")
    notice = report(comment)
    edit_comment(comment=comment, reader=author, body="Anders.", how=Circumstances(key=None, network="x"))
    Client().post(address(Step.REMOVE, editor, Comment.objects.get(), notice), {"reason": "Regel 2"})
    for letter in sent():
        whole = f"{letter.subject} {letter.text} {letter.html} {letter.headers}"
        assert ("Dora Dorn" in whole, REPORTER in whole) == (False, letter.recipient == REPORTER), letter.recipient
        assert (WORDS in whole) is (letter.recipient == editor.email)
    assert decisions() == [("remove", "Regel 2", "redaktion")]


# --- the links -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("method", ["get", "head"])
def test_opening_a_link_decides_nothing(article, editor, held, step, method):
    shown = factories.comment(article)
    notice = report(shown)
    about = (held,) if step == Step.APPROVE else (shown, notice)
    answer = getattr(Client(), method)(address(step, editor, *about))
    assert (answer.status_code, answer.cookies) == (200, {})
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Robots-Tag"] == "noindex"
    if method == "get":
        assert f'<button class="primary">{step.label}</button>' in answer.text
        assert about[0].html in answer.text
    notice.refresh_from_db()
    assert (state(held), state(shown), notice.state, decisions()) == ("held", "published", "open", [])


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_refused(editor, held, method):
    assert getattr(Client(), method)(address(Step.APPROVE, editor, held)).status_code == 405
    assert state(held) == "held"


def test_button_decides_once(editor, held):
    link = address(Step.APPROVE, editor, held)
    for _ in range(2):
        page = Client(enforce_csrf_checks=True).post(link)  # the mail it came with carries no cookie
        assert page.status_code == 200
        assert "<h1>Entschieden</h1>" in page.text
        assert "Der Kommentar ist zu lesen." in page.text
    assert "<h1>Entschieden</h1>" in Client().get(link).text
    assert (state(held), decisions()) == ("published", [("approve", "", "redaktion")])


def test_removal_needs_a_reason(editor, held):
    link = address(Step.REMOVE, editor, held)
    for nothing in ({}, {"reason": ""}, {"reason": " \n "}, {"reason": "\u202e"}, {"reason": "x" * 1001}):
        page = Client().post(link, nothing)
        assert (page.status_code, 'class="errorlist"' in page.text) == (422, True)
    assert (state(held), decisions()) == ("held", [])
    for _ in range(2):
        page = Client().post(link, {"reason": "Regel 1"})
        assert (page.status_code, "Der Kommentar ist nicht mehr zu lesen." in page.text) == (200, True)
    assert (state(held), decisions()) == ("removed", [("remove", "Regel 1", "redaktion")])


def test_report_is_closed_by_removing(article, editor):
    comment = factories.comment(article)
    notice, second = report(comment), report(comment, reason="Finde ich auch.")
    Client().post(address(Step.REMOVE, editor, comment, notice), {"reason": "Regel 2"})
    assert (state(comment), set(Notice.objects.values_list("state", flat=True))) == ("removed", {"decided"})
    assert "<h1>Entschieden</h1>" in Client().get(address(Step.DISMISS, editor, comment, second)).text


def test_report_is_closed_by_letting_it_stand(article, editor):
    comment = factories.comment(article)
    notice, second = report(comment), report(comment, reason="Finde ich auch.")
    for _ in range(2):
        assert "Der Kommentar ist zu lesen." in Client().post(address(Step.DISMISS, editor, comment, notice)).text
    notice.refresh_from_db()
    second.refresh_from_db()
    assert (state(comment), notice.state, second.state) == ("published", "decided", "open")
    assert decisions() == [("dismiss", "", "redaktion")]


# --- what happened meanwhile -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", Step)
def test_changed_words_are_not_decided(article, editor, held, step):
    comment = held if step == Step.APPROVE else factories.comment(article)
    notice = None if step == Step.APPROVE else report(comment)
    link = address(step, editor, comment, notice)
    Comment.objects.filter(pk=comment.pk).update(body="Ganz andere Worte.", html="<p>Ganz andere Worte.</p>")
    for answer in (Client().get(link), Client().post(link, {"reason": "Regel 1"})):
        assert "Der Text hat sich geändert, seit die Mail an Sie ging." in answer.text
        assert "Ganz andere Worte." in answer.text
        assert "<button" not in answer.text
    assert (state(comment), decisions()) == ("held" if step == Step.APPROVE else "published", [])
    assert not Notice.objects.filter(state="decided").exists()


def approved(comment: Comment, editor: User) -> None:
    approve(comment, moderator=editor)


def removed(comment: Comment, editor: User) -> None:
    remove(comment, moderator=editor, reason="Regel 1")


def removed_and_restored(comment: Comment, editor: User) -> None:
    removed(comment, editor)
    restore(comment, moderator=editor)


def deleted(comment: Comment, editor: User) -> None:
    delete_comment(comment=comment, reader=comment.reader)


@pytest.mark.parametrize("step", [Step.APPROVE, Step.REMOVE])
@pytest.mark.parametrize("meanwhile", [approved, removed, removed_and_restored, deleted])
def test_what_others_decided_is_not_turned_round(editor, held, step, meanwhile):
    link = address(step, editor, held)
    meanwhile(held, on_duty("chefin"))
    before = state(held), decisions()
    for fields in ({}, {"reason": "Regel 9"}):
        page = Client().post(link, fields)
        assert (page.status_code, "<h1>Entschieden</h1>" in page.text, "<button" in page.text) == (200, True, False)
    assert (state(held), decisions()) == before


def test_opposite_decisions_at_once_are_one(transactional_db, editor):
    for _ in range(5):
        held = factories.comment(factories.article(), state=Comment.State.HELD, held_because=["Wort"])
        links = [address(Step.APPROVE, editor, held), address(Step.REMOVE, editor, held)]
        at_once(4, lambda number, links=links: Client().post(links[number % 2], {"reason": "Regel 1"}))
        assert Decision.objects.filter(comment=held).count() == 1


def test_opposite_decisions_about_a_report_at_once_are_one(transactional_db, editor):
    for _ in range(5):
        comment = factories.comment(factories.article())
        notice = report(comment)
        links = [address(step, editor, comment, notice) for step in (Step.DISMISS, Step.REMOVE)]
        at_once(4, lambda number, links=links: Client().post(links[number % 2], {"reason": "Regel 1"}))
        assert Decision.objects.filter(comment=comment).count() == 1


def test_report_that_was_let_stand_removes_nothing(article, editor):
    """Also where both were asked before either was done."""
    comment = factories.comment(article)
    notice = report(comment)
    dismiss(notice, moderator=editor)
    remove(comment, moderator=editor, reason="Regel 1", because_of=notice)
    assert (state(comment), [row[0] for row in decisions()]) == ("published", ["dismiss"])


# --- whose links they are --------------------------------------------------------------------------------------------


def forged(editor: User, comment: Comment) -> dict[str, str]:
    own = instruction_token(Step.APPROVE, editor, comment)
    payload, stamp, signature = own.split(":")
    other = instruction_token(Step.REMOVE, editor, comment)
    elsewhere = signing.TimestampSigner(salt="subscriptions.manage").sign_object(
        ["approve", editor.pk, comment.pk, None, ""]
    )
    return {
        "another's payload": ":".join([other.split(":")[0], stamp, signature]),
        "another time": ":".join([payload, "zzzzzz", signature]),
        "shortened": own[:-1],
        "no signature": f"{payload}:{stamp}:",
        "another purpose": elsewhere,
        "nothing": ":",
        "text": "redaktion",
        "beyond ASCII": "ä:²:\u202e",
    }


def test_forged_links_decide_nothing(editor, held):
    for name, token in forged(editor, held).items():
        for answer in (Client().get(f"/dienst/{token}/"), Client().post(f"/dienst/{token}/", {"reason": "Regel 1"})):
            assert answer.status_code == 404, name
            assert "<h1>Dieser Link gilt nicht mehr</h1>" in answer.text
            assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert (state(held), decisions()) == ("held", [])


@pytest.mark.parametrize("meanwhile", [nobody_on_duty, left_the_house, lost_the_right, locked_out])
def test_links_end_with_the_duty(editor, held, meanwhile):
    link = address(Step.APPROVE, editor, held)
    meanwhile(editor)
    factories.editor("andere")
    for answer in (Client().get(link), Client().post(link)):
        assert (answer.status_code, "Böse Worte." in answer.text) == (404, False)
    assert (state(held), decisions()) == ("held", [])


def test_links_end_after_seven_days(editor, held, monkeypatch):
    now = signing.time.time
    for age, expected in [(VALID + timedelta(minutes=1), 404), (VALID - timedelta(minutes=1), 200)]:
        with monkeypatch.context() as then:
            then.setattr(signing.time, "time", lambda age=age: now() - age.total_seconds())
            link = address(Step.APPROVE, editor, held)
        assert (Client().post(link).status_code, state(held)) == (expected, "held" if expected == 404 else "published")


def test_link_to_what_is_gone_is_dead(article, editor, held):
    links = [address(Step.APPROVE, editor, held)]
    held.delete()
    assert [Client().post(link).status_code for link in links] == [404]


# --- whatever they wrote ---------------------------------------------------------------------------------------------


def test_script_in_what_is_reported_runs_nowhere(article, editor):
    shown = []
    for payload in SCRIPTS:
        parent = factories.comment(article, payload, name=payload[:80])
        held = factories.comment(
            article, payload, name=payload[:80], parent=parent, state=Comment.State.HELD, held_because=[payload[:80]]
        )
        notice = report(parent, reason=payload, name=payload[:80])
        mails = [held_comment_mail(held, editor), notice_mail(notice, editor), notice_receipt_mail(notice)]
        shown += [mail.alternatives[0].content for mail in mails]
        shown.append(Client().get(address(Step.REMOVE, editor, parent, notice)).text)
        shown.append(Client().post(address(Step.REMOVE, editor, held), {"reason": ""}).text)
    assert [Danger(html).found for html in shown] == [[]] * 5 * len(SCRIPTS)


def test_name_and_headline_write_no_header(article, editor):
    Article.objects.update(headline="Brücke\r\nBcc: eve@example.org")
    comment = factories.comment(Article.objects.get(), name="Carl\nX-Evil: 1", state=Comment.State.HELD)
    raw = held_comment_mail(comment, editor).message().as_bytes()
    assert {"Bcc", "X-Evil"} & set(message_from_bytes(raw).keys()) == set()


# --- the list of who is on duty --------------------------------------------------------------------------------------


def test_only_who_can_decide_and_be_reached_is_put_on_duty(db):
    desk = Client()
    desk.force_login(factories.editor("chefin"))
    for name, fields in {
        "ohne": {"email": "", "is_staff": True},
        "leser": {"email": "l@example.org"},
        "weg": {"email": "w@example.org", "is_staff": True, "is_active": False},
        "praktikum": {"email": "p@example.org", "is_staff": True},
        "gut": {"email": "g@example.org", "is_staff": True},
    }.items():
        user = User.objects.create_user(name, **fields)
        if name != "praktikum":
            user.user_permissions.add(Permission.objects.get(codename="change_comment"))
        desk.post("/redaktion/moderation/onduty/add/", {"user": user.pk})
        desk.post("/redaktion/moderation/onduty/add/", {"user": user.pk})
    assert [row.user.username for row in OnDuty.objects.all()] == ["gut"]
