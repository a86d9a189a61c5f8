"""Where people stand: points in the picture, places on the ground, who is close to whom. Pure."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from edge.errors import ConfigError
from edge.ports import Box

Point = tuple[float, float]

#: A plane seen from anywhere is fixed by so many points.
_POINTS = 4

#: How tall a person is taken to be where the camera has no ground points.
PERSON_M = 1.7

#: A triangle flatter than this, to its longest side, is as good as a line: metres would be noise.
_MIN_FLATNESS = 1e-3

_CROSSED = "'ground' must not reach across the horizon: check the points' order"


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody stands. ``x`` and ``y`` in any unit of which ``per_metre`` make a metre here.

    ``image`` is the foot point in the picture, 0-1; ``score`` the detector's.
    """

    x: float
    y: float
    per_metre: float
    image: Point
    score: float


def distance_m(one: Place, other: Place) -> float:
    """Return how far apart two places are, in metres (about, where there are no ground points)."""
    scale = (one.per_metre + other.per_metre) / 2
    return math.hypot(one.x - other.x, one.y - other.y) / scale


def foot(box: Box) -> Point:
    """Return where a person's feet are: the middle of the box's lower edge."""
    return (box.left + box.right) / 2, box.bottom


def inside(point: Point, polygon: Sequence[Point]) -> bool:
    """Return whether a point is in a polygon; its edges belong to it. Even-odd where it crosses."""
    x, y = point
    within = False
    x1, y1 = polygon[-1]
    for x2, y2 in polygon:
        cross = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
        if (
            abs(cross) <= 1e-12  # noqa: PLR2004 - on the edge, but for rounding
            and min(x1, x2) <= x <= max(x1, x2)
            and min(y1, y2) <= y <= max(y1, y2)
        ):
            return True
        if (y1 > y) != (y2 > y):
            # Rounding may not take the crossing beyond the ends of its edge.
            crossing = x1 + (y - y1) / (y2 - y1) * (x2 - x1)
            within ^= x < min(max(crossing, min(x1, x2)), max(x1, x2))
        x1, y1 = x2, y2
    return within


class Ground:
    """The flat ground in front of a camera, from four points of the picture and their metres."""

    def __init__(self, points: Sequence[tuple[Point, Point]]) -> None:
        """Take (picture point 0-1, metres) four times. Raises ConfigError where they fix no plane.

        No three of them may be on one line, in the picture or on the ground. The metres may begin
        anywhere: a map's will do.
        """
        image, metres = [point for point, _ in points], [spot for _, spot in points]
        if len(points) != _POINTS or _has_line(image) or _has_line(metres):
            raise ConfigError("'ground' must be four points of which no three are on one line")
        # From the middle of the points, which no horizon of theirs goes through.
        self._centre, self._middle = _middle(image), _middle(metres)
        rows, right = [], []
        for point, spot in points:
            (u, v), (x, y) = _minus(point, self._centre), _minus(spot, self._middle)
            rows += [
                [u, v, 1, 0, 0, 0, -x * u, -x * v],
                [0, 0, 0, u, v, 1, -y * u, -y * v],
            ]
            right += [x, y]
        solved = _solved(rows, right)
        if solved is None:
            raise ConfigError(_CROSSED)
        self._h = solved
        if not all(self._depth(*_minus(point, self._centre)) > 0 for point in image):
            raise ConfigError(_CROSSED)

    def _depth(self, u: float, v: float) -> float:
        return self._h[6] * u + self._h[7] * v + 1.0

    def metres(self, point: Point) -> Point | None:
        """Return the place on the ground, or None where the point is not below the horizon."""
        h, (u, v) = self._h, _minus(point, self._centre)
        depth = self._depth(u, v)
        if depth <= 1e-9:  # noqa: PLR2004 - at the horizon metres are endless
            return None
        return (
            (h[0] * u + h[1] * v + h[2]) / depth + self._middle[0],
            (h[3] * u + h[4] * v + h[5]) / depth + self._middle[1],
        )


def _solved(rows: Sequence[Sequence[float]], right: Sequence[float]) -> tuple[float, ...] | None:
    """Solve a system of equations by elimination; None where it has no single solution.

    NumPy does that too, but the box would keep all of it in memory for these eight lines.
    """
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    for at in range(len(table)):
        pivot = max(range(at, len(table)), key=lambda below: abs(table[below][at]))
        table[at], table[pivot] = table[pivot], table[at]
        if table[at][at] == 0:
            return None
        for below in range(at + 1, len(table)):
            share = table[below][at] / table[at][at]
            table[below] = [x - share * y for x, y in zip(table[below], table[at], strict=True)]
    found: list[float] = []  # from the last unknown to the first
    for row in reversed(table):
        *factors, value = row[len(table) - 1 - len(found) :]
        rest = sum(factor * x for factor, x in zip(factors[1:], reversed(found), strict=True))
        found.append((value - rest) / factors[0])
    return tuple(reversed(found))


def _middle(points: Sequence[Point]) -> Point:
    xs, ys = zip(*points, strict=True)
    return sum(xs) / len(xs), sum(ys) / len(ys)


def _minus(point: Point, origin: Point) -> Point:
    return point[0] - origin[0], point[1] - origin[1]


def _has_line(points: Sequence[Point]) -> bool:
    """Return whether any three points are as good as on one line, or two of them in one place."""
    for one, two, three in itertools.combinations(points, 3):
        longest = max(math.dist(one, two), math.dist(two, three), math.dist(three, one))
        area = (two[0] - one[0]) * (three[1] - one[1]) - (two[1] - one[1]) * (three[0] - one[0])
        if abs(area) <= _MIN_FLATNESS * longest**2:
            return True
    return False


def place(box: Box, ground: Ground | None, aspect: float) -> Place | None:
    """Return where a person stands, or None where the box ends above the horizon.

    Without ``ground`` the picture itself is the measure: a person is PERSON_M tall, so the height
    of the box says how much of the picture a metre is there.
    """
    at = foot(box)
    if ground is None:
        per_metre = max(box.bottom - box.top, 1e-6) / PERSON_M
        return Place(at[0] * aspect, at[1], per_metre, at, box.score)
    metres = ground.metres(at)
    return None if metres is None else Place(*metres, 1.0, at, box.score)


def largest_cluster(places: Sequence[Place], radius_m: float) -> int:
    """Return how many people the largest group has: each within the radius of another one of it."""
    left = list(places)
    largest = 0
    while left:
        group = [left.pop()]
        for member in group:  # grows while it is gone through
            near = [other for other in left if distance_m(member, other) <= radius_m]
            group += near
            left = [other for other in left if other not in near]
        largest = max(largest, len(group))
    return largest
