"""The wall time that footage may be deleted by: not every time a clock shows."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.faultlog import FaultLog
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: A wall clock that parts further than this from the monotonic one was set.
MAX_STEP = timedelta(hours=1)
#: A time that was set is believed when it has held for so long.
PROBATION = timedelta(hours=1)
#: A box that was off for longer can't tell that from a wrong clock.
MAX_ABSENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Course:
    """A wall clock that runs on without being set, by one reading of it."""

    wall: datetime
    mono_ns: int

    def at(self, mono_ns: int) -> datetime:
        return self.wall + timedelta(microseconds=(mono_ns - self.mono_ns) // 1000)


class BelievedClock:
    """Says what time it is, or that this is not known well enough to delete by.

    At the first reading a time is believed that is at most a day after ``last``, which is what was
    believed last before this process began. Any other, and any that the clock is set to later, is
    believed once it has held for an hour; until then time goes on as it was believed before. One
    thread uses it, and asks often: what happens between two readings is one step.
    """

    def __init__(self, clock: Clock, last: datetime | None) -> None:
        self._clock = clock
        self._last = last
        self._faults = FaultLog(log, clock)
        self._course: _Course | None = None
        self._believed: _Course | None = None

    def now(self) -> datetime | None:
        """Return the wall time as it is believed, or None."""
        wall, mono_ns = self._clock.now(), self._clock.monotonic_ns()
        course = self._course_of(wall, mono_ns)
        if course.at(mono_ns) - course.wall >= PROBATION:
            self._believed = course
        if self._believed is course:
            return wall
        self._faults.report("clock.not_believed", "the wall clock may be wrong", {})
        return None if self._believed is None else self._believed.at(mono_ns)

    def _course_of(self, wall: datetime, mono_ns: int) -> _Course:
        """Return the course that this reading is on: the last one, the believed one or a new one.

        Each is kept by its first reading, so that many small steps count as the great one they are.
        """
        for known in (self._course, self._believed):
            if known is not None and abs(wall - known.at(mono_ns)) <= MAX_STEP:
                self._course = known
                return known
        is_first = self._course is None
        self._course = _Course(wall, mono_ns)
        if is_first and self._last is not None and self._last <= wall <= self._last + MAX_ABSENCE:
            self._believed = self._course
        return self._course
