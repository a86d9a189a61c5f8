"""What the line carries."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from edge.bus.meter import LineMeter, RollingSum
from protocol.clock import FakeClock

_NS = 1_000_000_000


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 1000))))
def test_a_rolling_sum_is_what_was_added_in_its_window_to_one_step(added):
    """Each is (seconds since the one before, amount)."""
    rolling = RollingSum(window_s=600, steps=10)
    now_s, all_of_it = 0, []
    for wait_s, amount in added:
        now_s += wait_s
        rolling.add(amount, now_s * _NS)
        all_of_it.append((now_s, amount))
    total = rolling.total(now_s * _NS)
    assert total >= sum(amount for at_s, amount in all_of_it if now_s - at_s <= 540)
    assert total <= sum(amount for at_s, amount in all_of_it if now_s - at_s < 600)


def test_the_day_and_the_minute_are_counted():
    clock = FakeClock(datetime(2026, 11, 26, tzinfo=UTC))
    meter = LineMeter(clock)
    meter.sent(7_500)
    assert meter.figures().kbit_s == 1
    clock.advance(120)
    meter.connected()
    figures = meter.figures()
    assert (figures.kbit_s, figures.day_bytes, figures.connects_day) == (0, 7_500, 1)
    clock.advance(90_000)
    figures = meter.figures()
    assert (figures.day_bytes, figures.connects_day) == (0, 0)


def test_answers_are_timed_and_those_of_an_older_connection_are_not():
    clock = FakeClock(datetime(2026, 11, 26, tzinfo=UTC))
    meter = LineMeter(clock)
    meter.published(1)
    meter.event_sent(7)
    clock.advance(0.25)
    meter.acknowledged(1)
    clock.advance(0.25)
    meter.receipted([7, 8])
    figures = meter.figures()
    assert (figures.puback_ms, figures.receipt_ms) == (250, 500)
    meter.published(2)
    meter.connected()
    clock.advance(100)
    meter.acknowledged(2)
    assert meter.figures().puback_ms == 250


def test_answers_that_never_come_do_not_pile_up_and_later_ones_are_timed():
    clock = FakeClock(datetime(2026, 11, 26, tzinfo=UTC))
    meter = LineMeter(clock)
    for packet_id in range(10_000):
        meter.published(packet_id)
    clock.advance(1)
    meter.acknowledged(0)
    assert meter.figures().puback_ms is None
    meter.acknowledged(9_999)
    assert meter.figures().puback_ms == 1000


def test_the_budget_of_evidence_is_told_once_there_is_one():
    meter = LineMeter(FakeClock(datetime(2026, 11, 26, tzinfo=UTC)))
    assert meter.figures().budget_kbit_s is None
    meter.follow(lambda: 16_000.0)
    assert meter.figures().budget_kbit_s == 128
