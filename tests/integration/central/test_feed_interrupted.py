import pytest
from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from central.auth.limits import _CountsInDatabase
from central.errors import StoreUnavailableError
from tests.support.waiting import wait_until
from tests.support.xiacun import alert_data, alert_message, received


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
