"""What has to go, whatever there is; and no bytes that come bring the frame's reader down."""

import contextlib
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from central.errors import InvalidError
from central.examples.frame import bare
from central.examples.rule import Held, Limits, leaving
from tests.support.jpeg import jpeg

TODAY = date(2026, 11, 26)
PLAIN = jpeg(width=32, height=32)

days = st.integers(-3, 800).map(lambda ago: TODAY - timedelta(days=ago))
held = st.lists(st.tuples(days, st.integers(0, 1000)), max_size=40).map(
    lambda ones: [Held(key, day, size) for key, (day, size) in enumerate(ones, start=1)]
)
limits = st.builds(Limits, st.integers(1, 700), st.integers(1, 20), st.integers(0, 5000))


@given(held, limits)
def test_what_stays_is_within_every_limit_and_nothing_goes_that_need_not(held, limits):
    leave = leaving(held, TODAY, limits)
    gone = {*leave.expired, *leave.dropped}
    assert len(gone) == len(leave.expired) + len(leave.dropped)
    stay = [one for one in held if one.id not in gone]
    oldest = TODAY - timedelta(days=limits.keep_days)
    assert {one.id for one in held if one.day < oldest} == set(leave.expired)
    assert len(stay) <= limits.max_pictures
    assert sum(one.size_bytes for one in stay) <= limits.max_bytes
    for one in held:
        if one.id in leave.dropped:  # everything newer stays, and this one is too much beside it
            newer = [each for each in held if (each.day, each.id) > (one.day, one.id)]
            over = len(newer) + 1 > limits.max_pictures
            too_much = sum(each.size_bytes for each in (*newer, one)) > limits.max_bytes
            assert over or too_much


@given(held, limits)
def test_the_newest_stay(held, limits):
    leave = leaving(held, TODAY, limits)
    when = {one.id: (one.day, one.id) for one in held}
    stay = [when[key] for key in when if key not in {*leave.expired, *leave.dropped}]
    assert all(when[key] < place for key in leave.dropped for place in stay)


@given(held, limits)
def test_once_done_nothing_more_has_to_go(held, limits):
    leave = leaving(held, TODAY, limits)
    stay = [one for one in held if one.id not in {*leave.expired, *leave.dropped}]
    again = leaving(stay, TODAY, limits)
    assert (again.expired, again.dropped) == ((), ())


@given(st.binary(max_size=400))
def test_any_bytes_are_a_frame_or_refused(noise):
    for coded in (noise, PLAIN[:2] + noise, PLAIN[:200] + noise + PLAIN[200:]):
        with contextlib.suppress(InvalidError):
            made = bare(coded)
            assert bare(made) == made
            assert len(made) <= len(coded)
