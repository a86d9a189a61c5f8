"""Whether a picture shows what the last one that was looked at showed. Pure.

A yard at night is the same picture for hours; looking at it again finds the same again. So what was
found is said again, and the networks rest. It is compared with the picture that was looked at, not
with the one before, so that what changes slowly is seen as soon as it has changed enough.
"""

import numpy as np

from edge.detect.motion import Floats

#: A picture is another one where any of its pixels, made small, differs by so many grey levels. A
#: camera's noise at night is about 6 a pixel of the stream; of the sixteen and more that are one
#: small pixel 1.5 is left in each picture, and the largest of 14 400 differences stays below this.
#: Of a person far off, dark on grey, 30 is left.
CHANGE = 10.0
#: So long after it was looked at a picture is looked at again, whatever it shows.
LONGEST_S = 10.0


class Repeat:
    """The last picture of one camera that was looked at for something. Not thread-safe."""

    def __init__(self) -> None:
        self._grey: Floats | None = None
        self._at_s = 0.0

    def is_same(self, at_s: float, grey: Floats) -> bool:
        """Return whether the picture at ``at_s`` of the stream shows what that one showed."""
        if self._grey is None or not 0 <= at_s - self._at_s < LONGEST_S:
            return False
        return bool(np.abs(grey - self._grey).max() < CHANGE)

    def looked(self, at_s: float, grey: Floats) -> None:
        """Take that this picture is looked at now."""
        self._at_s, self._grey = at_s, grey
