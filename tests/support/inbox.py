"""An inbox for the consumer's tests: the port's promises over one SQLite file."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from central.errors import StoreUnavailableError
from central.ports import Committed, Received
from protocol.codec import BadMessageError, decode
from protocol.messages import AlertMessage
from protocol.topics import BoxTopic

_SCHEMA = """
create table if not exists event (box_id text, outbox_id text, sequence integer, event_id text,
  topic text, primary key (box_id, outbox_id, sequence));
create table if not exists duplicate (box_id text, sequence integer);
create table if not exists other (topic text, payload blob);
create table if not exists quarantine (topic text, payload blob, reason text);
"""


class FakeInbox:
    """Stores at once; ``available`` cleared means the store is away, ``poison`` breaks it."""

    def __init__(self, path: Path | None = None) -> None:
        self.available = threading.Event()
        self.available.set()
        self.poison: bytes | None = None
        self.batches: list[int] = []
        self.refusals = 0
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=10
        )
        self._connection.execute("pragma journal_mode=wal")
        self._connection.executescript(_SCHEMA)

    def commit(self, batch: Sequence[Received]) -> Sequence[Committed]:
        """Store ``batch``; see the port."""
        if not self.available.is_set():
            self.refusals += 1
            raise StoreUnavailableError("the test's store is away")
        if self.poison is not None and any(self.poison in each.payload for each in batch):
            raise RuntimeError("the inbox has a bug")
        receipts: dict[tuple[str, str, UUID], list[int]] = {}
        with self._lock:
            self._connection.execute("begin immediate")
            for received in batch:
                topic = BoxTopic.parse(received.topic)
                assert topic is not None
                event = self._take(received, topic)
                if event is not None:
                    outbox = topic.region_code, topic.box_id, event.outboxid
                    receipts.setdefault(outbox, []).append(event.sequence)
            self._connection.execute("commit")
            self.batches.append(len(batch))
        return [Committed(*box, tuple(sequences)) for box, sequences in receipts.items()]

    def _take(self, received: Received, topic: BoxTopic) -> AlertMessage | None:
        try:
            message = decode(received.payload)
        except BadMessageError as error:
            self._connection.execute(
                "insert into quarantine values (?, ?, ?)",
                (received.topic, received.payload, str(error)),
            )
            return None
        if not isinstance(message, AlertMessage):
            self._connection.execute(
                "insert into other values (?, ?)", (received.topic, received.payload)
            )
            return None
        inserted = self._connection.execute(
            "insert into event values (?, ?, ?, ?, ?) on conflict do nothing",
            (
                topic.box_id,
                str(message.outboxid),
                message.sequence,
                str(message.id),
                received.topic,
            ),
        ).rowcount
        if not inserted:
            self._connection.execute(
                "insert into duplicate values (?, ?)", (topic.box_id, message.sequence)
            )
        return message

    def sequences(self, box_id: str) -> list[int]:
        """Return the stored sequences of a box, ascending."""
        with self._lock:
            rows = self._connection.execute(
                "select sequence from event where box_id = ? order by sequence", (box_id,)
            ).fetchall()
        return [row[0] for row in rows]

    def event_ids(self, box_id: str) -> list[str]:
        """Return the stored event ids of a box, by sequence."""
        with self._lock:
            rows = self._connection.execute(
                "select event_id from event where box_id = ? order by sequence", (box_id,)
            ).fetchall()
        return [row[0] for row in rows]

    def duplicates(self) -> int:
        """Return how many deliveries were of events stored before."""
        with self._lock:
            return int(self._connection.execute("select count(*) from duplicate").fetchone()[0])

    def others(self, leaf: str) -> list[bytes]:
        """Return the states or heartbeats that came, in order."""
        with self._lock:
            rows = self._connection.execute(
                "select payload from other where topic like ? order by rowid", (f"%/{leaf}",)
            ).fetchall()
        return [bytes(row[0]) for row in rows]

    def quarantined(self) -> list[bytes]:
        """Return the payloads that no one understood."""
        with self._lock:
            rows = self._connection.execute("select payload from quarantine").fetchall()
        return [bytes(row[0]) for row in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()
