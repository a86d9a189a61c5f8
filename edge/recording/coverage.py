"""How much of a stretch of time is recorded, and why the rest is not. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple, Protocol

from edge.media.sample import GapReason
from edge.recording.segment import Gap


class Recorded(Protocol):
    """Anything that was recorded from ``start`` to ``end``."""

    @property
    def start(self) -> datetime:
        """When it begins."""

    @property
    def end(self) -> datetime:
        """When it ends."""


class Stretch(NamedTuple):
    """A stretch of wall time, ``end`` exclusive."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Coverage:
    """One stream between two instants. The three parts add up to the whole.

    ``unexplained`` holds the stretches with neither footage nor a gap: by recording I6 there are
    none.
    """

    recorded: timedelta
    missing: dict[GapReason, timedelta]
    unexplained: tuple[tuple[datetime, datetime], ...]


def coverage(
    footage: Iterable[Recorded], gaps: Iterable[Gap], start: datetime, end: datetime
) -> Coverage:
    """Return what ``start`` to ``end`` consists of; where two overlap, footage counts first."""
    stretches: list[tuple[datetime, datetime, GapReason | None]] = [
        *((item.start, item.end, None) for item in footage),
        *((gap.start, gap.end or end, gap.reason) for gap in gaps),
    ]
    stretches.sort(key=lambda item: (item[0], item[2] is not None))
    recorded = timedelta()
    missing: dict[GapReason, timedelta] = {}
    unexplained = []
    reached = start
    for begin, until, reason in stretches:
        begin, until = max(begin, reached), min(until, end)  # noqa: PLW2901
        if until <= begin:
            continue
        if begin > reached:
            unexplained.append((reached, begin))
        if reason is None:
            recorded += until - begin
        else:
            missing[reason] = missing.get(reason, timedelta()) + (until - begin)
        reached = until
    if reached < end:
        unexplained.append((reached, end))
    return Coverage(recorded, missing, tuple(unexplained))


def days(
    first: date, last: date, zone: tzinfo, since: datetime, until: datetime
) -> Iterator[tuple[date, Stretch]]:
    """Yield each day of ``zone`` from ``first`` to ``last`` with what is expected of it.

    That is the day as long as its clock makes it, from ``since`` on and up to ``until``; a day of
    which nothing is expected is left out.
    """
    day = first
    while day <= last:
        following = day + timedelta(days=1)
        # In UTC: between two times of one zone Python counts as if every day had 24 hours.
        begins, ends = (
            datetime.combine(each, time(), zone).astimezone(UTC) for each in (day, following)
        )
        stretch = Stretch(max(begins, since), min(ends, until))
        if stretch.start < stretch.end:
            yield day, stretch
        day = following
