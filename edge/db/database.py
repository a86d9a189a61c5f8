"""The box's SQLite database: opening, schema and transactions."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from edge.errors import StorageError

#: Bumped with every change of schema.sql, which then comes with a ``to_<version>.sql`` for the
#: boxes that have the version before; a newer file than the program is refused.
SCHEMA_VERSION = 4


class Database:
    """One connection, shared by threads under one lock; WAL, and durable before commit returns.

    Writes are few (a row a segment, an alert now and then), so one connection is enough and makes
    "these rows commit together" a matter of one ``with`` block. Opening creates the schema, checks
    it or brings it up to date. Raises StorageError where the file is newer than this program or
    can't be used.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on"):
                self._connection.execute(f"pragma {pragma}")
            self._migrate(path)
        except sqlite3.Error as error:
            raise StorageError(f"database {path}: {error}") from error
        self._lock = threading.RLock()

    def _migrate(self, path: Path) -> None:
        version = self._connection.execute("pragma user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StorageError(
                f"database {path}: made by a newer program (schema {version}, this program knows "
                f"{SCHEMA_VERSION}); install that version or restore a backup"
            )
        if version == 0:
            self._run_script("schema.sql", SCHEMA_VERSION)
            return
        for step in range(version + 1, SCHEMA_VERSION + 1):
            self._run_script(f"to_{step}.sql", step)

    def _run_script(self, name: str, version: int) -> None:
        script = files("edge.db").joinpath(name).read_text(encoding="utf-8")
        self._connection.executescript(
            f"begin immediate;{script}pragma user_version={version};commit;"
        )

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction; commit at the end, roll back on any error.

        Nested use joins the outer transaction. Raises StorageError for what SQLite reports.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            try:
                self._connection.execute("begin immediate")
                try:
                    yield self._connection
                    self._connection.commit()
                except BaseException:
                    # Also where the commit itself was refused: a transaction that stayed open would
                    # be joined, and never committed, by all that follow.
                    self._connection.rollback()
                    raise
            except sqlite3.Error as error:
                raise StorageError(str(error)) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for a query; raises StorageError for what SQLite reports."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise StorageError(str(error)) from error

    def close(self) -> None:
        """Close the file; later use raises StorageError."""
        with self._lock:
            self._connection.close()
