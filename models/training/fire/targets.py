"""What the network should say for a labelled picture: a grid, and which cells count. Pure."""

from collections.abc import Sequence

import numpy as np

from models.boxes import Floats
from models.evaluation.mark import CLASSES, Mark

STRIDE = 16
#: The middle share of a box, in each direction, that is surely what it says: boxes are loose.
SURE = 0.7


def grid(marks: Sequence[Mark], width: int, height: int) -> tuple[Floats, Floats]:
    """Return targets and weights, [classes, height/16, width/16], for a picture of that size.

    1 in the middle of each box; weight 0 between the middle and one cell beyond the box, where a
    label says nothing sure; 0 elsewhere. A box smaller than a cell is the cell that it is in.
    """
    rows, columns = height // STRIDE, width // STRIDE
    target = np.zeros((len(CLASSES), rows, columns), np.float32)
    weight = np.ones_like(target)
    for mark in marks:
        weight[mark.channel][_cells(mark, rows, columns, 1.0, 1)] = 0
    for mark in marks:
        sure = _cells(mark, rows, columns, SURE, 0)
        target[mark.channel][sure] = 1
        weight[mark.channel][sure] = 1
    return target, weight


def _cells(mark: Mark, rows: int, columns: int, share: float, margin: int) -> tuple[slice, slice]:
    def span(low: float, high: float, cells: int) -> slice:
        middle, half = (low + high) / 2 * cells, (high - low) / 2 * share * cells
        first = min(max(int(np.floor(middle - half)) - margin, 0), cells - 1)
        last = min(max(int(np.ceil(middle + half)) + margin, first + 1), cells)
        return slice(first, last)

    return span(mark.top, mark.bottom, rows), span(mark.left, mark.right, columns)
