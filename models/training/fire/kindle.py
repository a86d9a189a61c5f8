"""Setting harmless pictures on fire: flames out of one picture into another. Pure.

There are few pictures of flames and they show few places; a flame shines, so it can be laid over
any place as light is. Smoke hides what is behind it and can't be had this way.
"""

import cv2
import numpy as np

from models.boxes import Floats, Picture
from models.evaluation.mark import Mark

#: A flame is this bright, in its brightest channel, and more red than blue by so much.
_DIM, _BRIGHT, _RED = 110.0, 190.0, 20.0
#: Less of a box than this that shines is no flame that could be cut out.
_LEAST_SHINE = 0.05


def kindle(
    bgr: Picture, flames: Picture, mark: Mark, rng: np.random.Generator
) -> tuple[Picture, Mark | None]:
    """Lay the marked flame of another picture over this one, at any place and size.

    Returns the new picture and where it burns; the picture as it was and None where the mark shows
    nothing that shines.
    """
    fire_height, fire_width = flames.shape[:2]
    cut = flames[
        int(mark.top * fire_height) : max(1, round(mark.bottom * fire_height)),
        int(mark.left * fire_width) : max(1, round(mark.right * fire_width)),
    ]
    height, width = bgr.shape[:2]
    if min(cut.shape[:2]) < 4:  # noqa: PLR2004 - nothing to be seen
        return bgr, None
    share = rng.uniform(0.05, 0.4)
    scale = share * width / cut.shape[1]
    wide = max(6, min(round(share * width), width - 1))
    tall = max(6, min(round(scale * cut.shape[0]), height - 1))
    cut = np.asarray(cv2.resize(cut, (wide, tall), interpolation=cv2.INTER_AREA), np.uint8)
    if rng.random() < 0.5:  # noqa: PLR2004 - every other one
        cut = cut[:, ::-1]
    shine = _shine(cut)
    if shine.mean() < _LEAST_SHINE:
        return bgr, None
    left, top = int(rng.integers(0, width - wide)), int(rng.integers(0, height - tall))
    made = bgr.copy()
    part = made[top : top + tall, left : left + wide].astype(np.float32)
    lit = np.maximum(part, cut.astype(np.float32))
    made[top : top + tall, left : left + wide] = part + (lit - part) * shine[:, :, None]
    return made, _where(shine, left, top, (width, height))


def _shine(cut: Picture) -> Floats:
    """Return 0-1 by pixel: how much it is flame; nothing at the edge of the cut."""
    values = cut.astype(np.float32)
    shine: Floats = np.clip((values.max(axis=2) - _DIM) / (_BRIGHT - _DIM), 0, 1)
    shine *= np.clip((values[:, :, 2] - values[:, :, 0]) / _RED, 0, 1) * 0.5 + 0.5
    tall, wide = shine.shape
    y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
    away = np.hypot((x + 0.5) / wide * 2 - 1, (y + 0.5) / tall * 2 - 1)
    shine *= np.clip((1.0 - away) / 0.3, 0, 1)
    return np.asarray(cv2.GaussianBlur(shine, (0, 0), 0.8), np.float32)


def _where(
    shine: Floats,
    left: int,
    top: int,
    size: tuple[int, int],
) -> Mark | None:
    """Return the mark around what shines."""
    rows, columns = np.nonzero(shine > 0.4)  # noqa: PLR2004 - where it outweighs the place
    if rows.size == 0:
        return None
    return Mark(
        0,
        (left + int(columns.min())) / size[0],
        (top + int(rows.min())) / size[1],
        (left + int(columns.max()) + 1) / size[0],
        (top + int(rows.max()) + 1) / size[1],
    )
