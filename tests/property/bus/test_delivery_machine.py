"""Outbox, window, net, centre and receipts against a model: nothing lost, nothing doubled.

The net drops and repeats at will, the box and the centre crash at will, and the centre is set back
to an older copy of its database; protocol I2 to I5, I12.
"""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.bus.outbox import Outbox
from edge.bus.window import Patience, Window
from edge.ports import Occurrence
from protocol.clock import FakeClock
from protocol.codec import decode
from protocol.messages import AlertMessage, AlertOp
from tests.support.desk_box import occurrence, open_desk

PATIENCE = Patience(size=4, live_share=1)


class Delivery(RuleBasedStateMachine):
    """A box that reports, a net without promises, a centre that commits and receipts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock(datetime(2026, 11, 22, tzinfo=UTC))
        self.path = Path(self.folder.name) / "box.sqlite3"
        self.box = open_desk(self.path, self.clock)
        self.window = Window(PATIENCE)
        self.up: list[bytes] = []  # on the way to the centre
        self.down: list[int] = []  # receipts on the way to the box
        self.stored: dict[int, str] = {}  # the centre's database: sequence to event id
        self.lost: set[int] = set()  # what the centre had receipted before it was set back
        self.gone: set[int] = set()  # of that, what the box did not keep until it was asked
        self.reported = 0

    @property
    def outbox(self) -> Outbox:
        return self.box.outbox

    def _report(self, op: AlertOp) -> None:
        event: Occurrence = occurrence(op, at=self.clock.now())
        before = len(self.box.commits)
        self.box.desk.report(event)
        self.reported += len(self.box.commits) - before

    @rule(op=st.sampled_from([AlertOp.START, AlertOp.END]))
    def box_reports(self, op: AlertOp) -> None:
        self._report(op)

    @rule(seconds=st.sampled_from([0.1, 9.0, 70.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def box_sends(self) -> None:
        self._send()

    def _send(self) -> None:
        waiting = self.outbox.waiting(self.window.reach)
        chosen = self.window.take(waiting, self.clock.monotonic_ns())
        self.up += [parcel.payload for parcel in self.outbox.parcels(chosen)]

    @precondition(lambda self: self.up)
    @rule(data=st.data(), repeat=st.booleans())
    def centre_receives(self, data: st.DataObject, *, repeat: bool) -> None:
        """Commit one message, in any order, perhaps twice; receipt it each time."""
        index = data.draw(st.integers(0, len(self.up) - 1))
        payload = self.up[index] if repeat else self.up.pop(index)
        message = decode(payload)
        assert isinstance(message, AlertMessage)
        self.stored.setdefault(message.sequence, str(message.id))
        assert self.stored[message.sequence] == str(message.id)
        self.lost.discard(message.sequence)
        self.down.append(message.sequence)

    @precondition(lambda self: self.down)
    @rule(data=st.data(), repeat=st.booleans())
    def box_hears(self, data: st.DataObject, *, repeat: bool) -> None:
        index = data.draw(st.integers(0, len(self.down) - 1))
        sequence = self.down[index] if repeat else self.down.pop(index)
        self.outbox.receipted(self.window.receipted([sequence]))

    @rule()
    def net_drops_everything(self) -> None:
        self.up.clear()
        self.down.clear()

    @rule()
    def connection_is_new(self) -> None:
        self.window.reset()

    @rule()
    def centre_crashes(self) -> None:
        self.up.clear()
        self.window.hurry()

    @precondition(lambda self: self.stored)
    @rule(data=st.data())
    def centre_is_set_back(self, data: st.DataObject) -> None:
        to = data.draw(st.integers(0, max(self.stored)))
        self.lost |= {sequence for sequence in self.stored if sequence > to}
        self.stored = {number: event for number, event in self.stored.items() if number <= to}
        self._count_gone()

    @rule(first=st.integers(1, 30), more=st.integers(0, 30))
    def centre_asks_again(self, first: int, more: int) -> None:
        """Whether anything is missing there or not."""
        outbox_id = self.outbox.load().outbox_id
        if outbox_id is not None:
            self.outbox.reopen(outbox_id, first, first + more)

    def _count_gone(self) -> None:
        kept = {row["seq"] for row in self.box.rows("select seq from outbox")}
        self.gone |= self.lost - kept
        self.lost &= kept

    @rule()
    def box_crashes(self) -> None:
        self.box.database.close()
        self.box = open_desk(self.path, self.clock)
        self.window = Window(PATIENCE)

    @rule()
    def box_prunes(self) -> None:
        self.clock.advance(1)
        self.outbox.prune(timedelta(0))
        self._count_gone()

    @rule()
    def all_is_well_for_a_while(self) -> None:
        self._drain()

    @invariant()
    def sequence_has_no_holes(self) -> None:
        assert self.outbox.load().last_sequence == self.reported

    @invariant()
    def what_is_not_stored_waits(self) -> None:
        rows = self.box.rows("select seq from outbox where receipt_us is null")
        waiting = {row["seq"] for row in rows}
        missing = set(range(1, self.reported + 1)) - set(self.stored)
        assert missing - self.lost - self.gone <= waiting

    @invariant()
    def window_is_bounded(self) -> None:
        assert len(self.window.under_way) <= PATIENCE.size

    def _drain(self) -> None:
        """Let everything arrive, as it does within the window's patience on a mended net."""
        for _ in range(3 * self.reported + 3):
            self.clock.advance(301)
            for sequence in self.lost:
                self.centre_asks_again(sequence, 0)
            self._send()
            for payload in self.up:
                message = decode(payload)
                assert isinstance(message, AlertMessage)
                self.stored.setdefault(message.sequence, str(message.id))
                self.lost.discard(message.sequence)
                self.outbox.receipted(self.window.receipted([message.sequence]))
            self.up.clear()
        there = set(self.stored)
        # What is still under way from before it was set back may come though its box let it go.
        assert there | self.gone == set(range(1, self.reported + 1))
        assert self.lost == set()
        assert self.outbox.load().rows == 0

    def teardown(self) -> None:
        """With the net mended, nothing is missing."""
        self._drain()
        self.box.database.close()
        self.folder.cleanup()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
