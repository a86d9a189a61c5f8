"""By how much two answers to the same picture differ: a network's own, and its export's. Pure."""

import numpy as np

from models.boxes import Floats
from models.errors import ModelError
from models.yolo_output import Found, decode


def difference(expected: Floats, answered: Floats, class_count: int) -> tuple[float, float]:
    """Return the greatest difference of a side, in pixels of the input, and of a score.

    Of final boxes the better half is compared, each with the nearest of its class: where scores
    are all but the same, their order, and which of them are last in the list, is chance. Raises
    ModelError where the answers are of different forms, or something has no counterpart.
    """
    if expected.shape != answered.shape:
        raise ModelError(f"must answer {list(expected.shape)}, not {list(answered.shape)}")
    one, other = decode(expected, class_count), decode(answered, class_count)
    if one.is_final:
        one, other = _paired(one, other)
    sides = np.abs(one.boxes - other.boxes).max(initial=0)
    scores = np.abs(one.scores - other.scores).max(initial=0)
    return float(sides), float(scores)


def _paired(one: Found, other: Found) -> tuple[Found, Found]:
    best = one.rows(np.argsort(-one.scores, kind="stable")[: (one.scores.size + 1) // 2])
    apart = np.abs(best.boxes[:, None] - other.boxes[None]).max(axis=2)
    apart[best.classes[:, None] != other.classes[None]] = np.inf
    if not np.isfinite(apart.min(axis=1, initial=np.inf)).all():
        raise ModelError("must find the same classes")
    return best, other.rows(apart.argmin(axis=1))
