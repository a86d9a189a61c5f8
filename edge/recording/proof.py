"""Keeping the proof of what was deleted: rows in the database, a line a file beside it (I9).

The lines are in numbered files below ``deletions``. How far they count is noted in the transaction
that writes the rows, after they are on the disk: what lies beyond was never deleted, or not yet.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

from edge.db.database import Database
from edge.errors import StorageError
from edge.recording.manifest import Entry, Key, Removal
from edge.recording.retention import Reason

FOLDER = "deletions"
#: The line of a file of 10 s takes 0.004 % of its video: together with MOST_FILES some 19 million
#: are kept, four months of sixteen cameras.
FILE_BYTES = 64 * 1024 * 1024
MOST_FILES = 64
_RESTORED_FILES = 4
_REACHED = "deletion_lines"
_SUFFIX = ".jsonl"

_PUT = """
insert into deletion (camera_id, day, reason, segments, bytes, first_us, last_us, at_us,
  manifest, manifest_from)
values (:camera_id, :day, :reason, :segments, :size_bytes, :first_us, :last_us, :at_us,
  :manifest, :manifest_from)
on conflict (camera_id, day, reason) do update set
  segments = segments + excluded.segments, bytes = bytes + excluded.bytes,
  first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us),
  at_us = excluded.at_us,
  manifest = case when manifest is null then null else excluded.manifest end
"""


class Proof:
    """The proof of one box. Any thread may use it; the transaction of the caller is its lock."""

    def __init__(
        self, database: Database, *, file_bytes: int = FILE_BYTES, most_files: int = MOST_FILES
    ) -> None:
        self._database = database
        self._folder = database.path.parent / FOLDER
        self._file_bytes = file_bytes
        self._most_files = most_files

    def add(self, connection: sqlite3.Connection, removals: Iterable[Removal]) -> None:
        """Write down what goes, in the caller's transaction.

        Raises StorageError where the disk refuses the lines: without proof nothing is deleted.
        """
        by_row: dict[Key, list[Removal]] = {}
        lines = []
        for removal in removals:
            by_row.setdefault(removal.key, []).append(removal)
            lines.append(removal.line)
        if not lines:
            return
        try:
            number = self._write(connection, lines)
        except OSError as error:
            raise StorageError(f"{self._folder}: {error.strerror}") from error
        for key, of_row in by_row.items():
            self._put(connection, key, of_row, number)

    def _write(self, connection: sqlite3.Connection, lines: list[str]) -> int:
        """Bring the lines onto the disk and note how far they count; return the file's number."""
        number, length = self._reached(connection)
        if length >= self._file_bytes:
            number, length = number + 1, 0
            self._prune(number)
        path = self._path(number)
        is_new = not path.exists()
        if is_new:
            self._folder.mkdir(exist_ok=True)
        with path.open("r+b" if not is_new else "xb") as file:
            if file.seek(0, os.SEEK_END) > length:
                file.truncate(length)  # lines of a transaction that came to nothing
                file.seek(length)
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
            length = file.tell()
        if is_new:
            _sync(self._folder)
            _sync(self._folder.parent)
        connection.execute(
            "insert into meta (key, value) values (:key, :value)"
            " on conflict (key) do update set value = :value",
            {"key": _REACHED, "value": f"{number} {length}"},
        )
        return number

    def _put(
        self, connection: sqlite3.Connection, key: Key, removals: list[Removal], number: int
    ) -> None:
        camera_id, day, reason = key
        row = connection.execute(
            "select manifest from deletion where camera_id = ? and day = ? and reason = ?", key
        ).fetchone()
        before = None if row is None or row[0] is None else Entry(0, 0, 2**62, 0, row[0])
        entry = before
        for removal in removals:
            entry = Entry.after(entry, removal)
        assert entry is not None
        connection.execute(
            _PUT,
            {
                "camera_id": camera_id,
                "day": day,
                "reason": reason,
                "segments": entry.segments,
                "size_bytes": entry.size_bytes,
                "first_us": entry.first_us,
                "last_us": entry.last_us,
                "at_us": removals[-1].at_us,
                "manifest": entry.manifest,
                "manifest_from": number,
            },
        )

    def _reached(self, connection: sqlite3.Connection) -> tuple[int, int]:
        row = connection.execute("select value from meta where key = ?", (_REACHED,)).fetchone()
        if row is None:
            # Never over lines that another database wrote here.
            return max(self._numbers(), default=0) + 1, 0
        number, length = row[0].split()
        return int(number), int(length)

    def _prune(self, number: int) -> None:
        for each in self._numbers():
            if each <= number - self._most_files:
                self._path(each).unlink(missing_ok=True)

    # -- reading ----------------------------------------------------------------------------------

    def broken(self) -> Iterator[tuple[str, str]]:
        """Yield each row that the lines don't reproduce, and each line that none should be.

        As (what, why). A row is not judged that is older than manifests, or whose lines began in a
        file that is no longer kept. Raises StorageError and OSError.
        """
        with self._database.reading() as connection:
            # In one statement: a box may be deleting meanwhile.
            rows = connection.execute(
                "select deletion.*, meta.value as reached from deletion"
                " left join meta on meta.key = ?",
                (_REACHED,),
            ).fetchall()
        if not rows or rows[0]["reached"] is None:
            return
        number, length = map(int, rows[0]["reached"].split())
        begun_in = {_key(row): row["manifest_from"] for row in rows}
        found: dict[Key, Entry] = {}
        for file_number, where, line in self._lines(number, length):
            try:
                removal = Removal.parse(line)
            except ValueError as error:
                yield where, str(error)
                continue
            # What is before a row's own lines is another database's, or came to nothing.
            if file_number >= begun_in.get(removal.key, 0):
                found[removal.key] = Entry.after(found.get(removal.key), removal)
        oldest = min(self._numbers(), default=number)
        for row in rows:
            if row["manifest"] is None or row["manifest_from"] < oldest:
                continue
            key = _key(row)
            says = Entry(
                row["segments"], row["bytes"], row["first_us"], row["last_us"], row["manifest"]
            )
            if found.get(key) != says:
                yield "deletion " + " ".join(key), "its lines don't reproduce its hash"

    def restore(self, connection: sqlite3.Connection) -> None:
        """Make rows that are missing anew from the newest lines, in the caller's transaction.

        For a table that could not be read. Only a few files are looked through, as the cameras wait
        meanwhile; a row whose lines may have begun before those gets no hash. A line that was
        damaged into a day or reason that there is not makes none. Raises OSError.
        """
        numbers = self._numbers()[-_RESTORED_FILES:]
        entries: dict[Key, Entry] = {}
        begun: dict[Key, tuple[int, int]] = {}
        for number in numbers:
            for _, _, line in self._lines_of(number, None):
                with suppress(ValueError):
                    removal = Removal.parse(line)
                    date.fromisoformat(removal.day)
                    Reason(removal.reason)
                    entries[removal.key] = Entry.after(entries.get(removal.key), removal)
                    begun[removal.key] = (begun.get(removal.key, (number, 0))[0], removal.at_us)
        for key, entry in entries.items():
            number, at_us = begun[key]
            is_whole = number == 1 or number > numbers[0]
            manifest = entry.manifest if is_whole else None
            row = (*key, entry.segments, entry.size_bytes, entry.first_us, entry.last_us)
            connection.execute(
                "insert or ignore into deletion values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, at_us, manifest, number),
            )

    def _lines(self, number: int, length: int) -> Iterator[tuple[int, str, str]]:
        for each in self._numbers():
            if each <= number:
                yield from self._lines_of(each, length if each == number else None)

    def _lines_of(self, number: int, length: int | None) -> Iterator[tuple[int, str, str]]:
        path, read = self._path(number), 0
        with path.open("rb") as file:
            for count, data in enumerate(file, 1):
                read += len(data)
                if length is not None and read > length:
                    return
                where = f"{FOLDER}/{path.name} line {count}"
                yield number, where, data.decode(errors="replace").removesuffix("\n")

    def _numbers(self) -> list[int]:
        names = (path.stem for path in self._folder.glob(f"*{_SUFFIX}"))
        return sorted(int(name) for name in names if name.isdecimal())

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}{_SUFFIX}"


def _key(row: sqlite3.Row) -> Key:
    return row["camera_id"], row["day"], row["reason"]


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
