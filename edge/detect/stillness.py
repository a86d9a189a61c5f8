"""Whether a camera's picture stands still for longer than its view ever does. Pure.

A picture that hangs is either repeated bit by bit, or coded anew again and again: then every block
changes a little, as that of a view in which nothing moves does. The first kind is told in seconds,
the second only by how long this camera's view usually stands still: a crossing for seconds, a lane
by night for hours.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from edge.detect.picture import COLUMNS, ROWS, Look

Changes = NDArray[np.float32]

#: A repeated picture is a fault after so long where the view is always alive, else after SLOW_S.
EXACT_S, SLOW_S = 8.0, 300.0
#: One that is coded anew, after so many times the longest stillness of late, and so long at least.
RECORD_TIMES, LEAST_STILL_S = 3.0, 120.0
#: The longest stillness that is taken for granted before a camera is known, and the most believed.
FIRST_RECORD_S, MOST_RECORD_S = 1200.0, 28_800.0
#: A record is forgotten by a factor e in so long.
_FORGET_S = 86_400.0

#: Grey levels by which a block of a living picture differs from itself: a decoder repeats exactly.
_LIVING = 0.05
#: By how much blocks change where something moves; coding changes them by less.
_MOVING = 2.0
#: So many blocks change more than what is taken for the change: an insect is none.
_BLOCKS_ASIDE = 2
#: The camera's own clock is at the top or bottom and no larger than this share of the blocks.
_OVERLAY_BLOCKS = 0.06
_LIVELY, _LOOKS, _LEAST_LOOKS, _QUANTILE = 0.1, 120, 20, 0.1


class Stillness:
    """Judges one camera. Not thread-safe. Times are the pictures', in seconds, within a run."""

    def __init__(self) -> None:
        self._last: Look | None = None
        self._at_s = 0.0
        self._repeated_since_s: float | None = None
        self._coded_anew = False
        self._still_since_s: float | None = None
        self._record_s = FIRST_RECORD_S
        self._alive: deque[float] = deque(maxlen=_LOOKS)

    def begin(self) -> None:
        """Take that a new run begins."""
        self._last = self._repeated_since_s = self._still_since_s = None

    def is_frozen(self, at_s: float, look: Look, *, keyed: bool) -> bool:
        """Take a picture and return whether it is frozen.

        ``keyed``: a key frame came since the last one. Between key frames the picture of a view in
        which nothing moves is repeated exactly, too.
        """
        last, self._last = self._last, look
        before_s, self._at_s = self._at_s, at_s
        if last is None:
            return False
        changes = _changes(last, look)
        self._record_s *= math.exp(-(at_s - before_s) / _FORGET_S)
        return self._is_repeated(before_s, changes, keyed=keyed) or self._is_still(
            before_s, changes
        )

    def _is_repeated(self, before_s: float, changes: Changes, *, keyed: bool) -> bool:
        changed = changes > _LIVING
        share = float(changed.mean())
        is_edge = not changed[1:].any() or not changed[:-1].any()
        if share > _OVERLAY_BLOCKS or not is_edge:
            self._alive.append(share)
            self._repeated_since_s, self._coded_anew = None, False
            return False
        if self._repeated_since_s is None:
            self._repeated_since_s = before_s
        self._coded_anew |= keyed
        lasted_s = self._at_s - self._repeated_since_s
        return self._coded_anew and lasted_s >= (EXACT_S if self._is_lively() else SLOW_S)

    def _is_lively(self) -> bool:
        if len(self._alive) < _LEAST_LOOKS:
            return False
        return float(np.quantile(np.array(self._alive), _QUANTILE)) >= _LIVELY

    def _is_still(self, before_s: float, changes: Changes) -> bool:
        change = float(np.sort(changes[1:-1], axis=None)[-1 - _BLOCKS_ASIDE])
        since_s = self._still_since_s
        if change >= _MOVING:
            if since_s is not None:
                longest_s = max(self._record_s, before_s - since_s)
                self._record_s = min(longest_s, MOST_RECORD_S)
            self._still_since_s = None
            return False
        self._still_since_s = before_s if since_s is None else since_s
        lasted_s = self._at_s - self._still_since_s
        return lasted_s >= max(LEAST_STILL_S, RECORD_TIMES * self._record_s)


def _changes(before: Look, after: Look) -> Changes:
    """Return by how much each block changed, in grey levels a pixel."""
    pixels = np.abs(after.grey - before.grey)
    rows, columns = pixels.shape
    blocks = pixels.reshape(ROWS, rows // ROWS, COLUMNS, columns // COLUMNS)
    return np.asarray(blocks.mean((1, 3)), np.float32)
