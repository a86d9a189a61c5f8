"""What a network answers that ultralytics exported (YOLO11, YOLO26), read as boxes. Pure.

Two forms, told apart by their shape:

- [1, 4 + classes, N]: centre, width, height, and a score a class; overlapping boxes are still in.
- [1, N, 6]: corners, score and class of boxes that are final (``nms=True``, or a head of one box an
  object). No other output ends in 6: the smallest input of the first form gives 21 columns.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.boxes import Floats, nms
from models.errors import ModelError

_FINAL_COLUMNS = 6
#: So many of the best boxes are looked at: dropping overlapping ones is quadratic.
MAX_CANDIDATES = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """Boxes as rows (x1, y1, x2, y2) in pixels of the input, with the score and class of each."""

    boxes: Floats
    scores: Floats
    classes: NDArray[np.intp]
    is_final: bool

    def rows(self, keep: NDArray[np.intp] | NDArray[np.bool_]) -> "Found":
        """Return those of these rows."""
        return Found(self.boxes[keep], self.scores[keep], self.classes[keep], self.is_final)


def is_final(shape: tuple[int, ...]) -> bool:
    """Return whether an output of this shape has final boxes."""
    return len(shape) == 3 and shape[2] == _FINAL_COLUMNS  # noqa: PLR2004 - picture, row, column


def decode(output: Floats, class_count: int) -> Found:
    """Return every box; a box has the class that it is surest of.

    Raises ModelError, without the model's name, where the output is of neither form or of other
    classes.
    """
    shape = output.shape
    if len(shape) == 3 and shape[0] == 1:  # noqa: PLR2004 - picture, row, column
        if is_final(shape):
            return _final(output[0], class_count)
        if shape[1] == 4 + class_count:
            return _raw(output[0])
    raise ModelError(
        f"must answer [1, {4 + class_count}, N] for {class_count} classes, or [1, N, 6], "
        f"not {list(shape)}"
    )


def _final(rows: Floats, class_count: int) -> Found:
    classes = rows[:, 5]
    # Rows that fill the list up have a score of 0 and any class.
    wrong = (rows[:, 4] > 0) & ~((classes >= 0) & (classes < class_count))
    if wrong.any():
        raise ModelError(f"must answer classes below {class_count}, not {classes[wrong][0]:g}")
    named = np.where(rows[:, 4] > 0, classes, 0).astype(np.intp)
    return Found(rows[:, :4], rows[:, 4], named, is_final=True)


def _raw(columns: Floats) -> Found:
    centres, halves = columns[:2], columns[2:4] / np.float32(2)
    with np.errstate(invalid="ignore", over="ignore"):  # such boxes are dropped where one chooses
        boxes = np.concatenate([centres - halves, centres + halves]).T
    classes = columns[4:].argmax(axis=0)
    scores = columns[4:].max(axis=0)
    return Found(boxes, scores, classes, is_final=False)


def choose(found: Found, least: Floats, max_iou: float) -> Found:
    """Return the boxes that are sure enough, best first, one for each thing.

    ``least`` is the least score of each class; infinite: such things are of no interest. Of
    overlapping boxes of a class, those above ``max_iou`` with a better one are dropped: also of
    final ones, because a head that was trained for too short a time sees one person twice.
    """
    sure = found.rows(np.isfinite(found.boxes).all(axis=1) & (found.scores >= least[found.classes]))
    best = sure.rows(np.argsort(-sure.scores, kind="stable")[:MAX_CANDIDATES])
    kept: list[np.intp] = []
    for number in np.unique(best.classes):
        rows = np.flatnonzero(best.classes == number)
        kept.extend(rows[nms(best.boxes[rows], best.scores[rows], max_iou)])
    return best.rows(np.array(sorted(kept), np.intp))
