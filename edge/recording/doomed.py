"""Removing rows and files so that a crash in between resurrects nothing (recording I3).

In one transaction the rows go, their paths are noted as doomed and the proof is written; then the
files are unlinked; then the note is dropped. A file whose path is doomed is never indexed again.
"""

import hashlib
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from edge.db.database import Database
from edge.db.instant import to_us
from edge.faultlog import FaultLog
from edge.media.sample import GapReason
from edge.recording import gaps
from edge.recording.label import DiskState, Label
from edge.recording.manifest import Removal
from edge.recording.proof import Proof
from edge.recording.retention import Deletion, Reason
from edge.recording.segment import Gap, Segment, start_by_name
from protocol.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Remains:
    """The doomed files that the disk did not let go, and the bytes they keep."""

    files: int
    size_bytes: int


class Doomed:
    """The files that are to go. ``zone`` is the box's, for the days of the proof."""

    def __init__(
        self, database: Database, root: Path, label: Label, zone: tzinfo, clock: Clock
    ) -> None:
        self._database = database
        self._root = root.absolute()
        self._label = label
        self._zone = zone
        self._clock = clock
        self._proof = Proof(database)
        self._faults = FaultLog(log, clock)

    def go_by(self, zone: tzinfo) -> None:
        """Take another zone for the days of the proof, from the next deletion on."""
        self._zone = zone

    def condemn(self, deletions: Iterable[Deletion], at: datetime) -> None:
        """Remove rows, note their files and write the proof, all or nothing.

        Raises StorageError.
        """
        deletions = tuple(deletions)
        with self._database.transaction() as connection:
            for segment in (deletion.segment for deletion in deletions):
                connection.execute("delete from segment where id = :id", {"id": segment.id})
                self._doom(connection, segment.path, segment.size_bytes)
            removals = (self._removal(each.segment, each.reason, at) for each in deletions)
            self._proof.add(connection, removals)

    def lose(self, segment: Segment) -> bool:
        """Turn a segment whose file is gone or damaged into a gap of the disk, with its proof.

        Says whether its row was still there. Raises StorageError.
        """
        with self._database.transaction() as connection:
            there = connection.execute("delete from segment where id = :id", {"id": segment.id})
            if there.rowcount == 0:
                return False
            of = (segment.camera_id, segment.stream, segment.start, segment.end)
            gaps.add(connection, Gap(*of, GapReason.DISK))
            removal = self._removal(segment, Reason.LOST, self._clock.now())
            self._proof.add(connection, [removal])
        return True

    def remove(self, orphan: Path) -> None:
        """Remove a file that has no row and no picture, with its proof.

        One that the disk does not let go stays doomed. Raises StorageError and OSError.
        """
        with orphan.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size_bytes = file.tell()
        path = orphan.relative_to(self._root).as_posix()
        now = self._clock.now()
        begun = start_by_name(orphan) or now
        removal = Removal(
            camera_id=path.partition("/")[0],
            day=self._day(begun),
            reason=Reason.ORPHAN.value,
            path=path,
            sha256=digest,
            start_us=to_us(begun),
            end_us=to_us(begun),
            size_bytes=size_bytes,
            at_us=to_us(now),
        )
        with self._database.transaction() as connection:
            self._doom(connection, orphan, size_bytes)
            self._proof.add(connection, [removal])
        if self.unlink(orphan):
            with self._database.transaction() as connection:
                connection.execute("delete from doomed where path = :path", {"path": path})

    def _doom(self, connection: sqlite3.Connection, path: Path, size_bytes: int) -> None:
        connection.execute(
            "insert or ignore into doomed (path, size_bytes) values (:path, :size_bytes)",
            {"path": path.relative_to(self._root).as_posix(), "size_bytes": size_bytes},
        )

    def _removal(self, segment: Segment, reason: Reason, at: datetime) -> Removal:
        return Removal(
            camera_id=segment.camera_id,
            day=self._day(segment.start),
            reason=reason.value,
            path=segment.path.relative_to(self._root).as_posix(),
            sha256=segment.sha256,
            start_us=to_us(segment.start),
            end_us=to_us(segment.end),
            size_bytes=segment.size_bytes,
            at_us=to_us(at),
        )

    def _day(self, at: datetime) -> str:
        return at.astimezone(self._zone).date().isoformat()

    def paths(self) -> set[Path]:
        """Return the files that are to go. Raises StorageError where the index refuses."""
        with self._database.reading() as connection:
            return {self._root / row["path"] for row in connection.execute("select * from doomed")}

    def unlink_all(self) -> Remains:
        """Unlink what is doomed and return what resists; that stays doomed.

        So does what is not there while the disk is not the right one: it is on that other disk, and
        would come back with it. Raises StorageError where the index refuses.
        """
        with self._database.reading() as connection:
            rows = connection.execute("select path, size_bytes from doomed").fetchall()
        is_right = self._label.state() is DiskState.RIGHT
        gone, resisting = [], []
        for row in rows:
            path = self._root / row["path"]
            if not is_right and not path.exists():
                continue
            if self.unlink(path):
                gone.append({"path": row["path"]})
            else:
                resisting.append(row["size_bytes"])
        with self._database.transaction() as connection:
            connection.executemany("delete from doomed where path = :path", gone)
        return Remains(len(resisting), sum(resisting))

    def unlink(self, path: Path) -> bool:
        """Unlink one file and say whether it is gone."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self._faults.report("janitor.unlink_refused", error.strerror or repr(error), {})
            return False
        return True
