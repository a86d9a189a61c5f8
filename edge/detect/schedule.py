"""Which frame is looked at next: pure."""

from typing import Generic, TypeVar

TICKS_PER_S = 90_000

Frame = TypeVar("Frame")


class Due:
    """Chooses frames of one run by media time so that they come at a rate, not faster."""

    def __init__(self, fps: float) -> None:
        self._interval_90k = TICKS_PER_S / fps
        self._next_90k: float | None = None

    def is_due(self, pts_90k: int) -> bool:
        """Return whether this frame is to be looked at.

        The rate is kept on average: a frame that comes a little late doesn't delay those after
        it. After a gap or a step back it begins anew.
        """
        due, step = self._next_90k, self._interval_90k
        if due is None or abs(pts_90k - due) > 2 * step:
            self._next_90k = pts_90k + step
            return True
        # Half a tick is rounding: 90 000 / 7 is no whole number.
        if pts_90k < due - 0.5:
            return False
        self._next_90k = due + step if pts_90k < due + step else pts_90k + step
        return True


class Newest(Generic[Frame]):
    """The newest due frame of each camera, taken in turn.

    Overflow: a frame that was not looked at when the next one comes is dropped and counted in
    ``superseded``.
    """

    def __init__(self) -> None:
        self.superseded = 0
        self._frames: dict[int, Frame] = {}
        self._turns: list[int] = []

    def put(self, camera: int, frame: Frame) -> None:
        """Set the camera's newest frame."""
        if camera in self._frames:
            self.superseded += 1
        else:
            self._turns.append(camera)
        self._frames[camera] = frame

    def drop(self, camera: int) -> None:
        """Forget the camera's frame: its run has ended."""
        if self._frames.pop(camera, None) is not None:
            self._turns.remove(camera)

    def take(self) -> tuple[int, Frame] | None:
        """Return a frame of the camera that has waited longest, or None."""
        if not self._turns:
            return None
        camera = self._turns.pop(0)
        return camera, self._frames.pop(camera)

    def __bool__(self) -> bool:
        return bool(self._turns)
