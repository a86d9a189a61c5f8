"""What is done to the pictures of an export before they are encoded anew.

A picture is yuv420p in one array, as FFmpeg lays it out; each look changes it in place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.exports.job import Polygon

Plane = NDArray[np.uint8]

#: A picture is so many blocks wide: a face that fills a sixth of it is five blocks.
BLUR_COLUMNS = 32
_LEAST_BLOCK = 16
_LINES_TO_HEIGHT = 30
_LEAST_TEXT = 12
_GREY = 128
_WHITE = 235


class Look(Protocol):
    """Something that is done to each picture."""

    def apply(self, picture: "Picture", at: datetime) -> None:
        """Change the picture, which shows the moment ``at``."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The three planes of a picture, as views; width and height are even."""

    luma: Plane
    blue: Plane
    red: Plane

    @classmethod
    def of(cls, data: Plane, width: int, height: int) -> "Picture":
        """Return the planes in ``data``."""
        flat = data.reshape(-1)
        whole, quarter = width * height, width * height // 4
        half = height // 2, width // 2
        return cls(
            flat[:whole].reshape(height, width),
            flat[whole : whole + quarter].reshape(half),
            flat[whole + quarter : whole + 2 * quarter].reshape(half),
        )


class Mark:
    """Lines of text at the lower edge on a darkened ground, the wall time among them.

    ``lines`` may hold ``{time}``. Without a font that has Chinese, ``plain_lines`` are drawn: they
    hold ids in the names' place. ``font`` says which it is.
    """

    def __init__(self, lines: Sequence[str], plain_lines: Sequence[str], zone: tzinfo) -> None:
        self._zone = zone
        self._font = cv2.FontFace("uni") if hasattr(cv2, "FontFace") else None
        if self._font is not None and not self._font.getName():
            self._font = None
        self._lines = tuple(lines if self._font is not None else plain_lines)
        self.font = (
            "OpenCV's own, with Chinese"
            if self._font is not None
            else "OpenCV's own without Chinese: ids stand for the names"
        )
        self._drawn: tuple[tuple[int, int, str], Plane] | None = None

    def apply(self, picture: Picture, at: datetime) -> None:
        """Burn the lines in; they are drawn once a second."""
        height, width = picture.luma.shape
        time = at.astimezone(self._zone).isoformat(sep=" ", timespec="seconds")
        key = width, height, time
        if self._drawn is None or self._drawn[0] != key:
            self._drawn = key, self._band(width, height, time)
        band = self._drawn[1]
        rows = band.shape[0]
        ground = picture.luma[-rows:]
        np.copyto(ground, np.maximum(ground // 3 + 8, band))
        for chroma in (picture.blue, picture.red):
            chroma[-(rows // 2) :] = _GREY

    def _band(self, width: int, height: int, time: str) -> Plane:
        size = max(_LEAST_TEXT, height // _LINES_TO_HEIGHT)
        lines = [line.replace("{time}", time) for line in self._lines]
        while size > _LEAST_TEXT and max(self._width(line, size) for line in lines) > width - size:
            size -= 1
        pitch = size * 3 // 2
        band = np.zeros(((len(lines) * pitch + size // 2) // 2 * 2, width), np.uint8)
        for number, line in enumerate(lines):
            self._draw(band, line, (size // 2, number * pitch + size * 5 // 4), size)
        return band

    def _width(self, line: str, size: int) -> int:
        if self._font is None:
            scale = size / _HERSHEY_PX
            return int(cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)[0][0])
        place = cv2.getTextSize((1 << 14, 1 << 10), line, (0, 0), self._font, size, _WEIGHT)
        return int(place[2])

    def _draw(self, band: Plane, line: str, origin: tuple[int, int], size: int) -> None:
        if self._font is None:
            scale = size / _HERSHEY_PX
            words = line.encode("ascii", "replace").decode()
            cv2.putText(
                band, words, origin, cv2.FONT_HERSHEY_SIMPLEX, scale, _WHITE, 1, cv2.LINE_AA
            )
        else:
            cv2.putText(band, line, origin, (_WHITE,), self._font, size, _WEIGHT)


_HERSHEY_PX = 30.0  # how high that font is at scale 1
_WEIGHT = 500


class Blocks:
    """Blocks of one colour each in the picture's place: everywhere, or where regions touch."""

    def __init__(self, regions: Sequence[Polygon]) -> None:
        self._regions = regions
        self._masks: dict[tuple[int, int], NDArray[np.bool_] | None] = {}

    def apply(self, picture: Picture, _at: datetime) -> None:
        """Make blocks; a block that a region touches is a block as a whole."""
        height, width = picture.luma.shape
        block = block_px(width)
        if (width, height) not in self._masks:
            self._masks = {(width, height): self._mask(width, height, block)}
        mask = self._masks[width, height]
        coarsen(picture.luma, block, mask)
        half = None if mask is None else mask[::2, ::2]
        for chroma in (picture.blue, picture.red):
            coarsen(chroma, block // 2, half)

    def _mask(self, width: int, height: int, block: int) -> NDArray[np.bool_] | None:
        if not self._regions:
            return None
        touched = np.zeros((height, width), np.uint8)
        for region in self._regions:
            corners = np.array([(x * width, y * height) for x, y in region]).round()
            cv2.fillPoly(touched, [corners.astype(np.int32)], 1)
        rows, columns = -(-height // block), -(-width // block)
        padded = np.zeros((rows * block, columns * block), np.uint8)
        padded[:height, :width] = touched
        grid = padded.reshape(rows, block, columns, block).max(axis=(1, 3))
        whole = np.repeat(np.repeat(grid, block, axis=0), block, axis=1)
        return np.asarray(whole[:height, :width], np.bool_)


def block_px(width: int) -> int:
    """Return the edge of a block in a picture of that width; it is even."""
    return max(_LEAST_BLOCK, 2 * round(width / BLUR_COLUMNS / 2))


def coarsen(plane: Plane, block: int, mask: NDArray[np.bool_] | None) -> None:
    """Give each block of a plane its mean value, where ``mask`` says so."""
    height, width = plane.shape
    rows, columns = -(-height // block), -(-width // block)
    below, right = rows * block - height, columns * block - width
    padded = cv2.copyMakeBorder(plane, 0, below, 0, right, cv2.BORDER_REPLICATE)
    means = cv2.resize(padded, (columns, rows), interpolation=cv2.INTER_AREA)
    size = columns * block, rows * block
    blocks = cv2.resize(means, size, interpolation=cv2.INTER_NEAREST)[:height, :width]
    np.copyto(plane, blocks, where=True if mask is None else mask)
