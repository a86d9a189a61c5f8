"""What the centre says to the box over the bus, and what is done about it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from edge.bus.backoff import Spacing
from edge.bus.herald import Herald
from edge.bus.link import Incoming
from edge.bus.meter import LineMeter
from edge.bus.outbox import Outbox
from edge.bus.window import Window
from edge.errors import StorageError
from edge.faultlog import FaultLog
from edge.ports import CommandTaker
from protocol.clock import Clock
from protocol.codec import BadMessageError, decode
from protocol.messages import (
    CommandMessage,
    EpochMessage,
    ReceiptData,
    ReceiptMessage,
    ResendData,
    ResendMessage,
)
from protocol.topics import EPOCH

log = logging.getLogger(__name__)

_NS = 1_000_000_000
_SETTLE_AGAIN_S = 1.0


@dataclass(slots=True)
class Heard:
    """Counts what was heard; see BusStatus."""

    receipted: int = 0
    stray_receipts: int = 0
    commands: int = 0
    reopened: int = 0
    bad_messages: int = 0


class Hearing:
    """Takes receipts, commands and epochs; the bus's thread alone uses it.

    A receipt is heard first and written down after, for the disk may refuse; in between its row is
    under way, but neither owed nor sent again. ``epoch_gap_s`` bounds how often a new epoch makes
    the box send again. ``commands`` is told of what the centre has the box do.
    """

    def __init__(
        self,
        herald: Herald,
        outbox: Outbox,
        window: Window,
        meter: LineMeter,
        clock: Clock,
        *,
        epoch_gap_s: float,
    ) -> None:
        self._herald = herald
        self._outbox = outbox
        self._window = window
        self._meter = meter
        self._faults = FaultLog(log, clock)
        self._epoch: UUID | None = None
        self._anew = Spacing(epoch_gap_s)
        self._receipts: set[int] = set()
        self._settle_at_ns = 0
        self.commands: CommandTaker | None = None
        self.counters = Heard()
        #: When a receipt was last heard, or first awaited.
        self.heard_at_ns = 0
        #: Whether the centre said anything yet: what a broker had kept for us is not said now.
        self.has_heard = False

    @property
    def owed(self) -> frozenset[int]:
        """What is under way and has no receipt yet."""
        return self._window.under_way - self._receipts

    def has_receipt(self, sequence: int) -> bool:
        """Return whether a row's receipt was heard and is not written down yet."""
        return sequence in self._receipts

    def is_to_begin_anew(self, now_ns: int) -> bool:
        """Return whether all that waits is to be sent again now, for there is a new epoch; once."""
        return self._anew.take(now_ns)

    def deadlines_ns(self) -> Iterator[int]:
        """Yield when there is something to do unless something is heard before."""
        if self._receipts:
            yield self._settle_at_ns
        if self._anew.due_ns is not None:
            yield self._anew.due_ns

    def take(self, incoming: Incoming, now_ns: int) -> None:
        """Take a message; what is not for this box, or none, is counted and left."""
        try:
            message = decode(incoming.payload)
        except BadMessageError as error:
            self.counters.bad_messages += 1
            log.warning("bus.bad_message", extra={"topic": incoming.topic, "error": str(error)})
            return
        if isinstance(message, ReceiptMessage) and incoming.topic == self._herald.receipt_topic:
            self.heard_at_ns = now_ns
            self.has_heard = True
            self._take_receipts(message.data)
        elif isinstance(message, ResendMessage) and self._is_for_us(incoming):
            self.has_heard = True
            self._resend(message.data)
        elif isinstance(message, CommandMessage) and self._is_for_us(incoming):
            self.has_heard = True
            self._have_done(message)
        elif isinstance(message, EpochMessage) and incoming.topic == EPOCH:
            self.has_heard |= not incoming.retained
            self._take_epoch(message.data.epoch, now_ns, retained=incoming.retained)
        else:
            self.counters.bad_messages += 1

    def settle(self, now_ns: int) -> None:
        """Write down what has its receipt; what the disk refuses stays under way, unsent."""
        if not self._receipts or now_ns < self._settle_at_ns:
            return
        try:
            self.counters.receipted += self._outbox.receipted(sorted(self._receipts))
        except StorageError as error:
            self._faults.report("bus.receipts_unwritten", str(error), {})
            self._settle_at_ns = now_ns + round(_SETTLE_AGAIN_S * _NS)
            return
        self._window.receipted(self._receipts)
        self._receipts.clear()

    def _take_receipts(self, receipt: ReceiptData) -> None:
        # One for another outbox, of before a rescue or of a box that was cloned, is none of ours.
        is_ours = self._outbox.is_called(receipt.outbox_id)
        ours = self._window.ours(receipt.sequences) if is_ours else set()
        self._meter.receipted(ours)
        self.counters.stray_receipts += len(receipt.sequences) - len(ours)
        self._receipts |= ours
        self._settle_at_ns = 0

    def _is_for_us(self, incoming: Incoming) -> bool:
        """Return whether a command is ours and of now: a retained one was given to somebody."""
        return incoming.topic == self._herald.command_topic and not incoming.retained

    def _have_done(self, command: CommandMessage) -> None:
        """Have a command done; the centre gives it again where the disk refuses for now."""
        self.counters.commands += 1
        if self.commands is None:
            return
        try:
            self.commands.hear(command)
        except StorageError as error:
            self._faults.report("bus.command_undone", str(error), {})

    def _resend(self, command: ResendData) -> None:
        """Send again what the centre misses; it asks again where the disk refuses for now."""
        self.counters.commands += 1
        try:
            reopened = self._outbox.reopen(command.outbox_id, command.first, command.last)
        except StorageError as error:
            self._faults.report("bus.command_undone", str(error), {})
            return
        self.counters.reopened += reopened or 0
        asked = {"first": command.first, "last": command.last, "reopened": reopened}
        log.info("bus.resend_asked", extra=asked)

    def _take_epoch(self, epoch: UUID, now_ns: int, *, retained: bool) -> None:
        known, self._epoch = self._epoch, epoch
        # The first epoch that was there before us is no news: all of ours is sent after it.
        if epoch != known and not (known is None and retained):
            log.info("bus.epoch_changed")
            self._anew.ask(now_ns)
