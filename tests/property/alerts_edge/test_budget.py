"""Evidence takes what the link can spare, and gives it back when alerts are late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.alerts.budget import BURST_BYTES, LATE_S, STEP_BYTES_S, Budget, Rates, Signs

S = 1_000_000_000
CHUNK = 16 * 1024
RATES = Rates(floor=16_000, start=400_000, ceiling=4_000_000)
LATE = Signs(awaited_s=LATE_S + 1)
WATCHED = Signs(viewers=1)

signs = st.sampled_from([Signs(), LATE, WATCHED, Signs(awaited_s=9, viewers=3)])


class Link:
    """Sends chunk after chunk as fast as the budget lets it, under signs that can be changed."""

    def __init__(self, rates=RATES):
        self.signs = Signs()
        self.budget = Budget(lambda: self.signs, rates)
        self.now_ns = 5 * S

    def send(self, seconds, link_bytes_s=10**9):
        """Send for so long; return how many bytes went."""
        end_ns, sent = self.now_ns + round(seconds * S), 0
        while self.now_ns < end_ns:
            wait_s = self.budget.wait_s(CHUNK, self.now_ns)
            self.now_ns += round((wait_s + CHUNK / link_bytes_s) * S)
            sent += CHUNK
        return sent


@pytest.fixture
def link():
    return Link()


@given(st.lists(st.tuples(signs, st.floats(0.1, 5)), max_size=20))
def test_the_rate_stays_between_its_bounds_whatever_happens(story):
    link = Link()
    for shown, seconds in story:
        link.signs = shown
        link.send(seconds)
        assert RATES.floor <= link.budget.bytes_s <= RATES.ceiling


@given(st.lists(st.tuples(signs, st.floats(0.1, 5)), max_size=20))
def test_no_more_is_sent_than_the_highest_rate_allows_and_a_burst(story):
    link = Link()
    for shown, seconds in story:
        link.signs = shown
        sent = link.send(seconds)
        assert sent <= BURST_BYTES + 2 * CHUNK + RATES.ceiling * (seconds + 1)


@given(st.integers(1, 10**7), st.integers(0, 100))
def test_the_wait_is_never_longer_than_what_is_owed_at_the_lowest_rate(size, later_s):
    link = Link()
    link.budget.wait_s(size, link.now_ns)
    wait_s = link.budget.wait_s(0, link.now_ns + later_s * S)
    assert 0 <= wait_s <= size / RATES.floor


def test_it_doubles_until_alerts_are_late_for_the_first_time(link):
    link.send(2.5)
    assert link.budget.bytes_s == 4 * RATES.start


def test_it_is_halved_while_alerts_are_late_down_to_its_floor(link):
    link.send(0.5)
    link.signs = LATE
    link.send(2.5)
    assert link.budget.bytes_s == RATES.start / 2
    link.send(60)
    assert link.budget.bytes_s == RATES.floor


def test_after_that_it_grows_by_a_step_a_second(link):
    link.signs = LATE
    link.send(60)
    link.signs = Signs()
    before = link.budget.bytes_s
    link.send(10)
    grown = link.budget.bytes_s - before
    assert 8 * STEP_BYTES_S <= grown <= 11 * STEP_BYTES_S


def test_while_somebody_watches_it_has_half_and_tries_for_no_more(link):
    link.send(2.5)
    full = link.budget.bytes_s
    link.signs = WATCHED
    link.send(20)
    assert link.budget.bytes_s == full / 2
    link.signs = Signs()
    link.send(1.5)
    assert link.budget.bytes_s >= full


def test_on_a_link_that_is_slower_than_the_budget_it_does_not_grow(link):
    link.send(60, link_bytes_s=RATES.start / 4)
    assert link.budget.bytes_s == RATES.start


def test_a_late_alert_leaves_the_link_to_alerts_within_seconds(link):
    """20 kB/s at the worst, as a village's uplink in the evening."""
    link.send(5)
    link.signs = LATE
    link.send(18)
    assert link.send(10) <= 10 * RATES.floor + BURST_BYTES + CHUNK
