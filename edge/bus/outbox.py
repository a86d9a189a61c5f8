"""The outbox: messages that the centre has not yet said it committed."""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from edge.bus.limits import Backlog, Limits, Room
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
_FORMER = "outbox.former"
_MACHINE = "outbox.machine"
#: Outboxes that have ended and are still told of, the last ones.
_MOST_FORMER = 8


@dataclass(frozen=True, slots=True)
class Place:
    """A message's place: its sequence in an outbox, and the hash of the message before it."""

    sequence: int
    outbox_id: UUID
    prevhash: str | None


@dataclass(frozen=True, slots=True)
class Load:
    """How much waits. ``last_sequence`` is 0 where nothing was ever sent.

    ``outbox_id`` is None before the first message; ``former`` ended before it. ``head`` is the last
    one's SHA-256, and ``first_sequence`` the oldest that is still kept, receipted or not. ``full``
    of 1 of its limits are reached; ``folded`` messages found no room since the database was made,
    and ``untold`` alerts wait for some.
    """

    last_sequence: int
    rows: int
    oldest_at: datetime | None
    outbox_id: UUID | None = None
    head: str | None = None
    first_sequence: int | None = None
    size_bytes: int = 0
    full: float = 0.0
    folded: int = 0
    untold: int = 0
    former: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message to be sent; ``is_live``: it is not older than LIVE_FOR."""

    sequence: int
    payload: bytes
    is_live: bool


class Outbox:
    """Rows in the order of their sequence; a row dies only by a receipt (alert I4).

    A receipted row is kept for a while (:meth:`prune`), for the centre may ask for it again
    (protocol I12). What may wait is bounded by ``limits``: ask :meth:`room` before a message is
    given a sequence, for what has one is kept.

    Any thread may call any method; all raise StorageError where the database refuses.
    """

    def __init__(self, database: Database, clock: Clock, limits: Limits | None = None) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits or Limits()

    def room(self, connection: sqlite3.Connection) -> Room:
        """Return what there is room for, in the caller's transaction."""
        return self._backlog(connection).room(self._limits, self._clock.now())

    def fold(self, connection: sqlite3.Connection) -> None:
        """Count, in the caller's transaction, a message that found no room."""
        connection.execute("update backlog set folded = folded + 1")

    def _backlog(self, connection: sqlite3.Connection) -> Backlog:
        row = connection.execute(
            """
            select rows, bytes, (select created_us from outbox where receipt_us is null
                                 order by seq limit 1) as oldest_us
            from backlog
            """
        ).fetchone()
        oldest_us = row["oldest_us"]
        return Backlog(row["rows"], row["bytes"], None if oldest_us is None else from_us(oldest_us))

    def append(
        self,
        connection: sqlite3.Connection,
        message: Callable[[Place], EventMessage],
        created_at: datetime | None = None,
    ) -> int:
        """Queue a message in the caller's transaction and return its sequence.

        It is as old as ``created_at`` says where it tells of what is long over, and so no news
        (protocol I10).

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
                "created_us": to_us(created_at or now),
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

    def renew(
        self,
        connection: sqlite3.Connection,
        payloads: Iterable[bytes],
        former: Iterable[UUID] = (),
    ) -> int:
        """Begin an empty outbox anew, in the caller's transaction, with what waited in another one.

        For a database that was made anew: what was given before can't be known for certain, so
        numbering begins again under a new id (protocol I4). ``payloads`` are queued in their order,
        under new numbers, each with the place it had; what is no message, or the same again, is
        left out. ``former`` outboxes are told of as ended. Returns how many were queued.
        """
        now = self._clock.now()
        connection.execute("delete from meta where key = :key", {"key": _OUTBOX_ID})
        told = list(dict.fromkeys(map(str, former)))[-_MOST_FORMER:]
        values = {_RENEWED: str(to_us(now)), _FORMER: " ".join(told)}
        connection.executemany(
            "insert or replace into meta (key, value) values (?, ?)", list(values.items())
        )
        queued = 0
        for payload in payloads:
            with suppress(BadMessageError, sqlite3.IntegrityError):
                message = decode(payload)
                if isinstance(message, AlertMessage | ResultMessage):
                    self.append(connection, partial(_renumbered, message))
                    queued += 1
        return queued

    def begin_anew(self) -> int:
        """Begin this outbox anew: what waits in it gets new numbers, and what is receipted goes.

        For a disk that was copied or set back to an earlier state: what it would give numbers to
        from here on may have been given them already, here or elsewhere. Returns how many wait.
        """
        with self._database.transaction() as connection:
            rows = connection.execute(
                "select payload from outbox where receipt_us is null order by seq"
            ).fetchall()
            former = _former(_meta(connection, _FORMER), _meta(connection, _OUTBOX_ID))
            connection.execute("delete from outbox")
            return self.renew(connection, [row["payload"] for row in rows], former)

    def settle_on(self, machine: str) -> bool:
        """Begin anew where the database comes from another machine; return whether it does.

        Then there may be two that give the same numbers, or its machine was replaced. ``machine``
        is the same for as long as the machine is.
        """
        with self._database.transaction() as connection:
            known = _meta(connection, _MACHINE)
            connection.execute(
                "insert or replace into meta (key, value) values (:key, :value)",
                {"key": _MACHINE, "value": machine},
            )
            if known in (None, machine):
                return False
            self.begin_anew()
        return True

    def renewed_at(self) -> datetime | None:
        """Return when numbering began again, or None: it never did."""
        with self._database.reading() as connection:
            value = _meta(connection, _RENEWED)
        return None if value is None else from_us(int(value))

    def waiting(self, limit: int) -> Waiting:
        """Return what has no receipt: of each lane up to ``limit`` sequences."""
        live_since_us = to_us(self._clock.now() - LIVE_FOR)
        with self._database.reading() as connection:
            newest = connection.execute(
                """
                select seq, created_us, length(payload) as bytes from outbox
                where receipt_us is null order by seq desc limit :limit
                """,
                {"limit": limit},
            ).fetchall()
            live = [row["seq"] for row in newest if row["created_us"] >= live_since_us]
            live.reverse()
            oldest = connection.execute(
                """
                select seq, length(payload) as bytes from outbox
                where receipt_us is null and seq < :live order by seq limit :limit
                """,
                {"live": live[0] if live else 2**63 - 1, "limit": limit},
            ).fetchall()
        sizes = {row["seq"]: row["bytes"] for row in (*newest, *oldest)}
        return Waiting(tuple(live), tuple(row["seq"] for row in oldest), sizes)

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
            value = _meta(connection, _OUTBOX_ID)
        return value is not None and UUID(value) == outbox_id

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
            backlog = self._backlog(connection)
            former = _former(_meta(connection, _FORMER))
            row = connection.execute(
                """
                select coalesce((select max(seq) from outbox), 0) as last_seq,
                       (select min(seq) from outbox) as first_seq,
                       (select payload from outbox order by seq desc limit 1) as last_payload,
                       (select folded from backlog) as folded,
                       (select count(*) from alert where untold = 1) as untold,
                       (select value from meta where key = :key) as outbox_id
                """,
                {"key": _OUTBOX_ID},
            ).fetchone()
        payload, outbox_id = row["last_payload"], row["outbox_id"]
        return Load(
            last_sequence=row["last_seq"],
            rows=backlog.rows,
            oldest_at=backlog.oldest_at,
            outbox_id=None if outbox_id is None else UUID(outbox_id),
            head=None if payload is None else _hash(payload),
            first_sequence=row["first_seq"],
            size_bytes=backlog.size_bytes,
            full=backlog.full(self._limits, self._clock.now()),
            folded=row["folded"],
            untold=row["untold"],
            former=former,
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
            "formeroutbox": message.outboxid,
            "formersequence": message.sequence,
        }
    )


def _meta(connection: sqlite3.Connection, key: str) -> str | None:
    row = connection.execute("select value from meta where key = :key", {"key": key}).fetchone()
    return None if row is None else str(row["value"])


def _former(*values: str | None) -> tuple[UUID, ...]:
    return tuple(UUID(each) for value in values if value for each in value.split())


def former_outboxes(meta: Mapping[str, object]) -> list[UUID]:
    """Return the outboxes that end with a database, oldest first, by what of its table is left."""
    found: list[UUID] = []
    for key in (_FORMER, _OUTBOX_ID):
        with suppress(ValueError):
            found += _former(str(meta.get(key) or ""))
    return found


def _hash(payload: bytes) -> str:
    return hashlib.sha256(payload).hexdigest()
