"""A consumer's pulse: it is written down while it works, and its process ends when it does not."""

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from central.db.engine import Database
from central.db.models import ConsumerPulse
from central.errors import StoreUnavailableError
from central.ingest.consumer import Consumer, ConsumerStatus
from protocol.clock import Clock
from protocol.notify import ServiceNotifier

log = logging.getLogger(__name__)

#: How often a consumer is looked at, and what it says of itself written down.
EVERY_S = 5.0
#: A turn that takes longer hangs: idle ones take 60 s at most, a commit a fraction of a second.
HUNG_AFTER_S = 150.0
#: The exit status where the consumer no longer works (EX_SOFTWARE of sysexits.h).
FAILED = 70


class PulseBook:
    """Writes one consumer's pulse into the database, in a thread of its own.

    A database that hangs keeps this thread, and not who watches the consumer.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        name: str,
        status: Callable[[], ConsumerStatus],
        every_s: float = EVERY_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self._name = name
        self._status = status
        self._every_s = every_s
        self._started_at = clock.now()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """Take the row away, as the consumer goes in order; wait for that a few seconds."""
        self._closing.set()
        self._thread.join(EVERY_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            self._try(self._beat)
            self._closing.wait(self._every_s)
        self._try(self._go)

    @staticmethod
    def _try(write: Callable[[], None]) -> None:
        try:
            write()
        except StoreUnavailableError as error:
            log.warning("pulse.unwritten", extra={"error": str(error)})
        except Exception:
            log.exception("pulse.failed")

    def _beat(self) -> None:
        with self._database.write() as session:
            write_pulse(session, self._name, self._started_at, self._status(), self._clock.now())

    def _go(self) -> None:
        with self._database.write() as session:
            session.execute(delete(ConsumerPulse).where(ConsumerPulse.name == self._name))


def write_pulse(
    session: Session, name: str, started_at: datetime, status: ConsumerStatus, now: datetime
) -> None:
    """Write how a consumer is now, in the caller's transaction."""
    values: dict[str, Any] = {
        "name": name,
        "started_at": started_at,
        "seen_at": now,
        "connected": status.connected,
        "queued": status.queued,
        "received": status.received,
        "committed": status.committed,
        "committed_at": status.committed_at,
        "overflowed": status.overflowed,
        "refused": status.refused,
    }
    session.merge(ConsumerPulse(**values))


def stand_by(
    consumer: Consumer,
    stopping: threading.Event,
    notifier: ServiceNotifier,
    *,
    every_s: float = EVERY_S,
    hung_after_s: float = HUNG_AFTER_S,
    end: Callable[[int], None] = os._exit,
) -> bool:
    """Run a consumer until ``stopping`` is set; return whether it worked until then.

    Systemd's watchdog is fed while it does. Where its thread has ended, or a turn hangs, the
    process ends at once, for who supervises it to start another: nothing is lost, as what has no
    receipt is sent again (protocol I3).
    """
    worker = threading.Thread(target=consumer.run, name="consumer", daemon=True)
    worker.start()
    notifier.ready()
    while not stopping.wait(every_s):
        ailment = _ailment(worker, consumer.turn_s(), hung_after_s)
        if ailment:
            log.critical("consumer.failed", extra={"reason": ailment})
            end(FAILED)
            return False
        notifier.alive()
    notifier.stopping()
    consumer.close()
    worker.join()
    return True


def _ailment(worker: threading.Thread, turn_s: float, hung_after_s: float) -> str:
    if not worker.is_alive():
        return "its thread has ended"
    return f"a turn takes {turn_s:.0f} s" if turn_s > hung_after_s else ""
