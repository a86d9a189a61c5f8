"""Boxes as arrays of rows (x1, y1, x2, y2) in pixels, and putting a picture into a network."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Letterbox:
    """A picture scaled by one factor into the top left corner of a grey canvas."""

    width: int
    height: int
    scale: float

    @classmethod
    def fit(cls, width: int, height: int, long_side_px: int, multiple_px: int) -> "Letterbox":
        """Return the smallest canvas of the picture's shape whose sides are such multiples."""
        scale = long_side_px / max(width, height)

        def side(length: int) -> int:
            return -(-max(1, round(length * scale)) // multiple_px) * multiple_px

        return cls(side(width), side(height), scale)

    def apply(self, bgr: Picture, pad: int) -> Picture:
        """Return the canvas with the picture on it."""
        height, width = bgr.shape[:2]
        inner = (
            min(self.width, max(1, round(width * self.scale))),
            min(self.height, max(1, round(height * self.scale))),
        )
        canvas = np.full((self.height, self.width, 3), pad, np.uint8)
        target = canvas[: inner[1], : inner[0]]
        cv2.resize(bgr, inner, dst=target, interpolation=cv2.INTER_LINEAR)
        return canvas

    def to_picture(self, boxes: Floats, width: int, height: int) -> Floats:
        """Return boxes of the canvas as boxes of a picture of that size, cut at its edges."""
        return clip(boxes / np.float32(self.scale), width, height)


def clip(boxes: Floats, width: int, height: int) -> Floats:
    """Return the boxes cut at the edges of the picture."""
    limits = np.array([width, height, width, height], np.float32)
    return np.minimum(np.maximum(boxes, np.float32(0)), limits)


def overlaps(box: Floats, boxes: Floats) -> tuple[Floats, Floats]:
    """Return intersection over union, and over the smaller of the two, of a box with each other."""
    left_top = np.maximum(box[:2], boxes[:, :2])
    right_bottom = np.minimum(box[2:], boxes[:, 2:])
    sides = np.maximum(right_bottom - left_top, np.float32(0))
    shared = sides[:, 0] * sides[:, 1]
    area = (box[2] - box[0]) * (box[3] - box[1])
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    tiny = np.float32(1e-9)
    return shared / np.maximum(area + areas - shared, tiny), shared / np.maximum(
        np.minimum(area, areas), tiny
    )


def nms(boxes: Floats, scores: Floats, max_iou: float, max_inside: float = 1.0) -> NDArray[np.intp]:
    """Return the rows to keep, best first: each drops the lesser ones that overlap it too much.

    Too much is an intersection over union above ``max_iou``, or over the smaller box above
    ``max_inside`` (1.0: never): a part of a person, cut off by the edge of a tile.
    """
    order = np.argsort(-scores, kind="stable")
    keep = []
    while order.size:
        best, rest = order[0], order[1:]
        keep.append(best)
        union, inside = overlaps(boxes[best], boxes[rest])
        order = rest[(union <= max_iou) & (inside <= max_inside)]
    return np.array(keep, np.intp)


def drop_covered(boxes: Floats, keep: NDArray[np.intp], max_covered: float) -> NDArray[np.intp]:
    """Return ``keep`` (best first) without those that better ones together cover further than that.

    Such a box is a pair or a group that was seen as one in another tile. Measured on a grid of
    16 by 16 points in each box.
    """
    steps = (np.arange(16, dtype=np.float32) + np.float32(0.5)) / np.float32(16)
    kept: list[np.intp] = []
    for row in keep:
        left, top, right, bottom = boxes[row]
        xs, ys = left + steps * (right - left), top + steps * (bottom - top)
        better = boxes[kept]
        in_x = (better[:, None, 0] <= xs) & (xs < better[:, None, 2])
        in_y = (better[:, None, 1] <= ys) & (ys < better[:, None, 3])
        covered = (in_y[:, :, None] & in_x[:, None, :]).any(axis=0).mean() if kept else 0.0
        if covered <= max_covered:
            kept.append(row)
    return np.array(kept, np.intp)
