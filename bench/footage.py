"""Video clips and pictures of which is known what is to be seen on them: the truth, and the looks.

A folder of footage has a ``truth.toml`` (``fire.toml`` is read too). Form and meaning:
docs/design/evaluation.md. Unknown keys are refused, so that a misspelt "flames" is no negative.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

import av
import cv2
import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from edge.alarm.geometry import Ground
from edge.config import GroundPoint
from edge.detect.schedule import TICKS_PER_S, Due
from edge.errors import ConfigError
from edge.rule_config import GatheringSection
from models.boxes import Picture
from models.errors import ModelError
from models.evaluation.labelled import Labelled, yolo
from models.evaluation.mark import PERSON
from protocol.refusal import refusal

#: What a truth file may be called; the first that is there is read.
TRUTHS = ("truth.toml", "fire.toml")
#: A sub-stream's width: what a box would see of the clip.
WIDTH = 640
_NEEDED_POINTS = 4

# A folder of videos without a truth file is known by their names.
_NAMES_OF_FIRE, _NAMES_OF_SMOKE, _NAMES_OF_NEITHER = (
    ("fire", "flame"),
    ("smoke",),
    ("neg", "people"),
)
_VIDEOS = frozenset({".mp4", ".avi", ".mkv", ".mov", ".ts", ".webm", ".gif", ".h264", ".h265"})
_ALWAYS = ((0.0, 1e6),)


def _forward(span: tuple[float, float]) -> tuple[float, float]:
    if not 0 <= span[0] < span[1]:
        raise ValueError("must be a start and a later end, in seconds")
    return span


def _named(rule: object) -> object:
    return {"id": "gathering", **rule} if isinstance(rule, Mapping) else rule


def _judgeable(rule: GatheringSection) -> GatheringSection:
    if len(rule.regions) != 1:
        raise ValueError("'regions' must be one: the spans are of a single region")
    if rule.schedule is not None:
        raise ValueError("'schedule' must be absent: a clip has no time of day")
    return rule


Spans = tuple[Annotated[tuple[float, float], AfterValidator(_forward)], ...]
Rule = Annotated[GatheringSection, BeforeValidator(_named), AfterValidator(_judgeable)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GatheringTruth(_Table):
    """A rule as the box's configuration has it, and when as many people are there as it asks for.

    ``spans`` in seconds: how long they are there, before any hold; none: the rule says nothing.
    """

    rule: Rule
    spans: Spans = ()

    @property
    def threshold(self) -> int:
        """How many people the rule's lowest level asks for."""
        return min(self.rule.levels.values())


class Clip(_Table):
    """One clip and when what is to be seen in it.

    ``fps`` is the true rate of its pictures, where the file's own times are wrong; ``ground`` is a
    camera's four points, for rules in metres.
    """

    file: str
    flame: Spans = ()
    smoke: Spans = ()
    gathering: tuple[GatheringTruth, ...] = ()
    fps: float | None = Field(default=None, gt=0, le=1000)
    ground: tuple[GroundPoint, ...] = ()
    note: str = ""

    @model_validator(mode="after")
    def _plane(self) -> Self:
        if len(self.ground) not in (0, _NEEDED_POINTS):
            raise ValueError(f"'ground' must have four points, not {len(self.ground)}")
        try:
            self.plane()
        except ConfigError as error:
            raise ValueError(str(error)) from error
        return self

    def plane(self) -> Ground | None:
        """Return the ground, None where its points are not known."""
        points = [(point.image, point.metres) for point in self.ground]
        return Ground(points) if points else None

    @property
    def is_negative(self) -> bool:
        """Whether there is neither flame nor smoke in it."""
        return not self.flame and not self.smoke

    @property
    def begins_s(self) -> float | None:
        """When flame is first visible, or None."""
        return min((start for start, _ in self.flame), default=None)


class Pictures(_Table):
    """A folder of labelled pictures: the class numbers of what is ours."""

    folder: str
    flame: tuple[int, ...] = ()
    smoke: tuple[int, ...] = ()
    person: tuple[int, ...] = ()

    @property
    def are_of_fire(self) -> bool:
        """Whether flame and smoke are labelled on them: else nothing is known of a fire there."""
        return not self.person or not self.model_fields_set.isdisjoint({"flame", "smoke"})

    @property
    def channels(self) -> dict[int, int]:
        """Return the channel of each class number."""
        return (
            dict.fromkeys(self.flame, 0)
            | dict.fromkeys(self.smoke, 1)
            | dict.fromkeys(self.person, PERSON)
        )


class Footage(_Table):
    """What a truth file says."""

    clip: tuple[Clip, ...] = ()
    pictures: tuple[Pictures, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a clip, at ``at_s`` after its first picture; ``luma`` is its brightness."""

    at_s: float
    bgr: Picture
    luma: Picture


def truth_of(folder: Path) -> Footage:
    """Return what the folder's truth file says, or without one its videos' names.

    Raises ModelError where neither says anything, or the file is wrong.
    """
    for name in TRUTHS:
        if (folder / name).is_file():
            return read_truth(folder / name)
    clips = tuple(by_name(path, folder) for path in sorted(folder.glob("**/*")) if _says(path))
    if not clips:
        raise ModelError(f"{folder}: must hold a {TRUTHS[0]}, or videos called fire_… or neg_…")
    return Footage(clip=clips)


def by_name(path: Path, folder: Path) -> Clip:
    """Return what a video's name says: fire and smoke are there from its beginning on."""
    burns = path.name.startswith(_NAMES_OF_FIRE)
    return Clip(
        file=str(path.relative_to(folder)),
        flame=_ALWAYS if burns else (),
        smoke=_ALWAYS if path.name.startswith(_NAMES_OF_SMOKE) else (),
        note="by its name",
    )


def _says(path: Path) -> bool:
    names = (*_NAMES_OF_FIRE, *_NAMES_OF_SMOKE, *_NAMES_OF_NEITHER)
    return path.suffix.lower() in _VIDEOS and path.name.startswith(names)


def read_truth(path: Path) -> Footage:
    """Return what a truth file says. Raises ModelError that names file and key."""
    try:
        return Footage.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise ModelError(f"{path}: {refusal(error)}") from error
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from error


def pictures_in(folder: Path, tables: Sequence[Pictures], lost: list[str]) -> list[Labelled]:
    """Return the labelled pictures of these tables that can be read.

    What can't be is told to ``lost``, and nothing else is lost with it.
    """
    found: list[Labelled] = []
    for each in tables:
        try:
            pictures = yolo(folder / each.folder, each.channels)
        except ModelError as error:
            lost.append(str(error))
        else:
            found += readable(pictures, lost)
    return found


def readable(pictures: Sequence[Labelled], lost: list[str]) -> list[Labelled]:
    """Return those whose picture can be read, and tell ``lost`` of the others."""
    found = []
    for each in pictures:
        if cv2.imread(str(each.path), cv2.IMREAD_REDUCED_GRAYSCALE_8) is None:
            lost.append(f"{each.path}: must be a picture")
        else:
            found.append(each)
    return found


def looks(path: Path, fps: float, true_fps: float | None = None) -> Iterator[Look]:
    """Yield a clip's pictures as a box looks at them: so many a second, no wider than WIDTH.

    Time begins with the first picture and is the file's own, or ``true_fps`` pictures a second.
    What is damaged in between is passed over, as a camera's lost packets are. Raises ModelError
    where nothing of it can be read.
    """
    due = Due(fps)
    seen = False
    try:
        for at_s, frame in _timed(path, true_fps):
            seen = True
            if due.is_due(round(at_s * TICKS_PER_S)):
                yield _look(at_s, frame)
    except (av.error.FFmpegError, OSError) as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    if not seen:
        raise ModelError(f"{path}: must be a video with a picture that can be decoded")


def _timed(path: Path, true_fps: float | None) -> Iterator[tuple[float, av.VideoFrame]]:
    """Yield the pictures and their seconds after the first one."""
    first_s: float | None = None
    with av.open(str(path)) as container:
        if not container.streams.video:
            return
        stream = container.streams.video[0]
        # A bare elementary stream has no times of its own.
        rate = true_fps or float(stream.average_rate or stream.guessed_rate or 0) or None
        for index, frame in enumerate(_decoded(container, stream)):
            at_s = None if true_fps is not None else frame.time
            if at_s is None:
                if rate is None:
                    raise ModelError(f"{path}: its pictures have no times: 'fps' must be given")
                at_s = index / rate
            first_s = at_s if first_s is None else first_s
            yield at_s - first_s, frame


def _decoded(
    container: av.container.InputContainer, stream: av.VideoStream
) -> Iterator[av.VideoFrame]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue  # what follows may be whole


def _look(at_s: float, frame: av.VideoFrame) -> Look:
    width = max(2, min(WIDTH, frame.width) // 2 * 2)
    height = max(2, round(frame.height * width / frame.width) // 2 * 2)
    small = frame.reformat(width, height, format="bgr24", interpolation="AREA")
    bgr: Picture = np.asarray(small.to_ndarray(), np.uint8)
    luma = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY), np.uint8)
    return Look(at_s, bgr, luma)
