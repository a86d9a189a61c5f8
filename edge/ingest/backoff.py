"""How long to wait before a camera is tried again. Pure, but for the dice."""

import random

FIRST_S = 0.5
#: However long a camera was away: it is recorded 3 s after it is back, and connecting and the wait
#: for its first key frame take a part of that.
SOON_S = 1.6
#: Trying a refused password often would lock the account: cameras do after five tries.
REFUSED_S = 30.0
#: A camera that answers but has no such stream is starting up; after so long the path is wrong.
STARTING_S = 180.0
#: So many cameras behind one switch that comes back shall not all call in one moment.
JITTER = 0.2


class Backoff:
    """Waits that double from 0.5 s to 1.6 s."""

    def __init__(self, dice: random.Random | None = None) -> None:
        self._dice = dice or random.Random()  # noqa: S311 - nothing secret depends on it
        self._next_s = FIRST_S

    def reset(self) -> None:
        """Begin again: the stream ran well."""
        self._next_s = FIRST_S

    def wait_s(self) -> float:
        """Return the next wait."""
        wait_s = self._next_s
        self._next_s = min(2 * self._next_s, SOON_S)
        return self._jittered(wait_s)

    def refused_s(self) -> float:
        """Return the wait after a refusal."""
        return self._jittered(REFUSED_S)

    def missing_s(self, since_s: float) -> float:
        """Return the wait after the camera has said for ``since_s`` that it has no such stream."""
        return self.refused_s() if since_s >= STARTING_S else self.wait_s()

    def _jittered(self, wait_s: float) -> float:
        return wait_s * (1 - JITTER * self._dice.random())
