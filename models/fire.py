"""Detectors of flame and smoke behind one port."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from models.boxes import Floats, Letterbox, Picture
from models.errors import ModelError
from models.manifest import ModelEntry
from models.runtime import Runtime
from models.session import Session, normalise, open_session
from models.store import check
from models.yolo import Yolo

FLAME, SMOKE = "flame", "smoke"
#: A cell of the grid, in pixels of the network's input.
STRIDE = 16
#: Around a cell that is sure, cells of this share of its class's score still belong to the box.
EDGE_SHARE = 0.6


@dataclass(frozen=True, slots=True)
class FireBox:
    """Something that looks like flame or smoke (``kind``), in pixels of the picture."""

    kind: str
    left: float
    top: float
    right: float
    bottom: float
    score: float


class FireModel(Protocol):
    """Finds flame and smoke in a picture. Not for use by two threads at a time."""

    entry: ModelEntry

    def infer(self, bgr: Picture) -> list[FireBox]:
        """Return what is found, surest first; ``bgr`` is [height, width, 3].

        Raises ModelError where the runtime fails.
        """


def load(
    entry: ModelEntry,
    path: Path,
    score_factor: float = 1.0,
    runtime: Runtime = Runtime.ONNXRUNTIME,
) -> FireModel:
    """Return the detector in this file, one thread an inference.

    A box has at least the model's own score of its class, times ``score_factor``: below 1 for a
    rule or an evaluation that wants the weaker ones too. Raises ModelError where the file is not
    this model, does not run, or the runtime is not installed.
    """
    problem = check(path, entry)
    if problem is not None:
        raise ModelError(problem)
    families: dict[str, type[HeatModel | YoloFire]] = {"heat": HeatModel, "yolo": YoloFire}
    family = families.get(entry.family)
    if family is None:
        raise ModelError(f"model '{entry.name}': 'family' must be one of {', '.join(families)}")
    return family(entry, open_session(path, runtime), score_factor)


class HeatModel:
    """A grid of probabilities, ``heat`` [1, classes, h/16, w/16], for any input size.

    A box is what hangs together in a class's grid: cells that touch, also by a corner, of which the
    surest reaches the score of its class. A cell of the letterbox's padding is nothing.
    """

    def __init__(self, entry: ModelEntry, session: Session, score_factor: float = 1.0) -> None:
        self.entry = entry
        self._session = session
        self._scores = entry.scores
        self._factor = score_factor

    def infer(self, bgr: Picture) -> list[FireBox]:
        """Find flame and smoke in the whole picture at once."""
        spec = self.entry.input
        height, width = bgr.shape[:2]
        canvas = Letterbox.fit(width, height, spec.long_side_px, spec.multiple_px)
        tensor = normalise(canvas.apply(bgr, spec.pad), spec)
        heat = self._session.run(self.entry, tensor)[0]
        rows, columns = tensor.shape[2] // STRIDE, tensor.shape[3] // STRIDE
        if heat.shape != (1, len(self._scores), rows, columns):
            raise ModelError(
                f"model '{self.entry.name}': must answer a grid of {len(self._scores)} x {rows} x "
                f"{columns}, not {heat.shape}"
            )
        # The cells whose middle is in the picture.
        seen = heat[
            0, :, : _cells(height * canvas.scale, rows), : _cells(width * canvas.scale, columns)
        ]
        found = []
        for kind, grid, score in zip(self.entry.classes, seen, self._scores, strict=True):
            for cells, value in self._blobs(grid, score):
                sides = canvas.to_picture(cells[None] * np.float32(STRIDE), width, height)[0]
                left, top, right, bottom = (float(side) for side in sides)
                found.append(FireBox(kind, left, top, right, bottom, value))
        return sorted(found, key=lambda box: -box.score)

    def _blobs(self, grid: Floats, score: float) -> list[tuple[Floats, float]]:
        """Return the sure ones, and the weaker ones that are asked for, apart from them.

        Apart: or a weak haze would stretch the box of the fire in it.
        """
        sure = blobs(grid, score)
        if self._factor >= 1:
            return sure
        rest = grid.copy()
        for (left, top, right, bottom), _ in sure:
            rest[int(top) : int(bottom), int(left) : int(right)] = 0
        return sure + blobs(rest, score * self._factor)


class YoloFire:
    """The flame and smoke that a network of ultralytics' kind finds: a user's own weights."""

    def __init__(self, entry: ModelEntry, session: Session, score_factor: float = 1.0) -> None:
        self.entry = entry
        least = {
            kind: score * score_factor
            for kind, score in zip(entry.classes, entry.scores, strict=True)
            if kind in (FLAME, SMOKE)
        }
        self._network = Yolo(entry, session, least)

    def infer(self, bgr: Picture) -> list[FireBox]:
        """Find flame and smoke in the whole picture at once."""
        return [
            FireBox(box.name, box.left, box.top, box.right, box.bottom, box.score)
            for box in self._network.find(bgr)
        ]


def _cells(length: float, most: int) -> int:
    return min(most, max(1, round(length / STRIDE)))


def blobs(grid: Floats, score: float) -> list[tuple[Floats, float]]:
    """Return (left, top, right, bottom) in cells, and the score, of what hangs together."""
    weak = (grid >= score * EDGE_SHARE).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(weak, connectivity=8)
    found = []
    for label in range(1, count):
        left, top, width, height = stats[label, :4]
        value = float(grid[labels == label].max())
        if value >= score:
            box = np.array([left, top, left + width, top + height], np.float32)
            found.append((box, value))
    return found
