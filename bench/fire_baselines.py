"""What a fire model is held against: a rule of colour and flicker, and an unlicensed detector."""

import importlib.util
from collections import deque
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from models.boxes import Picture
from models.errors import ModelError
from models.fire import FLAME, SMOKE, FireBox

#: The score that a baseline's box must have; the colour rule's boxes have just that.
SCORE = 0.4
_WIDTH = 320
_FLICKER, _LOOKS, _OFTEN = 15, 4, 2
_LEAST_SHARE = 0.001
_PYPI_NAMES = {0: SMOKE, 1: FLAME}


class Seer(Protocol):
    """Finds flame and smoke in the looks of one clip, which come in order."""

    def infer(self, bgr: Picture) -> list[FireBox]:
        """Return what is found in pixels of the picture."""


class ColourFlicker:
    """The classic rule: the colours of a flame in YCrCb, where the brightness also flickers.

    A pixel is one of flame where red outweighs blue by far and it is brighter and redder than the
    picture's mean (Celik and Demirel's rules), and its brightness changed by _FLICKER in _OFTEN of
    the last _LOOKS looks. It knows no smoke.
    """

    def __init__(self) -> None:
        self._last: NDArray[np.int16] | None = None
        self._changed: deque[NDArray[np.bool_]] = deque(maxlen=_LOOKS)

    def infer(self, bgr: Picture) -> list[FireBox]:
        """Return boxes of flame."""
        height, width = bgr.shape[:2]
        scale = width / _WIDTH
        small = cv2.resize(bgr, (_WIDTH, max(1, round(height / scale))))
        planes = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2YCrCb), np.int16)
        y, red, blue = planes[..., 0], planes[..., 1], planes[..., 2]
        if self._last is not None and self._last.shape == y.shape:
            self._changed.append(np.abs(y - self._last) > _FLICKER)
        self._last = y
        if not self._changed:
            return []
        flickers = np.sum(np.stack(list(self._changed)), axis=0) >= _OFTEN
        flame = ((y > blue) & (red > blue + 40) & (y > y.mean()) & (blue < blue.mean())) & (
            red > red.mean()
        )
        mask = cv2.dilate((flame & flickers).astype(np.uint8), np.ones((5, 5), np.uint8))
        count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
        return [
            FireBox(
                FLAME,
                float(left * scale),
                float(top * scale),
                float((left + wide) * scale),
                float((top + tall) * scale),
                SCORE,
            )
            for left, top, wide, tall, area in stats[1:count]
            if area >= _LEAST_SHARE * mask.size
        ]


class PyPiDetector:
    """PyPI ``fire-detector`` 1.0.3, where it and ultralytics are installed: for comparison only.

    It has no licence and is never shipped. Its network is run as the study ran it: 416 pixels.
    """

    def __init__(self) -> None:
        """Load it. Raises ModelError where it is not installed."""
        spec = importlib.util.find_spec("fire_detector")
        if spec is None or spec.origin is None:
            raise ModelError("the package fire-detector is not installed")
        importlib.import_module("fire_detector")  # it names the layers that its file is made of
        weights = Path(spec.origin).parent / "models" / "light_yolov8_flame.pt"
        yolo: Any = importlib.import_module("ultralytics").YOLO
        self._network = yolo(str(weights))

    def infer(self, bgr: Picture) -> list[FireBox]:
        """Return boxes of both classes."""
        found = self._network.predict(bgr, imgsz=416, conf=SCORE, device="cpu", verbose=False)[0]
        return [
            FireBox(_PYPI_NAMES[int(kind)], left, top, right, bottom, float(score))
            for (left, top, right, bottom), score, kind in zip(
                found.boxes.xyxy.tolist(), found.boxes.conf, found.boxes.cls, strict=True
            )
        ]
