"""Whether anything may be sent: one pause for all uploads, not one for each (evidence I6)."""

from edge.bus.backoff import Backoff

_NS = 1_000_000_000


class Gate:
    """Shut for a while where the way to the centre, or its disk, refuses.

    A thousand pieces of which each found out for itself would be a storm; so one finds out, and all
    wait. Times are of the monotonic clock. Not thread-safe.
    """

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._failures = 0
        self._open_at_ns = 0
        self._reason = ""

    @property
    def reason(self) -> str:
        """Why the last try was refused; empty once something came through."""
        return self._reason

    @property
    def failures(self) -> int:
        """How many tries in a row were refused."""
        return self._failures

    def refused(self, now_ns: int, chance: float, reason: str) -> None:
        """Shut it. Where it is shut already, another upload was under way, and nothing changes."""
        self._reason = reason
        if now_ns < self._open_at_ns:
            return
        self._failures += 1
        wait_s = self._backoff.after(self._failures, chance)
        self._open_at_ns = now_ns + round(wait_s * _NS)

    def passed(self) -> None:
        """Open it: something came through."""
        self._failures = 0
        self._open_at_ns = 0
        self._reason = ""

    def wait_s(self, now_ns: int) -> float:
        """Return how long it is still shut."""
        return max(0, self._open_at_ns - now_ns) / _NS
