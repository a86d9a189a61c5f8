"""How much of a stretch of time is recorded, and why the rest is not. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.media.sample import GapReason
from edge.recording.segment import Footage, Gap


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
    footage: Iterable[Footage], gaps: Iterable[Gap], start: datetime, end: datetime
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
