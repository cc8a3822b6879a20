import uuid

import pytest
from django.db import connection, transaction
from django.utils import timezone

from articles.models import Article, Page
from comments.models import Comment
from newsroom.sql.prepared import Given, Prepared, Question, ask, insert
from tests import factories

by_number = Prepared(
    lambda: (
        Comment.objects.select_related("article", "root")
        .filter(article=Given("article"), number=Given("number"))
        .defer("body")
    )
)


def test_finds_what_the_queryset_finds_related_models_included(article):
    root = factories.comment(article)
    reply = factories.comment(article, parent=root)
    found = by_number.first(article=article.pk, number=reply.number)
    assert (found, found.article, found.root) == (reply, article, root)
    assert found.get_deferred_fields() == {"body"}
    assert found.body == reply.body
    assert by_number.first(article=article.pk, number=root.number).root is None
    assert by_number.all(article=article.pk, number=99) == []


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_number_that_no_row_can_have_is_not_asked_for(article, number, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert by_number.first(article=article.pk, number=number) is None
    assert by_number.first(article=article.pk, number=2**63 - 1) is None


def test_text_is_never_part_of_the_query(db):
    Page.objects.update_or_create(slug="regeln", defaults={"title": "Regeln", "source": "", "html": ""})
    by_slug = Prepared(lambda: Page.objects.filter(slug=Given("slug")))
    assert by_slug.first(slug="regeln").title == "Regeln"
    assert by_slug.all(slug="' OR ''='") == []


def test_time_must_be_given(db):
    with pytest.raises(TypeError):
        Prepared(lambda: Article.objects.published()).all()


def test_inserted_is_what_save_would_have_stored(article):
    written = {
        "article": article,
        "reader": factories.reader("Vera"),
        "name": "Vera",
        "body": "Ja.",
        "html": "<p>Ja.</p>",
    }
    saved = Comment(**written, form_key=uuid.uuid4(), held_because=["Wort", "Link"])
    saved.save()
    inserted = Comment(**written, form_key=uuid.uuid4(), held_because=["Wort", "Link"])
    insert(inserted)
    assert inserted.pk > saved.pk
    assert not inserted._state.adding
    stored = [Comment.objects.filter(pk=one.pk).values().get() for one in (saved, inserted)]
    for row in stored:
        assert abs((row.pop("created_at") - timezone.now()).total_seconds()) < 60
        del row["id"], row["form_key"]
    assert stored[0] == stored[1]
    inserted.name = "Vera B."
    inserted.save()
    assert Comment.objects.get(pk=inserted.pk).name == "Vera B."


def test_tests_see_what_is_asked(article, django_assert_num_queries):
    with django_assert_num_queries(2):
        by_number.first(article=article.pk, number=1)
        by_number.first(article=article.pk, number=2)


def rename(article: Article, headline: str) -> Question:
    return Question("UPDATE articles_article SET headline = %s WHERE id = %s", [headline, article.pk])


def test_the_last_question_of_a_transaction_ends_it(transactional_db, article):
    told = []
    with transaction.atomic():
        transaction.on_commit(lambda: told.append("committed"))
        ask(rename(article, "Neu"))
        ask(rename(article, "Neuer"), last=True)
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")  # what Django would do now, were there anything to take back
    article.refresh_from_db()
    assert (article.headline, told) == ("Neuer", ["committed"])


def test_within_another_transaction_nothing_is_the_last(transactional_db, article):
    with transaction.atomic():
        with transaction.atomic():
            ask(rename(article, "Neu"), last=True)
        transaction.set_rollback(True)
    article.refresh_from_db()
    assert article.headline != "Neu"


def test_what_must_be_taken_back_is_not_committed(transactional_db, article):
    with transaction.atomic():
        transaction.set_rollback(True)
        ask(rename(article, "Neu"), last=True)
    article.refresh_from_db()
    assert article.headline != "Neu"
