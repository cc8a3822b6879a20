"""When a mail is due: the reader's day, the reader's quiet, and both clock changes (B16)."""

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from subscriptions.rhythm import Clock, Rhythm

BERLIN, KOLKATA, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata"), ZoneInfo("Asia/Kathmandu")
AT_ONCE, HOURLY, DAILY = Rhythm.AT_ONCE, Rhythm.HOURLY, Rhythm.DAILY
# In 2026 the clocks of Berlin go from 2 to 3 on 29 March and from 3 to 2 on 25 October, both at 1:00 UTC.
SPRING, AUTUMN = datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)


def clock(zone: ZoneInfo = BERLIN, quiet: str = "", daily: str = "07:00") -> Clock:
    """`quiet` as in "22:00-06:00"."""
    start, _dash, end = quiet.partition("-")
    return Clock(
        zone,
        time.fromisoformat(start) if start else None,
        time.fromisoformat(end) if end else None,
        time.fromisoformat(daily),
    )


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    """What a clock there shows; a trailing "(2)" means the second time that it does."""
    return datetime.fromisoformat(text.removesuffix(" (2)")).replace(tzinfo=zone, fold=int(text.endswith("(2)")))


def shown(moment: datetime, zone: ZoneInfo = BERLIN) -> str:
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}{' (2)' if local.fold else ''}"


# --- rhythms ---------------------------------------------------------------------------------------------------------


def test_at_once_is_now_to_the_microsecond():
    now = datetime(2026, 6, 1, 12, 0, 0, 123456, tzinfo=UTC)
    assert clock().due_at(AT_ONCE, now) == now


@pytest.mark.parametrize(
    "zone, now, due",
    [
        (BERLIN, "2026-06-01 12:00", "2026-06-01 13:00"),
        (BERLIN, "2026-06-01 12:59:59.999999", "2026-06-01 13:00"),
        (BERLIN, "2026-06-01 23:30", "2026-06-02 00:00"),
        (KOLKATA, "2026-06-01 12:10", "2026-06-01 13:00"),
        (KOLKATA, "2026-06-01 12:40", "2026-06-01 13:00"),
        (KATHMANDU, "2026-06-01 12:50", "2026-06-01 13:00"),
        (BERLIN, "2026-03-29 01:30", "2026-03-29 03:00"),
        (BERLIN, "2026-10-25 02:30", "2026-10-25 02:00 (2)"),
        (BERLIN, "2026-10-25 02:30 (2)", "2026-10-25 03:00"),
    ],
)
def test_hourly_comes_at_the_full_hour_of_the_readers_clock(zone, now, due):
    assert shown(clock(zone).due_at(HOURLY, at(now, zone)), zone) == due


@pytest.mark.parametrize(
    "zone, now, due",
    [
        (BERLIN, "2026-06-01 06:59:59", "2026-06-01 07:00"),
        (BERLIN, "2026-06-01 07:00", "2026-06-02 07:00"),
        (BERLIN, "2026-06-01 23:59", "2026-06-02 07:00"),
        (BERLIN, "2026-12-31 12:00", "2027-01-01 07:00"),
        (KOLKATA, "2026-06-01 03:00", "2026-06-01 07:00"),
    ],
)
def test_daily_comes_when_the_readers_clock_shows_it(zone, now, due):
    assert shown(clock(zone).due_at(DAILY, at(now, zone)), zone) == due


def test_daily_keeps_to_the_clock_and_not_to_24_hours():
    days = [clock().due_at(DAILY, at(f"2026-03-{day} 12:00")) for day in (27, 28, 29)]
    assert [shown(day) for day in days] == ["2026-03-28 07:00", "2026-03-29 07:00", "2026-03-30 07:00"]
    assert [later - earlier for earlier, later in zip(days, days[1:], strict=False)] == [
        timedelta(hours=23),
        timedelta(hours=24),
    ]


# --- quiet -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quiet, now, due",
    [
        ("22:00-06:30", "2026-06-01 21:59", "2026-06-01 21:59"),
        ("22:00-06:30", "2026-06-01 22:00", "2026-06-02 06:30"),
        ("22:00-06:30", "2026-06-02 06:29", "2026-06-02 06:30"),
        ("22:00-06:30", "2026-06-02 06:30", "2026-06-02 06:30"),
        ("12:00-14:00", "2026-06-01 11:59", "2026-06-01 11:59"),
        ("12:00-14:00", "2026-06-01 12:00", "2026-06-01 14:00"),
        ("12:00-14:00", "2026-06-01 14:00", "2026-06-01 14:00"),
        ("22:00-00:00", "2026-06-01 23:00", "2026-06-02 00:00"),
        ("00:00-06:00", "2026-06-01 00:00", "2026-06-01 06:00"),
        ("12:00-12:00", "2026-06-01 12:00", "2026-06-01 12:00"),  # of no length
    ],
)
def test_quiet_puts_off_what_is_told_at_once(quiet, now, due):
    assert shown(clock(quiet=quiet).due_at(AT_ONCE, at(now))) == due


def test_quiet_is_the_readers_own_and_not_the_sites():
    night = clock(KOLKATA, "22:00-06:00")
    assert shown(night.due_at(AT_ONCE, at("2026-06-01 18:29")), KOLKATA) == "2026-06-01 21:59"
    assert shown(night.due_at(AT_ONCE, at("2026-06-01 18:30")), KOLKATA) == "2026-06-02 06:00"


def test_quiet_puts_off_digests_too():
    night = clock(quiet="22:00-06:30", daily="05:00")
    assert shown(night.due_at(HOURLY, at("2026-06-01 20:30"))) == "2026-06-01 21:00"
    assert shown(night.due_at(HOURLY, at("2026-06-01 21:30"))) == "2026-06-02 06:30"
    assert shown(night.due_at(DAILY, at("2026-06-01 21:30"))) == "2026-06-02 06:30"


# --- clock changes ---------------------------------------------------------------------------------------------------


def test_quiet_until_an_hour_that_is_skipped():
    assert shown(clock(quiet="22:00-02:30").due_at(AT_ONCE, at("2026-03-29 01:30"))) == "2026-03-29 03:30"


def test_quiet_until_a_skipped_hour_when_the_next_quiet_has_begun():
    """No moment of that day is between half past two and three."""
    almost_always = clock(quiet="03:00-02:30")
    assert shown(almost_always.due_at(AT_ONCE, at("2026-03-29 01:30"))) == "2026-03-30 02:30"


def test_quiet_until_half_past_two_when_that_comes_twice():
    night = clock(quiet="22:00-02:30")
    expected = {
        "2026-10-25 01:30": "2026-10-25 02:30",
        "2026-10-25 02:29": "2026-10-25 02:30",
        "2026-10-25 02:30": "2026-10-25 02:30",
        "2026-10-25 02:59": "2026-10-25 02:59",
        "2026-10-25 02:00 (2)": "2026-10-25 02:30 (2)",
        "2026-10-25 02:29 (2)": "2026-10-25 02:30 (2)",
        "2026-10-25 02:30 (2)": "2026-10-25 02:30 (2)",
    }
    assert {now: shown(night.due_at(AT_ONCE, at(now))) for now in expected} == expected


@pytest.mark.parametrize("change, days", [(SPRING, (28, 29, 30, 31)), (AUTUMN, (24, 25, 26, 27))])
@pytest.mark.parametrize("wall", ["01:59", "02:00", "02:30", "02:59", "03:00"])
def test_one_digest_a_day_through_the_change(change, days, wall):
    daily = clock(daily=wall)
    start = at(f"2026-{change:%m}-{days[0]} 00:00").astimezone(UTC)
    comments = [start + timedelta(minutes=minute) for minute in range(0, 3 * 24 * 60, 5)]
    instants = sorted({daily.due_at(DAILY, now) for now in comments})
    digests = [instant.astimezone(BERLIN) for instant in instants]
    assert [digest.day for digest in digests] == list(days)
    skipped = "02:00" <= wall < "03:00" and change is SPRING
    assert [f"{digest:%H:%M}" for digest in digests] == [wall, f"03{wall[2:]}" if skipped else wall, wall, wall]


# --- what always holds -----------------------------------------------------------------------------------------------


def random_clock(chance: random.Random) -> Clock:
    def wall() -> time:
        # Often near the hours of the changes, where it is hard.
        return time(chance.choice([0, 1, 2, 2, 2, 3, 5, 7, 12, 21, 22, 23]), chance.choice([0, 1, 29, 30, 31, 59]))

    zone = ZoneInfo(chance.choice(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]))
    quiet = (wall(), wall()) if chance.random() < 0.7 else (None, None)
    return Clock(zone, *quiet, wall())


def is_quiet(clock: Clock, moment: datetime) -> bool:
    """Counted in minutes, another way than the code's."""
    if clock.quiet_from is None:
        return False
    start, end, wall = (
        each.hour * 60 + each.minute + each.second / 60
        for each in (clock.quiet_from, clock.quiet_until, moment.astimezone(clock.zone))
    )
    return (wall - start) % 1440 < (end - start) % 1440


def test_never_early_never_in_the_quiet_and_never_days_late():
    chance = random.Random(20261025)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for _ in range(4000):
        one = random_clock(chance)
        if chance.random() < 0.3:  # within two days of a change
            now = chance.choice([SPRING, AUTUMN]) + timedelta(seconds=chance.randint(-2 * 86400, 2 * 86400))
        else:
            now = start + timedelta(seconds=chance.randint(0, 2 * 365 * 86400))
        for rhythm, most in ((AT_ONCE, 2), (HOURLY, 2), (DAILY, 3)):
            due = one.due_at(rhythm, now)
            assert due.tzinfo is UTC
            assert due >= now, (one, rhythm, now)
            assert not is_quiet(one, due), (one, rhythm, now)
            assert due - now <= timedelta(days=most), (one, rhythm, now)


def test_what_comes_later_is_never_told_in_an_earlier_digest():
    chance = random.Random(5)
    for _ in range(40):
        one = random_clock(chance)
        change = chance.choice([SPRING, AUTUMN])
        moments = sorted(change + timedelta(seconds=chance.randint(-86400, 86400)) for _ in range(50))
        for rhythm in (HOURLY, DAILY):
            due = [one.due_at(rhythm, now) for now in moments]
            assert due == sorted(due), (one, rhythm)


def test_one_digest_a_day_over_two_years():
    chance = random.Random(7)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for zone in (BERLIN, KOLKATA):
        for daily in (time(2, 30), time(7), time(23, 59)):
            for quiet in ((None, None), (time(22), time(6, 30)), (time(2, 15), time(2, 45))):
                one = Clock(zone, *quiet, daily)
                moments = [start + timedelta(seconds=chance.randint(0, 2 * 365 * 86400)) for _ in range(800)]
                digests = {one.due_at(DAILY, now) for now in moments}
                assert len(digests) == len({digest.astimezone(zone).date() for digest in digests}), one
