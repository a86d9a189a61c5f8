"""Gaps in an outbox's numbers, and when a box is asked for them."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from central.delivery.gaps import (
    ASK_AGAIN,
    ASK_AGAIN_AT_MOST,
    Gap,
    GapState,
    Pursued,
    follow,
    gaps_up_to,
    next_at,
    state_of,
    to_ask,
)

T0 = datetime(2026, 11, 26, tzinfo=UTC)
NUMBERS = st.sets(st.integers(1, 40), max_size=40)


def after(seconds):
    return T0 + timedelta(seconds=seconds)


def gaps_of(here, top):
    """Return the gaps as the centre finds them: from each number to the next one, from 0 on."""
    ordered = sorted({0, *(number for number in here if number <= top)})
    return gaps_up_to(top, zip(ordered, [*ordered[1:], None], strict=True))


def missing(gaps):
    return {number for gap in gaps for number in range(gap.first, gap.last + 1)}


@given(NUMBERS, st.integers(0, 45))
def test_gaps_are_all_that_is_missing_and_nothing_else(here, top):
    gaps = gaps_of(here, top)
    assert missing(gaps) == set(range(1, top + 1)) - here
    assert sum(gap.count for gap in gaps) == len(missing(gaps))
    # Two gaps have a number between them that is here: none could be said in one.
    assert all(one.last + 1 < other.first for one, other in pairwise(gaps))


@given(st.permutations(range(1, 16)), st.integers(1, 15), st.data())
def test_whatever_comes_the_rest_of_a_gap_is_as_old_as_the_gap_and_was_asked_for_as_often(
    order, come, data
):
    before = follow((), gaps_of((), 15), T0)
    if data.draw(st.booleans()):
        before = [one.asked(after(61)) for one in before]
    (first,) = before
    now = after(100)
    for number in range(1, come + 1):
        before = follow(before, gaps_of(order[:number], 15), now)
    assert missing(one.gap for one in before) == set(order[come:])
    for one in before:
        assert (one.since, one.asked_at, one.first_asked_at, one.times) == (
            T0,
            first.asked_at,
            first.first_asked_at,
            first.times,
        )


def test_a_gap_elsewhere_is_a_new_one():
    known = follow((), [Gap(3, 5)], T0)
    (old, new) = follow(known, [Gap(3, 5), Gap(7, 9)], after(30))
    assert (old.since, new.since) == (T0, after(30))


def test_gaps_that_become_one_keep_what_was_known_of_the_older():
    known = [Pursued(Gap(1, 2), T0).asked(after(70)), Pursued(Gap(4, 5), after(50))]
    (one,) = follow(known, [Gap(1, 5)], after(90))
    assert (one.since, one.asked_at, one.times) == (T0, after(70), 1)


@given(st.integers(1, 30))
def test_a_box_is_asked_more_and_more_seldom_and_never_twice_in_ten_minutes(times):
    gap, now = Pursued(Gap(1, 9), T0), T0
    asked = []
    for _ in range(times):
        assert to_ask(gap, None, gap.again_at - timedelta(microseconds=1)) is None
        now = gap.again_at
        assert to_ask(gap, None, now) == Gap(1, 9)
        gap = gap.asked(now)
        asked.append(now)
    waits = [later - earlier for earlier, later in pairwise(asked)]
    assert asked[0] == after(60)
    assert waits == sorted(waits)
    assert all(ASK_AGAIN <= wait <= ASK_AGAIN_AT_MOST for wait in waits)


@given(st.integers(1, 20), st.integers(0, 20), st.none() | st.integers(1, 50))
def test_a_box_is_asked_only_for_what_it_can_have(first, more, kept_from):
    gap = Gap(first, first + more)
    asked = to_ask(Pursued(gap, T0), kept_from, after(60))
    left = {number for number in missing([gap]) if number >= (kept_from or 0)}
    assert missing([asked] if asked else []) == left
    is_gone = state_of(Pursued(gap, T0), kept_from, after(60)) is GapState.GONE
    assert is_gone == (asked is None)


@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 3)), max_size=6), st.integers(0, 45))
def test_the_next_time_is_the_first_at_which_any_gap_is_asked_for(parts, kept_from):
    gaps = [Pursued(Gap(first, first + 1), after(first)) for first, _ in parts]
    for number, (_, times) in enumerate(parts):
        for _ in range(times):
            gaps[number] = gaps[number].asked(gaps[number].again_at)
    at = next_at(gaps, kept_from)
    if at is None:
        assert all(to_ask(gap, kept_from, T0 + timedelta(days=99)) is None for gap in gaps)
    else:
        assert any(to_ask(gap, kept_from, at) for gap in gaps)
        before = at - timedelta(microseconds=1)
        assert not any(to_ask(gap, kept_from, before) for gap in gaps)


@pytest.mark.parametrize(
    ("asked_s", "now_s", "state"),
    [
        (None, 0, GapState.YOUNG),
        (None, 59, GapState.YOUNG),
        (None, 60, GapState.OPEN),
        (None, 90_000, GapState.OPEN),  # its box is away: nobody was asked
        (60, 60, GapState.ASKED),
        (60, 3659, GapState.ASKED),
        (60, 3660, GapState.UNANSWERED),
    ],
)
def test_where_a_gap_stands(asked_s, now_s, state):
    gap = Pursued(Gap(4, 4), T0)
    if asked_s is not None:
        gap = gap.asked(after(asked_s))
    assert state_of(gap, 1, after(now_s)) is state


def test_a_gap_that_is_asked_again_is_unanswered_since_the_first_time():
    gap = Pursued(Gap(4, 4), T0).asked(after(60)).asked(after(3000))
    assert state_of(gap, None, after(3660)) is GapState.UNANSWERED
