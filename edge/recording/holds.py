"""Holds: what may not be deleted, and why (recording I4)."""

import sqlite3
from collections.abc import Iterable
from datetime import datetime, timedelta

from edge.db.instant import from_us, to_us
from edge.recording.hold_lead import lead
from edge.recording.hold_trace import keep_trace_of_ended
from edge.recording.retention import Deletion
from edge.recording.segment import Hold, Segment


def add_hold(
    connection: sqlite3.Connection,
    camera_id: str,
    start: datetime,
    end: datetime,
    reason: str,
    until: datetime,
) -> None:
    """Keep a camera's footage from ``start`` to ``end`` until ``until``.

    It runs in the caller's transaction, so that an alert and its hold commit together (alert I2).
    ``reason`` is ``alert:<uuid>`` or a person's words.
    """
    connection.execute(
        """
        insert into hold (camera_id, start_us, end_us, reason, until_us, lead_us)
        values (:camera_id, :start_us, :end_us, :reason, :until_us, :lead_us)
        """,
        {
            "camera_id": camera_id,
            "start_us": to_us(start),
            "end_us": to_us(end),
            "reason": reason,
            "until_us": to_us(until),
            "lead_us": lead(connection, camera_id, start) // timedelta(microseconds=1),
        },
    )


def extend_hold(connection: sqlite3.Connection, reason: str, end: datetime) -> None:
    """Let every hold of ``reason`` reach at least to ``end``, shorten none, move no person's."""
    connection.execute(
        "update hold set end_us = max(end_us, :end_us)"
        " where reason = :reason and placed_by is null",
        {"reason": reason, "end_us": to_us(end)},
    )


def drop_hold(connection: sqlite3.Connection, reason: str) -> None:
    """Remove every hold of ``reason``; for what the box itself holds while it works.

    A person's hold stays, whatever its words are.
    """
    connection.execute(
        "delete from hold where reason = :reason and placed_by is null", {"reason": reason}
    )


def reasons(connection: sqlite3.Connection, prefix: str) -> set[str]:
    """Return the reasons of the box's own holds that begin with ``prefix``."""
    rows = connection.execute(
        """
        select distinct reason from hold
        where substr(reason, 1, length(:prefix)) = :prefix and placed_by is null
        """,
        {"prefix": prefix},
    ).fetchall()
    return {row["reason"] for row in rows}


def holds(connection: sqlite3.Connection, now: datetime) -> list[Hold]:
    """Return the holds still in force at ``now``."""
    rows = connection.execute(
        "select * from hold where until_us > :now_us order by camera_id, start_us",
        {"now_us": to_us(now)},
    ).fetchall()
    return [
        Hold(
            row["camera_id"],
            from_us(row["start_us"]),
            from_us(row["end_us"]),
            row["reason"],
            from_us(row["until_us"]),
            timedelta(microseconds=row["lead_us"]),
        )
        for row in rows
    ]


def unheld(
    connection: sqlite3.Connection, deletions: Iterable[Deletion], now: datetime
) -> tuple[Deletion, ...]:
    """Return those deletions whose segments no hold in force at ``now`` keeps.

    A plan takes a while, and a person may have placed a hold meanwhile (recording I17).
    """
    return tuple(each for each in deletions if not _is_held(connection, each.segment, now))


def _is_held(connection: sqlite3.Connection, segment: Segment, now: datetime) -> bool:
    row = connection.execute(
        """
        select 1 from hold
        where camera_id = :camera_id and until_us > :now_us
          and end_us > :start_us and start_us - lead_us < :end_us limit 1
        """,
        {
            "camera_id": segment.camera_id,
            "now_us": to_us(now),
            "start_us": to_us(segment.start),
            "end_us": to_us(segment.end),
        },
    ).fetchone()
    return row is not None


def drop_expired(connection: sqlite3.Connection, now: datetime) -> int:
    """Remove the holds that ended before ``now`` and return how many; persons' leave a trace."""
    keep_trace_of_ended(connection, now)
    return connection.execute(
        "delete from hold where until_us <= :now_us", {"now_us": to_us(now)}
    ).rowcount
