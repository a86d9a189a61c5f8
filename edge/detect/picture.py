"""What one decoded picture shows of its camera's health, in a few small numbers and maps. Pure.

Of a picture only the brightness is used, made small: enough to tell a wall from a view, nothing by
which anyone could be told from another. Maps are [rows, columns], rows from the top.
"""

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Field = NDArray[np.complex64]
Plane = NDArray[np.uint8]

#: The size in which a picture is looked at; its finest detail is taken in twice that.
WIDTH, HEIGHT = 160, 90
#: Blocks of it, 10 x 10 pixels each.
COLUMNS, ROWS = 16, 9
#: The outline of a view at a quarter of the size: it stays where a lens is out of focus.
_COARSE = 4
#: A gradient this strong, in grey levels a pixel, counts half: outlines count much alike by day and
#: at dusk, while noise counts little.
_HALF_WEIGHT = 6.0
#: Video white is 235 in most streams and 255 in some, black 16 or 0.
_BURNT, _DARK = 230, 30
#: So many blocks of a view are flat: what detail they have is noise.
_FLAT_BLOCKS = 0.1
_BURNT_PICTURE = 0.5
#: Blocks of a picture of one colour differ by less, in grey levels; a darker one may be dusk.
_BLANK, _BLANK_LIGHT = 1.5, 45
_NEUTRAL = 128
#: The small share of pixels that may be bright in a dark picture: a lamp, the camera's own clock.
_BRIGHT_SHARE = 0.02


@dataclass(frozen=True)
class Outline:
    """Where edges are and how they lie: a weight 0-1 at twice the edge's angle, by pixel.

    Twice, so that an edge is the same whichever side is brighter: infrared light turns leaves
    white. The top and bottom rows of blocks show none: there cameras write, whatever covers them.
    """

    field: Field

    @cached_property
    def energy(self) -> float:
        """The sum of the squared weights: how much of an outline there is."""
        return float(np.vdot(self.field, self.field).real)

    def likeness(self, other: "Outline") -> float:
        """Return 1 for the same view, about 0 for an unrelated one; 0 where either shows none."""
        same = float(np.vdot(self.field, other.field).real)
        both = self.energy * other.energy
        return same / both**0.5 if both > 0 else 0.0

    def shift(self, other: "Outline") -> tuple[int, int, float]:
        """Return by how many pixels right and down ``other`` is shifted, and how alike it is then.

        Up to half the picture either way; alike by what both show of the view.
        """
        rows, columns = self.field.shape
        # Room for what leaves one side, or it would come in again at the other.
        size = (2 * rows, 2 * columns)
        product = np.conj(np.fft.fft2(self.field, size)) * np.fft.fft2(other.field, size)
        table = np.fft.ifft2(product).real
        y_reach, x_reach = rows // 2, columns // 2
        near = np.roll(table, (y_reach, x_reach), (0, 1))[: 2 * y_reach + 1, : 2 * x_reach + 1]
        peak_y, peak_x = np.unravel_index(int(near.argmax()), near.shape)
        down, right = int(peak_y) - y_reach, int(peak_x) - x_reach
        mine = self.field[max(0, -down) : rows - max(0, down), :]
        mine = mine[:, max(0, -right) : columns - max(0, right)]
        theirs = other.field[max(0, down) : rows - max(0, -down), :]
        theirs = theirs[:, max(0, right) : columns - max(0, -right)]
        return right, down, Outline(mine).likeness(Outline(theirs))


@dataclass(frozen=True, slots=True)
class Look:
    """One picture.

    ``detail`` is the fine detail of each block above the picture's noise, in grey levels; ``mean``
    its brightness (0-255); ``burnt`` its share of white pixels. ``is_blank``: all is of one
    colour, and no dusk; ``is_burnt``: half is white; ``is_dark``: next to nothing is brighter than
    black; ``colour`` is how far the picture is from grey (0-128).
    """

    grey: Floats
    outline: Outline
    coarse: Outline
    detail: Floats
    mean: Floats
    burnt: Floats
    is_blank: bool
    is_burnt: bool
    is_dark: bool
    colour: float


def look(luma: Plane, chroma: tuple[Plane, Plane]) -> Look:
    """Return what a picture shows, of its planes of brightness and colour (U, V) of any size."""
    grey = _scaled(luma, WIDTH, HEIGHT)
    fine = _scaled(luma, 2 * WIDTH, 2 * HEIGHT)
    mean = _by_block(grey)
    is_dark = float(np.quantile(grey, 1 - _BRIGHT_SHARE)) < _DARK
    burnt = np.asarray(grey >= _BURNT, np.float32)
    detail = _by_block(_steepness(fine))
    noise = np.float32(np.quantile(detail, _FLAT_BLOCKS))
    return Look(
        grey=grey,
        outline=_outline(grey),
        coarse=_outline(_scaled(grey, WIDTH // _COARSE, HEIGHT // _COARSE)),
        detail=np.maximum(detail - noise, np.float32(0)),
        mean=mean,
        burnt=_by_block(burnt),
        is_blank=float(mean.mean()) > _BLANK_LIGHT and float(mean[1:-1].std()) < _BLANK,
        is_burnt=float(burnt.mean()) >= _BURNT_PICTURE,
        is_dark=is_dark,
        colour=float(sum(_colour(plane) for plane in chroma)) / len(chroma),
    )


def _scaled(plane: Plane | Floats, width: int, height: int) -> Floats:
    small = cv2.resize(plane, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def _outline(grey: Floats) -> Outline:
    right = cv2.Scharr(grey, cv2.CV_32F, 1, 0, scale=1 / 32)
    down = cv2.Scharr(grey, cv2.CV_32F, 0, 1, scale=1 / 32)
    squared = (right + 1j * down) ** 2  # twice the angle
    strength = np.abs(squared)  # the square of the gradient
    field = squared / (strength + _HALF_WEIGHT**2)
    edge = len(field) // ROWS
    field[:edge] = field[-edge:] = 0
    return Outline(np.asarray(field, np.complex64))


def _steepness(grey: Floats) -> Floats:
    """Return how much each pixel stands out from its neighbours, in grey levels."""
    return np.asarray(np.abs(cv2.Laplacian(grey, cv2.CV_32F, ksize=1)), np.float32)


def _by_block(pixels: Floats) -> Floats:
    """Return the mean of each block."""
    return _scaled(pixels, COLUMNS, ROWS)


def _colour(plane: Plane) -> float:
    small = _scaled(plane, COLUMNS, ROWS)
    return float(np.abs(small - _NEUTRAL).mean())
