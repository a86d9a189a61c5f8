"""Hard negatives: what a fire detector takes for fire or smoke, painted into harmless pictures.

Pure but for its generator. Each takes a BGR picture without fire or smoke and returns a new one
without fire or smoke. They are drawings and not photographs: they teach that bright, orange or grey
alone is no fire, and stand in for footage that could not be had.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from models.boxes import Picture

#: Brightness by pixel and channel, 0-255 or beyond.
Values = NDArray[Any]
Maker = Callable[[Picture, np.random.Generator], Picture]
_WARM, _WHITE, _RED, _BLUE = (90, 190, 255), (235, 245, 255), (30, 30, 220), (255, 120, 60)


def lamps(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Paint street lamps with a halo into a darkened picture."""
    values: Values = bgr.astype(np.float32) * np.float32(rng.uniform(0.2, 0.8))
    for _ in range(int(rng.integers(1, 5))):
        colour = _WARM if rng.random() < 0.7 else _WHITE  # noqa: PLR2004 - most lamps are warm
        _glow(values, _spot(values, rng, 0.7), rng.uniform(0.01, 0.05), colour, rng)
    return _bytes(values)


def sun(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Paint a low sun, its warm light and its glitter on water or wet ground."""
    values: Values = bgr.astype(np.float32) * np.array([0.6, 0.85, 1.15], np.float32)
    x, y = _spot(values, rng, 0.5)
    _glow(values, (x, y), rng.uniform(0.03, 0.1), (120, 220, 255), rng)
    height, width = values.shape[:2]
    for _ in range(int(rng.integers(0, 60))):
        at = (int(np.clip(rng.normal(x, width * 0.05), 0, width - 1)), int(rng.integers(y, height)))
        cv2.ellipse(values, at, (int(rng.integers(1, 8)), 1), 0, 0, 360, (200, 240, 255), -1)
    return _bytes(values)


def headlights(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Paint a pair of headlights, and sometimes brake lights or a blue light, into the dark."""
    values: Values = bgr.astype(np.float32) * np.float32(rng.uniform(0.15, 0.6))
    x, y = _spot(values, rng, 0.9)
    apart, size = rng.uniform(0.03, 0.15) * values.shape[1], rng.uniform(0.008, 0.04)
    front = rng.random() < 0.7  # noqa: PLR2004 - more often towards the camera
    for side in (-0.5, 0.5):
        at = (int(np.clip(x + side * apart, 0, values.shape[1] - 1)), y)
        _glow(values, at, size, _WHITE if front else _RED, rng)
    if rng.random() < 0.3:  # noqa: PLR2004
        _glow(values, _spot(values, rng, 0.9), size, _BLUE if rng.random() < 0.5 else _RED, rng)  # noqa: PLR2004
    return _bytes(values)


def red_cloth(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Lay red or orange cloth, lanterns or a vest on the picture, in its own light and folds."""
    values: Values = bgr.astype(np.float32)
    height, width = values.shape[:2]
    for _ in range(int(rng.integers(1, 4))):
        x, y = _spot(values, rng, 1.0)
        reach = rng.uniform(0.03, 0.15) * width
        corners = int(rng.integers(4, 9))
        angles = np.sort(rng.uniform(0, 2 * np.pi, corners))
        radii = reach * rng.uniform(0.5, 1.0, corners)
        outline = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], 1)
        mask: Values = np.zeros((height, width), np.float32)
        cv2.fillPoly(mask, [outline.astype(np.int32)], 1.0)
        mask = cv2.GaussianBlur(mask, (0, 0), 1.0)[:, :, None]
        hue = np.array([rng.uniform(10, 60), rng.uniform(20, 140), rng.uniform(170, 255)])
        folds = 0.75 + 0.25 * np.sin(np.arange(width) * rng.uniform(0.05, 0.4))[None, :, None]
        shade = 0.5 + values.mean(axis=2, keepdims=True) / 255 * 0.6
        values = values * (1 - mask) + hue.astype(np.float32) * folds * shade * mask
    return _bytes(values)


def haze(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Lay an even mist over the picture, thicker towards the top: it has no shape of its own."""
    values: Values = bgr.astype(np.float32)
    depth = np.linspace(1.0, rng.uniform(0.2, 0.9), values.shape[0], dtype=np.float32)
    thick = (depth * np.float32(rng.uniform(0.3, 0.8)))[:, None, None]
    tone = rng.uniform(150, 225) + rng.uniform(-8, 8, 3)
    return _bytes(values * (1 - thick) + tone.astype(np.float32) * thick)


def grey(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Put large flat grey surfaces, as roads, walls and skies are, into the picture."""
    values: Values = bgr.astype(np.float32)
    height, width = values.shape[:2]
    top = int(rng.uniform(0.3, 0.8) * height)
    texture: Values = rng.normal(0, rng.uniform(2, 10), (height - top, width)).astype(np.float32)
    texture = cv2.GaussianBlur(texture, (0, 0), rng.uniform(0.6, 3))
    ramp = np.linspace(0, rng.uniform(-40, 40), height - top, dtype=np.float32)[:, None]
    surface = np.float32(rng.uniform(80, 190)) + texture + ramp
    share = np.float32(rng.uniform(0.6, 1.0))
    values[top:] = values[top:] * (1 - share) + surface[:, :, None] * share
    return _bytes(values)


def overexposed(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Blow the lights out, colours fading towards white, as when facing the sky."""
    values: Values = bgr.astype(np.float32)
    values = 255 * (values / 255) ** np.float32(rng.uniform(0.35, 0.6))
    values = values * np.float32(rng.uniform(1.1, 1.7)) + np.float32(rng.uniform(0, 30))
    blown = np.clip((values.max(axis=2, keepdims=True) - 200) / 80, 0, 1)
    return _bytes(values + (255 - values) * blown * np.float32(0.7))


def steam(bgr: Picture, rng: np.random.Generator) -> Picture:
    """Put a small, white, thin wisp of steam over something, gone within a tenth of the picture.

    Steam is told from smoke by being small, white and short; what is larger is not painted, for
    nobody could tell it from smoke either.
    """
    values: Values = bgr.astype(np.float32)
    height, width = values.shape[:2]
    x, y = _spot(values, rng, 1.0)
    mask: Values = np.zeros((height, width), np.float32)
    reach = rng.uniform(0.03, 0.08) * height
    for step in range(8):
        share = step / 8
        at = (int(x + rng.normal(0, reach * 0.15)), int(y - share * reach))
        cv2.circle(mask, at, max(1, int(reach * (0.08 + 0.2 * share))), 1 - share, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(1.0, reach * 0.1))[:, :, None]
    return _bytes(values + (250 - values) * mask * np.float32(rng.uniform(0.2, 0.5)))


MAKERS: tuple[Maker, ...] = (lamps, sun, headlights, red_cloth, haze, grey, overexposed, steam)


def _spot(values: Values, rng: np.random.Generator, lowest: float) -> tuple[int, int]:
    height, width = values.shape[:2]
    return int(rng.uniform(0.02, 0.98) * width), int(rng.uniform(0.02, lowest * 0.98) * height)


def _glow(
    values: Values,
    at: tuple[int, int],
    size: float,
    colour: tuple[int, int, int],
    rng: np.random.Generator,
) -> None:
    """Add a light: a blown-out core of that share of the picture's width, and a halo around it."""
    height, width = values.shape[:2]
    core = max(1.0, size * width)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    away = np.hypot(x - at[0], y - at[1]) / np.float32(core)
    halo = np.exp(-away / np.float32(rng.uniform(0.8, 2.5)))[:, :, None]
    values += halo * np.array(colour, np.float32) * np.float32(rng.uniform(0.5, 1.0))
    values[away <= 1] = 255


def _bytes(values: Values) -> Picture:
    return np.asarray(np.clip(values, 0, 255), np.uint8)
