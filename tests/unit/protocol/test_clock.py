"""Clocks."""

from datetime import UTC, datetime, timedelta

from protocol.clock import FakeClock, SystemClock

AT = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_fake_clock_moves_both_times_together():
    clock = FakeClock(AT, 5)
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic_ns()) == (AT + timedelta(seconds=1.5), 1_500_000_005)


def test_a_corrected_wall_clock_leaves_the_monotonic_one_alone():
    clock = FakeClock(AT, 5)
    clock.step_wall(-3600)
    assert (clock.now(), clock.monotonic_ns()) == (AT - timedelta(hours=1), 5)


def test_the_system_clock_is_aware_and_never_goes_back():
    clock = SystemClock()
    first = clock.monotonic_ns()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic_ns() >= first
