import pytest

from edge.alerts.curve import Curve
from protocol.messages import CURVE_POINTS, CURVE_S, AlertCurve


def drawn(*counts, every_s=1.0):
    curve = Curve()
    for number, count in enumerate(counts):
        curve = curve.plus(number * every_s, count)
    return curve


def test_an_empty_curve_is_not_told():
    assert Curve().told() is None


def test_the_highest_count_of_a_second_stands_for_it():
    assert drawn(3, 5, 4, 6, 2, every_s=0.5).told() == AlertCurve(
        step_s=1, points=((0, 5), (1, 6), (2, 2))
    )


def test_a_stretch_in_which_nothing_was_seen_stays_empty():
    assert Curve().plus(0, 16).plus(300, 17).told() == AlertCurve(
        step_s=1, points=((0, 16), (300, 17))
    )


def test_where_it_is_full_seconds_are_joined_by_pairs_and_keep_the_higher_count():
    full = drawn(*[9, 1] * (CURVE_POINTS // 2), 4)
    assert full.step_s == 2
    assert full.told().points[-3:] == ((116, 9), (118, 9), (120, 4))


def test_a_count_of_a_clock_that_was_set_back_counts_for_the_last_step():
    curve = Curve().plus(0, 1).plus(100, 2).plus(40, 7).plus(-9999, 3)
    assert curve.told().points == ((0, 1), (100, 7))


def test_a_clock_that_is_set_far_ahead_leaves_it_within_its_bounds():
    curve = drawn(*range(CURVE_POINTS)).plus(1e12, 5)
    told = curve.told()
    assert told.points[-1][0] <= CURVE_S
    assert len(told.points) <= CURVE_POINTS
    assert Curve.of(told).told() == told


@pytest.mark.parametrize("seconds", [1, 119, 120, 1000, 7200])
def test_a_curve_that_was_told_is_gone_on_with(seconds):
    curve = drawn(*range(seconds))
    assert Curve.of(curve.told()) == curve
