"""A comment that waits for a person is its author's to see, and nobody else's."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from comments.models import BlockedWord, Comment


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_held_comment_is_shown_to_its_author_alone(visit: Callable[..., Page], article, expected, scripts):
    expected.append("status of 403")  # without scripts: the question
    BlockedWord.objects.create(word="Gesindel")
    author, stranger = visit(java_script_enabled=scripts), visit()
    author.goto(article.get_absolute_url())
    form = author.get_by_role("form", name="Kommentar schreiben")
    form.get_by_label("Kommentar", exact=True).fill("Alles Gesindel.")
    form.get_by_label("Name").fill("Anna")
    form.get_by_role("button", name="Kommentar absenden").click()
    if not scripts:
        author.get_by_role("button", name="Bestätigen").click()
    expect(author.get_by_role("status").filter(has_text="Jemand aus der Redaktion sieht ihn sich an")).to_be_attached()
    held = author.get_by_role("article").filter(has_text="Alles Gesindel.")
    expect(held).to_contain_text("Noch nicht veröffentlicht")
    expect(held).to_contain_text("Nur Sie sehen diesen Kommentar.")
    expect(held).to_contain_text("danach erscheint er hier")
    expect(held).to_be_in_viewport()
    expect(author.get_by_role("heading", name="0 Kommentare")).to_be_attached()
    author.reload()
    expect(held).to_be_attached()

    number = Comment.objects.get().pk
    for address in [
        article.get_absolute_url(),
        f"{article.get_absolute_url()}?sortierung=neueste",
        f"{article.get_absolute_url()}feed/",
        f"/kommentar/{number}/",
    ]:
        answer = stranger.request.get(address)
        assert "Gesindel" not in answer.text()
    assert stranger.request.get(f"/kommentar/{number}/").status == 404
    stranger.goto(article.get_absolute_url())
    expect(stranger.get_by_text("Noch hat niemand etwas geschrieben.")).to_be_visible()
