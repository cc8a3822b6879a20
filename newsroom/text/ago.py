"""How long ago something was, in words: as static/reading.js says it where scripts run."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONTH, YEAR = 30.44 * DAY, 365 * DAY
_SAID = {
    "minutes": ngettext_lazy("vor %d Minute", "vor %d Minuten"),
    "hours": ngettext_lazy("vor %d Stunde", "vor %d Stunden"),
    "days": ngettext_lazy("vor %d Tag", "vor %d Tagen"),
    "months": ngettext_lazy("vor %d Monat", "vor %d Monaten"),
    "years": ngettext_lazy("vor %d Jahr", "vor %d Jahren"),
}


def ago(moment: datetime, now: datetime, language: str) -> str:
    """ "vor 5 Minuten", "gestern", "vor 2 Jahren". `moment` is in the site's zone, `now` in UTC: days are those of that
    zone's calendar, as people count them."""
    age = now - moment
    if age < HOUR:
        return _in_words(max(age // MINUTE, 0), "minutes", language)
    if age < DAY:
        return _in_words(age // HOUR, "hours", language)
    if age < MONTH:
        return _in_words(_day(now) - moment.toordinal(), "days", language)
    if age < YEAR:
        return _in_words(age // MONTH, "months", language)
    return _in_words(age // YEAR, "years", language)


# A page asks a hundred times, from the same moment and for few words.
@lru_cache(10)
def _day(now: datetime) -> int:
    return timezone.localdate(now).toordinal()


@lru_cache(1000)
def _in_words(count: int, unit: str, _language: str) -> str:
    if unit == "minutes" and count == 0:
        return _("jetzt")
    if unit == "days" and count <= 2:  # 0 in the night whose day has 25 hours
        return (_("heute"), _("gestern"), _("vorgestern"))[count]
    return _SAID[unit] % count


# Of a page whose newest comment is that old: in what steps its time goes on. None: at midnight.
_STEPS = ((YEAR, 30 * DAY), (MONTH, 7 * DAY), (DAY, None), (HOUR, 10 * MINUTE))


def count_from(newest: datetime, now: datetime) -> datetime:
    """The time, in UTC as are both given, from which to count how long ago `newest` was and everything older: now, or a
    little before. It moves in steps, so that what was printed with it can be kept from one to the next: a minute each
    while `newest` is minutes old, ten while it is hours; at midnight while it is days; then seven and thirty days."""
    age = now - newest
    if age < HOUR:
        return newest + age // MINUTE * MINUTE
    least, step = next(entry for entry in _STEPS if age >= entry[0])
    if step is None:
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        begin = midnight.astimezone(UTC)
    else:
        begin = newest + age // step * step
    # Not so early that `newest` would be said in the smaller unit, and then stand still.
    return max(begin, newest + least)
