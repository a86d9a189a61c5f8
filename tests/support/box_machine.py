"""A box's outbox and window behind a bad net, as the base of state machines with a centre."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.bus.outbox import Outbox, Parcel
from edge.bus.window import Patience, Window
from protocol.clock import FakeClock
from protocol.messages import AlertOp
from tests.support.desk_box import occurrence, open_desk

PATIENCE = Patience(size=4, live_share=1)
BEGAN = datetime(2026, 11, 22, tzinfo=UTC)


class BoxBehindABadNet(RuleBasedStateMachine):
    """A box that reports, prunes and crashes at will; a net that drops and repeats at will.

    The centre is the subclass's: what it makes of what is in ``up``, what it puts into ``down``,
    which sequences it has (``stored_sequences``), and that all of it arrives in the end (``drain``,
    which runs at the end of every example too).
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock(BEGAN)
        self.path = Path(self.folder.name) / "box.sqlite3"
        self.box = open_desk(self.path, self.clock)
        self.window = Window(PATIENCE)
        self.up: list[Any] = []  # on the way to the centre
        self.down: list[Any] = []  # receipts on the way to the box
        self.reported: list[bytes] = []  # the box's messages, by sequence

    @property
    def outbox(self) -> Outbox:
        return self.box.outbox

    def message_of(self, parcel: Parcel) -> Any:
        """Return what goes up for a parcel."""
        raise NotImplementedError

    def hear(self, receipt: Any) -> None:
        """Take a receipt in at the box."""
        raise NotImplementedError

    def stored_sequences(self) -> set[int]:
        """Return what the centre has."""
        raise NotImplementedError

    def excused(self) -> set[int]:
        """Return sequences that need neither wait nor be stored."""
        return set()

    def drain(self) -> None:
        """Let everything arrive, as it does within the window's patience on a mended net."""
        raise NotImplementedError

    def send(self) -> None:
        """Send what the window lets go now."""
        waiting = self.outbox.waiting(self.window.reach)
        chosen = self.window.take(waiting, self.clock.monotonic_ns())
        self.up += [self.message_of(parcel) for parcel in self.outbox.parcels(chosen)]

    @rule(op=st.sampled_from([AlertOp.START, AlertOp.END]))
    def box_reports(self, op: AlertOp) -> None:
        before = len(self.box.commits)
        self.box.desk.report(occurrence(op, at=self.clock.now()))
        if len(self.box.commits) > before:
            (row,) = self.box.rows("select payload from outbox order by seq desc limit 1")
            self.reported.append(row["payload"])

    @rule(seconds=st.sampled_from([0.1, 9.0, 70.0, 400.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule()
    def box_sends(self) -> None:
        self.send()

    @precondition(lambda self: self.down)
    @rule(data=st.data(), repeat=st.booleans())
    def box_hears(self, data: st.DataObject, *, repeat: bool) -> None:
        index = data.draw(st.integers(0, len(self.down) - 1))
        self.hear(self.down[index] if repeat else self.down.pop(index))

    @rule()
    def net_drops_everything(self) -> None:
        self.up.clear()
        self.down.clear()

    @rule()
    def connection_is_new(self) -> None:
        self.window.reset()

    @rule()
    def centre_crashes(self) -> None:
        """What it had received and not committed is gone."""
        self.up.clear()
        self.window.hurry()

    @rule()
    def box_crashes(self) -> None:
        self.box.database.close()
        self.box = open_desk(self.path, self.clock)
        self.window = Window(PATIENCE)

    @rule()
    def box_prunes(self) -> None:
        self.clock.advance(1)
        self.outbox.prune(timedelta(0))

    @rule()
    def all_is_well_for_a_while(self) -> None:
        self.drain()

    @invariant()
    def sequence_has_no_holes(self) -> None:
        assert self.outbox.load().last_sequence == len(self.reported)

    @invariant()
    def what_is_not_stored_waits(self) -> None:
        rows = self.box.rows("select seq from outbox where receipt_us is null")
        waiting = {row["seq"] for row in rows}
        missing = set(range(1, len(self.reported) + 1)) - self.stored_sequences()
        assert missing - self.excused() <= waiting

    @invariant()
    def window_is_bounded(self) -> None:
        assert len(self.window.under_way) <= PATIENCE.size

    def teardown(self) -> None:
        """With the net mended, everything is there."""
        self.drain()
        self.box.database.close()
        self.folder.cleanup()
