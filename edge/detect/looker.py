"""Looking at frames for people, flame and smoke, and saying what was found as the wire has it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import av
import numpy as np

from edge.detect import wire
from edge.detect.frame import planes
from edge.detect.motion import Floats, Motion, shrink
from edge.detect.repeat import Repeat, Sides
from edge.detect.schedule import TICKS_PER_S
from models.boxes import Picture
from models.fire import SMOKE, FireBox, FireModel
from models.person import PersonModel


@dataclass(frozen=True, slots=True)
class Turn:
    """A frame that waits to be looked at, and what for."""

    run: bytes
    frame: av.VideoFrame
    people: bool
    fire: bool

    @property
    def pts_90k(self) -> int:
        """When it is in its run."""
        assert self.frame.pts is not None
        return self.frame.pts


@dataclass(slots=True)
class _Camera:
    """What is known of a run of a camera: the last looks, and what they found."""

    people: Repeat = field(default_factory=Repeat)
    boxes: tuple[wire.BoxRow, ...] = ()
    fire: Repeat = field(default_factory=Repeat)
    fires: Sequence[FireBox] = ()
    motion: Motion = field(default_factory=Motion)


class Looker:
    """Runs the networks, each at what it is asked for. Not thread-safe.

    Of a picture that shows the same as the last one that was looked at, the same is said again
    (edge.detect.repeat); ``looked`` counts frames that went through a network, ``repeated`` those
    that did not.
    """

    def __init__(self, people: PersonModel | None, fires: FireModel | None) -> None:
        self._people = people
        self._fires = fires
        self._cameras: dict[int, _Camera] = {}
        self.looked = self.repeated = 0

    @property
    def knows_people(self) -> bool:
        """Whether there is a model of people."""
        return self._people is not None

    @property
    def knows_fire(self) -> bool:
        """Whether there is a model of flame and smoke."""
        return self._fires is not None

    def begin(self, camera: int) -> None:
        """Take that a new run of the camera begins: nothing of the last one holds for it."""
        self._cameras[camera] = _Camera()

    def look(self, camera: int, turn: Turn) -> list[bytes]:
        """Return the messages of what the frame shows. Raises ModelError."""
        known = self._cameras[camera]
        grey = shrink(planes(turn.frame)[0])
        pixels = _Pixels(turn.frame)
        said = []
        if turn.people and self._people is not None:
            said.append(wire.pack_result(self._look_for_people(camera, known, turn, grey, pixels)))
        if turn.fire and self._fires is not None:
            said.append(wire.pack_fire(self._look_for_fire(camera, known, turn, grey, pixels)))
        if pixels.were_needed:
            self.looked += 1
        else:
            self.repeated += 1
        return said

    def _look_for_people(
        self, camera: int, known: _Camera, turn: Turn, grey: Floats, pixels: "_Pixels"
    ) -> wire.Result:
        assert self._people is not None
        at_s = turn.pts_90k / TICKS_PER_S
        if not known.people.is_same(at_s, grey):
            found = self._people.infer(pixels.get())
            width, height = turn.frame.width, turn.frame.height
            known.boxes = tuple(
                (left / width, top / height, right / width, bottom / height, score)
                for left, top, right, bottom, score in found
            )
            known.people.looked(at_s, grey, [box[:4] for box in known.boxes])
        aspect = turn.frame.width / turn.frame.height
        return wire.Result(camera, turn.run, turn.pts_90k, aspect, known.boxes)

    def _look_for_fire(
        self, camera: int, known: _Camera, turn: Turn, grey: Floats, pixels: "_Pixels"
    ) -> wire.FireResult:
        assert self._fires is not None
        at_s = turn.pts_90k / TICKS_PER_S
        if not known.fire.is_same(at_s, grey):
            known.fires = self._fires.infer(pixels.get())
            known.fire.looked(
                at_s,
                grey,
                [_shares(each, turn.frame.width, turn.frame.height) for each in known.fires],
            )
        known.motion.see(grey)
        seen = fire_rows(known.fires, known.motion, turn.frame.width, turn.frame.height)
        return wire.FireResult(camera, turn.run, turn.pts_90k, seen)


class _Pixels:
    """A frame's pixels as networks take them, made where one is asked."""

    def __init__(self, frame: av.VideoFrame) -> None:
        self._frame = frame
        self._made: Picture | None = None

    @property
    def were_needed(self) -> bool:
        return self._made is not None

    def get(self) -> Picture:
        if self._made is None:
            self._made = np.asarray(self._frame.to_ndarray(format="bgr24"), np.uint8)
        return self._made


def fire_rows(
    boxes: Sequence[FireBox], motion: Motion, width: int, height: int
) -> tuple[wire.FireRow, ...]:
    """Return the boxes of a picture of that size in shares of it, each with how much it moves."""
    found = []
    for box in boxes:
        sides = _shares(box, width, height)
        found.append((box.kind == SMOKE, *sides, box.score, motion.within(*sides)))
    return tuple(found)


def _shares(box: FireBox, width: int, height: int) -> Sides:
    return box.left / width, box.top / height, box.right / width, box.bottom / height
