"""Which segments are old by the monotonic clock too."""

from collections import deque
from datetime import timedelta

from edge.recording.segment import Segment
from protocol.clock import Clock

_MARK_EVERY_NS = 3_600_000_000_000
_NS_PER_US = 1000


class Elders:
    """The segments that were there ``age`` ago, or when this process began.

    A segment's times are those of the wall clock it was recorded by, which may have been wrong
    then. What this process recorded is an elder only once it has lived for ``age``, to the hour.
    One thread uses it.
    """

    def __init__(self, clock: Clock, age: timedelta, newest_id: int) -> None:
        self._clock = clock
        self._age_ns = age // timedelta(microseconds=1) * _NS_PER_US
        self._eldest_id = newest_id
        self._marks: deque[tuple[int, int]] = deque()

    def note(self, newest_id: int) -> None:
        """Say which segment is the newest now; call it at least once an hour."""
        now_ns = self._clock.monotonic_ns()
        if not self._marks or now_ns - self._marks[-1][0] >= _MARK_EVERY_NS:
            self._marks.append((now_ns, newest_id))
        while self._marks and now_ns - self._marks[0][0] >= self._age_ns:
            self._eldest_id = max(self._eldest_id, self._marks.popleft()[1])

    def include(self, segment: Segment) -> bool:
        """Say whether a segment is one of them; what a crash left is of an earlier process."""
        return segment.recovered or segment.id <= self._eldest_id
