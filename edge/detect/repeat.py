"""Whether a picture shows what the last one that was looked at showed. Pure.

A yard at night is the same picture for hours; looking at it again finds the same again. So what was
found is said again, and the networks rest. It is compared with the picture that was looked at, not
with the one before, so that what changes slowly is seen as soon as it has changed enough.

Leaves and reflections change all day, always in the same places. What changed where two looks found
nothing is no news there: next time it takes a larger change. People and fires elsewhere are seen as
before, and in front of leaves at once where they stand out from them, else by the next look that
comes whatever the picture shows.
"""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.detect.motion import Floats

#: A picture is another one where any of its pixels, made small, differs by so many grey levels. A
#: camera's noise at night is about 6 a pixel of the stream; of the sixteen and more that are one
#: small pixel 1.5 is left in each picture, and the largest of 14 400 differences stays below this.
#: Of a person far off, dark on grey, 30 is left.
CHANGE = 10.0
#: So long after it was looked at a picture is looked at again, whatever it shows.
LONGEST_S = 10.0
#: A pixel that usually changes must change by so many times as much, and by no more than this.
_USUAL_TIMES, MOST_USUAL = 1.5, 40.0
#: What a pixel usually changes by is forgotten by this share a look: half of it in some minutes.
_FORGOTTEN = 0.02
#: Where more of the picture changes it is the light: then nothing of it is usual.
_FLICKER_SHARE = 0.05
#: What changes is usual for the pixels around it as well: leaves swing, and a mast trembles.
_AROUND = np.ones((3, 3), np.uint8)
#: So far around what was found the picture changes because of it.
_NEAR_PX = 3

Mask = NDArray[np.bool_]
#: Left, top, right and bottom, in shares of the picture.
Sides = tuple[float, float, float, float]


class Repeat:
    """The last picture of one camera that was looked at for something. Not thread-safe."""

    def __init__(self) -> None:
        self._grey: Floats | None = None
        self._at_s = 0.0
        self._found: Mask | None = None
        self._usual: Floats | None = None

    def is_same(self, at_s: float, grey: Floats) -> bool:
        """Return whether the picture at ``at_s`` of the stream shows what that one showed."""
        if self._grey is None or not 0 <= at_s - self._at_s < LONGEST_S:
            return False
        changes = np.abs(grey - self._grey)
        if self._usual is None:
            return bool(changes.max() < CHANGE)
        least = np.clip(self._usual * _USUAL_TIMES, CHANGE, MOST_USUAL)
        return bool((changes < least).all())

    def looked(self, at_s: float, grey: Floats, found: Iterable[Sides] = ()) -> None:
        """Take that this picture was looked at, and where in it something was found."""
        before, self._at_s, self._grey = self._grey, at_s, grey
        found_before, self._found = self._found, _cover(grey, found)
        if self._usual is not None:
            self._usual *= 1 - _FORGOTTEN
        if before is None or found_before is None:
            return
        changes = np.abs(grey - before)
        changes[found_before | self._found] = 0.0
        if (changes >= CHANGE).mean() > _FLICKER_SHARE:
            return
        around = np.asarray(cv2.dilate(changes, _AROUND), np.float32)
        self._usual = around if self._usual is None else np.maximum(self._usual, around)


def _cover(grey: Floats, found: Iterable[Sides]) -> Mask:
    """Return which pixels are in what was found, or so near that they show its coming and going."""
    rows, columns = grey.shape
    mask = np.zeros(grey.shape, bool)
    for left, top, right, bottom in found:
        first_row, last_row = int(top * rows) - _NEAR_PX, int(bottom * rows) + _NEAR_PX
        first, last = int(left * columns) - _NEAR_PX, int(right * columns) + _NEAR_PX
        mask[max(first_row, 0) : last_row + 1, max(first, 0) : last + 1] = True
    return mask
