"""Outbox, window, net and the real centre: at the end both ledgers are equal.

The net drops and repeats at will, the box and the centre crash at will; protocol I2 to I5 and I9.
The centre is the real inbox over SQLite: what it commits, what it receipts, what it can prove.
"""

import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule
from sqlalchemy import URL, select

from central.auth.tokens import hash_token
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, BoxEvent, BoxOutbox, Quarantine, Region
from central.ingest.inbox import DatabaseInbox
from central.ports import Received
from edge.bus.herald import Herald, Line
from edge.bus.outbox import Parcel
from protocol.clock import FakeClock
from protocol.topics import BoxTopic, Leaf
from tests.support.box_machine import BEGAN, BoxBehindABadNet
from tests.support.desk_box import BOOT, BOX, REGION, TOKEN, StillVitals
from tests.support.xiacun import DEADLINES


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


class Ledgers(BoxBehindABadNet):
    """The centre is the real one; ``up`` is what it receives, ``down`` outboxes and sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.herald = Herald(
            self.box.config.box, self.clock, boot_id=BOOT, software="test", started_at=BEGAN
        )
        _, template = centre_template()
        self.centre_path = Path(shutil.copy(template, self.folder.name))
        self.centre = opened(self.centre_path)

    def message_of(self, parcel: Parcel) -> Received:
        leaf = Leaf.EVENT if parcel.is_live else Leaf.HISTORICAL
        return Received(str(BoxTopic(REGION, BOX, leaf)), parcel.payload, self.clock.now())

    def hear(self, receipt: tuple[UUID, int]) -> None:
        outbox_id, sequence = receipt
        assert self.outbox.is_called(outbox_id)
        self.outbox.receipted(self.window.receipted([sequence]))

    def stored_sequences(self) -> set[int]:
        return set(self._stored())

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

    @rule()
    def centre_crashes(self) -> None:
        """What it had committed stays; what it had received and not committed is gone."""
        super().centre_crashes()
        self.centre.close()
        self.centre = opened(self.centre_path)

    @invariant()
    def centre_has_what_the_box_sent_and_nothing_else(self) -> None:
        for sequence, digest in self._stored().items():
            assert digest == sha256(self.reported[sequence - 1]).hexdigest()

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

    def drain(self) -> None:
        for _ in range(len(self.reported) + 3):
            if not self.outbox.load().rows:
                break
            self.clock.advance(301)
            self.send()
            if self.up:
                self._commit(self.up)
            self.up.clear()
            for receipt in self.down:
                self.hear(receipt)
            self.down.clear()
        assert self.outbox.load().rows == 0
        digests = [sha256(message).hexdigest() for message in self.reported]
        assert self._stored() == dict(enumerate(digests, start=1))
        proof = self._proof()
        assert (0 if proof is None else proof.complete_to) == len(self.reported)

    def teardown(self) -> None:
        """With the net mended, both ledgers are equal."""
        self.drain()
        self.centre.close()
        super().teardown()


TestLedgers = Ledgers.TestCase
TestLedgers.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
