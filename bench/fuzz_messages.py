"""Mutated messages against the centre's inbox: none may hurt the others, or be said to be kept.

Each damaged message is committed between two sound ones, as a batch has them. The inbox must not
raise; the sound ones must be stored and receipted; and a place is receipted only where exactly
these bytes are kept for it, as an event or in quarantine (protocol I3).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID

from sqlalchemy import URL, select

from central.auth.tokens import hash_token
from central.config import DeadlinesSection
from central.db.engine import Database
from central.db.migrate import migrate
from central.db.models import Box, BoxEvent, Quarantine, Region
from central.ingest.inbox import DatabaseInbox
from central.ingest.parse import Place, Refused, understand
from central.ports import Received
from protocol.clock import SystemClock
from protocol.codec import BadMessageError, encode
from protocol.ids import uuid7
from protocol.messages import (
    AlertData,
    AlertKind,
    AlertLevel,
    AlertMessage,
    AlertOp,
    AnyMessage,
    CameraState,
    HeartbeatData,
    HeartbeatMessage,
    StateData,
    StateMessage,
    StreamState,
    gb_code,
    gb_priority,
    source_of_box,
)
from protocol.topics import BoxTopic, Leaf

_REGION = "532324001002"
_BOX = "xiacun-1"
_AT = datetime(2026, 1, 1, tzinfo=UTC)
_SOUND = UUID("01940000-0000-7000-8000-000000000001")
_DAMAGED = UUID("01940000-0000-7000-8000-000000000002")
_LEAVES = {b".state.": Leaf.STATE, b".heartbeat.": Leaf.HEARTBEAT}


@dataclass(slots=True)
class Ingest:
    """An inbox on a database of its own below ``folder``, and what it must do: a fuzz reader."""

    folder: Path
    _database: Database = field(init=False)
    _inbox: DatabaseInbox = field(init=False)
    _last: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._database = Database(URL.create("sqlite", database=str(self.folder / "centre.db")))
        clock = SystemClock()
        migrate(self._database, clock)
        with self._database.write() as session:
            session.add(Region(code=_REGION, name="下村"))
            session.flush()
            token = hash_token("nobody signs in with it")
            session.add(Box(id=_BOX, region_code=_REGION, name="下村主机", token_sha256=token))
        self._inbox = DatabaseInbox(self._database, clock, DeadlinesSection().deadlines())

    def close(self) -> None:
        """Close the database; may be called again."""
        self._database.close()

    def __call__(self, payload: bytes) -> None:
        """Take one message. Raises BadMessageError where it was set aside, as it may be.

        Raises AssertionError where a promise was broken.
        """
        damaged = _received(payload, _leaf(payload))
        sound = [_received(encode(_alert(_SOUND, self._last + by)), Leaf.EVENT) for by in (1, 2)]
        self._last += 2
        receipts = self._inbox.commit([sound[0], damaged, sound[1]])
        given = {
            Place(each.outbox_id, sequence) for each in receipts for sequence in each.sequences
        }
        for each in sound:
            self._must_be_stored(each, given)
        self._must_be_kept_if_receipted(damaged, given)
        if isinstance(understand(damaged), Refused):
            raise BadMessageError("set aside")

    def _must_be_stored(self, received: Received, given: Iterable[Place]) -> None:
        place = _place(received)
        assert place is not None
        if place not in given:
            raise AssertionError("a sound message beside a damaged one has no receipt")
        if self._event_digest(place) != sha256(received.payload).hexdigest():
            raise AssertionError("a sound message beside a damaged one is not stored")

    def _must_be_kept_if_receipted(self, received: Received, given: Iterable[Place]) -> None:
        place = _place(received)
        if place is None or place not in given or place.outbox_id == _SOUND:
            return
        digest = sha256(received.payload).hexdigest()
        if digest != self._event_digest(place) and not self._is_in_quarantine(place, digest):
            raise AssertionError("receipted, and these bytes are kept nowhere")

    def _event_digest(self, place: Place) -> str | None:
        with self._database.read() as session:
            return session.scalar(
                select(BoxEvent.digest).where(
                    BoxEvent.outbox_id == place.outbox_id, BoxEvent.sequence == place.sequence
                )
            )

    def _is_in_quarantine(self, place: Place, digest: str) -> bool:
        query = select(Quarantine.payload).where(
            Quarantine.outbox_id == place.outbox_id,
            Quarantine.sequence == place.sequence,
            Quarantine.sha256 == digest,
        )
        with self._database.read() as session:
            found = session.scalars(query).all()
        return any(sha256(payload).hexdigest() == digest for payload in found)


def messages() -> tuple[bytes, ...]:
    """Return a sound message of every kind that a box sends."""
    camera = CameraState(
        camera_id="gate",
        name="村口",
        grid_code=f"{_REGION}001",
        state=StreamState.LIVE,
        since=_AT,
    )
    state = StateData(online=True, boot_id=_SOUND, started_at=_AT, cameras=(camera,))
    beat = HeartbeatData(
        boot_id=_SOUND,
        outbox_id=_DAMAGED,
        last_sequence=3,
        head="5e" * 32,
        outbox_rows=1,
        disk_free_bytes=10**12,
        recording_bytes=10**9,
        detector="live",
        cameras=(camera,),
    )
    envelope = {"id": uuid7(_AT), "source": source_of_box(_BOX), "time": _AT}
    made: tuple[AnyMessage, ...] = (
        *(_alert(_DAMAGED, sequence, op) for sequence, op in enumerate(AlertOp, start=1)),
        StateMessage.model_validate(envelope | {"data": state}),
        HeartbeatMessage.model_validate(envelope | {"data": beat}),
    )
    return tuple(encode(each) for each in made)


def _alert(outbox_id: UUID, sequence: int, op: AlertOp = AlertOp.START) -> AlertMessage:
    method, kind = gb_code(AlertKind.GATHERING)
    return AlertMessage(
        id=uuid7(_AT),
        source=source_of_box(_BOX),
        time=_AT,
        subject="gate",
        sequence=sequence,
        bootid=_SOUND,
        outboxid=outbox_id,
        data=AlertData(
            alert_id=_SOUND if outbox_id == _SOUND else _DAMAGED,
            op=op,
            kind=AlertKind.GATHERING,
            level=AlertLevel.URGENT,
            camera_id="gate",
            camera_name="村口",
            grid_code=f"{_REGION}001",
            rule_id="crowd",
            started_at=_AT,
            at=_AT,
            count=31,
            threshold=30,
            peak=31,
            gb_method=method,
            gb_type=kind,
            gb_priority=gb_priority(AlertLevel.URGENT),
        ),
    )


def _leaf(payload: bytes) -> Leaf:
    """Return where a message comes that names its type so: what names none comes as an event."""
    return next((leaf for name, leaf in _LEAVES.items() if name in payload), Leaf.EVENT)


def _received(payload: bytes, leaf: Leaf) -> Received:
    return Received(str(BoxTopic(_REGION, _BOX, leaf)), payload, _AT)


def _place(received: Received) -> Place | None:
    return understand(received).place
