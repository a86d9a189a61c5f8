"""Every integration test of the centre runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import URL

from central.db.engine import Database
from central.db.migrate import migrate
from protocol.clock import FakeClock
from tests.support.postgres import PostgresServer, running_postgres

NOW = datetime(2026, 11, 22, 6, 0, 0, tzinfo=UTC)  # 14:00 in Shanghai


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request, tmp_path) -> URL:
    if request.param == "sqlite":
        return URL.create("sqlite", database=str(tmp_path / "central.db"))
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()


@pytest.fixture
def empty_database(database_url) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def database(empty_database, clock) -> Database:
    migrate(empty_database, clock)
    return empty_database
