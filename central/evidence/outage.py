"""A server that was found away is left alone for a while."""

import threading

from central.errors import EvidenceAwayError
from protocol.clock import Clock

#: How long nobody tries after a failure: each try holds a thread until its time is up.
_PAUSE_NS = 10 * 1_000_000_000


class Outage:
    """Whether a server was away when it was last spoken to, and why. For many threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._reason = ""
        self._failed_ns = 0

    @property
    def is_on(self) -> bool:
        """Whether the last word was a failure."""
        return bool(self._reason)

    def check(self) -> None:
        """Raise EvidenceAwayError within 10 s of a failure; then somebody may try again."""
        with self._lock:
            waited_ns = self._clock.monotonic_ns() - self._failed_ns
            if self._reason and waited_ns < _PAUSE_NS:
                raise EvidenceAwayError(self._reason)

    def begin(self, reason: str) -> bool:
        """Note a failure; return whether all was well before."""
        with self._lock:
            is_new = not self._reason
            self._reason, self._failed_ns = reason, self._clock.monotonic_ns()
            return is_new

    def end(self) -> bool:
        """Note that it works; return whether it did not before."""
        with self._lock:
            was_on, self._reason = bool(self._reason), ""
            return was_on
