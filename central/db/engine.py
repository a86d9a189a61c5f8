"""The centre's database: one code base for SQLite and PostgreSQL."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from central.db.types import to_json
from central.errors import ConfigError, StoreUnavailableError

#: How long a writer waits for another process's transaction; the longest of ours takes well under
#: a second.
BUSY_TIMEOUT_MS = 10_000
CONNECT_TIMEOUT_S = 5


class Database:
    """Sessions on one database, for many threads. Connects on first use.

    Raises ConfigError where the driver is not installed.

    ``write`` is one transaction that commits at the end of its block: immediate on SQLite (one
    writer at a time, durable before commit returns), read committed on PostgreSQL (where services
    lock the rows they change). ``read`` is one consistent snapshot, and can't write. Both raise
    StoreUnavailableError where the database is away or refuses for now, with nothing written.
    """

    def __init__(self, url: URL) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.url = url
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url)
        snapshot = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reader = self.engine.execution_options(
            read_only=True, postgresql_readonly=True, **snapshot
        )
        # SQLite's own waiting is by polling; threads of this process queue here instead.
        self._writers: contextlib.AbstractContextManager[Any] = (
            threading.Lock() if self.is_sqlite else contextlib.nullcontext()
        )

    @contextlib.contextmanager
    def write(self) -> Iterator[Session]:
        """Give a session inside one transaction; commit at the end, roll back on any error."""
        with (
            self._writers,
            _unavailable(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextlib.contextmanager
    def read(self) -> Iterator[Session]:
        """Give a session that sees one moment of the database."""
        with (
            _unavailable(),
            Session(self._reader, expire_on_commit=False, autoflush=False) as session,
            session.begin(),
        ):
            yield session

    def close(self) -> None:
        """Close every idle connection; may be called again."""
        self.engine.dispose()


@contextlib.contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeoutError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreUnavailableError(f"database: {str(cause).strip()}") from error


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url, hide_parameters=True, pool_size=16, max_overflow=16, json_serializer=to_json
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: DBAPIConnection, _record: object) -> None:
        # The driver must not begin transactions by itself: "begin" below does.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=wal",
            "synchronous=full",
            "foreign_keys=on",
        ):
            cursor.execute(f"pragma {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that will write takes the lock first: upgrading later fails with BUSY.
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("begin" if read_only else "begin immediate")

    return engine


def _postgres_engine(url: URL) -> Engine:
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            json_serializer=to_json,
            pool_size=16,
            max_overflow=16,
            pool_pre_ping=True,
            pool_timeout=10,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_S, "application_name": "tanshao"},
        )
    except ImportError as error:
        raise ConfigError(
            "database.url: PostgreSQL needs its driver: pip install 'tanshao[postgres]'"
        ) from error
