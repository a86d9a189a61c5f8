"""How good boxes are: pure."""

from collections.abc import Sequence
from dataclasses import dataclass

#: left, top, right, bottom, in any unit.
Rectangle = tuple[float, float, float, float]
#: The same and a score.
Scored = tuple[float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Judged:
    """One box that was found: how sure it was, and whether it is of somebody who is there."""

    score: float
    is_true: bool


def iou(one: Rectangle, other: Rectangle) -> float:
    """Return intersection over union."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return shared / (sum(areas) - shared)


def judge(found: Sequence[Scored], truth: Sequence[Rectangle], min_iou: float) -> list[Judged]:
    """Return what each box of one picture is; the surest choose first, each person once."""
    left = list(truth)
    judged = []
    for box in sorted(found, key=lambda box: -box[4]):
        overlaps = [iou(box[:4], person) for person in left]
        best = max(overlaps, default=0.0)
        if best >= min_iou:
            left.pop(overlaps.index(best))
        judged.append(Judged(box[4], best >= min_iou))
    return judged


def recall_precision(
    judged: Sequence[Judged], people: int, min_score: float
) -> tuple[float, float]:
    """Return how many of the people were found, and how many of the boxes are people."""
    kept = [each for each in judged if each.score >= min_score]
    true = sum(each.is_true for each in kept)
    return true / people if people else 1.0, true / len(kept) if kept else 1.0


def average_precision(judged: Sequence[Judged], people: int) -> float:
    """Return the area under precision over recall, precision made to fall (PASCAL VOC 2010)."""
    ordered = sorted(judged, key=lambda each: -each.score)
    points: list[tuple[float, float]] = []
    true = 0
    for rank, each in enumerate(ordered, 1):
        true += each.is_true
        points.append((true / people if people else 1.0, true / rank))
    area = best = 0.0
    for index in range(len(points) - 1, -1, -1):
        recall, precision = points[index]
        before = points[index - 1][0] if index else 0.0
        best = max(best, precision)
        area += (recall - before) * best
    return area
