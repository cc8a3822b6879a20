"""How long ago something was, in words: as static/reading.js says it where scripts run."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import get_language, ngettext_lazy
from django.utils.translation import gettext as _

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONTH, YEAR = 30.44 * DAY, 365 * DAY
_UNITS = {
    MINUTE: ngettext_lazy("vor %d Minute", "vor %d Minuten"),
    HOUR: ngettext_lazy("vor %d Stunde", "vor %d Stunden"),
    DAY: ngettext_lazy("vor %d Tag", "vor %d Tagen"),
    MONTH: ngettext_lazy("vor %d Monat", "vor %d Monaten"),
    YEAR: ngettext_lazy("vor %d Jahr", "vor %d Jahren"),
}


def ago(moment: datetime, now: datetime) -> str:
    """ "vor 5 Minuten", "gestern", "vor 2 Jahren". Days are those of the site's calendar, as people count them."""
    age = _since(moment, now)
    if age < HOUR:
        return _in_words(max(age // MINUTE, 0), MINUTE, get_language())
    if age < DAY:
        return _in_words(age // HOUR, HOUR, get_language())
    if age < MONTH:
        return _in_words((timezone.localdate(now) - timezone.localdate(moment)).days, DAY, get_language())
    unit = MONTH if age < YEAR else YEAR
    return _in_words(age // unit, unit, get_language())


@lru_cache(1000)  # a page has a hundred of them
def _in_words(count: int, unit: timedelta, language: str) -> str:
    if unit == MINUTE and count == 0:
        return _("jetzt")
    if unit == DAY and count <= 2:  # 0 in the night whose day has 25 hours
        return (_("heute"), _("gestern"), _("vorgestern"))[count]
    return _UNITS[unit] % count


def count_from(newest: datetime, now: datetime) -> datetime:
    """The time from which to count how long ago `newest` was and everything older. It moves only when the words may
    change: every minute while they are minutes, every ten while they are hours, then at midnight; so what was printed
    with it can be kept until it is another."""
    age = _since(newest, now)
    if age < DAY:
        step = MINUTE if age < HOUR else 10 * MINUTE
        return newest.astimezone(UTC) + age // step * step
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    # Not so early that `newest` would be said in hours, and these would stand still.
    return max(midnight.astimezone(UTC), newest.astimezone(UTC) + DAY)


def _since(moment: datetime, now: datetime) -> timedelta:
    # Of two times in one zone Python takes what clocks on the wall say, and these jump twice a year.
    return now.astimezone(UTC) - moment.astimezone(UTC)
