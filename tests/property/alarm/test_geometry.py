import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from edge.alarm.geometry import Ground, Place, inside, largest_cluster
from edge.errors import ConfigError

shares = st.floats(0, 1, allow_subnormal=False)
points = st.tuples(shares, shares)
spots = st.builds(
    lambda x, y: Place(x, y, 1.0, (0.5, 0.5), 0.9), st.floats(-20, 20), st.floats(-20, 20)
)


@given(points, st.lists(points, min_size=3, max_size=10))
def test_being_inside_does_not_depend_on_where_the_polygon_begins(point, polygon):
    turned = polygon[1:] + polygon[:1]
    assert inside(point, polygon) == inside(point, turned)


@example((0.0, 0.5), [(3e-71, 0.0), (1.0, 1.0), (3e-71, 0.5)])
@given(points, st.lists(points, min_size=3, max_size=10))
def test_nothing_outside_the_bounding_box_is_inside(point, polygon):
    xs, ys = zip(*polygon, strict=True)
    if not (min(xs) <= point[0] <= max(xs) and min(ys) <= point[1] <= max(ys)):
        assert not inside(point, polygon)


@given(st.lists(points, min_size=4, max_size=4), st.lists(points, min_size=4, max_size=4))
def test_a_ground_maps_its_own_points_or_is_refused(image, metres):
    try:
        ground = Ground(list(zip(image, metres, strict=True)))
    except ConfigError:
        return
    for point, spot in zip(image, metres, strict=True):
        found = ground.metres(point)
        if found is not None:  # as good as at the horizon
            assert found == pytest.approx(spot, abs=1e-3)


@given(
    st.floats(-0.4, 0.4), st.floats(0.2, 1.5), st.floats(3, 8), st.floats(-5, 5), st.floats(0, 20)
)
def test_a_pinhole_camera_is_undone(pan, tilt, height, x, y):
    def image(ground_x, ground_y):
        depth = ground_y + 3
        return 0.5 + pan * 0.1 + ground_x / depth / 2, 0.1 + tilt * 0.1 + height / depth / 10

    corners = [(-2.0, 0.0), (2.0, 0.0), (2.0, 8.0), (-2.0, 8.0)]
    ground = Ground([(image(*corner), corner) for corner in corners])
    found = ground.metres(image(x, y))
    assert found is not None
    assert found == pytest.approx((x, y), abs=1e-6 * (1 + y))


@given(st.lists(spots, max_size=12), st.floats(0.1, 5))
def test_the_largest_group_is_what_joining_pairs_gives(places, radius_m):
    groups = [{index} for index in range(len(places))]
    for one in range(len(places)):
        for other in range(one):
            a, b = places[one], places[other]
            if math.hypot(a.x - b.x, a.y - b.y) <= radius_m:
                first = next(group for group in groups if one in group)
                second = next(group for group in groups if other in group)
                if first is not second:
                    groups.remove(second)
                    first |= second
    assert largest_cluster(places, radius_m) == max(map(len, groups), default=0)


@given(st.lists(spots, min_size=1, max_size=12), st.floats(0.1, 5), st.floats(0.1, 5))
def test_a_larger_radius_never_makes_a_group_smaller(places, one_m, other_m):
    assume(one_m <= other_m)
    assert largest_cluster(places, one_m) <= largest_cluster(places, other_m)
