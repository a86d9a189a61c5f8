"""What the gathering rule raises when it is fed the truth: people's own places on the ground.

The clip is PETS09-S2L1; its annotation (MOT format, X and Y in metres) lies in the assets folder,
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

#: A place on the ground in metres.
Place = tuple[float, float]

#: Three people who stand together, for frames of which nothing more is known.
_TOGETHER: tuple[Place, ...] = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))


@dataclass(frozen=True, slots=True)
class Truth:
    """Where everybody is, frame by frame, counted from 0 as the camera plays them."""

    source: str
    frames: Mapping[int, tuple[Place, ...]]
    frame_count: int = CLIP_FRAMES
    fps: Fraction = CLIP_FPS

    @property
    def length_s(self) -> float:
        """How long one turn of the clip lasts."""
        return float(self.frame_count / self.fps)

    def after(self, began: datetime, frame: int) -> datetime:
        """Return when ``frame`` of a turn that began at ``began`` is due."""
        return began + timedelta(seconds=float(frame / self.fps))

    def places(
        self, turns: Sequence[datetime], until: datetime
    ) -> Iterable[tuple[datetime, tuple[Place, ...]]]:
        """Yield each frame's time and places over the turns that began at ``turns``.

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


def parse(text: str) -> dict[int, tuple[Place, ...]]:
    """Return the places by frame of an annotation in MOT format, frames counted from 0.

    Raises ValueError that names the line where it can't be read.
    """
    frames: dict[int, list[Place]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split(",")
        try:
            frame, across, along = int(parts[0]), float(parts[7]), float(parts[8])
        except (IndexError, ValueError) as error:
            raise ValueError(f"annotation line {number}: {error}") from error
        frames.setdefault(frame - 1, []).append((across, along))
    return {frame: tuple(places) for frame, places in frames.items()}


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
