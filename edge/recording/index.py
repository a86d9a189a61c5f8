"""The index of what is recorded: segments, gaps, and the files that are growing now."""

import heapq
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.errors import NotFoundError
from edge.media.sample import GapReason
from edge.recording import gaps, segments
from edge.recording.coverage import Stretch
from edge.recording.segment import ClosedFile, Footage, Gap, Segment, Totals, run_by_run
from protocol.relay import StreamName

_PAGE_ROWS = 500
_FAR_US = 2**62
_ALIVE = "recording_alive_us"
_BELIEVED = "recording_believed_us"
_AFTER_SLASH = "0"  # its neighbour in ASCII: all paths below a folder are between the two


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
        self._claimed: set[Path] = set()

    @property
    def root(self) -> Path:
        """The recordings folder, absolute."""
        return self._root

    # -- segments ---------------------------------------------------------------------------------

    def add(self, file: ClosedFile) -> Segment:
        """Index a complete file, durably; it stops being growing and claimed in the same moment.

        It may lie in a gap: of a time when the clock was ahead.
        """
        with self._database.transaction() as connection:
            segment = segments.insert(connection, file, self._root)
            gaps.uncover(connection, file.camera_id, file.stream, file.start, file.end)
        self.clear_growing(file.path)
        self.release(file.path)
        return segment

    def segment(self, segment_id: int) -> Segment:
        """Return one segment. Raises NotFoundError."""
        with self._database.reading() as connection:
            row = connection.execute(
                "select * from segment where id = :id", {"id": segment_id}
            ).fetchone()
        if row is None:
            raise NotFoundError(f"segment {segment_id}")
        return segments.of_row(row, self._root)

    def segments(
        self, camera_id: str, stream: StreamName, start: datetime, end: datetime
    ) -> list[Segment]:
        """Return what overlaps ``start`` to ``end``, run by run (time I7)."""
        with self._database.reading() as connection:
            rows = connection.execute(
                """
                select * from segment
                where camera_id = :camera_id and stream = :stream
                  and start_us < :end_us
                  and end_us > :start_us and end_us < :end_us + :longest_us
                """,
                {**_range(camera_id, stream, start, end), "longest_us": segments.LONGEST_US},
            ).fetchall()
        return run_by_run(segments.of_row(row, self._root) for row in rows)

    def stretches(
        self, camera_id: str, stream: StreamName, start: datetime, end: datetime
    ) -> list[Stretch]:
        """Return when something was recorded between ``start`` and ``end``, the open file too.

        A day is thousands of files: this is the light way to ask.
        """
        growing = self.growing(camera_id, stream)
        with self._database.reading() as connection:
            found = segments.stretches(connection, camera_id, stream, start, end)
        if growing is not None and growing.start < end and growing.end > start:
            found.append(Stretch(growing.start, growing.end))
        return found

    def expected_since(self, camera_id: str, stream: StreamName) -> datetime | None:
        """Return since when a stream should have been recorded without a hole; None: never.

        That is since it was first seen, or where retention has deleted since then. What is held
        from before that is no more than that.
        """
        with self._database.reading() as connection:
            return segments.expected_since(connection, camera_id, stream)

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
        return None if row is None else segments.of_row(row, self._root)

    def oldest_first(self) -> Iterator[Segment]:
        """Yield every segment of every camera, oldest first, read in pages as they are used."""
        return self._pages("true", {})

    def of_camera(
        self, camera_id: str, begun_by: datetime | None = None, passing: Sequence[Stretch] = ()
    ) -> Iterator[Segment]:
        """Yield a camera's segments that begin by then, oldest first, read in pages as well.

        What begins within a stretch of ``passing`` is left out unread; they are in order and apart.
        """
        until_us = _FAR_US if begun_by is None else to_us(begun_by)
        spans = list(_between(passing, until_us))
        streams = [self._of_stream(camera_id, stream, spans) for stream in StreamName]
        return heapq.merge(*streams, key=lambda segment: (segment.start, segment.id))

    def _of_stream(
        self, camera_id: str, stream: StreamName, spans: Sequence[tuple[int, int]]
    ) -> Iterator[Segment]:
        with self._database.reading() as connection:
            filled = segments.begun_in(connection, camera_id, stream, spans)
        where = "camera_id = :camera_id and stream = :stream and start_us between :first and :last"
        of = {"camera_id": camera_id, "stream": stream.value}
        for first, last in filled:
            yield from self._pages(where, {**of, "first": first, "last": last})

    def _pages(self, where: str, given: Mapping[str, object]) -> Iterator[Segment]:
        after = {"start_us": -_FAR_US, "id": 0, "limit": _PAGE_ROWS, **given}
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    f"""
                    select * from segment where {where} and (start_us, id) > (:start_us, :id)
                    order by start_us, id limit :limit
                    """,  # noqa: S608 - words of our own
                    after,
                ).fetchall()
            yield from (segments.of_row(row, self._root) for row in rows)
            if len(rows) < _PAGE_ROWS:
                return
            after |= {"start_us": rows[-1]["start_us"], "id": rows[-1]["id"]}

    def cameras(self) -> set[str]:
        """Return the cameras that there is footage of, configured or not."""
        with self._database.reading() as connection:
            rows = connection.execute("select camera_id from footprint where size_bytes > 0")
            return {row["camera_id"] for row in rows}

    def newest_id(self) -> int:
        """Return the id of the segment that was indexed last, or 0."""
        with self._database.reading() as connection:
            return int(connection.execute("select coalesce(max(id), 0) from segment").fetchone()[0])

    def files_in(self, folder: Path) -> list[IndexedFile]:
        """Return the indexed files directly in a folder."""
        prefix = folder.relative_to(self._root).as_posix()
        with self._database.reading() as connection:
            # This is the prefix search that the index can do.
            rows = connection.execute(
                "select id, path, size_bytes from segment where path > :low and path < :high",
                {"low": f"{prefix}/", "high": f"{prefix}{_AFTER_SLASH}"},
            ).fetchall()
        skip = len(prefix) + 1
        return [IndexedFile(row[0], row[1][skip:], row[2]) for row in rows]

    def folders(self) -> Iterator[Path]:
        """Yield the folders that segments' files are in, in the order of their paths."""
        after = ""
        while True:
            with self._database.reading() as connection:
                path = connection.execute(
                    "select min(path) from segment where path > :after", {"after": after}
                ).fetchone()[0]
            if path is None:
                return
            folder = path.rpartition("/")[0]
            yield self._root / folder
            after = f"{folder}{_AFTER_SLASH}"

    def size_bytes(self) -> int:
        """Return how many bytes all segments take, without adding them up."""
        with self._database.reading() as connection:
            query = "select coalesce(sum(size_bytes), 0) from footprint"
            return int(connection.execute(query).fetchone()[0])

    def camera_bytes(self, camera_id: str) -> int:
        """Return how many bytes a camera's segments take, likewise."""
        with self._database.reading() as connection:
            query = "select size_bytes from footprint where camera_id = ?"
            row = connection.execute(query, (camera_id,)).fetchone()
        return 0 if row is None else int(row["size_bytes"])

    def forget(self, segment: Segment) -> None:
        """Remove the row of a segment whose file is gone or damaged."""
        with self._database.transaction() as connection:
            connection.execute("delete from segment where id = :id", {"id": segment.id})

    def streams(self) -> set[tuple[str, StreamName]]:
        """Return every stream that was ever recorded or missing."""
        found = set()
        for table in ("segment", "gap"):
            after = {"camera_id": "", "stream": ""}
            while True:
                with self._database.reading() as connection:
                    # From stream to stream by the index: there are few, of millions of rows.
                    row = connection.execute(
                        f"""
                        select camera_id, stream from {table}
                        where (camera_id, stream) > (:camera_id, :stream)
                        order by camera_id, stream limit 1
                        """,  # noqa: S608 - one of two names of our own
                        after,
                    ).fetchone()
                if row is None:
                    break
                after = {"camera_id": row["camera_id"], "stream": row["stream"]}
                found.add((row["camera_id"], StreamName(row["stream"])))
        return found

    def reaches(self, camera_id: str, stream: StreamName, start: datetime, end: datetime) -> bool:
        """Say whether ``start`` to ``end`` is within the time in which a stream was recorded."""
        earliest, latest = self.earliest(camera_id, stream), self.latest(camera_id, stream, end)
        return earliest is not None and latest is not None and earliest < end and latest > start

    def earliest(self, camera_id: str, stream: StreamName) -> datetime | None:
        """Return the start of the oldest segment, or None."""
        with self._database.reading() as connection:
            return segments.earliest(connection, camera_id, stream)

    def latest(self, camera_id: str, stream: StreamName, now: datetime) -> datetime | None:
        """Return the end of the newest of the segments that had begun by ``now``, or None.

        Those of the future are of a time when the clock was ahead. The end may be after ``now``.
        """
        with self._database.reading() as connection:
            return segments.latest(connection, camera_id, stream, now)

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

    def claim(self, path: Path) -> None:
        """Say, before there is such a file, that its writer will see to its row."""
        with self._lock:
            self._claimed.add(path)

    def release(self, path: Path) -> None:
        """Say that the file has its row or is gone."""
        with self._lock:
            self._claimed.discard(path)

    def claimed(self) -> frozenset[Path]:
        """Return the files that are in somebody's hand: growing, or waiting for their row."""
        with self._lock:
            return frozenset(self._claimed)

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
            self._finish_gap(connection, camera_id, stream, end)

    def resume(self, camera_id: str, stream: StreamName, start: datetime, end: datetime) -> None:
        """Say that recording goes on: the open gap ends, and none reaches into start to end."""
        with self._database.transaction() as connection:
            self._finish_gap(connection, camera_id, stream, start)
            gaps.uncover(connection, camera_id, stream, start, end)

    def _finish_gap(
        self, connection: sqlite3.Connection, camera_id: str, stream: StreamName, end: datetime
    ) -> None:
        gap = gaps.finish(connection, camera_id, stream, end)
        if gap is None:
            return
        # Where the clock was behind and was set right, the gap runs over what had been recorded.
        for each in segments.stretches(connection, camera_id, stream, gap.start, end):
            gaps.uncover(connection, camera_id, stream, each.start, each.end)

    def add_gap(self, gap: Gap) -> None:
        """Record a gap; one of no length leaves no row."""
        with self._database.transaction() as connection:
            gaps.add(connection, gap)

    def explain_after(self, path: Path) -> None:
        """Let the box be off from the end of the segment in ``path`` to what is known after it.

        For a file that is found while others are recorded already: whoever opened the gap of the
        absence did not know of it, and where a clock had been set it lies far from there.
        """
        with self._database.transaction() as connection:
            row = connection.execute(
                "select * from segment where path = :path",
                {"path": path.relative_to(self._root).as_posix()},
            ).fetchone()
            if row is None:
                return
            segment = segments.of_row(row, self._root)
            then = gaps.explained_from(connection, segment.camera_id, segment.stream, segment.end)
            if then is not None:
                of = (segment.camera_id, segment.stream, segment.end, then)
                gaps.add(connection, Gap(*of, GapReason.BOX_OFF))

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


def _between(passing: Iterable[Stretch], until_us: int) -> Iterator[tuple[int, int]]:
    """Yield the first and last microsecond of each span between the stretches, up to a time."""
    first = -_FAR_US
    for stretch in passing:
        yield first, min(to_us(stretch.start) - 1, until_us)
        first = to_us(stretch.end)
    yield first, until_us


def _range(
    camera_id: str, stream: StreamName, start: datetime, end: datetime
) -> dict[str, str | int]:
    return {
        "camera_id": camera_id,
        "stream": stream.value,
        "start_us": to_us(start),
        "end_us": to_us(end),
    }
