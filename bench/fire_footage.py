"""Video clips of which is known when flame and smoke are to be seen, and their looks.

A folder of such footage has a ``fire.toml``::

    [[clip]]
    file = "yard.mp4"               # in the folder; any video that PyAV opens
    flame = [[8.0, 41.0]]           # seconds of the video in which flame is visible; none: absent
    smoke = [[5.0, 41.0]]           # the same of smoke
    note = "what it shows"          # for people; optional

    [[pictures]]
    folder = "yards"                # images/ and labels/ of YOLO's form
    flame = [0]                     # its class numbers of flame and of smoke
    smoke = [1]

A clip with neither flame nor smoke is a negative: an alarm in it is false. Unknown keys are
refused, so that a misspelt "flames" is no negative.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import av
import cv2
import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from edge.detect.schedule import TICKS_PER_S, Due
from models.boxes import Picture
from models.errors import ModelError
from models.evaluation.labelled import Labelled, yolo

TRUTH = "fire.toml"
#: A sub-stream's width: what a box would see of the clip.
WIDTH = 640


def _forward(span: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= span[0] < span[1]:
        raise ValueError("must be a start and a later end, in seconds")
    return span


Spans = tuple[Annotated[tuple[float, float], AfterValidator(_forward)], ...]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Clip(_Table):
    """One clip and when what is to be seen in it."""

    file: str
    flame: Spans = ()
    smoke: Spans = ()
    note: str = ""

    @property
    def is_negative(self) -> bool:
        """Whether there is neither flame nor smoke in it."""
        return not self.flame and not self.smoke

    @property
    def begins_s(self) -> float | None:
        """When flame is first visible, or None."""
        return min((start for start, _ in self.flame), default=None)


class Pictures(_Table):
    """A folder of labelled pictures."""

    folder: str
    flame: tuple[int, ...] = ()
    smoke: tuple[int, ...] = ()


class Footage(_Table):
    """What a truth file says."""

    clip: tuple[Clip, ...] = ()
    pictures: tuple[Pictures, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a clip, at ``at_s`` of its own time; ``luma`` is its brightness."""

    at_s: float
    bgr: Picture
    luma: Picture


def read_truth(path: Path) -> Footage:
    """Return what a truth file says. Raises ModelError that names file and key."""
    try:
        return Footage.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except (ValidationError, ValueError) as error:
        raise ModelError(f"{path}: {error}") from error


def pictures_in(folder: Path, footage: Footage) -> list[Labelled]:
    """Return all labelled pictures of the folder."""
    return [
        each
        for table in footage.pictures
        for each in yolo(
            folder / table.folder, dict.fromkeys(table.flame, 0) | dict.fromkeys(table.smoke, 1)
        )
    ]


def looks(path: Path, fps: float) -> Iterator[Look]:
    """Yield a clip's pictures as a box looks at them: so many a second, no wider than WIDTH.

    Raises ModelError where it can't be read.
    """
    due = Due(fps)
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                if frame.time is None or not due.is_due(round(frame.time * TICKS_PER_S)):
                    continue
                width = min(WIDTH, frame.width) // 2 * 2
                height = round(frame.height * width / frame.width) // 2 * 2
                small = frame.reformat(width, height, format="bgr24", interpolation="AREA")
                bgr: Picture = np.asarray(small.to_ndarray(), np.uint8)
                luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
                yield Look(frame.time, bgr, luma)
    except (av.error.FFmpegError, OSError) as error:
        raise ModelError(f"{path}: {error}") from error
