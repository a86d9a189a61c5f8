"""A simulated box's outbox, in memory: the real messages, chained, without a disk. No I/O."""

import hashlib
import random
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bench.made_up import gathering
from edge.alerts.event import EventWriter, Happening
from edge.alerts.standing import Standing
from edge.bus.outbox import LIVE_FOR, Load, Place
from edge.bus.window import Waiting
from edge.config import EdgeConfig
from protocol.codec import encode
from protocol.ids import uuid7
from protocol.messages import AlertOp

#: Receipted messages that are kept, to be sent again when the centre asks (protocol I12). A real
#: box keeps them for seven days; a thousand of them in one process can't.
KEPT = 64


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message to send, and whether it is news at that moment."""

    sequence: int
    payload: bytes
    is_live: bool


@dataclass(frozen=True, slots=True)
class _Row:
    payload: bytes
    at: datetime


class FleetOutbox:
    """Gatherings that begin and end in turn at one camera after another, and what of them waits.

    Sequence, hash chain and messages are made as a box makes them. Not thread-safe.
    """

    def __init__(self, config: EdgeConfig, chance: random.Random, started_at: datetime) -> None:
        self.boot_id = uuid7(started_at)
        self.outbox_id = uuid7(started_at)
        self._writer = EventWriter(config, self.boot_id)
        self._cameras = [camera.id for camera in config.cameras]
        self._chance = chance
        self._open: dict[str, Standing] = {}
        self._last = 0
        self._head: str | None = None
        self._rows: dict[int, _Row] = {}  # without a receipt, ascending
        self._kept: OrderedDict[int, _Row] = OrderedDict()

    def report(self, now: datetime) -> int:
        """Begin a gathering at a camera or end the one there; return its message's sequence."""
        camera_id = self._cameras[self._last % len(self._cameras)]
        standing = self._open.pop(camera_id, None)
        op = AlertOp.START if standing is None else AlertOp.END
        occurrence = gathering(op, camera_id, now, self._chance)
        if standing is None:
            standing = self._open[camera_id] = Standing.begun(occurrence, uuid7(now))
        else:
            standing = standing.after(occurrence)
        self._last += 1
        place = Place(self._last, self.outbox_id, self._head)
        message = self._writer.message(Happening(op, standing, now, now, None), place)
        payload = encode(message)
        self._head = hashlib.sha256(payload).hexdigest()
        self._rows[self._last] = _Row(payload, now)
        return self._last

    def load(self) -> Load:
        """Return how much waits, as a heartbeat says it."""
        rows = len(self._rows)
        first = min([*list(self._rows)[:1], *list(self._kept)[:1]], default=None)
        return Load(
            last_sequence=self._last,
            rows=rows,
            oldest_at=next(iter(self._rows.values())).at if rows else None,
            outbox_id=self.outbox_id if self._last else None,
            head=self._head,
            first_sequence=first,
        )

    def waiting(self, reach: int, now: datetime) -> Waiting:
        """Return what has no receipt, of each lane the first ``reach``."""
        live: list[int] = []
        backlog: list[int] = []
        for sequence, row in self._rows.items():
            lane = live if _is_news(row, now) else backlog
            if len(lane) < reach:
                lane.append(sequence)
            elif len(live) == len(backlog) == reach:
                break
        return Waiting(tuple(live), tuple(backlog))

    def parcels(self, sequences: Collection[int], now: datetime) -> list[Parcel]:
        """Return the messages of these sequences that still wait, in the given order."""
        found = [(sequence, self._rows.get(sequence)) for sequence in sequences]
        return [Parcel(sequence, row.payload, _is_news(row, now)) for sequence, row in found if row]

    def receipted(self, outbox_id: UUID, sequences: Collection[int]) -> int:
        """Let go of what the centre has; return how many of ours. Another outbox's are none."""
        if outbox_id != self.outbox_id:
            return 0
        count = 0
        for sequence in sequences:
            row = self._rows.pop(sequence, None)
            if row is not None:
                count += 1
                self._kept[sequence] = row
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return count

    def reopen(self, outbox_id: UUID, first: int, last: int) -> int:
        """Let kept messages wait again that the centre asks for; return how many."""
        if outbox_id != self.outbox_id:
            return 0
        asked = [sequence for sequence in self._kept if first <= sequence <= last]
        for sequence in asked:
            self._rows[sequence] = self._kept.pop(sequence)
        if asked:
            self._rows = dict(sorted(self._rows.items()))
        return len(asked)


def _is_news(row: _Row, now: datetime) -> bool:
    return now - row.at <= LIVE_FOR
