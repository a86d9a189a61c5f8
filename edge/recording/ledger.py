"""Writes to the index that must not get lost while the database is refusing."""

import logging
from collections import deque
from collections.abc import Callable

from edge.errors import StorageError
from edge.faultlog import FaultLog
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: A camera makes six a minute: this bridges a day. After that the oldest go; their files are found
#: and indexed at the next start (recording I5).
MAX_ENTRIES = 10_000


class Ledger:
    """Index writes of one recorder, done in order; what fails is tried again before the next.

    Bounded: with more than ``MAX_ENTRIES`` waiting the oldest is dropped and counted. So is one
    that fails by a bug: it would keep all behind it waiting for ever. ``waiting`` counts what the
    database has refused so far. One thread uses it; any may read the counters.
    """

    def __init__(self, camera_id: str, clock: Clock) -> None:
        self._camera_id = camera_id
        self._faults = FaultLog(log, clock)
        self._waiting: deque[Callable[[], object]] = deque()
        self.waiting = 0
        self.dropped = 0

    def write(self, entry: Callable[[], object]) -> None:
        """Do ``entry`` now, or as soon as those before it are done."""
        if len(self._waiting) >= MAX_ENTRIES:
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append(entry)
        self.settle()

    def settle(self) -> None:
        """Do what waits, up to the first that the database refuses."""
        while self._waiting:
            try:
                self._waiting[0]()
            except StorageError as error:
                self._faults.report("index.refused", str(error), {"camera_id": self._camera_id})
                break
            except Exception as error:  # noqa: BLE001 - logged, but not at every entry
                self._faults.bug("index.failed", error, {"camera_id": self._camera_id})
                self.dropped += 1
            self._waiting.popleft()
        self.waiting = len(self._waiting)
