"""Rows of the segment table: files that are indexed (recording I1).

Each function runs in the caller's transaction. ``root`` is the recordings folder; paths in the
table are below it.
"""

import dataclasses
import json
import sqlite3
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from edge.db.instant import from_us, to_us
from edge.media.sample import Codec
from edge.recording.coverage import Stretch
from edge.recording.segment import ClosedFile, KeyPoint, Segment
from protocol.relay import StreamName

#: No file is nearly so long: with this a search by the end of the segments has two ends.
LONGEST_US = 3_600_000_000
_NEVER_US = 2**62
_KEY = struct.Struct(">II")  # ticks after the first sample, byte of the file


def insert(connection: sqlite3.Connection, file: ClosedFile, root: Path) -> Segment:
    """Insert a file and return the segment it is now; a path is taken once."""
    row = {
        "camera_id": file.camera_id,
        "stream": file.stream.value,
        "run_id": file.run_id,
        "path": file.path.relative_to(root).as_posix(),
        "start_us": to_us(file.start),
        "end_us": to_us(file.end),
        "start_dts": file.start_dts_90k,
        "duration": file.duration_90k,
        "wall_us": file.wall_us,
        "size_bytes": file.size_bytes,
        "init_bytes": file.init_bytes,
        "sha256": file.sha256,
        "codec": file.codec.value,
        "mime_codec": file.mime_codec,
        "width": file.width,
        "height": file.height,
        "starts_key": file.starts_key,
        "recovered": file.recovered,
        "keys": _packed(file.keys),
    }
    names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    segment_id = connection.execute(
        f"insert into segment ({names}) values ({values})",  # noqa: S608 - names of our own
        row,
    ).lastrowid
    assert segment_id is not None
    # Not read back: the row stands, and who thought it refused would try it again for ever.
    fields = {field.name: getattr(file, field.name) for field in dataclasses.fields(ClosedFile)}
    return Segment(id=segment_id, **fields)


def of_row(row: sqlite3.Row | Mapping[str, Any], root: Path) -> Segment:
    """Return the segment that a whole row is."""
    return Segment(
        id=row["id"],
        camera_id=row["camera_id"],
        stream=StreamName(row["stream"]),
        run_id=row["run_id"],
        path=root / row["path"],
        start=from_us(row["start_us"]),
        end=from_us(row["end_us"]),
        start_dts_90k=row["start_dts"],
        duration_90k=row["duration"],
        wall_us=row["wall_us"],
        size_bytes=row["size_bytes"],
        init_bytes=row["init_bytes"],
        sha256=row["sha256"],
        codec=Codec(row["codec"]),
        mime_codec=row["mime_codec"],
        width=row["width"],
        height=row["height"],
        starts_key=bool(row["starts_key"]),
        recovered=bool(row["recovered"]),
        keys=_unpacked(row["keys"]),
    )


def begun_in(
    connection: sqlite3.Connection,
    camera_id: str,
    stream: StreamName,
    spans: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Return those spans, in microseconds with their last one, in which a segment begins."""
    rows = connection.execute(
        """
        select json_extract(value, '$[0]') as first, json_extract(value, '$[1]') as last
        from json_each(:spans)
        where exists (select 1 from segment where camera_id = :camera_id and stream = :stream
          and start_us between json_extract(value, '$[0]') and json_extract(value, '$[1]'))
        order by key
        """,
        {"spans": json.dumps(spans), "camera_id": camera_id, "stream": stream.value},
    ).fetchall()
    return [(row["first"], row["last"]) for row in rows]


def stretches(
    connection: sqlite3.Connection,
    camera_id: str,
    stream: StreamName,
    start: datetime,
    end: datetime,
) -> list[Stretch]:
    """Return when the segments between ``start`` and ``end`` were recorded, by their start."""
    rows = connection.execute(
        """
        select start_us, end_us from segment
        where camera_id = :camera_id and stream = :stream and start_us < :end_us
          and end_us > :start_us and end_us < :end_us + :longest_us
        order by start_us, id
        """,
        {
            "camera_id": camera_id,
            "stream": stream.value,
            "start_us": to_us(start),
            "end_us": to_us(end),
            "longest_us": LONGEST_US,
        },
    ).fetchall()
    return [Stretch(from_us(row[0]), from_us(row[1])) for row in rows]


def earliest(connection: sqlite3.Connection, camera_id: str, stream: StreamName) -> datetime | None:
    """Return the start of a stream's oldest segment, or None."""
    row = connection.execute(
        "select min(start_us) from segment where camera_id = :camera_id and stream = :stream",
        {"camera_id": camera_id, "stream": stream.value},
    ).fetchone()
    return None if row[0] is None else from_us(row[0])


def latest(
    connection: sqlite3.Connection, camera_id: str, stream: StreamName, now: datetime
) -> datetime | None:
    """Return the end of the newest of the segments that had begun by ``now``, or None."""
    row = connection.execute(
        """
        select end_us from segment
        where camera_id = :camera_id and stream = :stream and start_us <= :now_us
        order by start_us desc limit 1
        """,
        {"camera_id": camera_id, "stream": stream.value, "now_us": to_us(now)},
    ).fetchone()
    return None if row is None else from_us(row["end_us"])


def expected_since(
    connection: sqlite3.Connection, camera_id: str, stream: StreamName
) -> datetime | None:
    """Return when a stream was first seen, or where retention has deleted since; None: never."""
    row = connection.execute(
        """
        select max(
          min(coalesce((select min(start_us) from segment
            where camera_id = :camera_id and stream = :stream), :never),
            coalesce((select min(start_us) from gap
            where camera_id = :camera_id and stream = :stream), :never)),
          coalesce((select max(last_us) from deletion
            where camera_id = :camera_id and reason not in ('orphan', 'lost')), 0))
        """,
        {"camera_id": camera_id, "stream": stream.value, "never": _NEVER_US},
    ).fetchone()
    return None if row[0] == _NEVER_US else from_us(row[0])


def _packed(keys: Iterable[KeyPoint]) -> bytes:
    """Return key points for the table; one that does not fit is left out, and its piece longer."""
    fit = (key for key in keys if max(key.after_90k, key.offset) < 2**32)
    return b"".join(_KEY.pack(key.after_90k, key.offset) for key in fit)


def _unpacked(blob: bytes) -> tuple[KeyPoint, ...]:
    return tuple(KeyPoint(after_90k, offset) for after_90k, offset in _KEY.iter_unpack(blob))
