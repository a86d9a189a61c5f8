"""The boxes' own outboxes held against the centre's ledger: what is lost, doubled, exchanged."""

import hashlib
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import func, select

from central.db.engine import Database
from central.db.models import Alert, BoxEvent, BoxOutbox, Quarantine
from protocol.codec import decode
from protocol.messages import AlertMessage

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sent:
    """A row of a box's outbox: which event, the SHA-256 of its bytes, since when, of which alert.

    ``ended_at`` is what this event says of its alert.
    """

    sequence: int
    event_id: UUID
    digest: str
    queued_at: datetime
    has_receipt: bool
    alert_id: UUID
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of the centre's ledger, in the order in which it was entered."""

    sequence: int
    event_id: UUID
    digest: str


@dataclass(frozen=True, slots=True)
class Chain:
    """What the centre itself says of an outbox's completeness (protocol I9)."""

    complete_to: int
    broken_at: int | None
    missing_since: datetime | None
    repeated: int


@dataclass(frozen=True, slots=True)
class Folded:
    """An alert as the centre has it: when its first event was committed, and how it ended."""

    sequence: int
    received_at: datetime
    ended_at: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class Reckoning:
    """One box: what it wrote down to send against what the centre has of it."""

    box_id: str
    outbox_ids: frozenset[UUID]
    sent: tuple[Sent, ...]
    stored: tuple[Stored, ...]
    chain: Chain | None
    alerts: dict[UUID, Folded]

    @property
    def last(self) -> int:
        """The highest sequence the box has given."""
        return max((each.sequence for each in self.sent), default=0)

    @property
    def lost(self) -> tuple[int, ...]:
        """Sequences whose event the centre does not have, or has with other bytes."""
        have = {(each.sequence, each.event_id, each.digest) for each in self.stored}
        return tuple(
            each.sequence
            for each in self.sent
            if (each.sequence, each.event_id, each.digest) not in have
        )

    @property
    def doubled(self) -> tuple[int, ...]:
        """Sequences the centre has more than once, or that no event of the box has."""
        times = Counter(each.sequence for each in self.stored)
        known = {(each.sequence, each.event_id) for each in self.sent}
        strange = {
            each.sequence for each in self.stored if (each.sequence, each.event_id) not in known
        }
        return tuple(sorted({number for number, count in times.items() if count > 1} | strange))

    @property
    def waiting(self) -> tuple[int, ...]:
        """Sequences without a receipt."""
        return tuple(each.sequence for each in self.sent if not each.has_receipt)

    def faults(self) -> list[str]:
        """Return in words everything that is not as it must be when all is delivered."""
        found = [
            f"{name} {numbers[:10]}"
            for name, numbers in (
                ("lost", self.lost),
                ("doubled", self.doubled),
                ("without a receipt", self.waiting),
            )
            if numbers
        ]
        numbers = [each.sequence for each in self.sent]
        if numbers != list(range(1, self.last + 1)):
            found.append("the box's own sequence has a hole")
        if len(self.outbox_ids - {None}) > 1:
            found.append(f"{len(self.outbox_ids)} outboxes where there is one")
        found += [f"alert {each}" for each in self._misjudged()]
        return [f"{self.box_id}: {each}" for each in [*found, *self._chain_faults()]]

    def _chain_faults(self) -> list[str]:
        if self.chain is None:
            return ["the centre does not know the outbox"] if self.sent else []
        found = []
        if self.chain.complete_to != self.last:
            found.append(f"proved whole to {self.chain.complete_to} of {self.last}")
        if self.chain.broken_at is not None:
            found.append(f"chain broken at {self.chain.broken_at}")
        if self.chain.missing_since is not None:
            found.append(f"something missing since {self.chain.missing_since:%H:%M:%S}")
        return found

    def _misjudged(self) -> list[str]:
        """Return the alerts that do not stand at the centre as their newest event says."""
        newest = {each.alert_id: each for each in self.sent}
        wrong = [
            f"{alert_id} is not as event {each.sequence} says"
            for alert_id, each in newest.items()
            if (folded := self.alerts.get(alert_id)) is None
            or folded.sequence != each.sequence
            or folded.ended_at != each.ended_at
        ]
        return wrong + [f"{each} is none of the box's" for each in self.alerts.keys() - newest]

    def seconds_to_alert(self) -> list[float]:
        """Return, for each alert, the time from the box's commit to the centre's transaction."""
        begun: dict[UUID, datetime] = {}
        for each in self.sent:
            begun.setdefault(each.alert_id, each.queued_at)
        return [
            (self.alerts[alert_id].received_at - at).total_seconds()
            for alert_id, at in begun.items()
            if alert_id in self.alerts
        ]


def outbox_rows(path: Path) -> list[Sent]:
    """Return a box's outbox, by sequence. Raises sqlite3.Error."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        rows = database.execute(
            "select seq, payload, created_us, receipt_us from outbox order by seq"
        ).fetchall()
    return [_sent(*row) for row in rows]


def outbox_size(path: Path) -> tuple[int, int]:
    """Return how many rows a box's outbox has and how many have no receipt; 0 without one."""
    if not path.exists():
        return 0, 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
        try:
            rows, waiting = database.execute(
                "select count(*), coalesce(sum(receipt_us is null), 0) from outbox"
            ).fetchone()
        except sqlite3.OperationalError:  # it is just being made
            return 0, 0
    return int(rows), int(waiting)


def stored_events(centre: Database) -> int:
    """Return how many events the centre has. Raises StoreUnavailableError."""
    with centre.read() as session:
        return session.scalar(select(func.count()).select_from(BoxEvent)) or 0


def has_stored(centre: Database, box_id: str, sequence: int) -> bool:
    """Return whether the centre has an event. Raises StoreUnavailableError."""
    query = select(BoxEvent.id).where(BoxEvent.box_id == box_id, BoxEvent.sequence == sequence)
    with centre.read() as session:
        return session.scalar(query) is not None


def quarantined(centre: Database) -> int:
    """Return how many messages the centre has set aside. Raises StoreUnavailableError."""
    with centre.read() as session:
        return session.scalar(select(func.count()).select_from(Quarantine)) or 0


def reckon(box_id: str, outbox: Path, centre: Database) -> Reckoning:
    """Read a box's outbox and what the centre has of it, as both are now.

    Raises sqlite3.Error or StoreUnavailableError.
    """
    sent = outbox_rows(outbox)
    with centre.read() as session:
        events = session.execute(
            select(BoxEvent.sequence, BoxEvent.event_id, BoxEvent.digest, BoxEvent.outbox_id)
            .where(BoxEvent.box_id == box_id)
            .order_by(BoxEvent.id)
        ).all()
        chains = session.scalars(select(BoxOutbox).where(BoxOutbox.box_id == box_id)).all()
        alerts = session.scalars(select(Alert).where(Alert.box_id == box_id)).all()
        return Reckoning(
            box_id=box_id,
            outbox_ids=frozenset(
                {*(each.outbox_id for each in events), *(each.outbox_id for each in chains)}
            ),
            sent=tuple(sent),
            stored=tuple(Stored(each.sequence, each.event_id, each.digest) for each in events),
            chain=_chain(chains),
            alerts={
                each.id: Folded(each.sequence, each.received_at, each.ended_at, each.late)
                for each in alerts
            },
        )


def _chain(rows: Sequence[BoxOutbox]) -> Chain | None:
    if not rows:
        return None
    row = rows[0]
    return Chain(row.complete_to, row.broken_at, row.missing_since, row.repeated)


def _sent(sequence: int, payload: bytes, created_us: int, receipt_us: int | None) -> Sent:
    message = decode(payload)
    assert isinstance(message, AlertMessage)
    return Sent(
        sequence=sequence,
        event_id=message.id,
        digest=hashlib.sha256(payload).hexdigest(),
        queued_at=_EPOCH + timedelta(microseconds=created_us),
        has_receipt=receipt_us is not None,
        alert_id=message.data.alert_id,
        ended_at=message.data.ended_at,
    )
