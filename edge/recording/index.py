"""The index of what is recorded: segments, gaps, and the files that are growing now."""

import dataclasses
import sqlite3
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.errors import NotFoundError
from edge.media.sample import Codec, GapReason
from edge.recording import gaps
from edge.recording.segment import ClosedFile, Footage, Gap, Segment, Totals, run_by_run
from protocol.relay import StreamName

_PAGE_ROWS = 500
_ALIVE = "recording_alive_us"
_BELIEVED = "recording_believed_us"
_INSERT = """
insert into segment (camera_id, stream, run_id, path, start_us, end_us, start_dts, duration,
  wall_us, size_bytes, init_bytes, sha256, codec, mime_codec, width, height, starts_key, recovered)
values (:camera_id, :stream, :run_id, :path, :start_us, :end_us, :start_dts, :duration,
  :wall_us, :size_bytes, :init_bytes, :sha256, :codec, :mime_codec, :width, :height, :starts_key,
  :recovered)
"""


@dataclass(frozen=True, slots=True)
class IndexedFile:
    """What the index says of one file, for comparing with the disk."""

    segment_id: int
    name: str
    size_bytes: int


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
        # Not read back: the row stands, and who thought it refused would try it again for ever.
        fields = {field.name: getattr(file, field.name) for field in dataclasses.fields(ClosedFile)}
        return Segment(id=segment_id, **fields)

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
        """Return what overlaps ``start`` to ``end``, run by run (time I7)."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                select * from segment
                where camera_id = :camera_id and stream = :stream
                  and start_us < :end_us and end_us > :start_us
                """,
                _range(camera_id, stream, start, end),
            ).fetchall()
        return run_by_run(self._segment(row) for row in rows)

    def footage(
        self, camera_id: str, stream: StreamName, start: datetime, end: datetime
    ) -> list[Footage]:
        """Return what a player needs to show ``start`` to ``end``, what is growing included.

        It is in the order of :meth:`segments`. Where the first file of a run begins inside a group
        of pictures, the files before it down to the one with the key frame come first.
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
        firsts = {item.run_id: item for item in reversed(run_by_run(found))}
        for first in firsts.values():
            found += self._down_to_key(first)
        return run_by_run(found)

    def _down_to_key(self, footage: Footage) -> Iterator[Segment]:
        while not footage.starts_key:
            before = self._before(footage)
            if before is None:
                return
            yield before
            footage = before

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

    def oldest_first(self) -> Iterator[Segment]:
        """Yield every segment of every camera, oldest first, read in pages as they are used."""
        after = {"start_us": -(2**62), "id": 0, "limit": _PAGE_ROWS}
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    """
                    select * from segment where (start_us, id) > (:start_us, :id)
                    order by start_us, id limit :limit
                    """,
                    after,
                ).fetchall()
            if not rows:
                return
            yield from (self._segment(row) for row in rows)
            after |= {"start_us": rows[-1]["start_us"], "id": rows[-1]["id"]}

    def newest_id(self) -> int:
        """Return the id of the segment that was indexed last, or 0."""
        with self._database.reading() as connection:
            return int(connection.execute("select coalesce(max(id), 0) from segment").fetchone()[0])

    def files_in(self, folder: Path) -> list[IndexedFile]:
        """Return the indexed files directly in a folder."""
        prefix = folder.relative_to(self._root).as_posix()
        with self._database.reading() as connection:
            # "/" and "0" are neighbours in ASCII: this is the prefix search the index can do.
            rows = connection.execute(
                "select id, path, size_bytes from segment where path > :low and path < :high",
                {"low": f"{prefix}/", "high": f"{prefix}0"},
            ).fetchall()
        skip = len(prefix) + 1
        return [IndexedFile(row[0], row[1][skip:], row[2]) for row in rows]

    def folders(self) -> set[Path]:
        """Return the folders that segments' files are in."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select distinct rtrim(path, replace(path, '/', '')) from segment"
            ).fetchall()
        return {self._root / row[0] for row in rows}

    def size_bytes(self) -> int:
        """Return how many bytes all segments take."""
        with self._database.reading() as connection:
            return int(
                connection.execute("select coalesce(sum(size_bytes), 0) from segment").fetchone()[0]
            )

    def forget(self, segment: Segment) -> None:
        """Remove the row of a segment whose file is gone or damaged."""
        with self._database.transaction() as connection:
            connection.execute("delete from segment where id = :id", {"id": segment.id})

    def streams(self) -> set[tuple[str, StreamName]]:
        """Return every stream that was ever recorded or missing."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select camera_id, stream from segment union select camera_id, stream from gap"
            ).fetchall()
        return {(row["camera_id"], StreamName(row["stream"])) for row in rows}

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

    def growing_paths(self) -> frozenset[Path]:
        """Return the files that are being written now."""
        with self._lock:
            return frozenset(item.path for item in self._growing.values())

    def clear_growing(self, path: Path) -> None:
        """Say that ``path`` is no longer open."""
        with self._lock:
            self._growing = {key: item for key, item in self._growing.items() if item.path != path}

    # -- gaps -------------------------------------------------------------------------------------

    def gaps(self, camera_id: str, stream: StreamName, start: datetime, end: datetime) -> list[Gap]:
        """Return what is missing between ``start`` and ``end``, oldest first, the open one too."""
        with self._database.reading() as connection:
            return gaps.between(connection, camera_id, stream, start, end)

    def open_gaps(self) -> list[Gap]:
        """Return the gap of every stream that is missing now."""
        with self._database.reading() as connection:
            return gaps.unfinished(connection)

    def open_gap(
        self, camera_id: str, stream: StreamName, start: datetime, reason: GapReason
    ) -> None:
        """Say that nothing is recorded from ``start`` on; an open gap stays as it is."""
        self.add_gap(Gap(camera_id, stream, start, None, reason))

    def close_gap(self, camera_id: str, stream: StreamName, end: datetime) -> None:
        """Say that recording goes on at ``end``; a gap of no length leaves no row."""
        with self._database.transaction() as connection:
            gaps.finish(connection, camera_id, stream, end)

    def resume(self, camera_id: str, stream: StreamName, start: datetime, end: datetime) -> None:
        """Say that recording goes on: the open gap ends, and none reaches into start to end."""
        with self._database.transaction() as connection:
            gaps.finish(connection, camera_id, stream, start)
            gaps.uncover(connection, camera_id, stream, start, end)

    def add_gap(self, gap: Gap) -> None:
        """Record a gap; one of no length leaves no row."""
        with self._database.transaction() as connection:
            gaps.add(connection, gap)

    def uncover(self, footage: Footage) -> None:
        """Take a stretch that was found to be recorded out of every gap."""
        with self._database.transaction() as connection:
            gaps.uncover(connection, footage.camera_id, footage.stream, footage.start, footage.end)

    # -- the process itself -----------------------------------------------------------------------

    def stamp_alive(self, now: datetime, believed: datetime | None) -> None:
        """Note that the box is running: after a crash, where "box off" begins.

        ``believed`` is the time where it is believed; None leaves the last one as it is.
        """
        stamps = {_ALIVE: now} if believed is None else {_ALIVE: now, _BELIEVED: believed}
        with self._database.transaction() as connection:
            connection.executemany(
                "insert into meta (key, value) values (:key, :value)"
                " on conflict (key) do update set value = :value",
                [{"key": key, "value": str(to_us(at))} for key, at in stamps.items()],
            )

    def last_alive(self) -> datetime | None:
        """Return when the box was last known to run, or None."""
        return self._stamp(_ALIVE)

    def last_believed(self) -> datetime | None:
        """Return the last time that was believed, or None."""
        return self._stamp(_BELIEVED)

    def _stamp(self, key: str) -> datetime | None:
        with self._database.reading() as connection:
            row = connection.execute(
                "select value from meta where key = :key", {"key": key}
            ).fetchone()
        return None if row is None else from_us(int(row["value"]))

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


def _range(
    camera_id: str, stream: StreamName, start: datetime, end: datetime
) -> dict[str, str | int]:
    return {
        "camera_id": camera_id,
        "stream": stream.value,
        "start_us": to_us(start),
        "end_us": to_us(end),
    }
