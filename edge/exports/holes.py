"""What an export does not show of the time it was asked for, and why. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.exports.order import Lost, Shown
from edge.recording.segment import Gap

#: Shorter ones are the distance of two pictures.
SHORTEST_HOLE = timedelta(milliseconds=100)

#: Reasons besides the recording's own.
LOST = "lost"
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Hole:
    """A stretch that is not shown; ``reason`` is a GapReason's word, LOST or UNEXPLAINED."""

    start: datetime
    end: datetime
    reason: str


def holes(
    shown: Iterable[Shown],
    gaps: Iterable[Gap],
    lost: Iterable[Lost],
    start: datetime,
    end: datetime,
) -> list[Hole]:
    """Return what is missing between ``start`` and ``end``, in order.

    A recorded file that could not be read explains a hole first, then the recording's gap that
    covers most of it.
    """
    causes = [
        *((each.start, each.end, LOST) for each in lost),
        *((gap.start, gap.end or end, gap.reason.value) for gap in gaps),
    ]
    found = []
    reached = start
    for stretch in sorted(shown, key=lambda each: each.start):
        if stretch.start - reached >= SHORTEST_HOLE and reached < end:
            found.append((reached, min(stretch.start, end)))
        reached = max(reached, stretch.end)
    if end - reached >= SHORTEST_HOLE:
        found.append((reached, end))
    return [Hole(begin, until, _reason(causes, begin, until)) for begin, until in found]


def _reason(causes: list[tuple[datetime, datetime, str]], start: datetime, end: datetime) -> str:
    best, most = UNEXPLAINED, timedelta()
    for begin, until, reason in causes:
        common = min(until, end) - max(begin, start)
        if common > timedelta() and (reason == LOST or common > most):
            best, most = reason, common
            if reason == LOST:
                break
    return best
