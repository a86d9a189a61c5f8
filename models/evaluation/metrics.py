"""How good boxes are: pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: left, top, right, bottom, in any unit.
Rectangle = tuple[float, float, float, float]
#: The same and a score.
Scored = tuple[float, float, float, float, float]


#: COCO's borders between small, medium and large, in square pixels.
_SMALL_PX2, _MEDIUM_PX2 = 32.0**2, 96.0**2


class Size(StrEnum):
    """How large somebody is in the picture that the model sees, by COCO's areas."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


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
    return [Judged(score, person is not None) for score, person in _pairs(found, truth, min_iou)]


def are_found(found: Sequence[Scored], truth: Sequence[Rectangle], min_iou: float) -> list[bool]:
    """Return of each person of one picture whether a box is theirs, chosen as by ``judge``."""
    people = {person for _, person in _pairs(found, truth, min_iou)}
    return [index in people for index in range(len(truth))]


def size_of(box: Rectangle) -> Size:
    """Return the size of a rectangle in pixels."""
    area_px2 = (box[2] - box[0]) * (box[3] - box[1])
    if area_px2 < _SMALL_PX2:
        return Size.SMALL
    return Size.MEDIUM if area_px2 <= _MEDIUM_PX2 else Size.LARGE


def _pairs(
    found: Sequence[Scored], truth: Sequence[Rectangle], min_iou: float
) -> list[tuple[float, int | None]]:
    """Return of each box, the surest first, its score and whose it is."""
    left = dict(enumerate(truth))
    pairs: list[tuple[float, int | None]] = []
    for box in sorted(found, key=lambda box: -box[4]):
        overlaps = {index: iou(box[:4], person) for index, person in left.items()}
        best = max(overlaps, key=overlaps.__getitem__, default=None)
        if best is not None and overlaps[best] < min_iou:
            best = None
        if best is not None:
            del left[best]
        pairs.append((box[4], best))
    return pairs


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
