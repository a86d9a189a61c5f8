"""Being woken on PostgreSQL: by the connection that the configured address says."""

import threading

import pytest
from sqlalchemy import URL

from central.codes import FeedKind
from central.db.engine import Database
from central.errors import StoreUnavailableError
from central.wall.feed import publish
from central.wall.wakeup import wakeup_for
from tests.support.xiacun import NOW

pytestmark = pytest.mark.postgres


@pytest.fixture
def url(postgres, migrated_name):
    return postgres.new_database(migrated_name)


def test_the_listener_goes_where_the_address_says_in_its_options(url):
    where = URL.create(
        url.drivername,
        username=url.username,
        database=url.database,
        query={"host": str(url.host), "port": str(url.port)},
    )
    database = Database(where)
    with wakeup_for(database) as wakeup:
        with database.write() as session:
            publish(session, NOW, [(FeedKind.BOX, "a")])
        wakeup.wait(threading.Event(), 30)
    database.close()


def test_the_listener_is_as_strict_about_encryption_as_the_address_says(url):
    database = Database(url.set(query={"sslmode": "require"}))  # the server has none
    with pytest.raises(StoreUnavailableError, match="SSL"), database.read() as session:
        session.connection()
    with pytest.raises(OSError, match="SSL"), wakeup_for(database):
        pass
    database.close()
