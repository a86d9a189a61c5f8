"""A roster made from a rotation: the same shifts every day, the next team each day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from central.duty.resolve import OnDuty


@dataclass(frozen=True, slots=True)
class DailyShift:
    """A shift by the clock on the village's wall. One that ends by its start ends the next day."""

    name: str
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class PlannedShift:
    """A shift of one day, with its team."""

    name: str
    start: datetime
    end: datetime
    people: tuple[OnDuty, ...]


def rotate(
    first_day: date,
    begin: date,
    days: int,
    shifts: Sequence[DailyShift],
    teams: Sequence[tuple[OnDuty, ...]],
    zone: ZoneInfo,
) -> Iterator[PlannedShift]:
    """Yield the shifts of ``days`` days from ``begin``.

    The day ``first_day`` + n belongs to team n, and after the last team to the first again.
    """
    for number in range(days):
        day = begin + timedelta(days=number)
        team = teams[(day - first_day).days % len(teams)]
        for shift in shifts:
            last_day = day if shift.end > shift.start else day + timedelta(days=1)
            yield PlannedShift(
                shift.name,
                datetime.combine(day, shift.start, zone),
                datetime.combine(last_day, shift.end, zone),
                team,
            )
