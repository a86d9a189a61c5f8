"""Real footage on a full-HD camera: the village's (PETS 2009), enlarged and encoded anew.

Of two views: people walk there all the time, or the same place with nobody in it. That one is made
of the same pictures: what stands out from the usual picture of the place is replaced by it, and the
rest keeps its light, its leaves and its noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bench.pictures import encode
from village import footage
from village.testcam.programme import Mount

#: What stands out from the usual picture by so many grey levels, and the pixels around it, is taken
#: for somebody and for what is left of him in the coding.
_STANDS_OUT, _AROUND_PX = 14, 31
#: The usual picture of the place is the median of one in so many.
_MEDIAN_OF_EVERY = 15


class NoFootageError(Exception):
    """There is no real footage on this machine, and none to be had."""


class View(StrEnum):
    """What the camera shows."""

    PEOPLE = "people"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Stream:
    """How a camera encodes: constant bit rate, a key frame every two seconds, no B-frames."""

    width: int
    height: int
    fps: int
    bits_per_s: int

    def _options(self) -> dict[str, str]:
        kbit, gop = self.bits_per_s // 1000, 2 * self.fps
        keys = f"aud=1:bframes=0:scenecut=0:keyint={gop}:min-keyint={gop}"
        rate = f"vbv-maxrate={kbit}:vbv-bufsize={kbit}:bitrate={kbit}"
        return {"preset": "superfast", "x264-params": f"{keys}:{rate}"}

    def write(self, path: Path, pictures: Sequence[footage.Picture]) -> None:
        """Encode pictures (planar YUV 4:2:0) of any size into ``path``: Annex B, delimiters."""
        encode(
            path,
            pictures,
            size_px=(self.width, self.height),
            fps=self.fps,
            bits_per_s=self.bits_per_s,
            options=self._options(),
        )

    def mount(self, path: str, file: Path) -> Mount:
        """Return the camera's address for a file that was written here."""
        return Mount(path, file, Fraction(self.fps))


#: What a village's cameras send.
MAIN = Stream(1920, 1080, fps=25, bits_per_s=4_000_000)
SUB = Stream(640, 360, fps=10, bits_per_s=500_000)


def find(folder: Path) -> tuple[footage.Source, Path]:
    """Return whence the footage is, and where; ``folder`` takes a download.

    Raises NoFootageError.
    """
    source, video = footage.find(folder)
    if video is None:
        raise NoFootageError(
            "real footage is missing: opencv-doc's vtest.avi is neither installed nor can it be"
            " downloaded, and there is no assets folder (TANSHAO_ASSETS)"
        )
    return source, video


def pictures(video: Path, view: View, count: int) -> list[footage.Picture]:
    """Return the first ``count`` pictures of a view, or as many as there are.

    They were filmed at 7 a second: shown faster, people hurry.
    """
    last = min(footage.VIDEO_FRAMES, count)
    if view is View.PEOPLE:
        return list(footage.pictures(video, 0, last))
    return list(_without_people(video, last))


def _without_people(video: Path, last: int) -> Iterator[footage.Picture]:
    sample = list(footage.pictures(video, 0, footage.VIDEO_FRAMES))[::_MEDIAN_OF_EVERY]
    usual = np.median(np.stack(sample), axis=0).astype(np.uint8)
    around = np.ones((_AROUND_PX, _AROUND_PX), np.uint8)
    for picture in footage.pictures(video, 0, last):
        height = picture.shape[0] * 2 // 3
        stands_out = cv2.absdiff(picture[:height], usual[:height]) > _STANDS_OUT
        # A leaf is a few pixels: only what is left when those are taken away is somebody.
        body = cv2.morphologyEx(stands_out.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3)))
        somebody = np.asarray(cv2.dilate(body, around), np.uint8)
        yield np.where(_of_planes(somebody), usual, picture)


def _of_planes(mask: footage.Picture) -> footage.Picture:
    """Return a mask of the luma as one of all planes of YUV 4:2:0."""
    half = mask[::2, ::2].reshape(-1, mask.shape[1])
    return np.concatenate([mask, half, half]).astype(bool)
