"""The consumer: what the boxes send, committed, then acknowledged, then receipted.

Run it in a process of its own: paho waits with select(), and with its socket's number at 1024 or
above it hangs for ever without an error, which a web process with many viewers reaches.
"""

import logging
import queue
import random
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from central.errors import StoreUnavailableError
from central.ingest.duties import SOURCE, Duties
from central.ingest.uplink import Delivery, Phase, Uplink, UplinkSettings, Will
from central.ports import Committed, Dispatcher, Inbox, Lease, Pursuer
from protocol.clock import Clock
from protocol.codec import encode
from protocol.ids import uuid7
from protocol.messages import (
    EpochData,
    EpochMessage,
    ReceiptData,
    ReceiptMessage,
)
from protocol.topics import EPOCH, BoxTopic, Leaf

log = logging.getLogger(__name__)

_NS = 1_000_000_000

#: What a box has waited for so long it has sent, and will have receipted, again.
_RECEIPT_EXPIRES_S = 300.0


@dataclass(frozen=True, slots=True)
class ConsumerSettings:
    """How the consumer works. Both waits double from their first to their cap, spread by half."""

    uplink: UplinkSettings
    batch_size: int = 1000
    queue_size: int = 4096
    reconnect_first_s: float = 0.2
    reconnect_cap_s: float = 5.0
    store_first_s: float = 0.2
    store_cap_s: float = 5.0
    ready_within_s: float = 15.0
    pursue_every_s: float = 10.0
    dispatch_every_s: float = 1.0
    lease_every_s: float = 5.0


@dataclass(frozen=True, slots=True)
class ConsumerStatus:
    """The consumer for the health page.

    ``overflowed`` messages found the queue full; ``refused`` ones the inbox raised an unexpected
    error for. Neither is lost: they have no receipt, so their boxes keep and repeat them.
    ``resends`` were asked of boxes. ``queued`` wait to be stored. ``leads``: it reads what boxes
    say of themselves.
    """

    connected: bool = False
    error: str = ""
    received: int = 0
    committed: int = 0
    receipted: int = 0
    overflowed: int = 0
    refused: int = 0
    resends: int = 0
    queued: int = 0
    committed_at: datetime | None = None
    leads: bool = False


class Consumer:
    """Takes messages from the broker to the inbox, for ever, and tells the boxes what is stored.

    A batch is what has come while the one before was committed, at most ``batch_size``: a lone
    alert waits for nobody, a storm shares its commits. Only after the commit is a message
    acknowledged and receipted (protocol I3). While the store is away the batch is kept and tried
    again, and nothing is acknowledged.

    The queue holds ``queue_size`` messages. Overflow: the newest is dropped, unacknowledged and
    counted; once the queue is empty again the consumer connects anew under a new epoch, so that
    every box sends again at once what it still has.

    Between two batches it asks boxes for what ``pursuer`` says is missing (protocol I12), and gives
    them the commands of ``dispatcher`` (protocol I20).

    One of several has a ``lease``: while it holds it, and only then, it reads what boxes say of
    themselves, asks for what is missing and gives commands (protocol I15). One that is alone has
    none and does all.
    """

    def __init__(
        self,
        settings: ConsumerSettings,
        inbox: Inbox,
        clock: Clock,
        pursuer: Pursuer | None = None,
        lease: Lease | None = None,
        dispatcher: Dispatcher | None = None,
    ) -> None:
        self._settings = settings
        self._inbox = inbox
        self._clock = clock
        self._duties = Duties(
            clock,
            pursuer,
            lease,
            dispatcher,
            lease_every_s=settings.lease_every_s,
            pursue_every_s=settings.pursue_every_s,
            dispatch_every_s=settings.dispatch_every_s,
        )
        self._queue: queue.Queue[Delivery | None] = queue.Queue(settings.queue_size)
        self._closing = threading.Event()
        self._overflowed = threading.Event()
        self._status = ConsumerStatus()
        self._overflow_count = 0
        self._receive_count = 0
        self._uplink: Uplink | None = None
        self._greeted = False
        self._ever_greeted = False
        self._failures = 0
        self._retry_at_ns = 0
        self._give_up_at_ns = 0
        self._turned_ns = clock.monotonic_ns()

    def run(self) -> None:
        """Work until :meth:`close`; raises nothing."""
        while not self._closing.is_set():
            self._turned_ns = self._clock.monotonic_ns()
            try:
                self._supervise()
                batch = self._collect()
                if batch:
                    self._store(batch)
                if self._uplink is not None and self._greeted:
                    self._duties.attend(self._uplink)
            except Exception:
                log.exception("consumer.turn_failed")
                self._closing.wait(1.0)
        if self._uplink is not None:
            self._uplink.close(for_good=True)
            self._uplink = None
        self._duties.leave()
        self._status = replace(self._status, connected=False)

    def close(self) -> None:
        """Let :meth:`run` end after the batch in hand; from any thread or a signal; idempotent.

        What is queued and not committed stays with the broker and with the boxes.
        """
        self._closing.set()
        self._nudge()

    def status(self) -> ConsumerStatus:
        """Return the counters; from any thread."""
        return replace(
            self._status,
            received=self._receive_count,
            overflowed=self._overflow_count,
            queued=self._queue.qsize(),
            resends=self._duties.resends,
            leads=self._duties.leads,
        )

    def turn_s(self) -> float:
        """Return how long the present turn of :meth:`run`, or try to store, takes; from any thread.

        One in which nothing comes takes a minute at most.
        """
        return (self._clock.monotonic_ns() - self._turned_ns) / _NS

    # -- the connection ---------------------------------------------------------------------------

    def _supervise(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._uplink is None:
            if now_ns >= self._retry_at_ns:
                self._connect(now_ns)
            return
        phase = self._uplink.phase
        if phase is Phase.DOWN:
            self._drop(self._uplink.reason)
        elif phase is Phase.OPENING:
            if now_ns >= self._give_up_at_ns:
                self._drop("the broker does not answer")
        elif not self._greeted:
            self._greet(self._uplink)
        elif self._overflowed.is_set() and self._queue.empty():
            self._drop("the queue had overflowed")

    def _connect(self, now_ns: int) -> None:
        self._give_up_at_ns = now_ns + round(self._settings.ready_within_s * _NS)
        self._greeted = False
        self._duties.connected_anew()
        settings = self._settings.uplink
        # What one of several was given and did not store, the boxes send to the others: I16.
        will = Will(EPOCH, self._new_epoch()) if settings.share else None
        self._uplink = Uplink(settings, self._clock, self._deliver, self._nudge, will)
        self._uplink.open()

    def _new_epoch(self) -> bytes:
        now = self._clock.now()
        data = EpochData(epoch=uuid7(now))
        return encode(EpochMessage(id=uuid7(now), source=SOURCE, time=now, data=data))

    def _drop(self, reason: str) -> None:
        assert self._uplink is not None
        self._uplink.close()
        self._uplink = None
        # Whatever overflowed came over the connection that is gone: the next one brings it again.
        self._overflowed.clear()
        self._failures += 1
        wait_s = _spread(
            self._failures, self._settings.reconnect_first_s, self._settings.reconnect_cap_s
        )
        self._retry_at_ns = self._clock.monotonic_ns() + round(wait_s * _NS)
        if self._greeted or reason != self._status.error:
            log.warning("consumer.down", extra={"reason": reason, "retry_s": round(wait_s, 1)})
        self._greeted = False
        self._status = replace(self._status, connected=False, error=reason)

    def _greet(self, uplink: Uplink) -> None:
        """Begin on a new connection.

        A new epoch at the process's start, and whenever the broker had lost our session and with it
        what was queued for us: either way boxes may have sent what never came here.
        """
        is_known = self._ever_greeted and uplink.session_present
        if not is_known and not uplink.publish(EPOCH, self._new_epoch(), retain=True):
            return  # going down; the next connection says it
        self._greeted = self._ever_greeted = True
        self._failures = 0
        self._status = replace(self._status, connected=True, error="")
        log.info("consumer.up", extra={"session_present": uplink.session_present})

    def _idle_s(self) -> float:
        """Return how long the connection needs no attention unless it says so."""
        if self._uplink is None:
            until_ns = self._retry_at_ns
        elif not self._greeted:
            until_ns = self._give_up_at_ns
        elif self._overflowed.is_set():
            return 0.05
        else:
            in_a_minute_ns = self._clock.monotonic_ns() + 60 * _NS
            until_ns = min(self._duties.deadlines_ns(), default=in_a_minute_ns)
        return min(max(until_ns - self._clock.monotonic_ns(), 0) / _NS, 60.0)

    # -- in paho's thread -------------------------------------------------------------------------

    def _deliver(self, delivery: Delivery) -> None:
        self._receive_count += 1
        try:
            self._queue.put_nowait(delivery)
        except queue.Full:
            self._overflow_count += 1
            self._overflowed.set()

    def _nudge(self) -> None:
        """Wake the main loop; a full queue keeps it awake anyway."""
        if not self._queue.full():
            try:
                self._queue.put_nowait(None)
            except queue.Full:
                return

    # -- the batch --------------------------------------------------------------------------------

    def _collect(self) -> list[Delivery]:
        """Return what is queued, at most a batch; wait for the first."""
        batch: list[Delivery] = []
        try:
            item = self._queue.get(timeout=max(self._idle_s(), 0.001))
            while True:
                if item is not None:
                    batch.append(item)
                if len(batch) == self._settings.batch_size:
                    break
                item = self._queue.get_nowait()
        except queue.Empty:
            return batch
        return batch

    def _store(self, batch: Sequence[Delivery]) -> None:
        """Commit a batch, however long that takes, then acknowledge and receipt it."""
        failures = 0
        while not self._closing.is_set():
            self._turned_ns = self._clock.monotonic_ns()
            try:
                committed = self._inbox.commit([delivery.received for delivery in batch])
            except StoreUnavailableError as error:
                failures += 1
                wait_s = _spread(failures, self._settings.store_first_s, self._settings.store_cap_s)
                log.warning(
                    "consumer.store_unavailable",
                    extra={"error": str(error), "batch": len(batch), "retry_s": round(wait_s, 1)},
                )
                self._closing.wait(wait_s)
                self._supervise()
            except Exception as error:  # noqa: BLE001 - _isolate logs it, and the loop goes on
                self._isolate(batch, error)
                return
            else:
                self._status = replace(
                    self._status,
                    committed=self._status.committed + len(batch),
                    committed_at=self._clock.now(),
                )
                self._finish(batch, committed)
                return

    def _isolate(self, batch: Sequence[Delivery], error: Exception) -> None:
        """Let one message that breaks the inbox not stop the others.

        It is acknowledged, or it would fill the broker's window for ever, but not receipted: its
        box keeps it and sends it again, to a mended centre one day.
        """
        if len(batch) > 1:
            for delivery in batch:
                self._store([delivery])
            return
        topic = batch[0].received.topic
        log.error("consumer.refused", extra={"topic": topic}, exc_info=error)
        self._status = replace(self._status, refused=self._status.refused + 1)
        self._finish(batch, ())

    def _finish(self, batch: Sequence[Delivery], committed: Sequence[Committed]) -> None:
        uplink = self._uplink
        if uplink is None:
            return
        for delivery in batch:
            uplink.acknowledge(delivery)
        receipted = sum(
            len(receipt.sequences) * self._receipt(uplink, receipt)
            for receipt in committed
            if receipt.sequences
        )
        self._status = replace(self._status, receipted=self._status.receipted + receipted)

    def _receipt(self, uplink: Uplink, receipt: Committed) -> bool:
        now = self._clock.now()
        message = ReceiptMessage(
            id=uuid7(now),
            source=SOURCE,
            time=now,
            data=ReceiptData(outbox_id=receipt.outbox_id, sequences=receipt.sequences),
        )
        topic = BoxTopic(receipt.region_code, receipt.box_id, Leaf.RECEIPT)
        return uplink.publish(str(topic), encode(message), expires_s=_RECEIPT_EXPIRES_S)


def _spread(failures: int, first_s: float, cap_s: float) -> float:
    exact = min(first_s * 2.0 ** min(failures - 1, 30), cap_s)
    return exact * (0.5 + random.random())  # noqa: S311 - jitter, not a secret
