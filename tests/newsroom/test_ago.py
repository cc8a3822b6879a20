"""How long ago, in words; what is printed with them is kept for as long as they are true."""

import random
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from newsroom.text.ago import DAY, HOUR, MINUTE, MONTH, ago, count_from
from tests.moments import AGO, NOON

BERLIN = ZoneInfo("Europe/Berlin")


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
        (timedelta(days=400), timedelta(hours=12)),  # since midnight
    ],
)
def test_it_is_counted_from_a_time_that_moves_only_when_words_may_change(age, behind):
    assert NOON - count_from(NOON - age, NOON) == behind


def test_what_is_kept_is_as_true_as_its_unit():
    """The newest is said exactly, and nothing else is behind by more than a minute, ten, or a day."""
    chance = random.Random(7)
    for _ in range(3000):
        now = NOON + chance.random() * 400 * DAY
        newest = now - 10 ** chance.uniform(0, 7.5) * timedelta(seconds=1)
        counted = count_from(newest, now)
        assert counted <= now
        assert count_from(newest, counted) == counted
        assert count_from(newest, now + MINUTE) >= counted
        late = MINUTE if now - newest < HOUR else 10 * MINUTE if now - newest < DAY else 25 * HOUR
        assert now - counted < late
        if now - newest < MONTH:
            assert said(newest, counted) == said(newest, now)
