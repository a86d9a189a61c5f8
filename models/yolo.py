"""A network of the kind that ultralytics exports, whatever it finds."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.boxes import Letterbox, Picture
from models.errors import ModelError
from models.manifest import ModelEntry
from models.session import Session, normalise
from models.yolo_output import choose, decode


@dataclass(frozen=True, slots=True)
class NamedBox:
    """Something of the class ``name``, in pixels of the picture."""

    name: str
    left: float
    top: float
    right: float
    bottom: float
    score: float


class Yolo:
    """Finds what the manifest's classes name. Not for use by two threads at a time.

    ``least`` is the least score of each class that is looked for. The whole picture is looked at
    once; a network that was exported for one size has ``multiple_px`` = ``long_side_px``.
    """

    def __init__(self, entry: ModelEntry, session: Session, least: Mapping[str, float]) -> None:
        """Raise ModelError where the manifest asks for what this family can't do."""
        if entry.input.tiles != 1:
            raise ModelError(f"model '{entry.name}': 'tiles' must be 1 for family yolo")
        self.entry = entry
        self._session = session
        self._least = np.array([least.get(name, np.inf) for name in entry.classes], np.float32)

    def find(self, bgr: Picture) -> list[NamedBox]:
        """Return what is found, surest first; ``bgr`` is [height, width, 3]. Raises ModelError."""
        spec = self.entry.input
        height, width = bgr.shape[:2]
        canvas = Letterbox.fit(width, height, spec.long_side_px, spec.multiple_px)
        tensor = normalise(canvas.apply(bgr, spec.pad), spec)
        outputs = self._session.run(self.entry, tensor)
        try:
            every = decode(outputs[0], len(self.entry.classes))
        except ModelError as error:
            raise ModelError(f"model '{self.entry.name}': {error}") from error
        found = choose(every, self._least, self.entry.nms_iou)
        boxes = canvas.to_picture(found.boxes, width, height)
        return [
            NamedBox(self.entry.classes[number], left, top, right, bottom, score)
            for (left, top, right, bottom), score, number in zip(
                boxes.tolist(), found.scores.tolist(), found.classes.tolist(), strict=True
            )
        ]
