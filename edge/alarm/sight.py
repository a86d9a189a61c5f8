"""How often a camera is looked at, and when that is too seldom to judge by. Pure."""

import statistics
from collections import deque

#: So many looks that don't come are a camera that is blind, at whatever rate it is looked at.
BLIND_LOOKS = 3
#: Looks further apart than this say nothing of what was there in between.
MAX_BLIND_S = 30.0
_NS_PER_S = 1_000_000_000


class Pace:
    """How long without a look is blind, by the rate that is achieved: an overloaded detector's.

    That is BLIND_LOOKS of the middle one of the last few steps between looks, so that one stretch
    in which nothing was seen changes nothing; at least ``usual_s`` and at most MAX_BLIND_S.
    """

    def __init__(self, usual_s: float) -> None:
        self._usual_s = usual_s
        self._steps_s: deque[float] = deque(maxlen=3)

    @property
    def blind_s(self) -> float:
        """A longer step than this is a stretch in which nothing was seen."""
        if len(self._steps_s) < (self._steps_s.maxlen or 0):
            return self._usual_s
        slow_s = BLIND_LOOKS * statistics.median(self._steps_s)
        return max(self._usual_s, min(slow_s, MAX_BLIND_S))

    def note(self, step_s: float) -> None:
        """Take the time between two looks; one that can't be a rate is passed over."""
        if 0 < step_s <= MAX_BLIND_S:
            self._steps_s.append(step_s)


class Sight:
    """Whether the looks at one camera come, as long as its stream does. Not thread-safe.

    Moments are of a monotonic clock, in nanoseconds. A camera is blind while its stream is live and
    no look came for MAX_BLIND_S, until two have come within MAX_BLIND_S: one that is looked at
    every 40 s stays blind and does not come and go.
    """

    def __init__(self, now_ns: int) -> None:
        self._seen_ns = self._from_ns = now_ns
        self._is_live = self._is_slow = False

    def unseen_s(self, now_ns: int) -> float:
        """Return how long ago the last look was, or the beginning where there was none."""
        return (now_ns - self._seen_ns) / _NS_PER_S

    def stream(self, now_ns: int, *, live: bool) -> None:
        """Take whether the stream that is looked at is live. Saying the same again is nothing."""
        if live and not self._is_live:
            self.expect(now_ns)
        self._is_live = live

    def expect(self, now_ns: int) -> None:
        """Begin anew: from now on looks may be expected."""
        self._from_ns, self._is_slow = now_ns, False

    def look(self, now_ns: int) -> None:
        """Take that the camera was looked at."""
        self._is_slow = self._waits_too_long(now_ns)
        self._seen_ns = now_ns

    def is_blind(self, now_ns: int) -> bool:
        """Return whether there is something to see and nobody sees it."""
        return self._is_live and (self._is_slow or self._waits_too_long(now_ns))

    def _waits_too_long(self, now_ns: int) -> bool:
        return now_ns - max(self._seen_ns, self._from_ns) > MAX_BLIND_S * _NS_PER_S
