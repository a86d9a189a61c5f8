"""The labelled pictures the fire model is trained and judged on, split by clip. Reads files only.

**The set** ``fire-8`` (CC BY 4.0) has pictures taken out of videos, and its own train, valid and
test folders share those videos: a model judged on ``valid`` has seen the scene. So its folders are
ignored and every picture belongs to the clip that its name says::

    <clip>_mp4-<n>_jpg.rf.<hash>    the clip is named; both pexels-alan-w-… are one fire, one clip
    img_<n>_jpg.rf.<hash>           the clip is the one of CLIPS that holds the number n

The numbered pictures are frames of news compilations; CLIPS was read off the pictures themselves,
and two clips that alternate (a garage's camera and a street report) are told apart by number. The
clips of HELD_OUT are for judging only, those of VALIDATION for choosing scores; everything else is
for training. They were chosen before anything was trained, so that each kind of view is in both.

**COCO pictures** (``coco128``) are negatives: none of them shows a fire worth an alarm. Every fifth
is for validation.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from models.errors import ModelError
from models.evaluation.mark import Mark

Numbers = tuple[tuple[int, int], ...]

#: Clips of the numbered pictures: first and last number of every stretch.
CLIPS: dict[str, Numbers] = {
    "garage": (
        *((335, 399), (414, 414), (419, 420), (423, 423), (425, 428), (431, 433), (455, 455)),
        *((471, 499), (519, 543)),
    ),
    "street": (
        *((400, 413), (415, 418), (421, 422), (424, 424), (429, 430), (434, 454), (456, 457)),
        *((500, 501), (505, 506)),
    ),
    "motorway": ((601, 669),),
    "festival": ((700, 786),),
    "quarry": ((800, 828),),
    "fog-device": ((900, 1062), (2036, 2152)),
}
#: A numbered picture of no clip above belongs to this one; it is for training only.
REST = "compilation"
HELD_OUT = frozenset(
    {"garage", "motorway", "fire1", "newsmoke2", "pexels-alan-w", "smoke1", "smoke2", "test2"}
    | {"test3"}
)

VALIDATION = frozenset({"quarry", "smoke5", "test1", "coco-validation"})

_NAMED = re.compile(r"(?P<clip>.+?)_mp4.*")
_NUMBERED = re.compile(r"img_(?P<number>\d+)")
#: fire-8's own class numbers; its 1, "default", is the whole frame of a normal scene.
_CHANNEL = {0: 0, 2: 1}


class Part(StrEnum):
    """Which side of the split a picture is on."""

    TRAIN = "train"
    VALIDATION = "validation"
    HELD_OUT = "held-out"


@dataclass(frozen=True, slots=True)
class Labelled:
    """One picture, the clip it is from, and what is on it; nothing is a negative."""

    path: Path
    clip: str
    marks: tuple[Mark, ...]

    @property
    def part(self) -> Part:
        """Return the side of the split."""
        if self.clip in HELD_OUT:
            return Part.HELD_OUT
        return Part.VALIDATION if self.clip in VALIDATION else Part.TRAIN

    def has(self, channel: int) -> bool:
        """Return whether anything of this channel is on it."""
        return any(mark.channel == channel for mark in self.marks)


def clip_of(name: str) -> str:
    """Return the clip of a picture of fire-8, by its file name. Raises ModelError for another."""
    stem = name.split("_jpg.rf.", maxsplit=1)[0]
    numbered = _NUMBERED.match(stem)
    if numbered is not None:
        number = int(numbered["number"])
        for clip, stretches in CLIPS.items():
            if any(first <= number <= last for first, last in stretches):
                return clip
        return REST
    named = _NAMED.match(stem)
    if named is None:
        raise ModelError(f"{name}: must be named <clip>_mp4-<n>_jpg.rf.<hash> or img_<n>_…")
    clip = named["clip"]
    return "pexels-alan-w" if clip.startswith("pexels-alan-w") else clip


def fire8(assets: Path) -> list[Labelled]:
    """Return all pictures of fire-8, in the order of their names. Raises ModelError without it."""
    folder = assets / "fire_images" / "fire-8"
    return [replace(each, clip=clip_of(each.path.name)) for each in yolo(folder, _CHANNEL)]


def yolo(folder: Path, channels: Mapping[int, int]) -> list[Labelled]:
    """Return the pictures of a folder of YOLO's form, by name; the folder's name is their clip.

    A picture (JPEG or PNG) below an ``images`` folder, at any depth, has its labels at the same
    path below ``labels``, in a text: lines of class and box, or polygon, 0-1. Without one nothing
    is labelled on it, as in YOLO. ``channels`` says which classes are ours; the others are nothing.
    Raises ModelError where there is no picture, or none has labels, or some are wrong.
    """
    pictures = [
        path
        for path in folder.glob("**/images/**/*")
        if path.suffix.lower() in {".jpg", ".jpeg", ".png"}
    ]
    if not pictures:
        raise ModelError(f"{folder}: must hold images/ and labels/ of YOLO's form")
    labels = {path: _labels_of(path) for path in pictures}
    if not any(each.is_file() for each in labels.values()):
        raise ModelError(f"{folder}: none of its pictures has labels, as {labels[pictures[0]]}")
    return sorted(
        (
            Labelled(path, folder.name, tuple(_marks(text, channels)) if text.exists() else ())
            for path, text in labels.items()
        ),
        key=lambda each: each.path.name,
    )


def coco(assets: Path) -> list[Labelled]:
    """Return the COCO negatives, in the order of their names; none where there are none."""
    pictures = sorted(
        (assets / "people_images").glob("coco128_train2017/**/*.jpg"), key=lambda path: path.name
    )
    return [
        Labelled(path, "coco" if index % 5 else "coco-validation", ())
        for index, path in enumerate(pictures)
    ]


def negatives(folder: Path) -> list[Labelled]:
    """Return a village's pictures of false alarms, by name, as the centre gives them out.

    A folder of YOLO's form in which nothing is labelled, ``images/CAMERA-NUMBER.jpg``; the clip is
    the camera, so that pictures of one camera can be kept on one side of a split. Raises ModelError
    where anything is labelled: that is no negative.
    """
    found = yolo(folder, {0: 0, 1: 1})
    for each in found:
        if each.marks:
            raise ModelError(f"{each.path}: has flame or smoke on it: not a negative")
    return [replace(each, clip=f"example-{each.path.stem.partition('-')[0]}") for each in found]


def digest(pictures: Sequence[Labelled]) -> str:
    """Return what identifies a list: the SHA-256 of its names, clips and marks in order."""
    text = "\n".join(f"{each.path.name}\t{each.clip}\t{each.marks}" for each in pictures)
    return hashlib.sha256(text.encode()).hexdigest()


def _labels_of(picture: Path) -> Path:
    """Return where a picture's labels are: what is images in its path is labels there."""
    parts = list(picture.parts)
    last = len(parts) - 1 - parts[::-1].index("images")
    return Path(*parts[:last], "labels", *parts[last + 1 : -1], f"{picture.stem}.txt")


def _marks(labels: Path, channels: Mapping[int, int]) -> Iterator[Mark]:
    try:
        lines = labels.read_text(encoding="ascii").splitlines()
    except OSError as error:
        raise ModelError(f"{labels}: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{labels}: must be text") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                kind, *values = (float(value) for value in line.split())
                channel = channels.get(int(kind))
                xs, ys = _span(values)
            except ValueError as error:
                rule = "must be a class and a box or a polygon, 0-1"
                raise ModelError(f"{labels}: line {number}: {rule}") from error
            if channel is not None:
                yield Mark(channel, xs[0], ys[0], xs[1], ys[1])


def _span(values: Sequence[float]) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the extent of a YOLO box (x, y, width, height) or polygon (x, y, x, y, …), cut."""
    if len(values) == 4:  # noqa: PLR2004 - a box
        x, y, width, height = values
        xs, ys = [x - width / 2, x + width / 2], [y - height / 2, y + height / 2]
    else:
        xs, ys = list(values[0::2]), list(values[1::2])
        if len(xs) != len(ys):
            raise ValueError("an odd number of coordinates")

    def cut(value: float) -> float:
        return min(max(value, 0.0), 1.0)

    return (cut(min(xs)), cut(max(xs))), (cut(min(ys)), cut(max(ys)))
