"""Keeps the broker running in a thread of its own: starting it again may take seconds."""

import logging
import threading

from protocol.clock import Clock
from village.broker.broker import Broker, BrokerError
from village.child import Backoff

log = logging.getLogger(__name__)

_LOOK_S = 0.2


class BrokerKeeper:
    """Owns a broker: starts it, starts it again when it dies, and closes it.

    ``error`` is why it could not be started the last time: its own words, or the system's.
    """

    def __init__(self, broker: Broker, clock: Clock) -> None:
        self.broker = broker
        self.starts = 0
        self.error: str | None = None
        self._clock = clock
        self._backoff = Backoff()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="broker", daemon=True)

    def start(self) -> None:
        """Begin; ``broker.alive`` says when it serves."""
        self._thread.start()

    def close(self) -> None:
        """Stop the broker and wait; idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not self._stopping.is_set():
            began_ns = self._clock.monotonic_ns()
            try:
                self.broker.start()
            except (BrokerError, OSError) as error:
                self.error = str(error)
                log.warning("broker.not_started", extra={"error": str(error)})
            else:
                self.error = None
                self.starts += 1
                while self.broker.alive and not self._stopping.wait(_LOOK_S):
                    continue
            lived_s = (self._clock.monotonic_ns() - began_ns) / 1e9
            if not self._stopping.is_set():
                self._stopping.wait(self._backoff.pause_s(lived_s))
        self.broker.close()
