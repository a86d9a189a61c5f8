"""Every integration test of the centre runs on SQLite and on PostgreSQL."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL

from central.db.engine import Database
from central.db.migrate import migrate
from protocol.clock import FakeClock
from tests.support.postgres import PostgresServer, running_postgres
from tests.support.web_centre import WebCentre, enter_accounts, running_centre
from tests.support.xiacun import NOW, enter_village


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


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory) -> Path:
    """A migrated SQLite file, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "central.db"
    database = Database(URL.create("sqlite", database=str(path)))
    migrate(database, FakeClock(NOW))
    database.close()
    return path


@pytest.fixture(scope="session")
def migrated_name(postgres) -> str:
    """A migrated PostgreSQL database, to be copied."""
    url = postgres.new_database()
    database = Database(url)
    migrate(database, FakeClock(NOW))
    database.close()
    assert url.database is not None
    return url.database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request, tmp_path) -> Iterator[Database]:
    if request.param == "sqlite":
        path = tmp_path / "central.db"
        shutil.copy(request.getfixturevalue("migrated_file"), path)
        url = URL.create("sqlite", database=str(path))
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        url = server.new_database(request.getfixturevalue("migrated_name"))
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def centre(database, clock, tmp_path) -> Iterator[WebCentre]:
    enter_village(database)
    enter_accounts(database)
    with running_centre(database, clock, tmp_path) as running:
        yield running
