"""A comment on its way in: the shared form, the question, the key, what is stored."""

import re

from django.test import Client

from comments.models import Comment
from tests import factories

WORDS = {"body": "Das überzeugt mich *nicht*.", "name": "Anna", "email": "", "website": "", "form_key": ""}


def hidden_fields(page) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def post_as_guest(browser: Client, address: str, **words: str):
    """As without scripts: the first POST is asked to confirm, the second one counts."""
    question = browser.post(address, {**WORDS, **words})
    assert question.status_code == 403
    assert "Bitte bestätigen" in question.text
    return browser.post(address, hidden_fields(question))


def test_guest_comments_without_script(guest, article):
    answer = post_as_guest(guest, f"/artikel/{article.slug}/kommentieren/")
    assert (answer.status_code, answer.url) == (302, f"/artikel/{article.slug}/#kommentar-1")
    comment = Comment.objects.get()
    assert (comment.name, comment.number, comment.html) == ("Anna", 1, "<p>Das überzeugt mich <em>nicht</em>.</p>")
    page = guest.get(f"/artikel/{article.slug}/")
    assert "1 Kommentar<" in page.text
    assert 'id="kommentar-1"' in page.text


def test_reply_names_its_parent_and_thread(guest, article):
    parent = factories.comment(article)
    post_as_guest(guest, f"/kommentar/{parent.pk}/antworten/")
    reply = Comment.objects.get(parent=parent)
    assert (reply.root, reply.depth, reply.number, reply.thread_number) == (parent, 1, 2, None)
    parent.refresh_from_db()
    assert parent.reply_count == 1
