"""When a mail is due: at once, gathered by the hour or the day, and never in the hours in which a reader wants quiet.

Wall-clock times become instants here and nowhere else, so both clock changes are thought of once (B16).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.utils.translation import gettext_lazy as _


class Rhythm(models.TextChoices):
    AT_ONCE = "at_once", _("sofort")
    HOURLY = "hourly", _("gesammelt, höchstens jede Stunde")
    DAILY = "daily", _("gesammelt, einmal am Tag")


@dataclass(frozen=True)
class Clock:
    """A reader's day: where they live, when they want quiet (both or neither; over midnight is fine), and when the
    day's digest comes."""

    zone: ZoneInfo
    quiet_from: time | None
    quiet_until: time | None
    daily_at: time

    def due_at(self, rhythm: str, now: datetime) -> datetime:
        """When what happened `now` is to be told, in UTC: `now` itself, or the first moment after it that fits."""
        moment = now.astimezone(UTC)  # adding up local times loses or doubles an hour at a clock change
        if rhythm == Rhythm.DAILY:
            moment = self._next(self.daily_at, moment, once_a_day=True)
        elif rhythm == Rhythm.HOURLY:
            local = moment.astimezone(self.zone)  # a full hour there: some zones are half an hour off
            moment += timedelta(hours=1) - timedelta(minutes=local.minute, seconds=local.second)
            moment = moment.replace(microsecond=0)
        while self._is_quiet(moment):  # again, where a clock change skips the minutes between two times of quiet
            moment = self._next(self.quiet_until, moment)
        return moment

    def _is_quiet(self, moment: datetime) -> bool:
        if self.quiet_from is None or self.quiet_until is None:
            return False
        wall = moment.astimezone(self.zone).time()
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= wall < self.quiet_until
        return wall >= self.quiet_from or wall < self.quiet_until

    def _next(self, wall: time, after: datetime, *, once_a_day: bool = False) -> datetime:
        """The first instant after `after` at which clocks show `wall`. What a clock change skips comes an hour later;
        the hour that it repeats ends the night's quiet twice, but brings the day's digest once."""
        today = after.astimezone(self.zone).date()
        for days in range(3):
            shown = datetime.combine(today + timedelta(days=days), wall, self.zone)
            folds = [shown] if once_a_day else [shown, shown.replace(fold=1)]
            for moment in (fold.astimezone(UTC) for fold in folds):
                if moment > after:
                    return moment
        raise AssertionError("three days hold every time of day")
