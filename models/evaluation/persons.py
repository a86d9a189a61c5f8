"""How good a person model is on pictures of which it is known where the people are."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.boxes import Picture
from models.evaluation.metrics import (
    Rectangle,
    Size,
    are_found,
    average_precision,
    judge,
    recall_precision,
    size_of,
)
from models.person import PersonBox, PersonModel
from protocol.clock import Clock

MIN_IOU = 0.5
#: Below the models' own thresholds, so that the whole curve is seen.
CURVE_SCORE = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model saw in pictures: boxes (0-1) of each, its width and height, and the time."""

    boxes: tuple[tuple[PersonBox, ...], ...]
    sizes_px: tuple[tuple[int, int], ...]
    ms_per_picture: float  # the median


@dataclass(frozen=True, slots=True)
class Score:
    """What one model is worth there. ``by_size``: how many were found, of how many (0-1 each).

    Recall and precision are those at the model's own threshold.
    """

    ap50: float
    recall: float
    precision: float
    by_size: Mapping[Size, tuple[int, int]]

    def recall_of(self, size: Size) -> float | None:
        """Return the share of the people of a size that were found, None where there are none."""
        found, people = self.by_size[size]
        return found / people if people else None


def normalised(found: Sequence[PersonBox], width: int, height: int) -> list[PersonBox]:
    """Return boxes in pixels as shares of the picture."""
    return [(a / width, b / height, c / width, d / height, score) for a, b, c, d, score in found]


def look(model: PersonModel, pictures: Iterable[Picture], clock: Clock) -> Seen:
    """Return what the model sees, picture by picture. Raises ModelError where it fails."""
    boxes, sizes_px, times_ms = [], [], []
    for picture in pictures:
        began_ns = clock.monotonic_ns()
        found = model.infer(picture)
        times_ms.append((clock.monotonic_ns() - began_ns) / 1e6)
        height, width = picture.shape[:2]
        boxes.append(tuple(normalised(found, width, height)))
        sizes_px.append((width, height))
    return Seen(tuple(boxes), tuple(sizes_px), statistics.median(times_ms) if times_ms else 0.0)


def score(seen: Seen, truth: Sequence[Sequence[Rectangle]], min_score: float) -> Score:
    """Return how good that is against the people (0-1) of each picture. Pure."""
    judged = []
    by_size = dict.fromkeys(Size, (0, 0))
    for boxes, (width, height), people in zip(seen.boxes, seen.sizes_px, truth, strict=True):
        judged += judge(boxes, people, MIN_IOU)
        sure = [box for box in boxes if box[4] >= min_score]
        for person, is_found in zip(people, are_found(sure, people, MIN_IOU), strict=True):
            left, top, right, bottom = person
            size = size_of((left * width, top * height, right * width, bottom * height))
            found, there = by_size[size]
            by_size[size] = (found + is_found, there + 1)
    total = sum(map(len, truth))
    recall, precision = recall_precision(judged, total, min_score)
    return Score(average_precision(judged, total), recall, precision, by_size)
