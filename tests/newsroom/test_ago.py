"""How long ago, in words; what is printed with them is kept for as long as they are true."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from newsroom.text.ago import DAY, HOUR, MINUTE, MONTH, YEAR, ago, count_from
from tests.moments import AGO, NOON

BERLIN = ZoneInfo("Europe/Berlin")
STEPS = [(YEAR, 30 * DAY), (MONTH, 7 * DAY), (DAY, 25 * HOUR), (HOUR, 10 * MINUTE), (timedelta(0), MINUTE)]


@pytest.mark.parametrize(("age", "german", "english"), AGO)
def test_said_as_people_count(age, german, english):
    assert said(NOON - age, NOON) == german
    with translation.override("en"):
        assert said(NOON - age, NOON, "en") == english


def said(moment: datetime, now: datetime, language: str = "de") -> str:
    return ago(moment.astimezone(BERLIN), now, language)


def test_what_a_wrong_clock_takes_for_the_future_is_now():
    assert said(NOON + DAY, NOON) == "jetzt"


def test_an_hour_is_an_hour_when_the_clocks_are_changed():
    begin = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert {begin.astimezone(BERLIN).hour, (begin + HOUR).astimezone(BERLIN).hour} == {2}
    assert said(begin, begin + HOUR) == "vor 1 Stunde"
    assert said(begin, begin + HOUR - MINUTE) == "vor 59 Minuten"


def test_midnight_is_the_first_of_two(settings):
    """In Havana the clocks go back from one o'clock to midnight."""
    settings.TIME_ZONE = "America/Havana"
    newest = datetime(2026, 10, 29, 12, 0, tzinfo=UTC)
    between, after = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (4, 5))
    assert count_from(newest, between) == count_from(newest, after) == datetime(2026, 11, 1, 4, 0, tzinfo=UTC)


def test_a_day_of_25_hours_is_still_today():
    begin = datetime(2026, 10, 24, 22, 10, tzinfo=UTC)  # ten past midnight in Berlin
    assert said(begin, begin + DAY) == "heute"


@pytest.mark.parametrize(
    ("age", "behind"),
    [
        (timedelta(seconds=59), timedelta(seconds=59)),
        (timedelta(minutes=7, seconds=10), timedelta(seconds=10)),
        (timedelta(minutes=59, seconds=59), timedelta(seconds=59)),
        (HOUR, timedelta(0)),
        (timedelta(hours=1, minutes=9), timedelta(minutes=9)),
        (timedelta(hours=23, minutes=15), timedelta(minutes=5)),
        (DAY, timedelta(0)),  # since when it was a day old: later than midnight
        (timedelta(hours=35), timedelta(hours=11)),
        (timedelta(days=5), timedelta(hours=12)),  # since midnight
        (MONTH, timedelta(0)),
        (timedelta(days=36), timedelta(days=1)),
        (YEAR, timedelta(0)),
        (timedelta(days=400), timedelta(days=10)),
    ],
)
def test_it_is_counted_from_a_time_that_moves_only_when_words_may_change(age, behind):
    assert NOON - count_from(NOON - age, NOON) == behind


def test_what_is_kept_is_as_true_as_its_unit():
    """While they are minutes or hours the newest is said exactly, and nothing is ever behind by more than a step."""
    chance = random.Random(7)
    for _ in range(3000):
        now = NOON + chance.random() * 400 * DAY
        newest = now - 10 ** chance.uniform(0, 8) * timedelta(seconds=1)
        counted = count_from(newest, now)
        assert counted <= now
        assert count_from(newest, counted) == counted
        assert count_from(newest, now + MINUTE) >= counted
        age = now - newest
        step = next(step for least, step in STEPS if age >= least)
        assert now - counted < step
        if age < MONTH:
            assert said(newest, counted) == said(newest, now)
