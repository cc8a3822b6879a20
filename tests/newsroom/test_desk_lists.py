"""Every list of the admin answers to the filters it offers, and to nothing else in its address."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from tests import factories

# What each kind of field takes to the database, or past Python's calendar and numbers.
LOOKUPS = ["exact=x", "year=99999", "regex=((", "range=1"]
MORE = ["gte=x", "in=", "isnull=x", "id__exact=99999999999999999999", "week_day=99999999999"]
DAYS = ["year=9999", "year=99999", "year=1", "month=13", "year=9999&published_at__month=12&published_at__day=31"]
LISTS = [pytest.param(model, id=model._meta.label) for model in admin.site._registry]


def address(model: type) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


@pytest.mark.parametrize("model", LISTS)
def test_hostile_lookups_are_turned_away(desk, model):
    kinds = {type(field): field.name for field in [*model._meta.get_fields(), model._meta.pk]}.values()
    asked = [f"{name}__{lookup}" for name in kinds for lookup in LOOKUPS]
    asked += [f"{model._meta.get_fields()[-1].name}__{lookup}" for lookup in MORE]
    asked += [
        "q=" + "x" * 5000,
        "o=99999.-x",
        "p=99999999999999999999",
        "p=-1",
        "_facets=x",
        "e=1",
        "all=",
        "_to_field=x",
    ]
    answers = {query: desk.get(f"{address(model)}?{query}").status_code for query in asked}
    assert {query: status for query, status in answers.items() if status >= 500} == {}
    assert answers[f"{model._meta.pk.name}__regex=(("] == 400


@pytest.mark.parametrize("day", DAYS)
def test_days_that_no_calendar_has(desk, article, day):
    assert desk.get(f"/redaktion/articles/article/?published_at__{day}", follow=True).status_code in (200, 400)


@pytest.mark.parametrize(
    "query, shown",
    [
        ("state__exact=held", ["Zwei"]),
        ("state__exact=published", ["Eins"]),
        ("q=Eins", ["Eins"]),
        ("o=2", ["Eins", "Zwei"]),
    ],
)
def test_filters_that_are_offered(desk, article, query, shown):
    factories.comment(article, "Eins.")
    factories.comment(article, "Zwei.", state="held")
    page = desk.get(f"/redaktion/comments/comment/?{query}").text
    assert [word for word in ("Eins", "Zwei") if f"{word}.<" in page] == shown


@pytest.mark.parametrize(
    "query",
    [
        "stand=oeffentlich",
        "comment_mode__exact=open",
        "section__id__exact={section}",
        "published_at__year={year}",
        "published_at__year={year}&published_at__month={month}&published_at__day={day}",
        "stand=oeffentlich&section__id__exact={section}&q=Br%C3%BCcke&o=1",
    ],
)
def test_filters_of_articles(desk, article, query):
    moment = timezone.localtime(article.published_at)  # as editors read it; the day is another one late in the evening
    asked = query.format(section=article.section_id, year=moment.year, month=moment.month, day=moment.day)
    assert "Brücke gesperrt" in desk.get(f"/redaktion/articles/article/?{asked}").text


def test_filters_of_others(desk, moderator):
    for query in ("is_staff__exact=1", "is_superuser__exact=1&is_active__exact=1", "q=redaktion"):
        assert moderator.email in desk.get(f"/redaktion/readers/user/?{query}").text
    for query in ("lifted_at__isempty=1", "reason__exact=hard"):
        assert desk.get(f"/redaktion/newsroom/suppression/?{query}").status_code == 200
