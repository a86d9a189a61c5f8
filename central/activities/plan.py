"""When a planned event (报备活动) is on: once, or every week at the village's own hours. Pure.

::

    start ─────────────── end ── 30 min grace ── excused_until
    an alert that begins here is known           one that is still open is known until here

A cancelled plan ends at that moment, without a grace.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from central.errors import InvalidError

#: People go home after the end: so long an open alert is still the event's.
GRACE = timedelta(minutes=30)
#: Longer than this it is no event but how the place is: then the rule's thresholds are to change.
LONGEST_ONCE = timedelta(days=3)
LONGEST_WEEKLY = timedelta(hours=16)
LONGEST_SERIES = timedelta(days=366)
#: How long before its filing an event may have begun (funerals are filed afterwards: domain 4.3).
FURTHEST_BACK = timedelta(days=10)
FURTHEST_AHEAD = timedelta(days=366)

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One time that an event is on, in UTC; ``start`` belongs to it, ``end`` does not."""

    start: datetime
    end: datetime
    excused_until: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """When an event is on.

    Without ``weekdays`` once, from ``start`` to ``end``. With ``weekdays`` (ISO: 1 is Monday) on
    each of them from the day of ``start`` to ``last_day``, between the clock times that ``start``
    and ``end`` have in ``zone``; ``end`` may lie on the next day. ``stopped_at``: cancelled then.
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset()
    last_day: date | None = None
    stopped_at: datetime | None = None

    def occurrences(self, since: datetime, until: datetime) -> Iterator[Occurrence]:
        """Yield, in order, those whose start to ``excused_until`` touches ``since`` … ``until``."""
        for start, end in self._times(since, until):
            excused_until = end + GRACE
            if self.stopped_at is not None and self.stopped_at < end:
                if self.stopped_at <= start:
                    return
                end = excused_until = self.stopped_at  # noqa: PLW2901 - it ends there instead
            if start <= until and excused_until >= since:
                yield Occurrence(start, end, excused_until)

    def at(self, moment: datetime) -> Occurrence | None:
        """Return the occurrence that is on at ``moment``, its grace left out."""
        on = (each for each in self.occurrences(moment, moment) if each.start <= moment < each.end)
        return next(on, None)

    def following(self, moment: datetime) -> Occurrence | None:
        """Return the occurrence that is on at ``moment``, else the next one, if one comes."""
        ahead = self.occurrences(moment, self._last_end())
        return next((each for each in ahead if each.end > moment), None)

    def over_at(self) -> datetime:
        """Return the end of the last occurrence; ``start`` where there is none at all."""
        last = self.start
        for each in self.occurrences(self.start, self._last_end()):
            last = each.end
        return last

    def _times(self, since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield starts and ends near the stretch, in UTC."""
        if not self.weekdays or self.last_day is None:
            yield self.start.astimezone(UTC), self.end.astimezone(UTC)
            return
        first, last = self.start.astimezone(self.zone), self.end.astimezone(self.zone)
        nights = last.date() - first.date()
        # Two days earlier: what began the day before may last over midnight, with its grace.
        day = max(first.date(), since.astimezone(self.zone).date() - 2 * _DAY)
        stop = min(self.last_day, until.astimezone(self.zone).date())
        while day <= stop:
            if day.isoweekday() in self.weekdays:
                yield (
                    datetime.combine(day, first.time(), self.zone).astimezone(UTC),
                    datetime.combine(day + nights, last.time(), self.zone).astimezone(UTC),
                )
            day += _DAY

    def _last_end(self) -> datetime:
        """Return a moment that the last occurrence is over by."""
        if self.last_day is None:
            return self.end
        return datetime.combine(self.last_day + 2 * _DAY, time(), self.zone)


def check_plan(plan: Plan, now: datetime) -> None:
    """Raise InvalidError unless a plan that is filed at ``now`` is one."""
    lasts = plan.end - plan.start
    longest = LONGEST_WEEKLY if plan.weekdays else LONGEST_ONCE
    if not timedelta(0) < lasts <= longest:
        hours = longest // timedelta(hours=1)
        raise InvalidError(f"end: comes after the start, within {hours} hours")
    if not now - FURTHEST_BACK <= plan.start <= now + FURTHEST_AHEAD:
        raise InvalidError("start: lies between 10 days ago and a year ahead")
    if not plan.weekdays:
        return
    if not all(1 <= day <= 7 for day in plan.weekdays):  # noqa: PLR2004 - a week
        raise InvalidError("weekdays: 1 is Monday, 7 is Sunday")
    first_day = plan.start.astimezone(plan.zone).date()
    if plan.last_day is None or not timedelta(0) <= plan.last_day - first_day <= LONGEST_SERIES:
        raise InvalidError("last_day: is needed, and lies within a year of the first day")
    if plan.over_at() <= plan.start:
        raise InvalidError("weekdays: none of them comes before last_day")


def overlap(one: Plan, other: Plan) -> datetime | None:
    """Return the first moment at which both are on; None where there is none."""
    since = max(one.start, other.start)
    until = min(one.over_at(), other.over_at())
    if until <= since:
        return None
    ones, others = one.occurrences(since, until), other.occurrences(since, until)
    a, b = next(ones, None), next(others, None)
    while a is not None and b is not None:
        both = max(a.start, b.start)
        if both < min(a.end, b.end):
            return both
        if a.end <= b.end:
            a = next(ones, None)
        else:
            b = next(others, None)
    return None
