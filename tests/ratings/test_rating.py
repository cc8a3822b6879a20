"""The stars of an article: one rating a reader, changeable, exact under concurrency (2023-3869, 2021-24893)."""

import random
import re

import pytest
from django.db.models import Count, Sum
from django.test import Client

from ratings.models import Rating
from ratings.services import rate_article
from readers.merging import merge
from tests import factories
from tests.together import at_once


def rate(browser: Client, article, stars: str, **options):
    return browser.post(f"/artikel/{article.slug}/bewerten/", {"stars": stars}, **options)


def result(article) -> str:
    page = Client().get(f"/artikel/{article.slug}/").text
    return re.search(r'<p class="result"><b>([^<]*)', page)[1]


def assert_exact(article) -> None:
    """The stored sums are those of the ratings."""
    article.counters.refresh_from_db()
    truth = Rating.objects.filter(article=article).aggregate(count=Count("pk"), stars=Sum("stars"))
    assert (article.counters.ratings, article.counters.stars) == (truth["count"], truth["stars"] or 0)


def test_result_in_words(article):
    assert result(article) == "Noch keine Stimme"
    browser = Client()
    assert rate(browser, article, "4").url == f"/artikel/{article.slug}/#bewertung"
    assert result(article) == "4,0 von 5 (1 Stimme)"
    rate(Client(), article, "5")
    assert result(article) == "4,5 von 5 (2 Stimmen)"
    page = browser.get(f"/artikel/{article.slug}/").text
    assert "Danke, Ihre Bewertung ist gespeichert." in page
    assert re.findall(r'value="(\d)" checked', page) == ["4"]


def test_reader_changes_the_own_rating(article):
    browser = Client()
    for stars, shown in [("1", "1,0"), ("5", "5,0"), ("5", "5,0"), ("2", "2,0")]:
        rate(browser, article, stars)
        assert result(article) == f"{shown} von 5 (1 Stimme)"
        assert_exact(article)
    assert Rating.objects.count() == 1


def test_group_of_radio_buttons(article, client):
    page = client.get(f"/artikel/{article.slug}/").text
    labels = re.findall(r'<label><input type="radio" name="stars" value="(\d)"><span>([^<]*)</span></label>', page)
    assert labels == [("1", "1 Stern"), ("2", "2 Sterne"), ("3", "3 Sterne"), ("4", "4 Sterne"), ("5", "5 Sterne")]
    assert "Artikel bewerten</legend>" in page


def test_articles_are_rated_apart(article, client):
    other = factories.article()
    rate(client, article, "1")
    rate(client, other, "5")
    assert (result(article), result(other)) == ("1,0 von 5 (1 Stimme)", "5,0 von 5 (1 Stimme)")


@pytest.mark.parametrize("stars", ["", "0", "6", "-1", "3.5", "5e0", "٣", "nan", " 3 ", "9" * 10_000, "1,2", "<b>"])
def test_forged_stars_are_none(article, client, stars):
    page = rate(client, article, stars)
    assert page.status_code == 422
    assert 'id="bewertung-fehler"><li>Bitte wählen Sie einen bis fünf Sterne.' in page.text
    assert (Rating.objects.count(), result(article)) == (0, "Noch keine Stimme")


def test_without_script_the_first_rating_is_asked_to_confirm(article):
    browser = Client(enforce_csrf_checks=True)
    question = rate(browser, article, "4")
    assert question.status_code == 403
    assert '<input type="hidden" name="stars" value="4">' in question.text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]*)"', question.text)[1]
    browser.post(f"/artikel/{article.slug}/bewerten/", {"stars": "4", "csrfmiddlewaretoken": token})
    assert result(article) == "4,0 von 5 (1 Stimme)"


def test_with_htmx_the_section_is_answered(article, client):
    answer = rate(client, article, "4", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.text.startswith('<section id="bewertung"')
    assert "4,0 von 5 (1 Stimme)" in answer.text


def test_looking_does_not_rate(article, client):
    assert client.get(f"/artikel/{article.slug}/bewerten/?stars=5").status_code == 200
    assert Rating.objects.count() == 0


def test_one_reader_many_times_at_once_is_one_rating(transactional_db, article):
    reader = factories.reader()
    choices = [random.Random(1).randint(1, 5) for _ in range(40)]
    at_once(40, lambda number: rate_article(article=article, reader=reader, stars=choices[number]))
    assert Rating.objects.count() == 1
    assert_exact(article)


def test_many_readers_at_once_are_summed_exactly(transactional_db, article):
    readers = [factories.reader() for _ in range(10)]

    def rate_and_change(number: int) -> None:
        rate_article(article=article, reader=readers[number % 10], stars=number % 5 + 1)

    at_once(40, rate_and_change)
    assert Rating.objects.count() == 10
    assert_exact(article)


def test_two_devices_that_become_one_person_have_one_rating(article):
    phone, laptop, other = factories.reader(), factories.reader(), factories.reader()
    elsewhere = factories.article()
    rate_article(article=article, reader=phone, stars=1)
    rate_article(article=elsewhere, reader=phone, stars=2)
    rate_article(article=article, reader=laptop, stars=5)
    rate_article(article=article, reader=other, stars=4)
    merge(phone, laptop)
    assert list(Rating.objects.filter(reader=laptop).order_by("pk").values_list("stars", flat=True)) == [2, 5]
    for rated in (article, elsewhere):
        assert_exact(rated)
