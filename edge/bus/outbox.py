"""The outbox: messages that the centre has not yet said it committed."""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from edge.bus.window import Waiting
from edge.db.database import Database
from edge.db.instant import from_us, to_us
from protocol.clock import Clock
from protocol.codec import BadMessageError, decode, encode
from protocol.ids import uuid7
from protocol.messages import AlertMessage, EventMessage, ResultMessage

#: A row this young is live: it goes before the backlog, as the centre still rings a bell for it.
LIVE_FOR = timedelta(seconds=60)

_OUTBOX_ID = "outbox.id"
_RENEWED = "outbox.renewed_us"


@dataclass(frozen=True, slots=True)
class Place:
    """A message's place: its sequence in an outbox, and the hash of the message before it."""

    sequence: int
    outbox_id: UUID
    prevhash: str | None


@dataclass(frozen=True, slots=True)
class Load:
    """How much waits. ``last_sequence`` is 0 where nothing was ever sent.

    ``outbox_id`` is None before the first message; ``head`` is the last one's SHA-256, and
    ``first_sequence`` the oldest that is still kept, receipted or not.
    """

    last_sequence: int
    rows: int
    oldest_at: datetime | None
    outbox_id: UUID | None = None
    head: str | None = None
    first_sequence: int | None = None


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message to be sent; ``is_live``: it is not older than LIVE_FOR."""

    sequence: int
    payload: bytes
    is_live: bool


class Outbox:
    """Rows in the order of their sequence; a row dies only by a receipt (alert I4).

    A receipted row is kept for a while (:meth:`prune`), for the centre may ask for it again
    (protocol I12).

    Any thread may call any method; all raise StorageError where the database refuses.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def append(
        self, connection: sqlite3.Connection, message: Callable[[Place], EventMessage]
    ) -> int:
        """Queue a message in the caller's transaction and return its sequence.

        The sequence has no holes (alert I3): it is the highest ever given plus one, taken inside
        the transaction that also stores the message, and :meth:`prune` never removes the highest.
        So its bytes are there for the next message's hash (protocol I9).
        """
        now = self._clock.now()
        last = connection.execute(
            "select seq, payload from outbox order by seq desc limit 1"
        ).fetchone()
        sequence = 1 if last is None else 1 + int(last["seq"])
        prevhash = None if last is None else _hash(last["payload"])
        event = message(Place(sequence, self._identity(connection, now), prevhash))
        connection.execute(
            """
            insert into outbox (seq, event_id, payload, created_us)
            values (:seq, :event_id, :payload, :created_us)
            """,
            {
                "seq": sequence,
                "event_id": str(event.id),
                "payload": encode(event),
                "created_us": to_us(now),
            },
        )
        return sequence

    def _identity(self, connection: sqlite3.Connection, now: datetime) -> UUID:
        connection.execute(
            "insert into meta (key, value) values (:key, :value) on conflict do nothing",
            {"key": _OUTBOX_ID, "value": str(uuid7(now))},
        )
        row = connection.execute(
            "select value from meta where key = :key", {"key": _OUTBOX_ID}
        ).fetchone()
        return UUID(row["value"])

    def renew(self, connection: sqlite3.Connection, payloads: Iterable[bytes]) -> int:
        """Begin an empty outbox anew, in the caller's transaction, with what waited in another one.

        For a database that was made anew: what was given before can't be known for certain, so
        numbering begins again under a new id (protocol I4). ``payloads`` are queued in their order,
        under new numbers; what is no message, or the same again, is left out. Returns how many were
        queued.
        """
        now = self._clock.now()
        connection.execute("delete from meta where key = :key", {"key": _OUTBOX_ID})
        connection.execute(
            "insert or replace into meta (key, value) values (:key, :value)",
            {"key": _RENEWED, "value": str(to_us(now))},
        )
        queued = 0
        for payload in payloads:
            with suppress(BadMessageError, sqlite3.IntegrityError):
                message = decode(payload)
                if isinstance(message, AlertMessage | ResultMessage):
                    self.append(connection, partial(_renumbered, message))
                    queued += 1
        return queued

    def renewed_at(self) -> datetime | None:
        """Return when numbering began again, or None: it never did."""
        with self._database.reading() as connection:
            row = connection.execute(
                "select value from meta where key = :key", {"key": _RENEWED}
            ).fetchone()
        return None if row is None else from_us(int(row["value"]))

    def waiting(self, limit: int) -> Waiting:
        """Return what has no receipt: of each lane up to ``limit`` sequences."""
        live_since_us = to_us(self._clock.now() - LIVE_FOR)
        with self._database.reading() as connection:
            newest = connection.execute(
                """
                select seq, created_us from outbox where receipt_us is null
                order by seq desc limit :limit
                """,
                {"limit": limit},
            ).fetchall()
            live = [row["seq"] for row in newest if row["created_us"] >= live_since_us]
            live.reverse()
            oldest = connection.execute(
                """
                select seq from outbox where receipt_us is null and seq < :live
                order by seq limit :limit
                """,
                {"live": live[0] if live else 2**63 - 1, "limit": limit},
            ).fetchall()
        return Waiting(tuple(live), tuple(row["seq"] for row in oldest))

    def parcels(self, sequences: Sequence[int]) -> list[Parcel]:
        """Return the messages of ``sequences`` in that order; receipted ones are left out."""
        live_since_us = to_us(self._clock.now() - LIVE_FOR)
        with self._database.reading() as connection:
            found = (
                connection.execute(
                    """
                    select seq, payload, created_us from outbox
                    where seq = :seq and receipt_us is null
                    """,
                    {"seq": sequence},
                ).fetchone()
                for sequence in sequences
            )
            return [
                Parcel(row["seq"], row["payload"], row["created_us"] >= live_since_us)
                for row in found
                if row is not None
            ]

    def is_called(self, outbox_id: UUID) -> bool:
        """Return whether that is this outbox: a receipt for another one is none for its rows."""
        with self._database.reading() as connection:
            row = connection.execute(
                "select value from meta where key = :key", {"key": _OUTBOX_ID}
            ).fetchone()
        return row is not None and UUID(row["value"]) == outbox_id

    def receipted(self, sequences: Collection[int]) -> int:
        """Mark rows as committed by the centre; return how many were still waiting."""
        now_us = to_us(self._clock.now())
        with self._database.transaction() as connection:
            return sum(
                connection.execute(
                    "update outbox set receipt_us = :now where seq = :seq and receipt_us is null",
                    {"now": now_us, "seq": sequence},
                ).rowcount
                for sequence in sequences
            )

    def reopen(self, outbox_id: UUID, first: int, last: int) -> int | None:
        """Let receipted rows wait again, so that they are sent again; return how many.

        None where the outbox is another one: its numbers say nothing here.
        """
        if not self.is_called(outbox_id):
            return None
        with self._database.transaction() as connection:
            return connection.execute(
                """
                update outbox set receipt_us = null
                where seq between :first and :last and receipt_us is not null
                """,
                {"first": first, "last": last},
            ).rowcount

    def send_again(self, connection: sqlite3.Connection, sequence: int) -> None:
        """Let a receipted row wait again, in the caller's transaction; as far as it is kept."""
        connection.execute(
            "update outbox set receipt_us = null where seq = :seq and receipt_us is not null",
            {"seq": sequence},
        )

    def load(self) -> Load:
        """Return how much waits and since when."""
        with self._database.reading() as connection:
            row = connection.execute(
                """
                select coalesce((select max(seq) from outbox), 0) as last_seq,
                       (select min(seq) from outbox) as first_seq,
                       (select count(*) from outbox where receipt_us is null) as waiting,
                       (select created_us from outbox where receipt_us is null
                        order by seq limit 1) as oldest_us,
                       (select payload from outbox order by seq desc limit 1) as last_payload,
                       (select value from meta where key = :key) as outbox_id
                """,
                {"key": _OUTBOX_ID},
            ).fetchone()
        oldest_us, payload, outbox_id = row["oldest_us"], row["last_payload"], row["outbox_id"]
        return Load(
            last_sequence=row["last_seq"],
            rows=row["waiting"],
            oldest_at=None if oldest_us is None else from_us(oldest_us),
            outbox_id=None if outbox_id is None else UUID(outbox_id),
            head=None if payload is None else _hash(payload),
            first_sequence=row["first_seq"],
        )

    def prune(self, keep: timedelta) -> int:
        """Delete rows receipted longer than ``keep`` ago; return how many.

        The highest row stays for ever: it is what the next sequence is counted from (alert I3).
        """
        before_us = to_us(self._clock.now() - keep)
        with self._database.transaction() as connection:
            return connection.execute(
                """
                delete from outbox
                where receipt_us < :before_us and seq < (select max(seq) from outbox)
                """,
                {"before_us": before_us},
            ).rowcount


def _renumbered(message: EventMessage, place: Place) -> EventMessage:
    return message.model_copy(
        update={
            "sequence": place.sequence,
            "outboxid": place.outbox_id,
            "prevhash": place.prevhash,
        }
    )


def _hash(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
