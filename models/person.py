"""Person detectors behind one port."""

import math
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from models.boxes import Floats, Letterbox, Picture, clip, drop_covered, nms
from models.errors import ModelError
from models.manifest import ModelEntry
from models.runtime import Runtime
from models.session import Session, normalise, open_session
from models.store import check
from models.yolo import Yolo

PERSON = "person"
PersonBox = tuple[float, float, float, float, float]

#: Overlap of neighbouring tiles, as a share of a tile: a person as tall as that is whole in one.
TILE_OVERLAP = 0.35
#: A box that lies so far inside a better one is a part of the same person.
MAX_INSIDE = 0.65
#: A box so far covered by better ones is several people seen as one.
MAX_COVERED = 0.7
#: A row or column of tiles is left out where the gaps grow by no more than this share of a step.
SPARE_TILE = 0.15
#: SSD's own scale of box encodings (centre and size variances).
CENTRE_SCALE, SIZE_SCALE = 10.0, 5.0


class PersonModel(Protocol):
    """Finds people in a picture. Not for use by two threads at a time."""

    entry: ModelEntry

    def infer(self, bgr: Picture) -> list[PersonBox]:
        """Return (x1, y1, x2, y2, score) of each person, in pixels of the picture, best first.

        ``bgr`` is [height, width, 3]. Raises ModelError where the runtime fails.
        """


def load(
    entry: ModelEntry,
    path: Path,
    min_score: float | None = None,
    runtime: Runtime = Runtime.ONNXRUNTIME,
) -> PersonModel:
    """Return the detector in this file, one thread an inference.

    ``min_score`` is the model's own where it is None. Raises ModelError where the file is not this
    model, does not run, or the runtime is not installed.
    """
    problem = check(path, entry)
    if problem is not None:
        raise ModelError(problem)
    families: dict[str, type[RtmDet | SsdLite | YoloPerson]] = {
        "rtmdet": RtmDet,
        "ssdlite": SsdLite,
        "yolo": YoloPerson,
    }
    family = families.get(entry.family)
    if family is None:
        raise ModelError(f"model '{entry.name}': 'family' must be one of {', '.join(families)}")
    score = entry.scores[entry.classes.index(PERSON)] if min_score is None else min_score
    return family(entry, open_session(path, runtime), score)


class RtmDet:
    """RTMDet with its NMS inside: ``dets`` [1, N, 5] and ``labels``, any input size."""

    def __init__(self, entry: ModelEntry, session: Session, min_score: float) -> None:
        self.entry = entry
        self._session = session
        self._min_score = min_score

    def infer(self, bgr: Picture) -> list[PersonBox]:
        """Find people in the whole picture at once."""
        spec = self.entry.input
        height, width = bgr.shape[:2]
        box = Letterbox.fit(width, height, spec.long_side_px, spec.multiple_px)
        tensor = normalise(box.apply(bgr, spec.pad), spec)
        dets, labels = self._session.run(self.entry, tensor)[:2]
        rows = dets[0][(labels[0] == 0) & (dets[0][:, 4] >= self._min_score)]
        return _rows(box.to_picture(rows[:, :4], width, height), rows[:, 4])


class SsdLite:
    """SSDLite with anchors and NMS outside, looking at tiles because its own input is small."""

    def __init__(self, entry: ModelEntry, session: Session, min_score: float) -> None:
        self.entry = entry
        self._session = session
        self._min_score = min_score
        self._anchors = ssd_anchors()

    def infer(self, bgr: Picture) -> list[PersonBox]:
        """Find people in each tile and in the whole picture, and merge."""
        height, width = bgr.shape[:2]
        found = [
            self._tile(bgr, window)
            for window in tile_windows(width, height, self.entry.input.tiles)
        ]
        boxes = np.concatenate([boxes for boxes, _ in found])
        scores = np.concatenate([scores for _, scores in found])
        keep = nms(boxes, scores, self.entry.nms_iou, MAX_INSIDE)
        keep = drop_covered(boxes, keep, MAX_COVERED)
        return _rows(boxes[keep], scores[keep])

    def _tile(self, bgr: Picture, window: tuple[int, int, int, int]) -> tuple[Floats, Floats]:
        left, top, right, bottom = window
        tile = bgr[top:bottom, left:right]
        spec = self.entry.input
        side = spec.long_side_px
        resized: Picture = np.asarray(cv2.resize(tile, (side, side)), np.uint8)
        encodings, class_scores = self._session.run(self.entry, normalise(resized, spec))
        scores = class_scores[0, :, 1]
        likely = scores >= self._min_score
        size = np.array([right - left, bottom - top] * 2, np.float32)
        boxes = ssd_decode(encodings[0][likely], self._anchors[likely]) * size
        boxes = clip(boxes, right - left, bottom - top)
        scores = scores[likely]
        keep = nms(boxes, scores, self.entry.nms_iou)
        offset = np.array([left, top] * 2, np.float32)
        return boxes[keep] + offset, scores[keep]


class YoloPerson:
    """The people that a network of ultralytics' kind finds, among whatever else it knows."""

    def __init__(self, entry: ModelEntry, session: Session, min_score: float) -> None:
        self.entry = entry
        self._network = Yolo(entry, session, {PERSON: min_score})

    def infer(self, bgr: Picture) -> list[PersonBox]:
        """Find people in the whole picture at once."""
        return [
            (box.left, box.top, box.right, box.bottom, box.score) for box in self._network.find(bgr)
        ]


def tile_windows(width: int, height: int, rows: int) -> list[tuple[int, int, int, int]]:
    """Return the whole picture and overlapping square tiles: left, top, right, bottom.

    ``rows`` tiles fill the shorter side and as many as are needed the longer one. Square, because
    the network's input is: stretching a wide tile costs more boxes than it saves time.
    """
    whole = (0, 0, width, height)
    if rows == 1:
        return [whole]
    side = min(width, height) / (rows - (rows - 1) * TILE_OVERLAP)

    def starts(length: int) -> list[float]:
        more = max(0, math.ceil((length - side) / (side * (1 - TILE_OVERLAP)) - SPARE_TILE))
        return [(length - side) * index / max(more, 1) for index in range(more + 1)]

    return [
        whole,
        *(
            (_pixel(left), _pixel(top), _pixel(left + side), _pixel(top + side))
            for top in starts(height)
            for left in starts(width)
        ),
    ]


def _pixel(position: float) -> int:
    """Round a half up, always: to the even one, two sides of a tile could differ by two pixels."""
    return math.floor(position + 0.5)


def ssd_anchors() -> Floats:
    """Return the 1917 anchors (centre y, x, height, width; 0-1) of a 300 px SSDLite MobileNetV2.

    Six grids, scales 0.2 to 0.95 (TensorFlow object detection, ssd_anchor_generator).
    """
    grids = (19, 10, 5, 3, 2, 1)
    scales = [0.2 + 0.15 * index for index in range(len(grids))] + [1.0]
    rows: list[tuple[float, float, float, float]] = []
    for index, cells in enumerate(grids):
        scale, following = scales[index], scales[index + 1]
        shapes = [(scale, ratio) for ratio in (1.0, 2.0, 0.5, 3.0, 1 / 3)]
        shapes.append(((scale * following) ** 0.5, 1.0))
        if index == 0:  # the finest grid has three
            shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)]
        for y in range(cells):
            for x in range(cells):
                rows.extend(
                    ((y + 0.5) / cells, (x + 0.5) / cells, size / ratio**0.5, size * ratio**0.5)
                    for size, ratio in shapes
                )
    return np.array(rows, np.float32)


def ssd_decode(encodings: Floats, anchors: Floats) -> Floats:
    """Return boxes (x1, y1, x2, y2; 0-1) of encodings (y, x, height, width) around anchors."""
    centres = encodings[:, :2] / np.float32(CENTRE_SCALE) * anchors[:, 2:] + anchors[:, :2]
    halves = np.exp(encodings[:, 2:] / np.float32(SIZE_SCALE)) * anchors[:, 2:] / np.float32(2)
    return np.concatenate([(centres - halves)[:, ::-1], (centres + halves)[:, ::-1]], axis=1)


def _rows(boxes: Floats, scores: Floats) -> list[PersonBox]:
    order = np.argsort(-scores, kind="stable")
    return [
        (float(b[0]), float(b[1]), float(b[2]), float(b[3]), float(s))
        for b, s in zip(boxes[order], scores[order], strict=True)
    ]
