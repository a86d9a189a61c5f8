import struct
from datetime import UTC, datetime, timedelta

import pytest

from edge.crowds.quarter import MOST, Quarter, Tally, counts_of, quarter_of, unpacked

T0 = datetime(2026, 11, 22, 8, tzinfo=UTC)


def minutes(**known):
    """Return fifteen minutes of which those named, as m0=5, were looked at."""
    return tuple(known.get(f"m{number}") for number in range(15))


def told(tally, *looks):
    """Give counts by seconds from T0; return the quarters that are over."""
    ended = [tally.add(T0 + timedelta(seconds=second), count) for second, count in looks]
    return [quarter for quarter in ended if quarter is not None]


def test_a_minute_is_its_middle_look_and_the_peak_its_highest():
    tally = Tally()
    assert told(tally, (0, 3), (20, 4), (40, 19), (60, 2)) == []
    assert tally.close() == Quarter(T0, 19, minutes(m0=4, m1=2))


def test_a_quarter_is_given_when_another_begins():
    tally = Tally()
    (quarter,) = told(tally, (0, 3), (899, 5), (900, 7))
    assert quarter == Quarter(T0, 5, minutes(m0=3, m14=5))
    assert tally.end == T0 + timedelta(minutes=30)
    assert tally.close() == Quarter(T0 + timedelta(minutes=15), 7, minutes(m0=7))
    assert (tally.end, tally.close()) == (None, None)


def test_a_clock_that_is_set_back_ends_the_quarter_and_counts_the_earlier_one_again():
    tally = Tally()
    first, second = told(tally, (600, 3), (1000, 9), (660, 4))
    assert (first.start, second.start) == (T0, T0 + timedelta(minutes=15))
    assert tally.close() == Quarter(T0, 4, minutes(m11=4))


def test_a_clock_that_is_set_back_within_the_quarter_keeps_the_higher_count_of_a_minute():
    tally = Tally()
    told(tally, (0, 8), (60, 1), (0, 3), (120, 0))
    assert tally.close() == Quarter(T0, 8, minutes(m0=8, m1=1, m2=0))


def test_two_parts_of_a_quarter_are_one():
    one = Quarter(T0, 9, minutes(m0=4, m1=2))
    other = Quarter(T0, 7, minutes(m1=6, m2=0))
    assert one.with_other(other) == Quarter(T0, 9, minutes(m0=4, m1=6, m2=0))


def test_what_nobody_looked_at_is_not_nobody():
    quarter = Quarter(T0, 0, minutes(m3=0))
    assert unpacked(T0, 0, quarter.packed()) == quarter
    assert counts_of([quarter]) == [(T0 + timedelta(minutes=3), 0)]


def test_more_people_than_two_bytes_hold_are_as_many_as_they_do():
    assert unpacked(T0, 9, Quarter(T0, 9, minutes(m0=10**6)).packed()).minutes[0] == MOST


def test_what_is_no_quarter_is_refused():
    with pytest.raises(struct.error):
        unpacked(T0, 0, b"\x00" * 29)


def test_quarters_begin_with_the_hour_in_zones_of_half_and_quarter_hours_too():
    kathmandu = timedelta(hours=5, minutes=45)
    at = T0 + timedelta(minutes=44, seconds=59)
    assert quarter_of(at) == T0 + timedelta(minutes=30)
    assert (quarter_of(at) + kathmandu).minute % 15 == 0
