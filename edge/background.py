"""Work in a thread of its own that stops when it is told to."""

import threading
from collections.abc import Callable


class BackgroundThread:
    """Runs ``work`` once in a daemon thread; it is to look at :attr:`stopping` now and then.

    ``work`` deals with its errors itself: nobody else is there to hear of them.
    """

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=work, name=name, daemon=True)

    def start(self) -> None:
        """Begin; once only."""
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Tell it to stop and wait for it, but no longer than that. Idempotent."""
        self.stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
