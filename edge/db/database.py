"""The box's SQLite database: opening, schema and transactions."""

import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from importlib.resources import files
from pathlib import Path

from edge.db.damage import ERRORS, is_damage
from edge.db.place import refusal
from edge.errors import DamagedError, StorageError

log = logging.getLogger(__name__)

#: Bumped with every change of schema.sql, which then comes with a ``to_<version>.sql`` for the
#: boxes that have the version before; a newer file than the program is refused.
SCHEMA_VERSION = 5
#: There will never be so many: a greater number in the file's head is damage.
_MOST_VERSIONS = 1000


class Database:
    """One connection, shared by threads under one lock; WAL, and durable before commit returns.

    Writes are few (a row a segment, an alert now and then), so one connection is enough and makes
    "these rows commit together" a matter of one ``with`` block. Opening creates the schema, checks
    it or brings it up to date. Raises StorageError where the file is newer than this program, on a
    network file system (recording I16) or can't be used, and DamagedError where it is malformed.
    That may also come to light later: then whatever met it raises DamagedError, ``damage`` says so,
    and the next start makes the database anew (recording I15).
    """

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        if (problem := refusal(path)) is not None:
            raise StorageError(problem)
        self._damage: str | None = None
        try:
            self._connection = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
        except sqlite3.Error as error:
            raise StorageError(f"database {path}: {error}") from error
        try:
            self._connection.row_factory = sqlite3.Row
            for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on"):
                self._connection.execute(f"pragma {pragma}")
            self._migrate(path)
        except ERRORS as error:
            self._connection.close()
            raise _told(f"database {path}: {error}", error) from error
        except StorageError:
            self._connection.close()
            raise
        self._lock = threading.RLock()

    @property
    def path(self) -> Path:
        """The file, absolute."""
        return self._path

    @property
    def damage(self) -> str | None:
        """What was found to be malformed since it was opened, or None."""
        return self._damage

    def note(self, error: sqlite3.Error) -> bool:
        """Return whether an error that a connection to the file met is damage; remember it then."""
        if is_damage(error):
            self.condemn(str(error))
            return True
        return False

    def condemn(self, problem: str) -> None:
        """Remember that the file is damaged, also for the next start."""
        if self._damage is None:
            log.error("database.damaged", extra={"path": str(self._path), "problem": problem})
        self._damage = problem
        with suppress(OSError):  # it will be met again
            suspicion(self._path).touch()

    def _migrate(self, path: Path) -> None:
        version = self._connection.execute("pragma user_version").fetchone()[0]
        if SCHEMA_VERSION < version <= _MOST_VERSIONS:
            raise StorageError(
                f"database {path}: made by a newer program (schema {version}, this program knows "
                f"{SCHEMA_VERSION}); install that version or restore a backup"
            )
        is_new = not _layout(self._connection)
        if is_new != (version == 0) or not 0 <= version <= _MOST_VERSIONS:
            raise DamagedError(f"database {path}: its version can't be {version}")
        if is_new:
            self._run_script("schema.sql", SCHEMA_VERSION)
        for step in range(version + 1, SCHEMA_VERSION + 1) if version else ():
            self._run_script(f"to_{step}.sql", step)
        if version in (0, SCHEMA_VERSION):
            self._check_layout(path)

    def _run_script(self, name: str, version: int) -> None:
        try:
            self._connection.executescript(
                f"begin immediate;{_script(name)}pragma user_version={version};commit;"
            )
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                # A statement that makes no sense there: the file is not what its version says.
                raise DamagedError(f"{name}: {error}") from error
            raise

    def _check_layout(self, path: Path) -> None:
        """Compare tables and columns with what they should be: a torn schema reads as another."""
        with closing(sqlite3.connect(":memory:")) as sound:
            sound.executescript(_script("schema.sql"))
            expected = _layout(sound)
        found = _layout(self._connection)
        if any(found.get(table) != columns for table, columns in expected.items()):
            raise DamagedError(f"database {path}: its tables are not those of this version")

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
                self.note(error)
                raise _told(str(error), error) from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for a query; raises StorageError for what SQLite reports."""
        with self._lock:
            try:
                yield self._connection
            except sqlite3.Error as error:
                self.note(error)
                raise _told(str(error), error) from error

    def close(self) -> None:
        """Close the file; later use raises StorageError."""
        with self._lock:
            self._connection.close()


def _script(name: str) -> str:
    return files("edge.db").joinpath(name).read_text(encoding="utf-8")


def _layout(connection: sqlite3.Connection) -> dict[str, set[str]]:
    """Return the tables and their columns."""
    query = "select name from sqlite_master where type = 'table'"
    return {
        table: {row[1] for row in connection.execute(f"pragma table_info('{table}')").fetchall()}
        for (table,) in map(tuple, connection.execute(query).fetchall())
    }


def suspicion(path: Path) -> Path:
    """Return the file that says that the database at ``path`` was found damaged."""
    return path.with_name(f"{path.name}.suspect")


def _told(message: str, error: Exception) -> StorageError:
    return DamagedError(message) if is_damage(error) else StorageError(message)
