"""What the gathering rule raises when it is fed the truth: people's own places on the ground.

The clip is PETS09-S2L1; its annotation (MOT format, X and Y in metres) is in the assets folder,
which is not part of the project. Where that is missing, what is known of it stands in: three people
stand together in its frames 32–85 and 90–131, and in no others for long.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

from protocol.messages import AlertOp

#: The rate at which the clip was filmed and is played, and its length.
CLIP_FPS = Fraction(7)
CLIP_FRAMES = 795

#: The clip's frames, counted from 1, in which three or more are within 2 m, both ends included.
KNOWN_FRAMES = ((32, 85), (90, 131))

_ANNOTATION = Path("gt") / "PETS09-S2L1_gt.txt"

#: The size of the annotated picture in pixels.
_WIDTH, _HEIGHT = 768, 576

_MIDDLE = (0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a person stands: on the ground in metres, and the feet in the picture (0–1)."""

    ground_m: tuple[float, float]
    image: tuple[float, float] = _MIDDLE


#: Three people who stand together, for frames of which nothing more is known.
_TOGETHER = (Spot((0.0, 0.0)), Spot((1.0, 0.0)), Spot((0.0, 1.0)))


@dataclass(frozen=True, slots=True)
class Truth:
    """Where everybody is, frame by frame, counted from 0 as the camera plays them."""

    source: str
    frames: Mapping[int, tuple[Spot, ...]]
    frame_count: int = CLIP_FRAMES
    fps: Fraction = CLIP_FPS

    @property
    def length_s(self) -> float:
        """How long one turn of the clip lasts."""
        return float(self.frame_count / self.fps)

    def after(self, began: datetime, frame: int) -> datetime:
        """Return when ``frame`` of a turn that began at ``began`` is due."""
        return began + timedelta(seconds=float(frame / self.fps))

    def spots(
        self, turns: Sequence[datetime], until: datetime
    ) -> Iterable[tuple[datetime, tuple[Spot, ...]]]:
        """Yield each frame's time and spots over the turns that began at ``turns``.

        A turn ends where the next begins; the last one ends with the clip or at ``until``.
        """
        ends = [*turns[1:], until]
        for began, end in zip(turns, ends, strict=True):
            for frame in range(self.frame_count):
                at = self.after(began, frame)
                if at >= min(end, until):
                    break
                yield at, self.frames.get(frame, ())


def load() -> Truth:
    """Return the annotation of the assets folder, or what is known of it where that is missing."""
    given = os.environ.get("TANSHAO_ASSETS")
    folder = Path(given) if given else Path(__file__).resolve().parents[2] / "shared" / "assets"
    path = folder / _ANNOTATION
    if not path.is_file():
        return known()
    return Truth("annotation", parse(path.read_text(encoding="ascii")))


def parse(text: str) -> dict[int, tuple[Spot, ...]]:
    """Return the spots by frame of an annotation in MOT format, frames counted from 0.

    Raises ValueError that names the line where it can't be read.
    """
    frames: dict[int, list[Spot]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split(",")
        try:
            frame = int(parts[0])
            left, top, width, height = map(float, parts[2:6])
            ground_m = float(parts[7]), float(parts[8])
        except (IndexError, ValueError) as error:
            raise ValueError(f"annotation line {number}: {error}") from error
        feet = (left + width / 2) / _WIDTH, (top + height) / _HEIGHT
        frames.setdefault(frame - 1, []).append(Spot(ground_m, feet))
    return {frame: tuple(spots) for frame, spots in frames.items()}


def known() -> Truth:
    """Return the truth that is known without the annotation."""
    frames = {
        frame - 1: _TOGETHER for first, last in KNOWN_FRAMES for frame in range(first, last + 1)
    }
    return Truth("known intervals", frames)


@dataclass(frozen=True, slots=True)
class Gathering:
    """An alert the rule raises on the truth; ``ended_at`` None: it was still open at the end."""

    started_at: datetime
    ended_at: datetime | None


def gatherings(changes: Iterable[tuple[AlertOp, datetime]]) -> tuple[Gathering, ...]:
    """Return the gatherings that a rule's changes, in order, amount to."""
    found: list[Gathering] = []
    for op, at in changes:
        if op is AlertOp.START:
            found.append(Gathering(at, None))
        elif op is AlertOp.END and found:
            found[-1] = Gathering(found[-1].started_at, at)
    return tuple(found)


def quiet_from(expected: Sequence[Gathering], ready: datetime, *, hold_s: float) -> datetime:
    """Return the first moment from ``ready`` on at which nothing is going on.

    A gathering goes on from ``hold_s`` before its start until its end. An observer that comes in
    the middle of one can't say when it began; judging starts after it.
    """
    quiet = ready
    for gathering in sorted(expected, key=lambda gathering: gathering.started_at):
        begins = gathering.started_at - timedelta(seconds=hold_s)
        if gathering.ended_at is not None and begins <= quiet < gathering.ended_at:
            quiet = gathering.ended_at
    return quiet
