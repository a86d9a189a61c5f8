"""Outbox, window, net, centre and receipts against a model: nothing lost, nothing doubled.

The net drops and repeats at will, the box and the centre crash at will, and the centre is set back
to an older copy of its database; protocol I2 to I5, I12.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from edge.bus.outbox import Parcel
from protocol.codec import decode
from protocol.messages import AlertMessage
from tests.support.box_machine import BoxBehindABadNet


class Delivery(BoxBehindABadNet):
    """The centre is a model that commits and receipts; ``up`` is bytes, ``down`` sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.stored: dict[int, str] = {}  # the centre's database: sequence to event id
        self.lost: set[int] = set()  # what the centre had receipted before it was set back
        self.gone: set[int] = set()  # of that, what the box did not keep until it was asked

    def message_of(self, parcel: Parcel) -> bytes:
        return parcel.payload

    def hear(self, receipt: int) -> None:
        self.outbox.receipted(self.window.receipted([receipt]))

    def stored_sequences(self) -> set[int]:
        return set(self.stored)

    def excused(self) -> set[int]:
        return self.lost | self.gone

    def _store(self, payload: bytes) -> int:
        """Commit a message at the centre, perhaps again; return its sequence."""
        message = decode(payload)
        assert isinstance(message, AlertMessage)
        self.stored.setdefault(message.sequence, str(message.id))
        assert self.stored[message.sequence] == str(message.id)
        self.lost.discard(message.sequence)
        return message.sequence

    @precondition(lambda self: self.up)
    @rule(data=st.data(), repeat=st.booleans())
    def centre_receives(self, data: st.DataObject, *, repeat: bool) -> None:
        """Commit one message, in any order, perhaps twice; receipt it each time."""
        index = data.draw(st.integers(0, len(self.up) - 1))
        self.down.append(self._store(self.up[index] if repeat else self.up.pop(index)))

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

    @rule()
    def box_prunes(self) -> None:
        super().box_prunes()
        self._count_gone()

    def _count_gone(self) -> None:
        kept = {row["seq"] for row in self.box.rows("select seq from outbox")}
        self.gone |= self.lost - kept
        self.lost &= kept

    def drain(self) -> None:
        for _ in range(3 * len(self.reported) + 3):
            self.clock.advance(301)
            for sequence in self.lost:
                self.centre_asks_again(sequence, 0)
            self.send()
            for payload in self.up:
                self.hear(self._store(payload))
            self.up.clear()
        there = set(self.stored)
        # What is still under way from before it was set back may come though its box let it go.
        assert there | self.gone == set(range(1, len(self.reported) + 1))
        assert self.lost == set()
        assert self.outbox.load().rows == 0


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
