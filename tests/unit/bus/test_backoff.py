"""Waiting longer after each failure."""

from edge.bus.backoff import Backoff


def test_it_doubles_from_the_first_to_the_cap():
    waits = [Backoff(1, 60).after(failures, 0.5) for failures in (1, 2, 3, 6, 7, 8, 999)]
    assert waits == [1, 2, 4, 32, 60, 60, 60]


def test_chance_spreads_it_by_half_either_way():
    assert [Backoff(8, 60).after(1, chance) for chance in (0.0, 0.25, 0.75)] == [4, 6, 10]


def test_no_failure_counts_as_the_first():
    assert Backoff(1, 60).after(0, 0.5) == 1
