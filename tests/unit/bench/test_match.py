from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.match import Match, match

T0 = datetime(2026, 11, 22, tzinfo=UTC)


def at(*seconds):
    return [T0 + timedelta(seconds=value) for value in seconds]


@pytest.mark.parametrize(
    ("expected", "found", "result"),
    [
        ([], [], Match((), (), ())),
        ([10], [10.5], Match(((0, 0),), (), ())),
        ([10], [12], Match(((0, 0),), (), ())),  # the tolerance itself is within
        ([10], [8], Match(((0, 0),), (), ())),
        ([10], [12.001], Match((), (0,), (0,))),  # too late: missed, and false
        ([10], [], Match((), (0,), ())),
        ([], [3], Match((), (), (0,))),
        ([10], [10, 11], Match(((0, 0),), (), (1,))),  # a double is false
        ([20, 10], [10, 20], Match(((1, 0), (0, 1)), (), ())),  # any order
        ([10, 12], [11, 9], Match(((0, 1), (1, 0)), (), ())),  # not the nearest: the most pairs
    ],
)
def test_match_pairs_missed_and_false(expected, found, result):
    assert match(at(*expected), at(*found)) == result


SECONDS = st.lists(st.integers(0, 12), max_size=5)


@given(SECONDS, SECONDS)
def test_match_makes_as_many_pairs_as_can_be(expected, found):
    result = match(at(*expected), at(*found))
    best = 0
    longer, shorter = (expected, found) if len(expected) > len(found) else (found, expected)
    for choice in permutations(longer, len(shorter)):
        best = max(best, sum(abs(a - b) <= 2 for a, b in zip(choice, shorter, strict=True)))
    assert len(result.pairs) == best
    assert sorted([*result.missed, *(want for want, _ in result.pairs)]) == list(
        range(len(expected))
    )
    assert sorted([*result.false, *(have for _, have in result.pairs)]) == list(range(len(found)))
