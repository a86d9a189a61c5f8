"""When a rule is at work: periods of the week, in the village's own time. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import pairwise

MINUTES_A_DAY = 24 * 60
_PERIOD = re.compile(r"^(\d\d):([0-5]\d)-(\d\d):([0-5]\d)$", re.ASCII)
_DAY = timedelta(days=1)


class DayKind(StrEnum):
    """The rows of a schedule: the days of the week in ``date.weekday``'s order, and holidays."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"
    HOLIDAY = "holiday"


_WEEK = tuple(DayKind)[:7]


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of the day, in minutes from midnight: ``start`` is in it, ``end`` is not.

    An ``end`` beyond the day's 1440 minutes is on the next day.
    """

    start: int
    end: int

    @classmethod
    def of(cls, text: str) -> "Period":
        """Return what "08:00-12:00" says; "22:00-02:00" is until two the next morning.

        Raises ValueError that says what is wrong. 24:00 is the day's end, and no period is empty:
        a whole day is "00:00-24:00".
        """
        found = _PERIOD.match(text)
        if found is None:
            raise ValueError(f"must be written as 08:00-12:00, not {text!r}")
        start, end = (
            int(hour) * 60 + int(minute)
            for hour, minute in (found.groups()[:2], found.groups()[2:])
        )
        if start >= MINUTES_A_DAY or end > MINUTES_A_DAY or start == end:
            raise ValueError(f"must be two different times of a day, not {text!r}")
        return cls(start, end if start < end else end + MINUTES_A_DAY)

    def overlaps(self, other: "Period") -> bool:
        """Return whether there is a minute that is in both."""
        return self.start < other.end and other.start < self.end


def periods_of(texts: Sequence[str]) -> tuple[Period, ...]:
    """Return a day's periods in order. Raises ValueError where two of them overlap."""
    periods = sorted((Period.of(text) for text in texts), key=lambda period: period.start)
    for one, following in pairwise(periods):
        if one.overlaps(following):
            raise ValueError("periods of a day must not overlap")
    return tuple(periods)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A village's days: its time zone, and those of its days that are holidays."""

    zone: tzinfo = UTC
    holidays: frozenset[date] = frozenset()


@dataclass(frozen=True, slots=True)
class Schedule:
    """The weekly schedule of a rule; a row that is not given is a day without work.

    A holiday has the holiday row *instead* of its weekday's, where there is such a row. What
    begins in the evening and crosses midnight belongs to the row of the evening, whatever the next
    day is.

    It goes by what a clock on the wall shows: an hour that comes twice is twice in its period, and
    one that is left out is in none, so a day of 23 or 25 hours needs no thought.
    """

    rows: Mapping[DayKind, Sequence[Period]]
    calendar: Calendar

    def is_on(self, at: datetime) -> bool:
        """Return whether the rule is at work at an aware moment."""
        here = at.astimezone(self.calendar.zone)
        minute, today = here.hour * 60 + here.minute, here.date()
        return self._holds(today, minute) or self._holds(today - _DAY, minute + MINUTES_A_DAY)

    def _holds(self, day: date, minute: int) -> bool:
        return any(period.start <= minute < period.end for period in self._row(day))

    def _row(self, day: date) -> Sequence[Period]:
        if day in self.calendar.holidays and DayKind.HOLIDAY in self.rows:
            return self.rows[DayKind.HOLIDAY]
        return self.rows.get(_WEEK[day.weekday()], ())
