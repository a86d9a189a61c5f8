"""When a camera's clock is so far off that people must know. Pure.

Two limits, each on its own::

    within    offset beyond the limit for LASTING_S            beyond
    beyond    offset below 0.8 of the limit for LASTING_S      within

Between the two nothing changes. While the offset is not known nothing is judged, and after
FORGOTTEN_S of that nothing is known any more: an alert that nobody could end would stand for ever.
"""

from datetime import timedelta

from protocol.messages import CameraClockState

CLOCK_RULE = "camera-clock"
#: Further off is worth a word: what the camera writes into its picture is not right.
OFF_S = 5.0
#: Further off is an alert: it is no evidence of when something was.
WRONG_S = 60.0
#: A camera that sets its clock takes a moment, and so does one that was started again.
LASTING_S = 300.0
FORGOTTEN_S = 3600.0
_BACK_AT = 0.8
_NS_PER_S = 1_000_000_000


class ClockRule:
    """The judgement of one camera's clock; ``is_wrong``: that was said before. Not thread-safe."""

    def __init__(self, *, is_wrong: bool = False) -> None:
        said = is_wrong or None
        self._off, self._wrong = _Limit(OFF_S, said), _Limit(WRONG_S, said)
        self._known_ns: int | None = None

    @property
    def state(self) -> CameraClockState | None:
        """How it is; None until it was known for LASTING_S, and once that is forgotten."""
        if self._wrong.is_beyond:
            return CameraClockState.WRONG
        if self._off.is_beyond:
            return CameraClockState.OFF
        return None if self._off.is_beyond is None else CameraClockState.RIGHT

    def see(self, offset: timedelta | None, mono_ns: int) -> None:
        """Take how far the clock is off now; None: that is not known, or not to be judged."""
        if self._known_ns is None or offset is not None:
            self._known_ns = mono_ns
        is_forgotten = mono_ns - self._known_ns >= FORGOTTEN_S * _NS_PER_S
        for limit in (self._off, self._wrong):
            if offset is not None:
                limit.see(abs(offset.total_seconds()), mono_ns)
            else:
                limit.unsee(is_forgotten=is_forgotten)


class _Limit:
    """Whether an offset is beyond a limit; None: it was not known for long enough."""

    def __init__(self, limit_s: float, is_beyond: bool | None) -> None:
        self._limit_s = limit_s
        self.is_beyond = is_beyond
        self._otherwise_ns: int | None = None  # since when it has been otherwise than is said
        self._otherwise = False

    def see(self, offset_s: float, mono_ns: int) -> None:
        limit_s = self._limit_s * (_BACK_AT if self.is_beyond else 1.0)
        now = offset_s > limit_s
        if now is self.is_beyond:
            self._otherwise_ns = None
            return
        if self._otherwise_ns is None or now is not self._otherwise:
            self._otherwise_ns, self._otherwise = mono_ns, now
        if mono_ns - self._otherwise_ns >= LASTING_S * _NS_PER_S:
            self.is_beyond, self._otherwise_ns = now, None

    def unsee(self, *, is_forgotten: bool) -> None:
        self._otherwise_ns = None
        if is_forgotten:
            self.is_beyond = None
