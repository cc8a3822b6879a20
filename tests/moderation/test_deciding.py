"""What editors decide about comments: by the services, and with the buttons of the admin; counts are right at once."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles.models import Counters
from comments.models import Comment
from moderation.models import Decision
from moderation.services import approve, remove, restore
from readers.models import User
from tests import factories


def counted(comment: Comment) -> tuple[int, int]:
    """Comments of the article, and replies in the comment's thread, as stored; they are compared with the truth."""
    comments = Comment.objects.published().filter(article=comment.article_id).count()
    replies = Comment.objects.published().filter(root=comment.root_id or comment.pk).count()
    root = Comment.objects.get(pk=comment.root_id or comment.pk)
    stored = (Counters.objects.get(article=comment.article_id).comments, root.reply_count)
    assert stored == (comments, replies)
    return stored


def state(comment: Comment) -> str:
    comment.refresh_from_db()
    return comment.state


def decisions() -> list[tuple[str, str, User | None]]:
    return [(row.action, row.reason, row.moderator) for row in Decision.objects.order_by("pk")]


# --- the services ----------------------------------------------------------------------------------------------------


def test_approving_publishes_with_the_next_number(article, moderator):
    held = factories.comment(article, state=Comment.State.HELD)
    factories.comment(article)
    approve(held, moderator=moderator)
    assert (state(held), held.number, held.thread_number) == ("published", 2, 2)
    assert counted(held) == (2, 0)
    assert decisions() == [("approve", "", moderator)]


def test_approved_reply_is_counted_in_its_thread(article, moderator):
    root = factories.comment(article)
    held = factories.comment(article, parent=root, state=Comment.State.HELD)
    assert counted(root) == (1, 0)
    approve(held, moderator=moderator)
    assert counted(root) == (2, 1)


def test_removing_and_restoring_keeps_the_place(article, moderator):
    root = factories.comment(article)
    reply = factories.comment(article, parent=root)
    later = factories.comment(article)
    remove(reply, moderator=moderator, reason="Regel 2: Beleidigung")
    assert (state(reply), counted(reply)) == ("removed", (2, 0))
    restore(reply, moderator=moderator)
    assert (state(reply), reply.number, counted(reply)) == ("published", 2, (3, 1))
    remove(root, moderator=moderator, reason="Regel 1")
    assert (counted(reply), later.number) == ((2, 1), 3)
    assert decisions() == [
        ("remove", "Regel 2: Beleidigung", moderator),
        ("restore", "", moderator),
        ("remove", "Regel 1", moderator),
    ]


def test_held_comment_can_be_removed_and_restored_into_publication(article, moderator):
    held = factories.comment(article, state=Comment.State.HELD)
    remove(held, moderator=moderator, reason="Werbung")
    assert (state(held), held.number, counted(held)) == ("removed", None, (0, 0))
    restore(held, moderator=moderator)
    assert (state(held), held.number, counted(held)) == ("published", 1, (1, 0))


def test_deciding_twice_is_deciding_once(article, moderator):
    comment = factories.comment(article, state=Comment.State.HELD)
    for _ in range(2):
        approve(comment, moderator=moderator)
    for _ in range(2):
        remove(comment, moderator=moderator, reason="Regel 1")
    for _ in range(2):
        restore(comment, moderator=moderator)
    assert [action for action, _reason, _who in decisions()] == ["approve", "remove", "restore"]
    assert counted(comment) == (1, 0)


@pytest.mark.parametrize("gone", [Comment.State.DELETED, Comment.State.TAKEN_BACK])
def test_deleted_by_its_author_is_not_brought_back(article, moderator, desk, gone):
    comment = factories.comment(article, state=gone)
    assert "entscheiden/" not in desk.get(f"{LIST}{comment.pk}/change/").text
    for decide in (approve, restore):
        decide(comment, moderator=moderator)
    remove(comment, moderator=moderator, reason="Regel 1")
    assert (state(comment), decisions()) == (gone, [])


def test_removal_without_a_reason_is_refused_by_the_database(article, moderator):
    comment = factories.comment(article)
    with pytest.raises(IntegrityError), transaction.atomic():
        remove(comment, moderator=moderator, reason="")
    assert (state(comment), counted(comment)) == ("published", (1, 0))


def test_removed_comment_leaves_page_feed_and_search_at_once(article, moderator, client):
    comment = factories.comment(article, "Etwas Verbotenes.")
    pages = [f"/artikel/{article.slug}/", f"/artikel/{article.slug}/feed/"]
    assert all("Verbotenes" in client.get(page).text for page in pages)
    etag = client.get(pages[0]).headers["ETag"]
    remove(comment, moderator=moderator, reason="Regel 1")
    assert not any("Verbotenes" in client.get(page, headers={"If-None-Match": etag}).text for page in pages)
    assert client.get(pages[0], headers={"If-None-Match": etag}).status_code == 200


# --- the admin -------------------------------------------------------------------------------------------------------

LIST = "/redaktion/comments/comment/"


def decide(desk: Client, comment: Comment, **button: str):
    return desk.post(f"{LIST}{comment.pk}/entscheiden/", button)


def choose(desk: Client, action: str, *comments: Comment, **fields: str):
    return desk.post(LIST, {"action": action, "_selected_action": [comment.pk for comment in comments]} | fields)


def test_one_button_decisions(article, desk, moderator):
    comment = factories.comment(article, state=Comment.State.HELD)
    for button, expected in [
        ({"approve": "Freigeben"}, "published"),
        ({"remove": "Entfernen", "reason": "Regel 1"}, "removed"),
        ({"restore": "Wiederherstellen"}, "published"),
    ]:
        answer = decide(desk, comment, **button)
        assert (answer.status_code, state(comment)) == (302, expected)
        assert counted(comment)[0] == (expected == "published")
    assert decisions() == [("approve", "", moderator), ("remove", "Regel 1", moderator), ("restore", "", moderator)]
    page = desk.get(f"{LIST}{comment.pk}/change/").text
    assert "Regel 1" in page


def seen_on(desk: Client, address: str) -> list[str]:
    return re.findall(r'name="seen" value="([^"]+)"', desk.get(address).text)


@pytest.mark.parametrize("place", ["page", "list"])
@pytest.mark.parametrize("what", ["approve", "pick"])
def test_what_changed_after_it_was_read_is_not_decided(article, desk, what, place):
    how = {"state": "held", "held_because": ["Erster Kommentar"]} if what == "approve" else {}
    comment, other = (factories.comment(article, "Harmlos.", **how) for _ in range(2))
    seen = seen_on(desk, f"{LIST}{comment.pk}/change/" if place == "page" else LIST)
    Comment.objects.filter(pk=comment.pk).update(body="Kauft Pillen.")
    if place == "page":
        answer = desk.post(f"{LIST}{comment.pk}/entscheiden/", {what: "1", "seen": seen}, follow=True)
    else:
        fields = {"action": f"{what}_selected", "_selected_action": [comment.pk, other.pk], "seen": seen}
        answer = desk.post(LIST, fields, follow=True)
        assert decisions_about(other) == [what]
    assert decisions_about(comment) == []
    assert "bitte lesen Sie ihn noch einmal" in answer.text
    seen = seen_on(desk, f"{LIST}{comment.pk}/change/")
    desk.post(f"{LIST}{comment.pk}/entscheiden/", {what: "1", "seen": seen})
    assert decisions_about(comment) == [what]


def decisions_about(comment: Comment) -> list[str]:
    return list(Decision.objects.filter(comment=comment).values_list("action", flat=True))


def test_earlier_versions_are_shown_to_moderators(article, desk):
    comment = factories.comment(article)
    comment.revisions.create(body="Was es früher sagte.", html="", replaced_at=timezone.now())
    assert "Was es früher sagte." in desk.get(f"{LIST}{comment.pk}/change/").text


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_removing_without_a_reason_is_asked_for_one(article, desk, reason):
    comment = factories.comment(article)
    answer = decide(desk, comment, remove="Entfernen", reason=reason)
    assert answer.status_code == 422
    assert "Bitte nennen Sie einen Grund." in answer.text
    assert (state(comment), decisions()) == ("published", [])


def test_get_decides_nothing(article, desk):
    comment = factories.comment(article)
    assert desk.get(f"{LIST}{comment.pk}/entscheiden/?remove=1&reason=x").status_code == 302
    assert state(comment) == "published"


def test_many_are_decided_from_the_list(article, desk):
    held = [factories.comment(article, state=Comment.State.HELD, held_because=["Erster"]) for _ in range(3)]
    choose(desk, "approve_selected", *held)
    assert [comment.number for comment in Comment.objects.order_by("pk")] == [1, 2, 3]
    question = choose(desk, "remove_selected", *held[:2])
    assert [state(comment) for comment in held] == ["published"] * 3
    assert 'name="reason"' in question.text
    choose(desk, "remove_selected", *held[:2], remove="1", reason="Regel 1")
    assert [state(comment) for comment in held] == ["removed", "removed", "published"]
    choose(desk, "restore_selected", *held)
    assert (counted(held[0]), Decision.objects.count()) == ((3, 0), 7)


def test_who_still_has_to_confirm_an_address_is_not_approved_among_others(article, desk):
    unconfirmed = factories.comment(article, state=Comment.State.HELD)
    held = factories.comment(article, state=Comment.State.HELD, held_because=["Erster Kommentar"])
    assert "1 Kommentar wartet auf Ihre Entscheidung" in desk.get("/redaktion/").text
    assert "Der Autor muss noch seine Adresse bestätigen" in desk.get(LIST).text
    answer = choose(desk, "approve_selected", unconfirmed, held)
    assert (state(unconfirmed), state(held)) == ("held", "published")
    assert "1 Kommentar wartet noch auf die Bestätigung seiner Adresse" in desk.get(answer["Location"]).text


def test_after_a_decision_the_next_one_waiting_is_at_hand(article, desk):
    first, other = (factories.comment(article, state=Comment.State.HELD, held_because=["Erster"]) for _ in range(2))
    published = factories.comment(article)
    answer = desk.post(f"{LIST}{first.pk}/entscheiden/", {"approve": "1", "seen": seen_on(desk, LIST)}, follow=True)
    assert answer.redirect_chain[-1][0] == f"{LIST}?state__exact=held"
    assert ("1 Kommentar freigegeben." in answer.text, f"{LIST}{other.pk}/change/" in answer.text) == (True, True)
    answer = decide(desk, published, remove="Entfernen", reason="Regel 1")
    assert answer["Location"] == f"{LIST}{published.pk}/change/"


def test_page_shows_what_can_be_seen_elsewhere_too(article, desk):
    for state_now, shown in (("published", True), ("held", False), ("removed", False)):
        comment = factories.comment(article, state=state_now)
        assert ("Auf der Website anzeigen" in desk.get(f"{LIST}{comment.pk}/change/").text) == shown


def test_newest_come_first_with_their_article(article, desk):
    for body in ("Erster", "Zweiter"):
        factories.comment(article, body)
    page = desk.get(LIST).text
    assert page.index("Zweiter") < page.index("Erster")
    assert f">{article.headline}</a>" in page


@pytest.mark.parametrize("query", ["Kraut", "Gerda", "gerda@example.org", "Brücke"])
def test_search(article, desk, query):
    reader = factories.reader("Gerda", "gerda@example.org")
    found = factories.comment(article, "Mehr Kraut!", reader=reader)
    other = factories.comment(factories.article("Etwas anderes"), "Weniger Rüben!")
    page = desk.get(LIST, {"q": query}).text
    assert f"{LIST}{found.pk}/change/" in page
    assert f"{LIST}{other.pk}/change/" not in page


def test_words_cannot_be_rewritten_nor_rows_deleted(article, desk):
    comment = factories.comment(article, "Meine Worte.")
    desk.post(f"{LIST}{comment.pk}/change/", {"body": "Andere Worte.", "name": "Wer anders", "state": "removed"})
    desk.post(f"{LIST}{comment.pk}/delete/", {"post": "yes"})
    choose(desk, "delete_selected", comment, post="yes")
    comment.refresh_from_db()
    assert (comment.body, comment.name, comment.state) == ("Meine Worte.", "Anna", "published")


def test_moderator_without_permission_decides_nothing(article):
    comment = factories.comment(article)
    browser = Client()
    browser.force_login(User.objects.create_user("praktikum", "p@example.org", is_staff=True))
    decide(browser, comment, remove="1", reason="x")
    assert (state(comment), decisions()) == ("published", [])


def test_the_comments_page_itself_writes_nothing(desk, article):
    """A row written back whole would undo what its author does at this moment; and its words would stay in the log."""
    comment = factories.comment(article, "Vergängliches.")
    with CaptureQueriesContext(connection) as queries:
        desk.post(f"/redaktion/comments/comment/{comment.pk}/change/", {"_save": "1"})
    assert [query["sql"] for query in queries.captured_queries if 'UPDATE "comments_comment"' in query["sql"]] == []
    assert not LogEntry.objects.exists()


def test_who_is_somewhere_is_looked_at_and_not_changed(desk):
    reader = factories.reader("Anna", "anna@example.org")
    page = desk.get(f"/redaktion/readers/reader/{reader.pk}/change/").text
    assert "anna@example.org" in page
    assert 'name="_save"' not in page
    assert desk.post(f"/redaktion/readers/reader/{reader.pk}/change/", {"_save": "1"}).status_code == 403
