"""The outbox: messages that the centre has not yet said it committed."""

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
from protocol.messages import AlertMessage

#: A row this young is live: it goes before the backlog, as the centre still rings a bell for it.
LIVE_FOR = timedelta(seconds=60)

_OUTBOX_ID = "outbox.id"
_RENEWED = "outbox.renewed_us"


@dataclass(frozen=True, slots=True)
class Load:
    """How much waits. ``last_sequence`` is 0 where nothing was ever sent."""

    last_sequence: int
    rows: int
    oldest_at: datetime | None


class Outbox:
    """Rows in the order of their sequence; a row dies only by a receipt (alert I4).

    Any thread may call any method; all raise StorageError where the database refuses.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def append(
        self, connection: sqlite3.Connection, message: Callable[[int, UUID], AlertMessage]
    ) -> int:
        """Queue a message in the caller's transaction and return its sequence.

        The sequence has no holes (alert I3): it is the highest ever given plus one, taken inside
        the transaction that also stores the message, and :meth:`prune` never removes the highest.
        ``message`` gets the sequence and the outbox's own id.
        """
        now = self._clock.now()
        sequence = 1 + int(
            connection.execute("select coalesce(max(seq), 0) from outbox").fetchone()[0]
        )
        event = message(sequence, self._identity(connection, now))
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
                if isinstance(message, AlertMessage):
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

    def payloads(self, sequences: Sequence[int]) -> list[tuple[int, bytes]]:
        """Return the messages of ``sequences`` in that order; receipted ones are left out."""
        with self._database.reading() as connection:
            found = (
                connection.execute(
                    "select seq, payload from outbox where seq = :seq and receipt_us is null",
                    {"seq": sequence},
                ).fetchone()
                for sequence in sequences
            )
            return [(row["seq"], row["payload"]) for row in found if row is not None]

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

    def load(self) -> Load:
        """Return how much waits and since when."""
        with self._database.reading() as connection:
            row = connection.execute(
                """
                select coalesce((select max(seq) from outbox), 0) as last_seq,
                       (select count(*) from outbox where receipt_us is null) as waiting,
                       (select created_us from outbox where receipt_us is null
                        order by seq limit 1) as oldest_us
                """
            ).fetchone()
        oldest_us = row["oldest_us"]
        return Load(
            last_sequence=row["last_seq"],
            rows=row["waiting"],
            oldest_at=None if oldest_us is None else from_us(oldest_us),
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


def _renumbered(message: AlertMessage, sequence: int, outbox_id: UUID) -> AlertMessage:
    return message.model_copy(update={"sequence": sequence, "outboxid": outbox_id})
