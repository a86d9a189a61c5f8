"""What a running village says of itself, on a disk that may be full."""

from collections.abc import Callable
from typing import Any

from protocol.clock import Clock
from village.child import Backoff


class StateFile:
    """Writes the newest state, and again where the disk refuses it: that must stop nobody.

    ``failures`` counts the refusals; ``tell`` is given the first one's reason until a state is
    written again. Used from one thread.
    """

    def __init__(
        self,
        write: Callable[[dict[str, Any]], None],
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self.failures = 0
        self._write = write
        self._clock = clock
        self._tell = tell
        self._waiting: dict[str, Any] | None = None
        self._backoff = Backoff()
        self._due_ns = 0

    def say(self, state: dict[str, Any]) -> None:
        """Write ``state``; where that is refused it is kept for :meth:`retry`."""
        is_first = self._waiting is None
        self._waiting = state
        try:
            self._write(state)
        except OSError as error:
            self.failures += 1
            self._due_ns = self._clock.monotonic_ns() + round(self._backoff.pause_s(0) * 1e9)
            if is_first:
                self._tell(error.strerror or str(error))
            return
        self._waiting = None
        self._backoff = Backoff()

    def retry(self) -> None:
        """Write what was refused, where it is time to; call it now and then."""
        if self._waiting is not None and self._clock.monotonic_ns() >= self._due_ns:
            self.say(self._waiting)
