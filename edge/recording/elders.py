"""Which segments are old by the monotonic clock too."""

from bisect import bisect_right
from datetime import timedelta

from edge.recording.segment import Segment
from protocol.clock import Clock

_MARK_EVERY_NS = 3_600_000_000_000
_NS_PER_US = 1000


class Elders:
    """The segments that were there so long ago, or when this process began.

    A segment's times are those of the wall clock it was recorded by, which may have been wrong
    then. What this process recorded is an elder only once it has lived for so long, to the hour.
    ``longest`` is the longest time that is asked for. One thread uses it.
    """

    def __init__(self, clock: Clock, longest: timedelta, newest_id: int) -> None:
        self._clock = clock
        self._longest_ns = _ns(longest)
        self._first_id = newest_id
        # When it was, and the newest segment then; an hour apart. Both grow.
        self._marked_ns: list[int] = []
        self._newest_ids: list[int] = []

    def note(self, newest_id: int) -> None:
        """Say which segment is the newest now; call it at least once an hour."""
        now_ns = self._clock.monotonic_ns()
        if not self._marked_ns or now_ns - self._marked_ns[-1] >= _MARK_EVERY_NS:
            self._marked_ns.append(now_ns)
            self._newest_ids.append(max(newest_id, *self._newest_ids[-1:], self._first_id))
        over = bisect_right(self._marked_ns, now_ns - self._longest_ns)
        if over:
            self._first_id = self._newest_ids[over - 1]
            del self._marked_ns[:over], self._newest_ids[:over]

    def include(self, segment: Segment, age: timedelta) -> bool:
        """Say whether a segment was there ``age`` ago; what a crash left is of a process before."""
        if segment.recovered or segment.id <= self._first_id:
            return True
        passed = bisect_right(self._marked_ns, self._clock.monotonic_ns() - _ns(age))
        return passed > 0 and segment.id <= self._newest_ids[passed - 1]


def _ns(span: timedelta) -> int:
    return span // timedelta(microseconds=1) * _NS_PER_US
