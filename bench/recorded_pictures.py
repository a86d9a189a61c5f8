"""Every picture that a box has recorded of a camera, decoded, with the moment it begins at."""

import io
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import av
import numpy as np
from numpy.typing import NDArray

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

#: Pictures are compared by every so many-th pixel of every so many-th row.
GRID_PX = 8

Grid = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A recorded file's bytes and when it begins."""

    start: datetime
    data: bytes


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture and its moment, in microseconds since 1970."""

    at_us: int
    grid: Grid


class RecordedPictures:
    """What is truly recorded, in order; the truth that a page is judged by."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures = tuple(pictures)
        self._times = [picture.at_us for picture in pictures]

    @classmethod
    def decoded(cls, files: Iterable[RecordedFile]) -> "RecordedPictures":
        """Decode files, given in order."""
        return cls([picture for file in files for picture in _decoded(file)])

    def __len__(self) -> int:
        return len(self._pictures)

    def at_us(self, number: int) -> int:
        """Return the moment at which a picture begins."""
        return self._times[number]

    def number_at(self, at_us: float) -> int:
        """Return which picture is shown at a moment; in a gap, and before all, the next one."""
        return max(0, bisect_right(self._times, at_us) - 1)

    def like(self, seen: Grid, near: int, reach: int = 6) -> int:
        """Return which picture up to ``reach`` before or after ``near`` is most like ``seen``.

        How like is the mean distance of the pixels: what a browser's colours are off by is the
        same for all of them.
        """
        numbers = range(max(0, near - reach), min(len(self._pictures), near + reach + 1))
        return min(numbers, key=lambda number: _distance(self._pictures[number].grid, seen))


def first_picture(data: bytes) -> Grid:
    """Return the first picture of a video file, by the pixels by which pictures are compared."""
    with av.open(io.BytesIO(data), "r") as container:
        return _grid(next(container.decode(video=0)))


def _grid(frame: av.VideoFrame) -> Grid:
    return grid_of(np.asarray(frame.to_ndarray(format="gray"), np.uint8))


def _decoded(file: RecordedFile) -> list[Picture]:
    start_us = (file.start - _EPOCH) // _MICROSECOND
    found: list[Picture] = []
    with av.open(io.BytesIO(file.data), "r") as container:
        stream = container.streams.video[0]
        stream.thread_type = "AUTO"
        assert stream.time_base is not None
        first: int | None = None
        for packet in container.demux(stream):
            if first is None:
                first = packet.dts
            for frame in packet.decode():
                assert frame.pts is not None
                assert first is not None
                after_us = round((frame.pts - first) * stream.time_base * 1_000_000)
                found.append(Picture(start_us + after_us, _grid(frame)))
    return found


def grid_of(grey: Grid) -> Grid:
    """Return the pixels by which pictures are compared."""
    return np.ascontiguousarray(grey[::GRID_PX, ::GRID_PX])


def _distance(one: Grid, other: Grid) -> float:
    return float(np.abs(one.astype(np.int16) - other.astype(np.int16)).mean())
