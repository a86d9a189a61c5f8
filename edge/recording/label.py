"""The label of the recordings disk: an id in a file on it and in the database (recording I11)."""

import logging
import os
from enum import Enum, auto
from pathlib import Path
from uuid import uuid4

from edge.db.database import Database

log = logging.getLogger(__name__)

FILE_NAME = "disk-id"
_KEY = "recordings_disk"
_MAX_BYTES = 100


class DiskState(Enum):
    """What the label says of the disk that is there now."""

    RIGHT = auto()  # the one that the index is about
    UNKNOWN = auto()  # no label was ever given
    MISSING = auto()  # there is no label: the folder is there, the disk is not mounted
    OTHER = auto()  # one with another label, from another box perhaps

    @property
    def is_wrong(self) -> bool:
        """Whether it is known not to be the right one."""
        return self in (DiskState.MISSING, DiskState.OTHER)


class Label:
    """Tells a disk that is missing or swapped from one that is young or has lost files.

    ``root`` is the recordings folder. Any thread may ask. Methods raise StorageError where the
    database refuses.
    """

    def __init__(self, database: Database, root: Path) -> None:
        self._database = database
        self._path = root.absolute() / FILE_NAME

    @property
    def path(self) -> Path:
        """The file on the disk."""
        return self._path

    def expected(self) -> str | None:
        """Return the id of the disk that the index is about, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                "select value from meta where key = :key", {"key": _KEY}
            ).fetchone()
        return None if row is None else str(row["value"])

    def state(self) -> DiskState:
        """Return what the disk is; a label that can't be read is none."""
        expected = self.expected()
        if expected is None:
            return DiskState.UNKNOWN
        try:
            found = self._found()
        except OSError:
            found = None
        if found is None:
            return DiskState.MISSING
        return DiskState.RIGHT if found == expected else DiskState.OTHER

    def accept(self) -> None:
        """Make the disk that is there the right one.

        It keeps the label it has. A disk that refuses one stays what it was: that is logged.
        """
        try:
            found = self._found()
            if found is None:
                found = self.expected() or uuid4().hex
                self._write(found)
        except OSError as error:
            log.warning("label.refused", extra={"path": str(self._path), "error": str(error)})
            return
        if found != self.expected():
            self._expect(found)

    def reject(self) -> None:
        """Wait for a disk with another label than the one that is there."""
        if self.expected() is None:
            self._expect(uuid4().hex)

    def _expect(self, disk_id: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "insert into meta (key, value) values (:key, :value)"
                " on conflict (key) do update set value = :value",
                {"key": _KEY, "value": disk_id},
            )

    def _found(self) -> str | None:
        try:
            with self._path.open("rb") as file:
                return file.read(_MAX_BYTES).decode(errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def _write(self, disk_id: str) -> None:
        with self._path.open("wb") as file:
            file.write(f"{disk_id}\n".encode())
            file.flush()
            os.fsync(file.fileno())
        folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
