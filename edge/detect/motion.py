"""How much a part of the picture changes from look to look. Pure.

Smoke and flame change all the time, a wall or a lamp does not. Measured on a picture made small:
there a camera's noise has mostly averaged out, while what moves as a whole has not.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.detect.picture import HEIGHT, WIDTH, Plane

Floats = NDArray[np.float32]


def shrink(luma: Plane) -> Floats:
    """Return a picture's brightness, of any size, made small."""
    small = cv2.resize(luma, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


class Motion:
    """Compares each look at one camera with the one before. Not thread-safe."""

    def __init__(self) -> None:
        self._last: Floats | None = None
        self._changes: Floats | None = None

    def begin(self) -> None:
        """Take that a new run begins: its first picture is compared with none."""
        self._last = self._changes = None

    def see(self, grey: Floats) -> None:
        """Take the next look, made small (:func:`shrink`)."""
        self._changes = None if self._last is None else np.abs(grey - self._last)
        self._last = grey

    def within(self, left: float, top: float, right: float, bottom: float) -> float:
        """Return the mean change in a box (0-1), in grey levels of 255; 0 at the first look."""
        if self._changes is None:
            return 0.0
        rows, columns = _span(top, bottom, HEIGHT), _span(left, right, WIDTH)
        return float(self._changes[rows, columns].mean())


def _span(low: float, high: float, length: int) -> slice:
    first = min(max(int(low * length), 0), length - 1)
    return slice(first, max(first + 1, min(round(high * length), length)))
