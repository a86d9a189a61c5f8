import math

import pytest

from edge.alarm.geometry import (
    PERSON_M,
    Ground,
    Place,
    distance_m,
    foot,
    inside,
    largest_cluster,
    place,
)
from edge.errors import ConfigError
from edge.ports import Box

SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
#: An arrow head: its notch is outside.
NOTCHED = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.4), (0.0, 1.0))


def at(x, y):
    return Place(x, y, 1.0, (0.5, 0.5), 0.9)


@pytest.mark.parametrize(
    ("point", "polygon", "expected"),
    [
        ((0.5, 0.5), SQUARE, True),
        ((1.5, 0.5), SQUARE, False),
        ((0.0, 0.5), SQUARE, True),  # on an edge
        ((1.0, 1.0), SQUARE, True),  # on a corner: feet at the picture's lower edge count
        ((0.5, 1.0), SQUARE, True),
        ((0.5, 0.9), NOTCHED, False),  # in the notch
        ((0.5, 0.4), NOTCHED, True),  # on the notch's tip
        ((0.1, 0.7), NOTCHED, True),
        ((0.5, -0.1), NOTCHED, False),
    ],
)
def test_a_point_is_inside_a_polygon_or_on_its_edge(point, polygon, expected):
    assert inside(point, polygon) is expected
    assert inside(point, tuple(reversed(polygon))) is expected


def test_people_stand_at_the_middle_of_the_lower_edge():
    assert foot(Box(0.2, 0.1, 0.4, 0.7, 0.9)) == pytest.approx((0.3, 0.7))


def test_four_points_give_metres_everywhere_on_the_plane():
    # A camera that looks along y: farther is higher in the picture and smaller.
    def image(x, y):
        return 0.5 + x / (y + 5), 0.2 + 2 / (y + 5)

    corners = [(-2.0, 0.0), (2.0, 0.0), (2.0, 10.0), (-2.0, 10.0)]
    ground = Ground([(image(*corner), corner) for corner in corners])
    assert ground.metres(image(0.7, 3.3)) == pytest.approx((0.7, 3.3))
    assert ground.metres(image(-5.0, 30.0)) == pytest.approx((-5.0, 30.0))
    assert ground.metres((0.5, 0.2)) is None  # the horizon
    assert ground.metres((0.5, 0.1)) is None  # the sky


@pytest.mark.parametrize(
    ("image", "metres"),
    [
        pytest.param("LLLC", "LLLC", id="in the picture and on the ground"),
        pytest.param("LLLC", "SSSS", id="in the picture alone"),
        pytest.param("SSSS", "LLLC", id="on the ground alone: nearly all would stand in one place"),
        pytest.param("SSSS", "SSSB", id="two in one place"),
    ],
)
def test_points_on_one_line_fix_no_plane(image, metres):
    line = [(0.1, 0.1), (0.5, 0.5), (0.9, 0.9), (0.1, 0.9)]
    square = [(0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)]
    ways = {"L": line, "C": line, "S": square, "B": [square[0]] * 4}

    def points(letters):
        return [ways[letter][number] for number, letter in enumerate(letters)]

    with pytest.raises(ConfigError, match="no three are on one line"):
        Ground(list(zip(points(image), points(metres), strict=True)))


def test_the_horizon_may_go_through_the_pictures_corner():
    def image(x, y):  # the camera at the origin, looking along y with a roll
        depth = y + x
        return (0.5 * x + 0.2) / depth, (0.5 - 0.5 * x) / depth

    corners = [(0.1, 1.0), (0.9, 1.0), (0.9, 3.0), (0.1, 3.0)]
    ground = Ground([(image(*corner), corner) for corner in corners])
    assert ground.metres(image(0.4, 2.0)) == pytest.approx((0.4, 2.0))


@pytest.mark.parametrize("origin", [(0.0, 0.0), (1000.0, -1000.0), (498_000.0, 2_780_000.0)])
def test_the_metres_may_be_a_maps(origin):
    image = [(0.2, 0.4), (0.8, 0.4), (0.9, 0.9), (0.1, 0.9)]
    metres = [(0.0, 20.0), (12.0, 20.0), (12.0, 0.0), (0.0, 0.0)]
    here = Ground(list(zip(image, metres, strict=True))).metres((0.5, 0.6))
    moved = [(x + origin[0], y + origin[1]) for x, y in metres]
    there = Ground(list(zip(image, moved, strict=True))).metres((0.5, 0.6))
    assert here is not None
    assert there == pytest.approx((here[0] + origin[0], here[1] + origin[1]), abs=1e-6)


def test_three_points_are_refused():
    with pytest.raises(ConfigError, match="four points"):
        Ground([((0.0, 0.0), (0.0, 0.0)), ((1.0, 0.0), (1.0, 0.0)), ((1.0, 1.0), (1.0, 1.0))])


def test_a_square_in_a_crossed_order_is_refused_though_its_middle_is_at_the_horizon():
    with pytest.raises(ConfigError, match="horizon"):
        Ground(list(zip(SQUARE, (SQUARE[1], SQUARE[0], *SQUARE[2:]), strict=True)))


def test_points_in_a_crossed_order_are_refused():
    # Two neighbours swapped: the quadrilateral crosses itself and the horizon cuts through it.
    with pytest.raises(ConfigError, match="horizon"):
        Ground(
            [
                ((0.2, 0.5), (0.0, 10.0)),
                ((0.8, 0.5), (10.0, 10.0)),
                ((0.9, 0.9), (0.0, 0.0)),
                ((0.1, 0.9), (10.0, 0.0)),
            ]
        )


def test_without_ground_points_a_persons_own_height_is_the_measure():
    aspect = 2.0
    left = place(Box(0.10, 0.2, 0.20, 0.6, 0.9), None, aspect)
    right = place(Box(0.30, 0.2, 0.40, 0.6, 0.9), None, aspect)
    assert left is not None
    assert right is not None
    # 0.2 of the width is 0.4 of the height, which is as much as each of them is tall.
    assert distance_m(left, right) == pytest.approx(PERSON_M)


def test_a_person_above_the_horizon_stands_nowhere():
    ground = Ground(
        [
            ((0.3, 0.5), (0.0, 10.0)),
            ((0.7, 0.5), (4.0, 10.0)),
            ((0.9, 0.9), (4.0, 0.0)),
            ((0.1, 0.9), (0.0, 0.0)),
        ]
    )
    assert place(Box(0.4, 0.0, 0.5, 0.05, 0.9), ground, 1.0) is None
    there = place(Box(0.0, 0.5, 0.2, 0.9, 0.8), ground, 1.0)
    assert there is not None
    assert (there.x, there.y, there.per_metre, there.score) == pytest.approx((0.0, 0.0, 1.0, 0.8))


@pytest.mark.parametrize(
    ("places", "expected"),
    [
        ([], 0),
        ([at(0, 0)], 1),
        ([at(0, 0), at(2.0, 0)], 2),  # just within reach
        ([at(0, 0), at(2.01, 0)], 1),
        ([at(0, 0), at(1.5, 0), at(3.0, 0), at(4.5, 0)], 4),  # a chain is one group
        ([at(0, 0), at(1, 0), at(9, 0), at(9, 1), at(9, 2)], 3),  # the larger of two
        ([at(0, 0), at(0, 0), at(0, 0)], 3),  # in one spot
    ],
)
def test_the_largest_group_is_counted(places, expected):
    assert largest_cluster(places, 2.0) == expected
    assert largest_cluster(list(reversed(places)), 2.0) == expected


def test_distance_is_symmetrical_between_near_and_far_people():
    near = Place(0.0, 0.0, 0.2, (0.5, 0.9), 0.9)
    far = Place(0.3, 0.4, 0.1, (0.5, 0.4), 0.9)
    assert distance_m(near, far) == distance_m(far, near) == pytest.approx(0.5 / 0.15)
    assert math.isfinite(distance_m(near, near))
