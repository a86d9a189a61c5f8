from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.alerts.curve import Curve
from protocol.messages import CURVE_POINTS, AlertCurve

#: How long after the last look, and how many people: mostly steady, now and then a hole or a clock
#: that was set.
looks = st.lists(
    st.tuples(
        st.one_of(st.floats(0.1, 3.0), st.sampled_from([-500.0, -1.0, 0.0, 700.0, 86_400.0, 1e11])),
        st.integers(0, 1000),
    ),
    min_size=1,
    max_size=600,
)


@given(looks)
def test_whatever_is_seen_a_curve_keeps_its_bounds_its_order_and_the_peak(given_looks):
    curve, at_s = Curve(), 0.0
    for step_s, count in given_looks:
        at_s += step_s
        curve = curve.plus(at_s, count)
    told = curve.told()
    assert told is not None
    assert AlertCurve.model_validate_json(told.model_dump_json()) == told
    assert len(told.points) <= CURVE_POINTS
    assert all(one[0] + told.step_s <= two[0] for one, two in pairwise(told.points))
    assert max(count for _, count in told.points) == max(count for _, count in given_looks)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=1500))
def test_with_a_steady_clock_every_point_is_the_highest_of_its_step(counts):
    curve = Curve()
    for second, count in enumerate(counts):
        curve = curve.plus(second, count)
    told = curve.told()
    assert told is not None
    assert told.points == tuple(
        (first, max(counts[first : first + told.step_s]))
        for first in range(0, len(counts), told.step_s)
    )


@given(st.lists(st.integers(0, 50), min_size=1, max_size=500), st.data())
def test_a_restart_in_between_changes_nothing(counts, data):
    stop = data.draw(st.integers(0, len(counts)))
    through = stopped = Curve()
    for second, count in enumerate(counts):
        if second == stop and (told := stopped.told()) is not None:
            stopped = Curve.of(told)
        through, stopped = through.plus(second, count), stopped.plus(second, count)
    assert stopped == through
