"""Whether every alert of the box is at the centre once, read from both databases."""

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Delivery:
    """What the box sent and what the centre has, at one moment.

    ``received`` are the sequences the centre has stored of this box, in order; ``waiting`` are the
    box's events without a receipt. Alert ids are UUIDs as text. ``fired``: when the box wrote each
    alert's first event, by its own clock.
    """

    last_sent: int
    waiting: int
    received: tuple[int, ...]
    box_alerts: frozenset[str]
    centre_alerts: frozenset[str]
    quarantined: int
    fired: Mapping[str, datetime]

    @property
    def holes(self) -> tuple[int, ...]:
        """Sequences the box gave out that the centre does not have."""
        have = set(self.received)
        return tuple(number for number in range(1, self.last_sent + 1) if number not in have)

    @property
    def doubled(self) -> tuple[int, ...]:
        """Sequences the centre has more than once."""
        return tuple(
            sorted({number for number in self.received if self.received.count(number) > 1})
        )

    @property
    def lost(self) -> frozenset[str]:
        """Alerts of the box that the centre does not know."""
        return self.box_alerts - self.centre_alerts

    @property
    def invented(self) -> frozenset[str]:
        """Alerts of the centre that the box does not know."""
        return self.centre_alerts - self.box_alerts

    @property
    def whole(self) -> bool:
        """Whether nothing is lost, doubled, invented, refused or still on its way."""
        wrong = self.holes or self.doubled or self.lost or self.invented
        return not (wrong or self.waiting or self.quarantined)


def read(box: Path, centre: Path, box_id: str) -> Delivery:
    """Read both SQLite databases as they are now. Raises sqlite3.Error."""
    with closing(_open(box)) as database:
        last_sent, waiting = database.execute(
            "select coalesce(max(seq), 0), coalesce(sum(receipt_us is null), 0) from outbox"
        ).fetchone()
        box_alerts = frozenset(row[0] for row in database.execute("select alert_id from alert"))
    with closing(_open(centre)) as database:
        events = database.execute(
            "select sequence, payload from box_event where box_id = ? order by id", (box_id,)
        ).fetchall()
        alerts = database.execute("select id from alert where box_id = ?", (box_id,)).fetchall()
        quarantined = database.execute("select count(*) from quarantine").fetchone()[0]
    return Delivery(
        last_sent=last_sent,
        waiting=waiting,
        received=tuple(sequence for sequence, _ in events),
        box_alerts=frozenset(str(UUID(each)) for each in box_alerts),
        centre_alerts=frozenset(str(UUID(row[0])) for row in alerts),
        quarantined=quarantined,
        fired=_fired([json.loads(payload) for _, payload in events]),
    )


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)


def _fired(payloads: list[dict[str, object]]) -> dict[str, datetime]:
    fired: dict[str, datetime] = {}
    for payload in payloads:
        data = payload["data"]
        if isinstance(data, dict) and data["op"] == "start":
            fired.setdefault(str(data["alert_id"]), datetime.fromisoformat(str(payload["time"])))
    return fired
