"""PETS09-S2L1: a clip of people on a campus, and where each of them is in it.

The clip and its annotation lie in the assets folder, which is no part of the project. Pictures go
through a sub-stream's H.264 first: that is what a box sees. What models and rules are worth on it:
``make eval``.
"""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from models.boxes import Picture
from models.errors import ModelError
from models.evaluation.metrics import Rectangle
from models.store import assets_dir

FPS = 7  # the clip's true rate
VIDEO_PX = (768, 576)
SUB_PX = (640, 480)
SUB_BITS_PER_S = 600_000
_VIDEO = Path("videos") / "people_vtest_PETS09-S2L1.avi"
_ANNOTATION = Path("gt") / "PETS09-S2L1_gt.txt"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a frame: a rectangle in the picture (0-1), a place on the ground in metres."""

    box: Rectangle
    ground_m: tuple[float, float]


def find_assets(environ: dict[str, str] | None = None) -> Path | None:
    """Return the assets folder if it holds the clip and its annotation."""
    folder = assets_dir(dict(os.environ) if environ is None else environ)
    whole = (folder / _VIDEO).is_file() and (folder / _ANNOTATION).is_file()
    return folder if whole else None


def read_truth(assets: Path) -> dict[int, list[Person]]:
    """Return who is in each frame, counted from 0.

    People whom the annotation marks as not to be judged (too far away) are left out. Raises
    ModelError where it is no such annotation.
    """
    path = assets / _ANNOTATION
    try:
        return _parsed(path.read_text(encoding="ascii").splitlines())
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except (ValueError, IndexError) as error:
        raise ModelError(f"{path}: must be MOT's form with metres: {error}") from error


def _parsed(lines: Iterable[str]) -> dict[int, list[Person]]:
    frames: dict[int, list[Person]] = {}
    for line in lines:
        values = [float(value) for value in line.split(",")]
        if not values[6]:
            continue
        left, top, width, height = values[2:6]
        box = (
            left / VIDEO_PX[0],
            top / VIDEO_PX[1],
            (left + width) / VIDEO_PX[0],
            (top + height) / VIDEO_PX[1],
        )
        person = Person(box, (values[7], values[8]))
        frames.setdefault(round(values[0]) - 1, []).append(person)
    return frames


def substream(assets: Path) -> Iterator[Picture]:
    """Yield the clip's pictures (BGR) as a camera's H.264 sub-stream shows them.

    Raises ModelError where it can't be read.
    """
    try:
        yield from _coded(assets / _VIDEO)
    except (av.error.FFmpegError, OSError) as error:
        raise ModelError(f"{assets / _VIDEO}: {error.strerror}") from error


def _coded(path: Path) -> Iterator[Picture]:
    encoder = av.CodecContext.create("libx264", "w")
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(encoder, av.VideoCodecContext)
    assert isinstance(decoder, av.VideoCodecContext)
    encoder.width, encoder.height = SUB_PX
    encoder.pix_fmt = "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = SUB_BITS_PER_S
    encoder.thread_count = 1
    kilobits = SUB_BITS_PER_S // 1000
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0:repeat-headers=1:"
        f"force-cfr=1:vbv-maxrate={2 * kilobits}:vbv-bufsize={2 * kilobits}",
    }
    with av.open(str(path)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            small = picture.reformat(*SUB_PX, format="yuv420p", interpolation="FAST_BILINEAR")
            small.pts = index
            for packet in encoder.encode(small):
                for frame in decoder.decode(packet):
                    yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    for frame in decoder.decode(None):
        yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def boxes_of(truth: Mapping[int, Sequence[Person]], frames: Iterable[int]) -> list[list[Rectangle]]:
    """Return the people's rectangles (0-1) of each of these frames."""
    return [[person.box for person in truth.get(frame, ())] for frame in frames]
