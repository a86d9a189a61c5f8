"""What a recording lacks, judged from the box's own timeline: pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

#: Two recorded stretches this close are one: a frame at 7 pictures a second lasts 0.14 s.
SLACK_S = 0.3

#: How far a camera's timeline on the box may be ahead of the clock for a hole to be a kill's: it is
#: laid by the first picture that came, so it is ahead by as much as that one was late.
AHEAD_S = 1.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of wall time, ``end`` exclusive."""

    start: datetime
    end: datetime

    @property
    def length_s(self) -> float:
        """How long it lasts."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, slots=True)
class Cut:
    """What one kill of the recorder cost.

    ``lost_received_s``: from the end of the last recorded picture to the kill: what had come and
    is gone. ``gap_s``: from that end to the first picture recorded again: the restart with it.
    ``ahead_s``: how far that end lies behind the kill, where nothing can have come any more: the
    camera's timeline was at least so far ahead of the clock, and the loss is understated by it.
    """

    killed_at: datetime
    lost_received_s: float
    gap_s: float
    ahead_s: float = 0.0


def begun(
    recorded: Iterable[Span], since: datetime, before: Collection[datetime] = ()
) -> datetime | None:
    """Return when the first recording since then began, but for those of ``before``: pure."""
    starts = (span.start for span in recorded)
    return min((start for start in starts if start >= since and start not in before), default=None)


def holes(recorded: Sequence[Span], window: Span, *, slack_s: float = SLACK_S) -> tuple[Span, ...]:
    """Return the stretches of ``window`` longer than ``slack_s`` that nothing covers, in order."""
    missing = []
    covered_to = window.start
    for span in sorted(recorded, key=lambda span: span.start):
        hole = Span(covered_to, min(span.start, window.end))
        if hole.length_s > slack_s:
            missing.append(hole)
        covered_to = max(covered_to, span.end)
    tail = Span(covered_to, window.end)
    return (*missing, tail) if tail.length_s > slack_s else tuple(missing)


def cut(recorded: Sequence[Span], killed_at: datetime) -> Cut | None:
    """Return what the kill at ``killed_at`` cost; None where nothing is recorded on either side.

    A picture is on the side where it began, so a recording that runs through the kill (its last
    picture lasts until the next was due) has lost nothing.
    """
    before = [span for span in recorded if span.start < killed_at]
    after = [span for span in recorded if span.start >= killed_at]
    if not before or not after:
        return None
    last = max(span.end for span in before)
    return Cut(
        killed_at=killed_at,
        lost_received_s=max(0.0, (killed_at - last).total_seconds()),
        gap_s=max(0.0, (min(span.start for span in after) - last).total_seconds()),
        ahead_s=max(0.0, (last - killed_at).total_seconds()),
    )


def unexplained(
    missing: Sequence[Span], kills: Sequence[datetime], *, ahead_s: float = AHEAD_S
) -> tuple[Span, ...]:
    """Return the holes that no kill of the recorder explains: no kill within or just before one."""
    return tuple(
        hole
        for hole in missing
        if not any(
            (hole.start - kill).total_seconds() <= ahead_s and kill <= hole.end for kill in kills
        )
    )
