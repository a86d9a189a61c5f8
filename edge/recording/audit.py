"""Checking the archive against its invariants; nothing here writes (recording I1 to I6, I19)."""

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from pathlib import Path

from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.errors import MediaError
from edge.media.boxes import Fragment, Head, fragments, read_head
from edge.media.sample import TICKS_PER_S
from edge.recording.day_folder import day_folders, is_ours
from edge.recording.finding import Finding, Remedy
from edge.recording.index import IndexedFile, RecordingIndex
from edge.recording.segment import Segment
from protocol.relay import StreamName

#: A wall time is a media time turned into microseconds, rounded down.
_ROUNDING_US = 1
#: Stretches of less are no footage anybody could miss: half a tick of a slow camera's clock.
_SLACK_US = 1000
#: No file is longer: a gap's overlap needs no look further back.
_LONGEST_FILE_US = 600_000_000
#: While the box runs, a file that was written to so lately may be a growing one.
_GROWING = timedelta(minutes=2)
_READ_BYTES = 1 << 20


class Level(StrEnum):
    """How deep a check goes: the index alone, and the files' names and sizes, and every byte."""

    ROWS = "rows"
    FILES = "files"
    BYTES = "bytes"


@dataclass(slots=True)
class Tally:
    """How much was looked at."""

    rows: int = 0
    files: int = 0
    read_bytes: int = 0


class Audit:
    """One look at an archive. ``is_running``: a box is recording into it meanwhile.

    Findings come as they are found, so that a check of hours shows something at once; ``tally``
    grows with them. Raises StorageError for the index and OSError for the folder.
    """

    def __init__(
        self, database: Database, index: RecordingIndex, now: datetime, *, is_running: bool
    ) -> None:
        self._database = database
        self._index = index
        self._now = now
        self._is_running = is_running
        self.tally = Tally()

    def findings(self, level: Level) -> Iterator[Finding]:
        """Yield everything that is wrong, as deep as ``level`` goes."""
        yield from self._rows()
        yield from self._runs()
        yield from self._gaps()
        yield from self._unexplained()
        yield from self._doomed()
        if level is not Level.ROWS:
            yield from self._files()
        if level is Level.BYTES:
            yield from self._bytes()

    # -- the index --------------------------------------------------------------------------------

    def _rows(self) -> Iterator[Finding]:
        for segment in self._index.oldest_first():
            self.tally.rows += 1
            media_us = segment.duration_90k * 1_000_000 // TICKS_PER_S
            wall_us = to_us(segment.end) - to_us(segment.start)
            if abs(media_us - wall_us) > _ROUNDING_US:
                problem = f"{wall_us} µs long, its media {media_us} µs"
                yield _of_row(segment, problem)
            if not 0 < segment.init_bytes < segment.size_bytes:
                problem = f"head of {segment.init_bytes} in {segment.size_bytes} bytes"
                yield _of_row(segment, problem)

    def _runs(self) -> Iterator[Finding]:
        """Within a run no file may begin before the one before it ends."""
        query = """
            select id, path, before, start_dts from (
              select id, path, start_dts, lag(start_dts + duration) over (
                partition by camera_id, stream, run_id order by start_dts) as before
              from segment)
            where before > start_dts
            """
        for row in self._select(query):
            yield Finding(
                "I1",
                row["path"],
                f"begins {row['before'] - row['start_dts']} ticks before the file before it ends",
                Remedy.PERSON,
            )

    def _gaps(self) -> Iterator[Finding]:
        query = """
            select g.*, coalesce(g.end_us, :now_us) as until_us from gap g where exists (
              select 1 from segment s
              where s.camera_id = g.camera_id and s.stream = g.stream
                and s.start_us > g.start_us - :longest_us
                and s.start_us < coalesce(g.end_us, :now_us) - :slack_us
                and s.end_us > g.start_us + :slack_us)
            """
        for row in self._select(query):
            yield Finding(
                "I6",
                f"gap {row['id']} of {row['camera_id']}/{row['stream']}",
                "lies on footage",
                Remedy.UNCOVER,
                stream=(row["camera_id"], StreamName(row["stream"])),
                start=from_us(row["start_us"]),
                end=from_us(row["until_us"]),
            )

    def _unexplained(self) -> Iterator[Finding]:
        for camera_id, stream in sorted(self._index.streams()):
            query = """
                select start_us, end_us from segment where camera_id = :camera and stream = :stream
                union all
                select start_us, coalesce(end_us, :now_us) from gap
                where camera_id = :camera and stream = :stream
                union all
                select first_us, last_us from deletion where camera_id = :camera
                order by 1
                """
            reached: int | None = None
            now_us = to_us(self._now)
            for row in self._select(query, camera=camera_id, stream=stream.value):
                # What lies beyond now was recorded when the clock was ahead: nothing is due there.
                until = min(row["start_us"], now_us)
                if reached is not None and until > reached + _SLACK_US:
                    start, end = from_us(reached), from_us(until)
                    yield Finding(
                        "I6",
                        f"{camera_id}/{stream}",
                        f"nothing explains {start.isoformat()} to {end.isoformat()}",
                        Remedy.EXPLAIN,
                        stream=(camera_id, stream),
                        start=start,
                        end=end,
                    )
                reached = max(row["end_us"], reached or row["end_us"])

    def _doomed(self) -> Iterator[Finding]:
        for row in self._select("select s.id, path from segment s join doomed using (path)"):
            yield Finding(
                "I3", row["path"], "was deleted and has a row", Remedy.DROP, segment_id=row["id"]
            )

    def _select(self, query: str, **parameters: str) -> Iterator[sqlite3.Row]:
        known = {
            "now_us": to_us(self._now),
            "slack_us": _SLACK_US,
            "longest_us": _LONGEST_FILE_US,
        }
        with self._database.reading() as connection:
            yield from connection.execute(query, {**known, **parameters})

    # -- the files --------------------------------------------------------------------------------

    def _files(self) -> Iterator[Finding]:
        doomed = {self._index.root / row["path"] for row in self._select("select path from doomed")}
        on_disk = day_folders(self._index.root)
        for folder in sorted(on_disk | set(self._index.folders())):
            sizes = self._sizes(folder) if folder in on_disk else {}
            self.tally.files += len(sizes)
            rows = {folder / row.name: row for row in self._index.files_in(folder)}
            for path in rows.keys() - doomed:  # those were told already
                yield from self._against_row(path, rows[path], sizes.get(path))
            for path in sizes.keys() - rows.keys():
                yield from self._without_row(path, is_doomed=path in doomed)

    def _sizes(self, folder: Path) -> dict[Path, int]:
        return {
            Path(entry.path): entry.stat().st_size
            for entry in os.scandir(folder)
            if is_ours(entry.name)
        }

    def _against_row(self, path: Path, row: IndexedFile, size: int | None) -> Iterator[Finding]:
        name = self._name(path)
        if size is None:
            yield Finding("I1", name, "the file is gone", Remedy.FORGET, segment_id=row.segment_id)
        elif size < row.size_bytes:
            problem = f"{size} of {row.size_bytes} bytes are there"
            yield Finding("I1", name, problem, Remedy.SALVAGE, segment_id=row.segment_id, path=path)
        elif size > row.size_bytes:
            problem = f"{size} bytes, {size - row.size_bytes} more than its row says"
            yield Finding("I1", name, problem, Remedy.PERSON)

    def _without_row(self, path: Path, *, is_doomed: bool) -> Iterator[Finding]:
        if is_doomed:
            yield Finding("I3", self._name(path), "was deleted and is there", Remedy.UNLINK)
        elif not (self._is_running and self._may_grow(path)):
            yield Finding("I2", self._name(path), "has no row", Remedy.READ_BACK, path=path)

    def _may_grow(self, path: Path) -> bool:
        try:
            written_us = path.stat().st_mtime_ns // 1000
        except FileNotFoundError:
            return True  # closed and deleted, or empty and discarded, since we looked
        return from_us(written_us) > self._now - _GROWING

    # -- the bytes --------------------------------------------------------------------------------

    def _bytes(self) -> Iterator[Finding]:
        for segment in self._index.oldest_first():
            try:
                finding = self._examine(segment)
            except FileNotFoundError:
                continue  # told by its name already
            except OSError as error:
                finding = _of_row(segment, f"can't be read: {error.strerror}")
            if finding is not None:
                yield finding

    def _examine(self, segment: Segment) -> Finding | None:
        """Return what is wrong with a file's bytes, or None. Raises OSError."""
        with segment.path.open("rb") as file:
            digest = hashlib.sha256()
            while block := file.read(_READ_BYTES):
                digest.update(block)
                self.tally.read_bytes += len(block)
            if digest.hexdigest() != segment.sha256:
                return _of_row(segment, "its bytes are not those that were recorded")
            try:
                head = read_head(file, segment.size_bytes)
            except MediaError as error:
                return _of_row(segment, str(error))
            whole = list(fragments(file, head.init_bytes, segment.size_bytes))
        problem = _against_media(segment, head, whole)
        if problem is not None:
            return _of_row(segment, problem)
        begins = {(each.dts_90k, each.offset) for each in whole if each.starts_key}
        start_90k = segment.start_dts_90k
        if all((start_90k + key.after_90k, key.offset) in begins for key in segment.keys):
            return None
        return _of_row(segment, "its row has key points where no key frame begins", "I19")

    def _name(self, path: Path) -> str:
        return path.relative_to(self._index.root).as_posix()


def _of_row(segment: Segment, problem: str, invariant: str = "I1") -> Finding:
    return Finding(invariant, f"segment {segment.id} ({segment.path.name})", problem, Remedy.PERSON)


def _against_media(segment: Segment, head: Head, whole: Sequence[Fragment]) -> str | None:
    """Return what a row says that its file does not, or None."""
    if head.init_bytes != segment.init_bytes:
        return f"head of {head.init_bytes} bytes, its row says {segment.init_bytes}"
    if not whole or whole[-1].offset + whole[-1].size_bytes != segment.size_bytes:
        return "it does not end with a whole fragment"
    if any(later.dts_90k != each.end_90k for each, later in pairwise(whole)):
        return "its fragments do not follow on each other"
    span = whole[0].dts_90k, whole[-1].end_90k - whole[0].dts_90k
    if span != (segment.start_dts_90k, segment.duration_90k):
        return f"holds {span}, its row says {segment.start_dts_90k, segment.duration_90k}"
    return None
