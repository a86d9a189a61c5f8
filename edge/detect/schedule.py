"""Which frame is looked at next: pure."""

import math
from typing import Generic, TypeVar

TICKS_PER_S = 90_000
#: 90 000 / 7 is no whole number.
_ROUNDING_90K = 0.5

Frame = TypeVar("Frame")


class Due:
    """Chooses frames of one run by media time so that they come at a rate, not faster."""

    def __init__(self, fps: float) -> None:
        self._interval_90k = TICKS_PER_S / fps
        self._next_90k: float | None = None

    def pace(self, fps: float) -> None:
        """Go on at another rate: a higher one counts from the last frame that was due."""
        before_90k, self._interval_90k = self._interval_90k, TICKS_PER_S / fps
        if self._next_90k is not None:
            self._next_90k += min(0.0, self._interval_90k - before_90k)

    @property
    def interval_s(self) -> float:
        """How long after a frame the next one is due."""
        return self._interval_90k / TICKS_PER_S

    def late_s(self, pts_90k: int) -> float | None:
        """Return how late this frame is for the one that is due, or None where it is not due.

        Where it begins anew, that is for ever. Changes nothing.
        """
        due, step = self._next_90k, self._interval_90k
        if due is None or abs(pts_90k - due) > 2 * step:
            return math.inf
        return (pts_90k - due) / TICKS_PER_S if pts_90k >= due - _ROUNDING_90K else None

    def is_due(self, pts_90k: int) -> bool:
        """Return whether this frame is to be looked at.

        The rate is kept on average: a frame that comes a little late doesn't delay those after
        it. After a gap or a step back it begins anew.
        """
        due, step = self._next_90k, self._interval_90k
        if due is None or abs(pts_90k - due) > 2 * step:
            self._next_90k = pts_90k + step
            return True
        if pts_90k < due - _ROUNDING_90K:
            return False
        self._next_90k = due + step if pts_90k < due + step else pts_90k + step
        return True


class Newest(Generic[Frame]):
    """The newest due frame of each camera, earliest deadline first.

    Where there is more to look at than time, all fall behind alike, and nobody starves: a camera
    keeps the deadline of the first frame that waited. Overflow: a frame that was not looked at when
    the next one comes is dropped and counted in ``superseded``.
    """

    def __init__(self) -> None:
        self.superseded = 0
        self._frames: dict[int, Frame] = {}
        self._deadlines_ns: dict[int, int] = {}

    def put(self, camera: int, frame: Frame, deadline_ns: int) -> None:
        """Set the camera's newest frame, best looked at before ``deadline_ns``."""
        if camera in self._frames:
            self.superseded += 1
        self._frames[camera] = frame
        self._deadlines_ns.setdefault(camera, deadline_ns)

    def waiting(self, camera: int) -> Frame | None:
        """Return the camera's frame that waits, or None; it stays where it is."""
        return self._frames.get(camera)

    def drop(self, camera: int) -> None:
        """Forget the camera's frame: its run has ended."""
        self._frames.pop(camera, None)
        self._deadlines_ns.pop(camera, None)

    def take(self) -> tuple[int, Frame] | None:
        """Return the frame of the camera that can wait least, or None."""
        if not self._frames:
            return None
        camera = min(self._deadlines_ns, key=self._deadlines_ns.__getitem__)
        del self._deadlines_ns[camera]
        return camera, self._frames.pop(camera)

    def __bool__(self) -> bool:
        return bool(self._frames)
