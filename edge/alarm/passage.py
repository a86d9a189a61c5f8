"""The passage of a camera's own time, from look to look. Pure."""

from datetime import datetime, timedelta
from enum import Enum, auto

from edge.alarm.sight import Pace

#: A frame this much earlier than the last one means that the clock was set.
SET_BACK_S = 5.0


class Step(Enum):
    """What the time of a frame is to that of the one before."""

    STALE = auto()  # not later, and not to be looked at
    NEXT = auto()
    AFTER_GAP = auto()  # in between nothing was seen
    SET_BACK = auto()  # the clock was set


class Passage:
    """Judges the times of the frames of one camera. Not thread-safe.

    ``blind_s`` is how long without a look is a gap at the usual rate; a slower one that is achieved
    makes it longer (Pace).
    """

    def __init__(self, blind_s: float) -> None:
        self._pace = Pace(blind_s)
        self._last: datetime | None = None

    def step(self, at: datetime) -> Step:
        """Take the time of a frame."""
        if self._last is None:
            self._last = at
            return Step.NEXT
        step_s = seconds(self._last, at)
        if -SET_BACK_S < step_s <= 0:
            return Step.STALE
        gap = step_s > self._pace.blind_s
        self._pace.note(step_s)
        self._last = at
        if step_s <= 0:
            return Step.SET_BACK
        return Step.AFTER_GAP if gap else Step.NEXT


def seconds(start: datetime, end: datetime) -> float:
    """Return how long it is from start to end."""
    return (end - start) / timedelta(seconds=1)
