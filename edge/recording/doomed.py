"""Removing rows and files so that a crash in between resurrects nothing (recording I3).

In one transaction the rows go, their paths are noted as doomed and the proof is written; then the
files are unlinked; then the note is dropped. A file whose path is doomed is never indexed again.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from edge.db.database import Database
from edge.db.instant import to_us
from edge.faultlog import FaultLog
from edge.recording.label import DiskState, Label
from edge.recording.retention import Deletion
from protocol.clock import Clock

log = logging.getLogger(__name__)

_PROOF = """
insert into deletion (camera_id, day, reason, segments, bytes, first_us, last_us, at_us)
values (:camera_id, :day, :reason, 1, :bytes, :first_us, :last_us, :at_us)
on conflict (camera_id, day, reason) do update set
  segments = segments + 1, bytes = bytes + excluded.bytes,
  first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us),
  at_us = excluded.at_us
"""


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
        self._faults = FaultLog(log, clock)

    def condemn(self, deletions: Iterable[Deletion], at: datetime) -> None:
        """Remove rows, note their files and write the proof, all or nothing.

        Raises StorageError.
        """
        with self._database.transaction() as connection:
            for deletion in deletions:
                segment = deletion.segment
                path = segment.path.relative_to(self._root).as_posix()
                connection.execute("delete from segment where id = :id", {"id": segment.id})
                connection.execute(
                    "insert or ignore into doomed (path, size_bytes) values (:path, :size_bytes)",
                    {"path": path, "size_bytes": segment.size_bytes},
                )
                connection.execute(
                    _PROOF,
                    {
                        "camera_id": segment.camera_id,
                        "day": segment.start.astimezone(self._zone).date().isoformat(),
                        "reason": deletion.reason.value,
                        "bytes": segment.size_bytes,
                        "first_us": to_us(segment.start),
                        "last_us": to_us(segment.end),
                        "at_us": to_us(at),
                    },
                )

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
