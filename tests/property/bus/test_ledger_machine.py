"""Outbox, window, net and the real centre: at the end both ledgers are equal.

The net drops and repeats at will, the box and the centre crash at will; protocol I2 to I5 and I9.
The centre is the real inbox over SQLite: what it commits, what it receipts, what it can prove.
"""

import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import URL, select

from central.auth.tokens import hash_token
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, BoxEvent, BoxOutbox, Quarantine, Region
from central.ingest.inbox import DatabaseInbox
from central.ports import Received
from edge.bus.herald import Herald, Line
from edge.bus.outbox import Outbox
from edge.bus.window import Patience, Window
from edge.ports import Occurrence
from protocol.clock import FakeClock
from protocol.messages import AlertOp
from protocol.topics import BoxTopic, Leaf
from tests.support.desk_box import BOOT, BOX, REGION, TOKEN, StillVitals, occurrence, open_desk
from tests.support.xiacun import DEADLINES

PATIENCE = Patience(size=4, live_share=1)
BEGAN = datetime(2026, 11, 22, tzinfo=UTC)


@cache
def centre_template() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """Return a centre's database with one box entered, to be copied: migrating takes a while."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "central.db"
    database = opened(path)
    migrate(database, FakeClock(BEGAN))
    with database.write() as session:
        session.add(Region(code=REGION, name="老寨"))
        session.flush()
        session.add(
            Box(id=BOX, region_code=REGION, name="老寨主机", token_sha256=hash_token(TOKEN))
        )
    database.close()
    return folder, path


def opened(path: Path) -> Database:
    return Database(URL.create("sqlite", database=str(path)))


class Ledgers(RuleBasedStateMachine):
    """A box that reports, a net without promises, a centre that commits and receipts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = FakeClock(BEGAN)
        self.path = Path(self.folder.name) / "box.sqlite3"
        self.box = open_desk(self.path, self.clock)
        self.herald = Herald(
            self.box.config.box, self.clock, boot_id=BOOT, software="test", started_at=BEGAN
        )
        self.window = Window(PATIENCE)
        _, template = centre_template()
        self.centre_path = Path(shutil.copy(template, self.folder.name))
        self.centre = opened(self.centre_path)
        self.up: list[Received] = []  # on the way to the centre
        self.down: list[tuple[UUID, int]] = []  # receipts on the way to the box
        self.reported: list[str] = []  # the digests of the box's messages, by sequence

    @property
    def outbox(self) -> Outbox:
        return self.box.outbox

    def _report(self, op: AlertOp) -> None:
        event: Occurrence = occurrence(op, at=self.clock.now())
        before = len(self.box.commits)
        self.box.desk.report(event)
        if len(self.box.commits) > before:
            (row,) = self.box.rows("select payload from outbox order by seq desc limit 1")
            self.reported.append(sha256(row["payload"]).hexdigest())

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
        for parcel in self.outbox.parcels(chosen):
            leaf = Leaf.EVENT if parcel.is_live else Leaf.HISTORICAL
            topic = str(BoxTopic(REGION, BOX, leaf))
            self.up.append(Received(topic, parcel.payload, self.clock.now()))

    @rule()
    def box_beats(self) -> None:
        beat = self.herald.heartbeat(StillVitals().vitals(), Line(self.outbox.load(), 0))
        self.up.append(Received(beat.topic, beat.payload, self.clock.now()))

    @precondition(lambda self: self.up)
    @rule(data=st.data(), repeat=st.booleans())
    def centre_receives(self, data: st.DataObject, *, repeat: bool) -> None:
        """Commit some messages, in any order, perhaps twice; receipt them each time."""
        indices = st.lists(st.integers(0, len(self.up) - 1), min_size=1, max_size=6)
        chosen = data.draw(indices)
        self._commit([self.up[index] for index in chosen])
        if not repeat:
            self.up = [each for index, each in enumerate(self.up) if index not in chosen]

    def _commit(self, batch: Sequence[Received]) -> None:
        inbox = DatabaseInbox(self.centre, self.clock, DEADLINES)
        for receipt in inbox.commit(batch):
            assert (receipt.region_code, receipt.box_id) == (REGION, BOX)
            self.down += [(receipt.outbox_id, sequence) for sequence in receipt.sequences]

    @precondition(lambda self: self.down)
    @rule(data=st.data(), repeat=st.booleans())
    def box_hears(self, data: st.DataObject, *, repeat: bool) -> None:
        index = data.draw(st.integers(0, len(self.down) - 1))
        self._hear(self.down[index] if repeat else self.down.pop(index))

    def _hear(self, receipt: tuple[UUID, int]) -> None:
        outbox_id, sequence = receipt
        assert self.outbox.is_called(outbox_id)
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
        """What it had committed stays; what it had received and not committed is gone."""
        self.up.clear()
        self.centre.close()
        self.centre = opened(self.centre_path)
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
        self._drain()

    @invariant()
    def sequence_has_no_holes(self) -> None:
        assert self.outbox.load().last_sequence == len(self.reported)

    @invariant()
    def what_is_not_stored_waits(self) -> None:
        rows = self.box.rows("select seq from outbox where receipt_us is null")
        waiting = {row["seq"] for row in rows}
        assert set(range(1, len(self.reported) + 1)) - set(self._stored()) <= waiting

    @invariant()
    def window_is_bounded(self) -> None:
        assert len(self.window.under_way) <= PATIENCE.size

    @invariant()
    def centre_has_what_the_box_sent_and_nothing_else(self) -> None:
        for sequence, digest in self._stored().items():
            assert digest == self.reported[sequence - 1]

    @invariant()
    def centre_proves_what_it_has_and_no_more(self) -> None:
        stored, row = self._stored(), self._proof()
        if row is None:
            assert not stored
            return
        whole_to = 0
        while whole_to + 1 in stored:
            whole_to += 1
        assert (row.complete_to, row.broken_at) == (whole_to, None)
        assert row.received == len(stored)
        assert row.highest == max(stored, default=0)
        is_missing = whole_to < max(row.highest, row.told_last)
        assert (row.missing_since is not None) == is_missing

    def _stored(self) -> dict[int, str]:
        """Return the centre's ledger: sequence to the digest of the bytes that came."""
        with self.centre.read() as session:
            rows = session.execute(select(BoxEvent.sequence, BoxEvent.digest)).all()
            assert session.scalars(select(Quarantine)).all() == []
        stored = dict(rows)
        assert len(stored) == len(rows)
        return stored

    def _proof(self) -> BoxOutbox | None:
        with self.centre.read() as session:
            return session.scalars(select(BoxOutbox)).one_or_none()

    def _drain(self) -> None:
        """Let everything arrive, as it does within the window's patience on a mended net."""
        for _ in range(len(self.reported) + 3):
            if not self.outbox.load().rows:
                break
            self.clock.advance(301)
            self._send()
            if self.up:
                self._commit(self.up)
            self.up.clear()
            for receipt in self.down:
                self._hear(receipt)
            self.down.clear()
        assert self.outbox.load().rows == 0
        assert self._stored() == dict(enumerate(self.reported, start=1))
        proof = self._proof()
        assert (0 if proof is None else proof.complete_to) == len(self.reported)

    def teardown(self) -> None:
        """With the net mended, both ledgers are equal."""
        self._drain()
        self.box.database.close()
        self.centre.close()
        self.folder.cleanup()


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
