"""Waiting longer after each failure, and between what may not come too often."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.bus.backoff import Backoff, Spacing

_S = 1_000_000_000


def test_it_doubles_from_the_first_to_the_cap():
    waits = [Backoff(1, 60).after(failures, 0.5) for failures in (1, 2, 3, 6, 7, 8, 999)]
    assert waits == [1, 2, 4, 32, 60, 60, 60]


def test_chance_spreads_it_by_half_either_way():
    assert [Backoff(8, 60).after(1, chance) for chance in (0.0, 0.25, 0.75)] == [4, 6, 10]


def test_no_failure_counts_as_the_first():
    assert Backoff(1, 60).after(0, 0.5) == 1


def test_what_is_asked_for_first_happens_at_once():
    spacing = Spacing(2.0)
    assert not spacing.take(5 * _S)
    spacing.ask(5 * _S)
    assert (spacing.due_ns, spacing.take(5 * _S), spacing.take(5 * _S)) == (5 * _S, True, False)


def test_what_is_asked_for_soon_after_waits_and_happens_once():
    spacing = Spacing(2.0)
    spacing.ask(0)
    assert spacing.take(0)
    for at_ns in (_S, _S + 1, _S + 2):
        spacing.ask(at_ns)
    assert [spacing.take(at_ns) for at_ns in (2 * _S - 1, 2 * _S, 4 * _S)] == [False, True, False]


@given(st.lists(st.integers(0, 3 * _S), max_size=40))
def test_it_never_happens_twice_within_the_gap_and_never_fails_to_happen(steps):
    spacing, now_ns, done, asked = Spacing(2.0), 0, [], False
    for step in steps:
        now_ns += step
        spacing.ask(now_ns)
        asked = True
        if spacing.take(now_ns):
            done.append(now_ns)
            asked = False
    if asked:
        assert spacing.take(now_ns + 2 * _S)
    assert all(after - before >= 2 * _S for before, after in pairwise(done))
