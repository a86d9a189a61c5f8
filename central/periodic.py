"""Work that is done over and over in the background."""

import logging
import threading
from collections.abc import Callable

from central.errors import StoreUnavailableError

log = logging.getLogger(__name__)

#: How long closing waits: less than the service manager does before it kills.
_PATIENCE_S = 10.0


class PeriodicWorker:
    """Calls ``turn`` in a thread of its own, at once and then every ``every_s`` seconds.

    A turn that fails is logged, as ``NAME.interrupted`` where a store was away and ``NAME.failed``
    otherwise, and the next one comes as ever.
    """

    def __init__(self, name: str, every_s: float, turn: Callable[[], object]) -> None:
        self._name = name
        self._every_s = every_s
        self._turn = turn
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin; once only."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and wait for the turn under way; may be called again, and without a start.

        One that hangs on a line for 10 s more ends with the process.
        """
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)
            if self._thread.is_alive():
                log.warning("%s.left", self._name)
            self._thread = None

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._turn()
            except StoreUnavailableError as error:
                log.warning("%s.interrupted", self._name, extra={"error": str(error)})
            except Exception:
                log.exception("%s.failed", self._name)
            self._stopping.wait(self._every_s)
