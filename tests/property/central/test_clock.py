"""How far a box's clock may be trusted."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.fleet.clock import OFF_MS, is_doubtful, offset_ms
from protocol.messages import ClockQuality, ClockState
from tests.support.xiacun import NOW

SYNCED = ClockQuality(state=ClockState.SYNCED, since=NOW, error_ms=3)
ADRIFT = ClockQuality(state=ClockState.UNSYNCED, since=NOW)


def heard(known_ms, ahead_ms):
    return offset_ms(known_ms, NOW + timedelta(milliseconds=ahead_ms), NOW)


def test_the_first_heartbeat_is_believed():
    assert (heard(None, 300), heard(None, -90_000)) == (300, -90_000)


@given(st.integers(-(10**9), 10**9), st.lists(st.integers(-400, 0), min_size=40, max_size=80))
def test_it_comes_near_the_truth_and_stays_there_whatever_the_line_delays(true_ms, delays_ms):
    known = None
    for delay_ms in delays_ms:
        known = heard(known, true_ms + delay_ms)
    assert true_ms - 400 <= known <= true_ms


@given(st.integers(-(10**9), 10**9), st.integers(2001, 10**9))
def test_a_clock_that_was_set_is_known_at_the_next_heartbeat(known_ms, step_ms):
    assert heard(known_ms, known_ms + step_ms) == known_ms + step_ms


def test_no_clock_is_so_wrong_that_the_database_can_not_keep_it():
    year_9999 = NOW.replace(year=9999)
    assert offset_ms(None, year_9999, NOW) < 2**62


def test_a_clock_that_is_off_is_doubted_whatever_it_says_of_itself():
    for measured_ms in (OFF_MS + 1, -OFF_MS - 1):
        assert is_doubtful(SYNCED, measured_ms, NOW, is_late=False)
        assert is_doubtful(None, measured_ms, NOW, is_late=False)


def test_an_older_box_that_says_nothing_is_not_doubted():
    assert not is_doubtful(None, None, NOW, is_late=True)


def test_one_that_nobody_steers_is_believed_while_it_is_measured_and_not_for_what_is_past():
    assert not is_doubtful(ADRIFT, 40, NOW, is_late=False)
    assert is_doubtful(ADRIFT, 40, NOW, is_late=True)
    assert is_doubtful(ADRIFT, None, NOW, is_late=False)
    assert not is_doubtful(SYNCED, None, NOW, is_late=True)


def test_what_began_before_the_clock_was_set_is_doubted():
    quality = SYNCED.model_copy(update={"stepped_at": NOW})
    assert is_doubtful(quality, 0, NOW - timedelta(seconds=1), is_late=False)
    assert not is_doubtful(quality, 0, NOW, is_late=False)
