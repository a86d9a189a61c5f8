"""Noticing that somebody committed, in this process or another one.

Both kinds are used in one thread, inside ``with``, and raise OSError where the database is away.
"""

import contextlib
import sqlite3
from threading import Event
from typing import Any, Self

from central.db.engine import CONNECT_TIMEOUT_S, Database
from central.wall.feed import CHANNEL

#: One pragma costs some 10 µs: 40 a second are nothing, and a change is seen within 25 ms.
_POLL_S = 0.025
#: How long one wait in PostgreSQL's connection lasts: what stopping may cost.
_SLICE_S = 0.2


def wakeup_for(database: Database) -> "SqliteWakeup | PostgresWakeup":
    """Return what fits the database."""
    return SqliteWakeup(database) if database.is_sqlite else PostgresWakeup(database)


class SqliteWakeup(contextlib.ExitStack):
    """Watches ``pragma data_version``, which changes with every commit of another connection."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._path = database.url.database or ""
        self._connection: sqlite3.Connection | None = None
        self._version = -1

    def __enter__(self) -> Self:
        """Open a connection that never writes."""
        try:
            self._connection = sqlite3.connect(self._path, isolation_level=None)
        except sqlite3.Error as error:
            raise OSError(str(error)) from error
        self.callback(self._connection.close)
        return super().__enter__()

    def wait(self, stopping: Event, timeout_s: float) -> None:
        """Return when something was committed, ``stopping`` was set, or the time is over."""
        rounds = max(1, round(timeout_s / _POLL_S))
        for _ in range(rounds):
            version = self._read()
            if version != self._version:
                self._version = version
                return
            if stopping.wait(_POLL_S):
                return

    def _read(self) -> int:
        assert self._connection is not None
        try:
            return int(self._connection.execute("pragma data_version").fetchone()[0])
        except sqlite3.Error as error:
            raise OSError(str(error)) from error


class PostgresWakeup(contextlib.ExitStack):
    """Listens for the notice that comes with each commit to the feed."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._dialect, self._url = database.engine.dialect, database.url
        self._connection: Any = None  # psycopg's: it is an extra, imported where it is used

    def __enter__(self) -> Self:
        """Open a connection of its own and LISTEN."""
        import psycopg  # noqa: PLC0415 - an extra: a village runs without it

        # As the engine connects: the address may say host, sslmode and more in its options.
        _, address = self._dialect.create_connect_args(self._url)
        ours = {"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "tanshao-feed"}
        try:
            self._connection = psycopg.connect(**{**address, **ours}, autocommit=True)
            self._connection.execute(f"listen {CHANNEL}")
        except psycopg.Error as error:
            raise OSError(str(error)) from error
        self.callback(self._connection.close)
        return super().__enter__()

    def wait(self, stopping: Event, timeout_s: float) -> None:
        """Return when something was committed, ``stopping`` was set, or the time is over."""
        import psycopg  # noqa: PLC0415 - as above

        for _ in range(max(1, round(timeout_s / _SLICE_S))):
            if stopping.is_set():
                return
            try:
                for _notice in self._connection.notifies(timeout=_SLICE_S, stop_after=1):
                    return
            except psycopg.Error as error:
                raise OSError(str(error)) from error
