"""Making training pictures look as village cameras show the world. Pure but for its generator.

Every function takes and returns BGR [height, width, 3] uint8 and never changes what it was given;
marks are moved along where the picture is. Chance comes from the generator alone.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.boxes import Picture
from models.evaluation.mark import Mark

#: Brightness by pixel and channel, 0-255 or beyond.
Values = NDArray[Any]

#: A mark of which less than this share is still in the picture is not labelled any more.
_MIN_SEEN = 0.25


def place(
    bgr: Picture, marks: Sequence[Mark], size: tuple[int, int], rng: np.random.Generator
) -> tuple[Picture, tuple[Mark, ...]]:
    """Cut out a part, mirror it and stretch it to ``size`` (width, height); marks with it."""
    height, width = bgr.shape[:2]
    share = rng.uniform(0.6, 1.0, 2)
    left, top = rng.uniform(0, 1 - share[0]), rng.uniform(0, 1 - share[1])
    x1, y1 = round(left * width), round(top * height)
    x2 = max(x1 + 8, round((left + share[0]) * width))
    y2 = max(y1 + 8, round((top + share[1]) * height))
    mirrored = bool(rng.random() < 0.5)  # noqa: PLR2004 - every other one
    moved = []
    for mark in marks:
        if (seen := _moved(mark, (left, top), (share[0], share[1]))) is None:
            continue
        moved.append(
            Mark(seen.channel, 1 - seen.right, seen.top, 1 - seen.left, seen.bottom)
            if mirrored
            else seen
        )
    part = np.asarray(cv2.resize(bgr[y1:y2, x1:x2], size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(part[:, ::-1] if mirrored else part), tuple(moved)


def _moved(mark: Mark, origin: tuple[float, float], share: tuple[float, float]) -> Mark | None:
    xs = [(value - origin[0]) / share[0] for value in (mark.left, mark.right)]
    ys = [(value - origin[1]) / share[1] for value in (mark.top, mark.bottom)]
    whole = (xs[1] - xs[0]) * (ys[1] - ys[0])
    (left, right), (top, bottom) = np.clip(xs, 0, 1), np.clip(ys, 0, 1)
    if whole <= 0 or (right - left) * (bottom - top) < _MIN_SEEN * whole:
        return None
    return Mark(mark.channel, float(left), float(top), float(right), float(bottom))


def camera(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Show a picture through a cheap camera: light, colour, night, lens, noise and compression."""
    picture = _light(bgr, rng)
    chance = rng.random(5)
    if chance[0] < 0.12:  # noqa: PLR2004 - the shares of each are what they are
        picture = infrared(picture, rng)
    if chance[1] < 0.15:  # noqa: PLR2004
        picture = night(picture, rng)
    if chance[2] < 0.3:  # noqa: PLR2004
        picture = _blur(picture, rng)
    if chance[3] < 0.3:  # noqa: PLR2004
        noise = rng.normal(0, rng.uniform(2, 12), picture.shape)
        picture = _bytes(picture.astype(np.float32) + noise.astype(np.float32))
    if chance[4] < 0.6:  # noqa: PLR2004
        picture = compressed(picture, int(rng.integers(18, 80)))
    return picture


def _light(bgr: Picture, rng: np.random.Generator) -> Picture:
    values: Values = bgr.astype(np.float32) / 255
    values = values ** np.float32(rng.uniform(0.6, 1.6))
    values = (values - 0.5) * np.float32(rng.uniform(0.7, 1.3)) + 0.5
    values *= rng.uniform(0.85, 1.15, 3).astype(np.float32)  # white balance
    grey = values.mean(axis=2, keepdims=True)
    values = grey + (values - grey) * np.float32(rng.uniform(0.4, 1.4))
    return _bytes(values * 255)


def infrared(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Return what a camera in infrared mode shows: grey, contrasty, brighter in the middle."""
    grey: Values = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY).astype(np.float32)
    height, width = grey.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x / width - 0.5, y / height - 0.5)
    grey = (grey - 110) * np.float32(rng.uniform(0.9, 1.4)) + 110
    grey *= np.float32(1.15) - away * np.float32(rng.uniform(0.2, 0.9))
    return np.repeat(_bytes(grey)[:, :, None], 3, axis=2)


def night(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Return the picture darkened with its lights left bright, as at night in colour mode."""
    values = bgr.astype(np.float32)
    bright = values.max(axis=2, keepdims=True) / 255
    keep = np.clip((bright - 0.6) / 0.4, 0, 1)
    dark = np.float32(rng.uniform(0.15, 0.5))
    return _bytes(values * (dark + (1 - dark) * keep))


def compressed(bgr: Picture, quality: int) -> Picture:
    """Return the picture after JPEG of that quality (1-100)."""
    done, code = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)


def _blur(bgr: Picture, rng: np.random.Generator) -> Picture:
    if rng.random() < 0.5:  # noqa: PLR2004 - soft, or a small sub-stream made large
        return np.asarray(cv2.GaussianBlur(bgr, (0, 0), rng.uniform(0.5, 2.2)), np.uint8)
    height, width = bgr.shape[:2]
    share = rng.uniform(0.35, 0.8)
    small = cv2.resize(bgr, (max(8, int(width * share)), max(8, int(height * share))))
    return np.asarray(cv2.resize(small, (width, height)), np.uint8)


def _bytes(values: Values) -> Picture:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
