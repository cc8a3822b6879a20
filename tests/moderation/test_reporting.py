"""Reporting a comment: open to everyone, with what the law asks for, and a receipt (A4-A6; DSA Art. 16)."""

import re

import pytest
from django.test import Client

from comments.models import Comment
from moderation.models import Notice
from moderation.tasks import send_notice_receipt
from tests import factories
from tests.comments.test_posting import hidden_fields

REPORT = {
    "kind": "insult",
    "reason": "Der zweite Satz beleidigt Frau X.",
    "name": "Berta",
    "email": "berta@example.org",
    "good_faith": "on",
}


@pytest.fixture
def comment(article) -> Comment:
    return factories.comment(article, "Böse Worte.")


def address(comment: Comment) -> str:
    return f"/kommentar/{comment.pk}/melden/"


def report(browser: Client, comment: Comment, **fields: str):
    return browser.post(address(comment), REPORT | {"url": f"http://localhost:8000/kommentar/{comment.pk}/"} | fields)


def test_every_comment_has_a_link_to_the_form(article, client):
    root = factories.comment(article)
    reply = factories.comment(article, parent=root)
    page = client.get(f"/artikel/{article.slug}/").text
    assert [f'href="{address(each)}">Melden</a>' in page for each in (root, reply)] == [True, True]


def test_form_asks_for_what_the_law_names(comment):
    page = Client().get(address(comment))
    assert page.status_code == 200
    assert page.cookies == {}
    for name in ("kind", "reason", "url", "name", "email", "good_faith"):
        assert f'name="{name}"' in page.text
    assert f'value="http://localhost:8000/kommentar/{comment.pk}/"' in page.text
    assert "Böse Worte." in page.text


def test_whole_way_without_cookie_and_script(transactional_db, comment, letters, run_jobs):
    browser = Client(enforce_csrf_checks=True)
    question = report(browser, comment)
    assert "Bitte bestätigen" in question.text
    answer = browser.post(address(comment), hidden_fields(question))
    assert (answer.status_code, answer.url) == (302, f"/kommentar/{comment.pk}/")
    page = browser.get(f"/artikel/{comment.article.slug}/").text
    assert "Danke, Ihre Meldung ist eingegangen." in page
    notice = Notice.objects.get()
    assert (notice.comment, notice.kind, notice.reason) == (comment, "insult", REPORT["reason"])
    assert (notice.name, notice.email, notice.good_faith, notice.state) == ("Berta", "berta@example.org", True, "open")
    assert notice.url == f"http://localhost:8000/kommentar/{comment.pk}/"
    run_jobs()
    (letter,) = letters()
    assert letter.recipient == "berta@example.org"
    assert letter.subject.strip() == f"Ihre Meldung Nr. {notice.pk} ist eingegangen"
    assert dict(letter.headers)["Auto-Submitted"] == "auto-generated"


def test_receipt_repeats_no_words_of_the_sender(comment, letters):
    """Whoever enters a stranger's address must not send them words of their own."""
    report(Client(), comment, reason="Kauft billige Uhren", name="Billige Uhren")
    send_notice_receipt(notice_id=Notice.objects.get().pk)
    (letter,) = letters()
    assert "Uhren" not in letter.text + letter.html
    links = {f"http://localhost:8000/kommentar/{comment.pk}/", "http://localhost:8000/regeln/"}
    assert set(re.findall(r"https?://[^\s\"<>]+", letter.text)) == links
    assert set(re.findall(r'href="([^"]+)"', letter.html)) == links


def test_child_abuse_may_be_reported_without_a_name(comment, letters):
    assert report(Client(), comment, kind="abuse", name="", email="").status_code == 302
    notice = Notice.objects.get()
    send_notice_receipt(notice_id=notice.pk)
    assert (notice.name, notice.email, letters()) == ("", "", [])


MISSING = {
    "no kind": ({"kind": ""}, "Bitte wählen Sie, worum es geht."),
    "unknown kind": ({"kind": "langweilig"}, "langweilig"),
    "no reason": ({"reason": ""}, "in ein, zwei Sätzen"),
    "invisible reason": ({"reason": "\u200b \u2060"}, "in ein, zwei Sätzen"),
    "no address of the comment": ({"url": ""}, "errorlist"),
    "no name": ({"name": ""}, "Bitte nennen Sie Ihren Namen."),
    "invisible name": ({"name": "\u200b"}, "Bitte nennen Sie Ihren Namen."),
    "name too long once normalised": ({"name": "\u0958" * 41}, "errorlist"),
    "no e-mail": ({"email": ""}, "Bitte nennen Sie Ihre E-Mail-Adresse"),
    "half an e-mail": ({"email": "berta@"}, "keine vollständige E-Mail-Adresse"),
    "no good faith": ({"good_faith": ""}, "nach bestem Wissen"),
}


@pytest.mark.parametrize("fields, sentence", MISSING.values(), ids=MISSING)
def test_what_is_missing_is_said_and_the_rest_is_kept(comment, fields, sentence):
    page = report(Client(), comment, **fields)
    assert page.status_code == 422
    assert sentence in page.text
    assert page.text.count('class="errorlist"') == 1
    assert (fields.get("reason", REPORT["reason"]).strip() or "</textarea>") in page.text
    assert Notice.objects.count() == 0


def test_empty_form_says_all_that_is_missing_at_once(comment):
    page = Client().post(address(comment), {"url": ""})
    for sentence in (
        "worum es geht",
        "in ein, zwei Sätzen",
        "Ihren Namen",
        "Ihre E-Mail-Adresse",
        "nach bestem Wissen",
    ):
        assert sentence in page.text
    assert "markierten Felder an. Ihr Text" not in page.text


def test_author_is_not_told_who_reported(comment, client):
    report(Client(), comment)
    assert "Berta" not in client.get(f"/artikel/{comment.article.slug}/").text


def test_notices_are_listed_for_editors(comment):
    report(Client(), comment)
    desk = Client()
    desk.force_login(factories.editor())
    page = desk.get("/redaktion/moderation/notice/").text
    assert f"/redaktion/comments/comment/{comment.pk}/change/" in page
    assert REPORT["reason"] in desk.get(f"/redaktion/moderation/notice/{Notice.objects.get().pk}/change/").text


def test_whoever_decides_about_a_report_reads_every_word_and_can_remove_them_there(article, desk):
    words = "Ich habe nichts dagegen, dass hier gestritten wird, aber bitte nicht so, sondern mit Gründen."
    reported = factories.comment(article, words)
    notice = Notice.objects.create(comment=reported, kind="abuse", reason="x", good_faith=True)
    page = desk.get(f"/redaktion/moderation/notice/{notice.pk}/change/").text
    assert f'<div class="comment-body">{words}</div>' in page
    (address,) = re.findall(r'action="([^"]+/entscheiden/)"', page)
    desk.post(address, {"remove": "1", "reason": "Regel 1"})
    reported.refresh_from_db()
    notice.refresh_from_db()
    assert (reported.state, notice.state) == ("removed", "decided")
    assert str(reported).endswith("…")
