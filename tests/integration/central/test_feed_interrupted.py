import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from central.auth.limits import _CountsInDatabase
from central.codes import FeedKind
from central.db.models import FeedFloor, FeedRow
from central.errors import StoreUnavailableError
from central.wall.feed import Cursor, after, begin_anew_if_foreign, publish
from tests.support.browser import listening, raise_alert
from tests.support.waiting import wait_until
from tests.support.web_centre import enter_accounts, running_centre
from tests.support.xiacun import NOW, alert_data, alert_message, enter_village, received


@pytest.mark.parametrize("error", [StoreUnavailableError("away"), ValueError("a bug")])
def test_the_feed_goes_on_where_it_was_after_the_database_was_away(centre, monkeypatch, error):
    pump = centre.centre.pump
    step, failures = pump._step, []

    def fail_once():
        if not failures:
            failures.append(error)
            raise error
        return step()

    monkeypatch.setattr(pump, "_step", fail_once)
    before = pump._at
    centre.take(received(alert_message(alert_data(), 1)))
    wait_until(lambda: failures and pump._at != before)


#: Of a cluster that had run for long before it was dumped.
OLD = Cursor(10**15, 10**6)


def restore_an_old_feed(database) -> None:
    """Leave the feed as a dump and restore into a new PostgreSQL cluster leaves it."""
    with database.write() as session:
        session.add(FeedFloor(one=1, xid=OLD.xid - 9, id=OLD.id - 9))
        session.add(FeedRow(id=OLD.id, xid=OLD.xid, at=NOW, kind=FeedKind.BOX, ref="xiacun-1"))
        # one of the old cluster's first days
        session.add(FeedRow(id=OLD.id - 1, xid=1, at=NOW, kind=FeedKind.BOX, ref="xiacun-1"))


def test_a_feed_from_another_postgresql_cluster_begins_anew(database, clock, tmp_path):
    if database.is_sqlite:
        pytest.skip("SQLite has no transaction ids")
    enter_village(database)
    enter_accounts(database)
    restore_an_old_feed(database)
    with (
        running_centre(database, clock, tmp_path) as centre,
        centre.client("wall") as wall,
    ):
        wait_until(lambda: centre.centre.pump._at is not None)
        for cursor in (str(OLD), "1-1"):
            with listening(wall, cursor) as stream:
                assert stream.next().event == "reset"
                alert_id = raise_alert(centre, 1 if cursor == "1-1" else 2)
                assert stream.next().data["id"] == alert_id


def test_a_feed_that_is_restored_below_a_running_centre_begins_anew(centre, database, monkeypatch):
    if database.is_sqlite:
        pytest.skip("SQLite has no transaction ids")
    pump = centre.centre.pump
    step, restored = pump._step, []

    def restore_once():
        if not restored:
            restore_an_old_feed(database)
            pump._at = OLD
            restored.append(True)
            raise StoreUnavailableError("away")
        return step()

    with centre.client("wall") as wall:
        with listening(wall, wall.get("/wall").json()["cursor"]) as stream:
            monkeypatch.setattr(pump, "_step", restore_once)
            with pytest.raises(AssertionError, match="the stream ended"):
                stream.next()  # let go, to come again
        with listening(wall, str(OLD)) as stream:
            assert stream.next().event == "reset"
            alert_id = raise_alert(centre, 1)
            assert stream.next().data["id"] == alert_id


def test_a_feed_of_this_cluster_goes_on_when_its_pump_starts(database):
    with database.write() as session:
        publish(session, NOW, [(FeedKind.BOX, "a")])
    with database.write() as session:
        assert not begin_anew_if_foreign(session)
    with database.read() as session:
        assert len(after(session, Cursor(0, 0), 10).rows) == 1


def test_tries_are_counted_as_the_library_asks(database, clock):
    limiter = FixedWindowRateLimiter(_CountsInDatabase(database, clock))
    limit = RateLimitItemPerMinute(2)
    assert [limiter.hit(limit, "a") for _ in range(3)] == [True, True, False]
    assert limiter.test(limit, "a") is False
    stats = limiter.get_window_stats(limit, "a")
    assert (stats.remaining, stats.reset_time) == (0, clock.now().timestamp() + 60)
    assert limiter.storage.check() is True
    clock.advance(61)
    assert limiter.test(limit, "a") is True
    limiter.hit(limit, "a")
    assert limiter.storage.reset() == 1
