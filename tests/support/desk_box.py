"""A small box for tests: its configuration, its alert desk, what rules say to it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from edge.alerts.desk import SHOWN_IN_PICTURES, Desk
from edge.alerts.event import EventWriter
from edge.bus.limits import Limits
from edge.bus.outbox import Outbox
from edge.config import EdgeConfig
from edge.db.database import Database
from edge.ports import Occurrence, Vitals
from protocol.clock import Clock, FakeClock
from protocol.codec import decode
from protocol.messages import (
    AlertKind,
    AlertLevel,
    AlertMessage,
    AlertMode,
    AlertOp,
    ClockQuality,
)

AT = datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC)
REGION = "533102105203"
BOX = "laozhai-01"
BOOT = UUID("019340a0-0000-7000-8000-000000000001")
TOKEN = "token-of-laozhai-01"


def box_config(folder: Path, *, box_id: str = BOX, **sections: Any) -> EdgeConfig:
    """Return a box with two cameras and one gathering rule; ``sections`` are laid over it."""
    document: dict[str, Any] = {
        "box": {
            "id": box_id,
            "name": "老寨村值班室",
            "region_code": REGION,
            "data_dir": folder,
        },
        "evidence": {"clip_pre_s": 10, "clip_post_s": 20},
        "cameras": [
            {
                "id": "square",
                "name": "文化广场",
                "grid_code": f"{REGION}004",
                "main_url": "rtsp://192.0.2.1/main",
                "rules": [{"id": "crowd", "regions": [{"id": "all"}, {"id": "stage"}]}],
            },
            {
                "id": "gate",
                "name": "村口主路",
                "grid_code": f"{REGION}001",
                "main_url": "rtsp://192.0.2.2/main",
            },
        ],
    }
    return EdgeConfig.model_validate(document | sections)


def occurrence(op: AlertOp = AlertOp.START, **changes: Any) -> Occurrence:
    """Return a gathering on the square, with ``changes``."""
    fields: dict[str, Any] = {
        "op": op,
        "kind": AlertKind.GATHERING,
        "level": AlertLevel.ORDINARY,
        "mode": AlertMode.LIVE,
        "camera_id": "square",
        "rule_id": "crowd",
        "region_id": "all",
        "at": AT,
        "count": 16,
        "threshold": 15,
    }
    return Occurrence(**(fields | changes))


@dataclass(slots=True)
class DeskBox:
    """A desk with its database, on a clock."""

    config: EdgeConfig
    database: Database
    clock: Clock
    outbox: Outbox
    desk: Desk
    commits: list[int]

    def messages(self) -> list[AlertMessage]:
        """Return all that is in the outbox, by sequence."""
        with self.database.reading() as connection:
            rows = connection.execute("select payload from outbox order by seq").fetchall()
        decoded = [decode(row["payload"]) for row in rows]
        return [message for message in decoded if isinstance(message, AlertMessage)]

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        with self.database.reading() as connection:
            return [dict(row) for row in connection.execute(sql).fetchall()]


def open_desk(
    path: Path,
    clock: Clock | None = None,
    config: EdgeConfig | None = None,
    limits: Limits | None = None,
    quality: Callable[[], ClockQuality | None] = lambda: None,
) -> DeskBox:
    """Return a desk on the database at ``path``; close its database after use."""
    clock = clock or FakeClock(AT)
    config = config or box_config(path.parent)
    database = Database(path)
    outbox = Outbox(database, clock, limits)
    commits: list[int] = []
    desk = Desk(
        config,
        database,
        outbox,
        clock,
        EventWriter(config, BOOT, quality),
        model_of=lambda kind: "some-model" if kind in SHOWN_IN_PICTURES else None,
        on_commit=[lambda: commits.append(1)],
    )
    return DeskBox(config, database, clock, outbox, desk, commits)


class StillVitals:
    """A box about which nothing ever changes."""

    def vitals(self) -> Vitals:
        """Return the same each time."""
        return Vitals(
            disk_free_bytes=1000,
            recording_bytes=10,
            detector="off",
            detector_model=None,
            cameras=(),
        )
