"""What footage takes and what was deleted of it, read from the index.

Each function runs in the caller's transaction.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from edge.db.instant import from_us, to_us
from edge.media.sample import TICKS_PER_S
from edge.recording.forecast import Usage
from edge.recording.retention import Policy, Reason
from edge.recording.segments import LONGEST_US

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DeletionRecord:
    """What was deleted of a camera's day (of the box's zone) for one reason (recording I9)."""

    camera_id: str
    day: date
    reason: Reason
    segments: int
    size_bytes: int
    first: datetime
    last: datetime
    at: datetime


def usages(
    connection: sqlite3.Connection, cameras: Iterable[str], policy: Policy, now: datetime
) -> list[Usage]:
    """Return what each camera's footage takes, in the order of ``cameras``."""
    return [_usage(connection, camera_id, policy, now) for camera_id in cameras]


def _usage(connection: sqlite3.Connection, camera_id: str, policy: Policy, now: datetime) -> Usage:
    kept_from = now - timedelta(days=policy.of(camera_id).days)
    given = {
        "camera_id": camera_id,
        "kept_from": to_us(kept_from),
        "yesterday": to_us(now - _DAY),
        "now": to_us(now),
    }
    row = connection.execute(
        """
        select
          coalesce((select size_bytes from footprint where camera_id = :camera_id), 0),
          (select coalesce(sum(size_bytes), 0) from segment
            where camera_id = :camera_id and stream in ('main', 'sub') and start_us < :kept_from),
          coalesce(sum(size_bytes), 0),
          coalesce(sum(iif(stream = 'main', duration, 0)), 0)
        from segment
        where camera_id = :camera_id and stream in ('main', 'sub')
          and start_us > :yesterday and start_us <= :now
        """,
        given,
    ).fetchone()
    return Usage(camera_id, row[0], row[1], row[2], row[3] / TICKS_PER_S)


def held_bytes(connection: sqlite3.Connection, now: datetime) -> int:
    """Return how much the footage takes that a hold keeps."""
    row = connection.execute(
        """
        select coalesce(sum(size_bytes), 0) from segment where id in (
          select s.id from hold h join segment s
            on s.camera_id = h.camera_id and s.stream in ('main', 'sub')
            and s.start_us < h.end_us and s.start_us > h.start_us - h.lead_us - :longest_us
            and s.end_us > h.start_us - h.lead_us
          where h.until_us > :now)
        """,
        {"now": to_us(now), "longest_us": LONGEST_US},
    ).fetchone()
    return int(row[0])


def deletions(connection: sqlite3.Connection, at_most: int) -> list[DeletionRecord]:
    """Return the newest deletion records, newest first."""
    rows = connection.execute(
        "select * from deletion order by at_us desc, day desc, camera_id limit ?", (at_most,)
    ).fetchall()
    return [
        DeletionRecord(
            row["camera_id"],
            date.fromisoformat(row["day"]),
            Reason(row["reason"]),
            row["segments"],
            row["bytes"],
            from_us(row["first_us"]),
            from_us(row["last_us"]),
            from_us(row["at_us"]),
        )
        for row in rows
    ]
