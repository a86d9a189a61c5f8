"""The index of what is recorded: segments, gaps, and the files that are growing now."""

import sqlite3
import threading
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.errors import NotFoundError
from edge.media.sample import Codec, GapReason
from edge.recording.segment import ClosedFile, Footage, Gap, Segment, Totals
from protocol.relay import StreamName

_INSERT = """
insert into segment (camera_id, stream, run_id, path, start_us, end_us, start_dts, duration,
  wall_us, size_bytes, init_bytes, sha256, codec, mime_codec, width, height, starts_key, recovered)
values (:camera_id, :stream, :run_id, :path, :start_us, :end_us, :start_dts, :duration,
  :wall_us, :size_bytes, :init_bytes, :sha256, :codec, :mime_codec, :width, :height, :starts_key,
  :recovered)
"""


class RecordingIndex:
    """Segments and gaps in the database, and in memory the files that are growing.

    ``root`` is the recordings folder; paths in the database are below it. Every method may be
    called from any thread; each write is one transaction, or joins the caller's. All of them raise
    StorageError where the database refuses.
    """

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._root = root.absolute()
        self._lock = threading.Lock()
        self._growing: dict[tuple[str, StreamName], Footage] = {}

    @property
    def root(self) -> Path:
        """The recordings folder, absolute."""
        return self._root

    # -- segments ---------------------------------------------------------------------------------

    def add(self, file: ClosedFile) -> Segment:
        """Index a complete file, durably; it stops being the growing one in the same moment."""
        row = {
            "camera_id": file.camera_id,
            "stream": file.stream.value,
            "run_id": file.run_id,
            "path": file.path.relative_to(self._root).as_posix(),
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
        }
        with self._database.transaction() as connection:
            segment_id = connection.execute(_INSERT, row).lastrowid
        self.clear_growing(file.path)
        assert segment_id is not None
        return self.segment(segment_id)

    def segment(self, segment_id: int) -> Segment:
        """Return one segment. Raises NotFoundError."""
        with self._database.reading() as connection:
            row = connection.execute(
                "select * from segment where id = :id", {"id": segment_id}
            ).fetchone()
        if row is None:
            raise NotFoundError(f"segment {segment_id}")
        return self._segment(row)

    def segments(
        self, camera_id: str, stream: StreamName, start: datetime, end: datetime
    ) -> list[Segment]:
        """Return what overlaps ``start`` to ``end``, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                select * from segment
                where camera_id = :camera_id and stream = :stream
                  and start_us < :end_us and end_us > :start_us
                order by start_us, id
                """,
                _range(camera_id, stream, start, end),
            ).fetchall()
        return [self._segment(row) for row in rows]

    def footage(
        self, camera_id: str, stream: StreamName, start: datetime, end: datetime
    ) -> list[Footage]:
        """Return what a player needs to show ``start`` to ``end``: segments, then what is growing.

        Where the first file begins inside a group of pictures, the files before it down to the one
        with the key frame come first.
        """
        growing = self.growing(camera_id, stream)
        found: list[Footage] = [*self.segments(camera_id, stream, start, end)]
        # The open file may have been indexed since we looked: then its row is in the list already.
        if (
            growing is not None
            and growing.start < end
            and growing.end > start
            and all(item.path != growing.path for item in found)
        ):
            found.append(growing)
        while found and not found[0].starts_key:
            before = self._before(found[0])
            if before is None:
                break
            found.insert(0, before)
        return found

    def _before(self, footage: Footage) -> Segment | None:
        with self._database.reading() as connection:
            row = connection.execute(
                """
                select * from segment
                where camera_id = :camera_id and stream = :stream and run_id = :run_id
                  and start_us < :start_us and start_dts + duration = :start_dts
                order by start_us desc limit 1
                """,
                {
                    "camera_id": footage.camera_id,
                    "stream": footage.stream.value,
                    "run_id": footage.run_id,
                    "start_us": to_us(footage.start),
                    "start_dts": footage.start_dts_90k,
                },
            ).fetchone()
        return None if row is None else self._segment(row)

    def all_segments(self) -> list[Segment]:
        """Return every segment of every camera, oldest first: for recovery and retention."""
        with self._database.reading() as connection:
            rows = connection.execute("select * from segment order by start_us, id").fetchall()
        return [self._segment(row) for row in rows]

    def forget(self, segment_ids: Iterable[int]) -> None:
        """Remove rows, not files: the caller unlinks those after the commit (recording I3)."""
        with self._database.transaction() as connection:
            connection.executemany(
                "delete from segment where id = :id", [{"id": each} for each in segment_ids]
            )

    def earliest(self, camera_id: str, stream: StreamName) -> datetime | None:
        """Return the start of the oldest segment, or None."""
        return self._extreme("min(start_us)", camera_id, stream)

    def latest(self, camera_id: str, stream: StreamName) -> datetime | None:
        """Return the latest end of any segment, or None."""
        return self._extreme("max(end_us)", camera_id, stream)

    def _extreme(self, what: str, camera_id: str, stream: StreamName) -> datetime | None:
        with self._database.reading() as connection:
            value = connection.execute(
                f"select {what} from segment where camera_id = ? and stream = ?",  # noqa: S608
                (camera_id, stream.value),
            ).fetchone()[0]
        return None if value is None else from_us(value)

    def totals(self) -> list[Totals]:
        """Return what every stream's segments add up to, in order of camera and stream."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                select camera_id, stream, count(*) as segments, sum(size_bytes) as size_bytes,
                  min(start_us) as earliest_us, max(end_us) as latest_us
                from segment group by camera_id, stream order by camera_id, stream
                """
            ).fetchall()
        return [
            Totals(
                row["camera_id"],
                StreamName(row["stream"]),
                row["segments"],
                row["size_bytes"],
                from_us(row["earliest_us"]),
                from_us(row["latest_us"]),
            )
            for row in rows
        ]

    # -- growing ----------------------------------------------------------------------------------

    def growing(self, camera_id: str, stream: StreamName) -> Footage | None:
        """Return the complete part of the file that is being written now, or None."""
        with self._lock:
            return self._growing.get((camera_id, stream))

    def set_growing(self, footage: Footage) -> None:
        """Say how far the open file of a stream has come; the writer calls it a fragment."""
        with self._lock:
            self._growing[footage.camera_id, footage.stream] = footage

    def clear_growing(self, path: Path) -> None:
        """Say that ``path`` is no longer open."""
        with self._lock:
            self._growing = {key: item for key, item in self._growing.items() if item.path != path}

    # -- gaps -------------------------------------------------------------------------------------

    def gaps(self, camera_id: str, stream: StreamName, start: datetime, end: datetime) -> list[Gap]:
        """Return what is missing between ``start`` and ``end``, oldest first, the open one too."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                select * from gap
                where camera_id = :camera_id and stream = :stream
                  and start_us < :end_us and (end_us is null or end_us > :start_us)
                order by start_us, id
                """,
                _range(camera_id, stream, start, end),
            ).fetchall()
        return [_gap(row) for row in rows]

    def open_gaps(self) -> list[Gap]:
        """Return the gap of every stream that is missing now."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select * from gap where end_us is null order by camera_id, stream"
            ).fetchall()
        return [_gap(row) for row in rows]

    def open_gap(
        self, camera_id: str, stream: StreamName, start: datetime, reason: GapReason
    ) -> None:
        """Say that nothing is recorded from ``start`` on; an open gap stays as it is."""
        with self._database.transaction() as connection:
            connection.execute(
                """
                insert into gap (camera_id, stream, start_us, end_us, reason)
                values (:camera_id, :stream, :start_us, null, :reason)
                on conflict do nothing
                """,
                {
                    "camera_id": camera_id,
                    "stream": stream.value,
                    "start_us": to_us(start),
                    "reason": reason.value,
                },
            )

    def close_gap(self, camera_id: str, stream: StreamName, end: datetime) -> None:
        """Say that recording goes on at ``end``; a gap of no length leaves no row."""
        key = {"camera_id": camera_id, "stream": stream.value, "end_us": to_us(end)}
        which = "where camera_id = :camera_id and stream = :stream and end_us is null"
        with self._database.transaction() as connection:
            connection.execute(f"delete from gap {which} and start_us >= :end_us", key)  # noqa: S608
            connection.execute(f"update gap set end_us = :end_us {which}", key)  # noqa: S608

    def add_gap(self, gap: Gap) -> None:
        """Record a gap that is already over; one of no length leaves no row."""
        assert gap.end is not None
        if gap.end <= gap.start:
            return
        with self._database.transaction() as connection:
            connection.execute(
                """
                insert into gap (camera_id, stream, start_us, end_us, reason)
                values (:camera_id, :stream, :start_us, :end_us, :reason)
                """,
                {
                    "camera_id": gap.camera_id,
                    "stream": gap.stream.value,
                    "start_us": to_us(gap.start),
                    "end_us": to_us(gap.end),
                    "reason": gap.reason.value,
                },
            )

    def _segment(self, row: sqlite3.Row) -> Segment:
        return Segment(
            id=row["id"],
            camera_id=row["camera_id"],
            stream=StreamName(row["stream"]),
            run_id=row["run_id"],
            path=self._root / row["path"],
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
        )


def _gap(row: sqlite3.Row) -> Gap:
    end_us = row["end_us"]
    return Gap(
        row["camera_id"],
        StreamName(row["stream"]),
        from_us(row["start_us"]),
        None if end_us is None else from_us(end_us),
        GapReason(row["reason"]),
    )


def _range(
    camera_id: str, stream: StreamName, start: datetime, end: datetime
) -> dict[str, str | int]:
    return {
        "camera_id": camera_id,
        "stream": stream.value,
        "start_us": to_us(start),
        "end_us": to_us(end),
    }
