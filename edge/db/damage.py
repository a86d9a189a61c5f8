"""Telling a damaged database from other trouble, and reading what is left of one."""

import logging
import sqlite3
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

_CODES = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY = 0xFF
_NO_TEXT = "Could not decode to UTF-8"
#: No two rows that follow on each other have ids so far apart: ten years of sixteen cameras.
_FAR = 2**31

Row = dict[str, Any]


#: What SQLite's module raises; the second where the text of an error quotes what it found.
ERRORS = (sqlite3.Error, UnicodeDecodeError)


def is_damage(error: Exception) -> bool:
    """Return whether one of ERRORS says that the file is malformed or no database at all."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:  # the module's own: what we write is always text
        return isinstance(error, UnicodeDecodeError) or str(error).startswith(_NO_TEXT)
    return code & _PRIMARY in _CODES


class Wreck:
    """A damaged database that nobody else uses. Nothing is written to it; one thread reads it.

    What can't be read is passed over and never raised. What is read may be wrong all the same: the
    file has no checksums, so look at every value before using it.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _opened(path)
        self._torn: set[str] = set()

    def columns(self, table: str) -> list[str]:
        """Return the columns of a table; none where it can't be known."""
        try:
            return [row["name"] for row in self._all(f"pragma table_info({table})")]
        except ERRORS:
            return []

    def rows(self, table: str, after: int = 0) -> Generator[tuple[int, Row], None, None]:
        """Yield the rows that can be read beyond row id ``after`` with their ids, which grow.

        The tables are ours: row ids begin at 1. It ends: no row of the file comes twice.
        """
        start: int | None = after
        while start is not None:
            after = start
            try:
                for row in self._beyond(table, start):
                    if row[0] <= after:
                        break  # pages that lead back
                    if row[0] > after + _FAR:
                        self._torn.add(table)
                        continue
                    after = row[0]
                    yield after, {name: row[name] for name in row.keys()[1:]}
                else:
                    return
            except ERRORS as error:
                log.debug("wreck.torn", extra={"table": table, "id": after, "error": str(error)})
            self._torn.add(table)
            start = self._next_sound(table, after)

    def is_whole(self, table: str) -> bool:
        """Return whether nothing of a table is missing, as far as can be known."""
        if table in self._torn:
            return False
        try:
            return [row[0] for row in self._all(f"pragma integrity_check({table})")] == ["ok"]
        except ERRORS:
            return False

    def _next_sound(self, table: str, after: int) -> int | None:
        """Return an id beyond which can be read again, near to the first; None: there is none."""
        torn, step = after, 1
        while not self._reads(table, after + step):
            torn, step = after + step, 2 * step
            if step > _FAR:
                return None
        sound = after + step
        while sound - torn > 1:
            middle = (torn + sound) // 2
            if self._reads(table, middle):
                sound = middle
            else:
                torn = middle
        return sound

    def _reads(self, table: str, after: int) -> bool:
        try:
            row = next(self._beyond(table, after), None)
        except ERRORS:
            return False
        return row is None or after < row[0] <= after + _FAR

    def _beyond(self, table: str, after: int) -> Iterator[sqlite3.Row]:
        query = f"select rowid, * from {table} where rowid > ? order by rowid"  # noqa: S608
        yield from self._connection.execute(query, (after,))

    def _all(self, query: str) -> list[sqlite3.Row]:
        return self._connection.execute(query).fetchall()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()


def _opened(path: Path) -> sqlite3.Connection:
    """Open a file so that what waits in its log is read too, or without where that is refused."""
    for mode in ("mode=ro", "immutable=1"):
        connection = sqlite3.connect(f"{path.as_uri()}?{mode}", uri=True, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        # Bytes that are no text must not cost the row before anybody has looked at it.
        connection.text_factory = lambda data: data.decode(errors="replace")
        try:
            connection.execute("select count(*) from sqlite_master").fetchone()
        except ERRORS:
            if mode == "mode=ro":
                connection.close()
                continue
        break
    return connection
