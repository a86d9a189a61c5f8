"""What a person model is worth on PETS and on labelled pictures: AP50, and recall by size."""

from collections.abc import Mapping, Sequence

import cv2
import numpy as np

from bench.footage import WIDTH
from bench.report import rounded, table
from models.boxes import Picture
from models.errors import ModelError
from models.evaluation.labelled import Labelled
from models.evaluation.mark import PERSON
from models.evaluation.metrics import Rectangle, Size
from models.evaluation.persons import CURVE_SCORE, Score, Seen, look
from models.person import load
from models.store import Selection
from protocol.clock import SystemClock

HEAD = (
    *("pictures", "people", "AP50", "recall", "precision"),
    *(f"of {size.value}" for size in Size),
    "ms",
)


def see(selection: Selection, pictures: Sequence[Labelled]) -> Seen:
    """Return what a model sees of pictures, no wider than a sub-stream's.

    Raises ModelError where one can't be read.
    """
    model = load(selection.entry, selection.path, CURVE_SCORE)
    return look(model, map(_read, pictures), SystemClock())


def people_of(pictures: Sequence[Labelled]) -> list[list[Rectangle]]:
    """Return the people who are labelled on each picture, 0-1. Pure."""
    return [
        [
            (mark.left, mark.top, mark.right, mark.bottom)
            for mark in each.marks
            if mark.channel == PERSON
        ]
        for each in pictures
    ]


def figures(one: Score) -> Mapping[str, object]:
    """Return what the last line says of a score. Pure."""
    return {
        "ap50": round(one.ap50, 3),
        "recall": round(one.recall, 3),
        "precision": round(one.precision, 3),
        "recall_by_size": {size.value: rounded(one.recall_of(size), 3) for size in Size},
    }


def show(scores: Mapping[str, tuple[Seen, Score]]) -> str:
    """Return a table of scores by the pictures' name."""
    return table(HEAD, [_row(name, seen, one) for name, (seen, one) in scores.items()])


def _row(name: str, seen: Seen, one: Score) -> Sequence[object]:
    people = sum(there for _, there in one.by_size.values())
    sizes = (
        f"{one.by_size[size][0]}/{one.by_size[size][1]}" if one.by_size[size][1] else "-"
        for size in Size
    )
    return (name, people, one.ap50, one.recall, one.precision, *sizes, seen.ms_per_picture)


def _read(labelled: Labelled) -> Picture:
    bgr = cv2.imread(str(labelled.path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ModelError(f"{labelled.path}: must be a picture")
    height, width = bgr.shape[:2]
    if width > WIDTH:
        size = (WIDTH, max(2, round(height * WIDTH / width)))
        bgr = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    return np.asarray(bgr, np.uint8)
