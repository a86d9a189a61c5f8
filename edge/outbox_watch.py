"""Watches how full the outbox is: an alert before it is full, and what found no room told after."""

import logging
import threading

from edge.alerts.desk import Desk
from edge.box_alert import BoxAlert
from edge.bus.limits import is_filling
from edge.bus.outbox import Outbox
from edge.errors import StorageError
from edge.faultlog import FaultLog
from protocol.clock import Clock
from protocol.messages import AlertKind

log = logging.getLogger(__name__)

_EVERY_S = 10.0


class OutboxWatch:
    """Looks every 10 s in a thread of its own (alert I11). Nothing it does waits for the line."""

    def __init__(self, outbox: Outbox, desk: Desk, clock: Clock) -> None:
        self._outbox = outbox
        self._desk = desk
        self._alert = BoxAlert(AlertKind.OUTBOX, desk, clock)
        self._faults = FaultLog(log, clock)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="outbox-watch", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop and wait; call it once, after :meth:`start`."""
        self._closing.set()
        self._thread.join()

    def look(self) -> None:
        """Begin or end the alert, and tell what found no room. Raises StorageError."""
        load, stands = self._outbox.load(), self._alert.stands()
        is_due = is_filling(load.full, was_filling=stands)
        if is_due and not stands:
            log.warning("outbox.filling", extra={"rows": load.rows, "full": round(load.full, 2)})
            self._alert.begin()
        elif stands and not is_due:
            self._alert.end()
        if load.untold:
            told = self._desk.tell_untold()
            log.info("outbox.untold", extra={"waited": load.untold, "told": told})

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.look()
            except StorageError as error:
                self._faults.report("outbox.unwatched", str(error), {})
            except Exception as error:  # noqa: BLE001 - logged; the next look may do
                self._faults.bug("outbox.watch_failed", error, {})
            self._closing.wait(_EVERY_S)
