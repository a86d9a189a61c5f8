"""When something that should be there has been away for so long that people must know. Pure.

::

    state    what happens                        next     says
    here     away for after_s                    missed   START
    missed   back for steady_s                   here     END

Moments are of a monotonic clock, in nanoseconds. Something never heard of is not missed.
"""

from protocol.messages import AlertOp


class Absence:
    """The state machine above, for one camera or for the detector. Not thread-safe."""

    def __init__(self, after_s: float, steady_s: float) -> None:
        self._after_ns = round(after_s * 1e9)
        self._steady_ns = round(steady_s * 1e9)
        self._missed = False
        self._present: bool | None = None
        self._since_ns = 0

    @property
    def is_missed(self) -> bool:
        """Whether an alert is open."""
        return self._missed

    def resume(self) -> None:
        """Go on from an alert that was open when the box stopped."""
        self._missed = True

    def here(self, now_ns: int, *, present: bool) -> None:
        """Take whether it is there now. Saying the same again changes nothing."""
        if present is not self._present:
            self._present, self._since_ns = present, now_ns

    def tick(self, now_ns: int) -> AlertOp | None:
        """Return what time has decided, if anything."""
        if self._present is None:
            return None
        lasted_ns = now_ns - self._since_ns
        if not self._missed and not self._present and lasted_ns >= self._after_ns:
            self._missed = True
            return AlertOp.START
        if self._missed and self._present and lasted_ns >= self._steady_ns:
            self._missed = False
            return AlertOp.END
        return None
