"""Rows of the gap table: stretches that should have been recorded and were not (recording I6).

Each function runs in the caller's transaction.
"""

import sqlite3
from dataclasses import replace
from datetime import datetime

from edge.db.instant import from_us, to_us
from edge.media.sample import GapReason
from edge.recording.segment import Gap
from edge.recording.segments import LONGEST_US
from protocol.relay import StreamName

_OF_STREAM = "camera_id = :camera_id and stream = :stream"


def between(
    connection: sqlite3.Connection,
    camera_id: str,
    stream: StreamName,
    start: datetime,
    end: datetime,
) -> list[Gap]:
    """Return what is missing between ``start`` and ``end``, oldest first, the open one too."""
    rows = connection.execute(
        f"""
        select * from gap
        where {_OF_STREAM} and start_us < :end_us and (end_us is null or end_us > :start_us)
        order by start_us, id
        """,  # noqa: S608
        {**_stream(camera_id, stream), "start_us": to_us(start), "end_us": to_us(end)},
    ).fetchall()
    return [_gap(row) for row in rows]


def unfinished(connection: sqlite3.Connection) -> list[Gap]:
    """Return the gap of every stream that is missing now."""
    rows = connection.execute(
        "select * from gap where end_us is null order by camera_id, stream"
    ).fetchall()
    return [_gap(row) for row in rows]


def add(connection: sqlite3.Connection, gap: Gap) -> None:
    """Insert a gap; one of no length leaves no row, and neither does a second open one."""
    if gap.end is not None and gap.end <= gap.start:
        return
    connection.execute(
        """
        insert into gap (camera_id, stream, start_us, end_us, reason)
        values (:camera_id, :stream, :start_us, :end_us, :reason)
        on conflict do nothing
        """,
        {**_row(gap), "reason": gap.reason.value},
    )


def finish(
    connection: sqlite3.Connection, camera_id: str, stream: StreamName, end: datetime
) -> Gap | None:
    """Let the open gap, if any, end at ``end`` and return it; one of no length leaves no row."""
    key = {**_stream(camera_id, stream), "end_us": to_us(end)}
    which = f"where {_OF_STREAM} and end_us is null"
    connection.execute(f"delete from gap {which} and start_us >= :end_us", key)  # noqa: S608
    row = connection.execute(f"select * from gap {which}", key).fetchone()  # noqa: S608
    if row is None:
        return None
    connection.execute(f"update gap set end_us = :end_us {which}", key)  # noqa: S608
    return replace(_gap(row), end=end)


def explained_from(
    connection: sqlite3.Connection, camera_id: str, stream: StreamName, at: datetime
) -> datetime | None:
    """Return when the first segment or gap begins after ``at``, or ``at`` where one lies on it.

    None: none does.
    """
    row = connection.execute(
        f"""
        select min(then_us) as then_us from (
          select :at_us as then_us from segment where {_OF_STREAM}
            and start_us <= :at_us and end_us > :at_us and end_us < :at_us + :longest_us
          union all select min(start_us) from segment where {_OF_STREAM} and start_us > :at_us
          union all
          select :at_us from gap where {_OF_STREAM}
            and start_us <= :at_us and (end_us is null or end_us > :at_us)
          union all select min(start_us) from gap where {_OF_STREAM} and start_us > :at_us)
        """,  # noqa: S608
        {**_stream(camera_id, stream), "at_us": to_us(at), "longest_us": LONGEST_US},
    ).fetchone()
    return None if row["then_us"] is None else from_us(row["then_us"])


def uncover(
    connection: sqlite3.Connection,
    camera_id: str,
    stream: StreamName,
    start: datetime,
    end: datetime,
) -> None:
    """Take ``start`` to ``end`` out of every gap: there is footage after all."""
    for gap in between(connection, camera_id, stream, start, end):
        connection.execute(
            f"""
            delete from gap where {_OF_STREAM} and start_us = :start_us and end_us is :end_us
            """,  # noqa: S608
            _row(gap),
        )
        add(connection, replace(gap, end=max(gap.start, start)))
        if gap.end is None or gap.end > end:
            add(connection, replace(gap, start=max(gap.start, end)))


def _stream(camera_id: str, stream: StreamName) -> dict[str, str | int | None]:
    return {"camera_id": camera_id, "stream": stream.value}


def _row(gap: Gap) -> dict[str, str | int | None]:
    return {
        **_stream(gap.camera_id, gap.stream),
        "start_us": to_us(gap.start),
        "end_us": None if gap.end is None else to_us(gap.end),
    }


def _gap(row: sqlite3.Row) -> Gap:
    end_us = row["end_us"]
    return Gap(
        row["camera_id"],
        StreamName(row["stream"]),
        from_us(row["start_us"]),
        None if end_us is None else from_us(end_us),
        GapReason(row["reason"]),
    )
