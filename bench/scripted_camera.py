"""A scripted camera: real footage, and what happens to its lens, its mount and its light.

A scene is footage that goes to and fro without an end, seen through a window of it, so that the
camera can turn. An effect changes one picture, given how long it has lasted.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

#: The window's share of the footage; with a lens of 60 degrees the rest is 10 degrees either way.
WINDOW = 0.72
#: Where the window is in the footage at rest, as shares of the room that is left.
_AT_REST = (0.1, 0.5)
_WIDTH, _HEIGHT = 640, 360
#: What a sensor adds by day, in grey levels.
_NOISE = 1.5


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the camera looks: shares of the room that the window leaves, 0-1."""

    right: float = _AT_REST[0]
    down: float = _AT_REST[1]


#: About 10 degrees to the right.
TURNED = Pose(right=0.7)


class Footage:
    """Pictures of a fixed camera, a second apart; in memory."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures = pictures

    @classmethod
    def of_file(cls, path: Path, every: int, limit: int = 80) -> "Footage":
        """Read every ``every``-th picture of a video, up to ``limit``. Raises OSError."""
        reader = cv2.VideoCapture(str(path))
        found: list[Picture] = []
        number = 0
        while len(found) < limit and reader.grab():
            if number % every == 0:
                found.append(np.asarray(reader.retrieve()[1], np.uint8))
            number += 1
        if not found:
            raise OSError(f"{path}: no video")
        return cls(found)

    @classmethod
    def drawn(cls, seed: int = 7, seconds: int = 40) -> "Footage":
        """Draw a place of walls, roofs and leaves, and people and a car that go about in it."""
        random = np.random.default_rng(seed)
        height, width = 540, 960
        place = np.zeros((height, width, 3), np.uint8)
        place[:] = np.linspace(150, 90, height, dtype=np.uint8)[:, None, None]
        for _wall in range(60):
            x, y = int(random.integers(width)), int(random.integers(height))
            size = random.integers(30, 160, 2)
            colour = [int(value) for value in random.integers(30, 220, 3)]
            cv2.rectangle(place, (x, y), (x + int(size[0]), y + int(size[1])), colour, -1)
        leaves = cv2.resize(random.integers(0, 60, (270, 480, 3), np.uint8), (width, height))
        place = _clipped(place.astype(np.float32) + leaves - 30)
        walks = [
            (random.uniform(0, width), random.uniform(-9, 9), random.uniform(0.5, 0.9))
            for _ in range(6)
        ]
        pictures = []
        for second in range(seconds):
            picture = place.copy()
            for start, speed, down in walks:
                x, y = int(start + second * speed) % width, int(down * height)
                cv2.ellipse(picture, (x, y), (9, 26), 0, 0, 360, (60, 50, 120), -1)
            car = (second * 97) % (width * 3)
            cv2.rectangle(picture, (car, 400), (car + 130, 460), (180, 40, 40), -1)
            pictures.append(picture)
        return cls(pictures)

    def at(self, second: int, pose: Pose) -> Picture:
        """Return what the camera sees in that second, of 640 x 360."""
        last = len(self._pictures) - 1
        index = second % max(1, 2 * last)
        picture = self._pictures[index if index <= last else 2 * last - index]
        height, width = picture.shape[:2]
        wide = round(width * WINDOW)
        tall = min(round(wide * _HEIGHT / _WIDTH), height)
        left, top = round((width - wide) * pose.right), round((height - tall) * pose.down)
        window = picture[top : top + tall, left : left + wide]
        return np.asarray(cv2.resize(window, (_WIDTH, _HEIGHT)), np.uint8)


#: Changes a picture; the second argument is for how many seconds it has been so.
Effect = Callable[[Picture, int, np.random.Generator], Picture]


def covered_dark(picture: Picture, _: int, random: np.random.Generator) -> Picture:
    """Put a black bag over the lens."""
    return _noisy(np.full_like(picture, 14), 2, random)


def covered_hand(picture: Picture, _: int, random: np.random.Generator) -> Picture:
    """Put a hand on the lens: red, uneven light, a little of the view at one edge."""
    covered = picture.copy()
    height, width = picture.shape[:2]
    glow = np.linspace(30, 90, width, dtype=np.float32)[None, :, None]
    hand = np.clip(glow * np.array([0.3, 0.4, 1.0], np.float32), 0, 255)
    covered[:, : round(width * 0.93)] = hand.repeat(height, 0)[:, : round(width * 0.93)]
    return _noisy(covered, 2, random)


def one_colour(picture: Picture, _: int, __: np.random.Generator) -> Picture:
    """Send what many cameras and recorders send instead of a view: a blue screen."""
    blue = np.zeros_like(picture)
    blue[:] = (200, 60, 20)
    return blue


def sprayed(picture: Picture, _: int, random: np.random.Generator) -> Picture:
    """Spray white paint over the middle half of the lens, its rim soft."""
    height, width = picture.shape[:2]
    paint = np.zeros((height, width), np.float32)
    cv2.ellipse(
        paint, (width // 2, height // 2), (width * 5 // 12, height * 5 // 12), 0, 0, 360, 1.0, -1
    )
    soft = np.asarray(cv2.GaussianBlur(paint, (0, 0), width / 40), np.float32)[..., None]
    return _noisy(picture * (1 - soft) + soft * 205, 2, random)


def defocused(picture: Picture, _: int, random: np.random.Generator) -> Picture:
    """Put the lens out of focus, by a hundredth of the picture."""
    soft = cv2.GaussianBlur(picture, (0, 0), picture.shape[1] / 110)
    return _noisy(np.asarray(soft, np.uint8), 1, random)


def overexposed(picture: Picture, _: int, __: np.random.Generator) -> Picture:
    """Open the iris for good."""
    return _clipped(picture.astype(np.float32) * 2.2 + 160)


def underexposed(picture: Picture, _: int, random: np.random.Generator) -> Picture:
    """Let the sensor fail."""
    return _noisy(picture.astype(np.float32) * 0.04, 1, random)


def dusk(picture: Picture, seconds: int, random: np.random.Generator) -> Picture:
    """Let the light go to a sixth within two minutes, ten times as fast as it does; then noise."""
    left = max(0.16, 1 - 0.84 * seconds / 120)
    return _noisy(picture.astype(np.float32) * left, 2 + 4 * (1 - left), random)


def infrared(picture: Picture, seconds: int, random: np.random.Generator) -> Picture:
    """Turn to infrared: a second of white, then grey, leaves bright, the rim dark."""
    if seconds < 1:
        return np.full_like(picture, 235)
    blue, green, red = (picture[..., index].astype(np.float32) for index in range(3))
    grey = np.clip(0.2 * blue + 1.1 * green - 0.15 * red, 0, 255)
    height, width = grey.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    grey = 255 * (grey / 255) ** 0.8 * (1 - 0.35 * np.clip(x**2 + y**2, 0, 1.5))
    return _noisy(np.repeat(grey[..., None], 3, 2), 4, random)


def headlights(picture: Picture, seconds: int, random: np.random.Generator) -> Picture:
    """Let a car come towards the camera at night: two glares, all else dim."""
    height, width = picture.shape[:2]
    near = min(1.0, seconds / 6)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    glare = np.zeros((height, width), np.float32)
    for side in (-1, 1):
        centre_x = width * (0.5 + side * 0.07 * (0.5 + near))
        centre_y = height * (0.45 + 0.25 * near)
        glare += np.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / (2 * (8 + 45 * near) ** 2))
    dim = picture.astype(np.float32) * (0.75 - 0.35 * near)
    return _noisy(dim + 420 * glare[..., None], 3, random)


def rain(picture: Picture, _: int, random: np.random.Generator) -> Picture:
    """Let it rain heavily: less contrast, streaks everywhere."""
    height, width = picture.shape[:2]
    wet = picture.astype(np.float32) * 0.65 + 45
    streaks = np.zeros((height, width), np.float32)
    for _streak in range(500):
        x, y = int(random.integers(width)), int(random.integers(height))
        length = int(random.integers(8, 26))
        cv2.line(streaks, (x, y), (x + length // 6, y + length), float(random.uniform(20, 70)), 1)
    return _noisy(wet + streaks[..., None], 2, random)


def shaken(picture: Picture, seconds: int, _: np.random.Generator) -> Picture:
    """Shake the mast in the wind: a few pixels to and fro."""
    step = (0, 4, 0, -4)[seconds % 4]
    return np.roll(picture, (step // 2, step), (0, 1))


def _noisy(picture: NDArray[Any], sigma: float, random: np.random.Generator) -> Picture:
    """Return a grey or coloured picture of any numbers with a sensor's noise, clipped."""
    noise = random.normal(0, sigma, (*picture.shape[:2], 1))
    return _clipped(picture + noise.astype(np.float32))


def _clipped(picture: NDArray[Any]) -> Picture:
    return np.asarray(np.clip(picture, 0, 255), np.uint8)


@dataclass(frozen=True, slots=True)
class Act:
    """What happens from ``at_s`` on for ``lasts_s``: an effect, another pose, or a still picture.

    The camera goes on writing its clock into a still picture.
    """

    name: str
    at_s: int
    lasts_s: int
    effect: Effect | None = None
    pose: Pose | None = None
    freezes: bool = False


#: How long the camera is well before anything happens.
WELL_S = 40
#: What staff must be told of, and within how many seconds.
FAULTS: tuple[tuple[Act, str, int], ...] = (
    (Act("black bag", WELL_S, 20, covered_dark), "blacked", 10),
    (Act("hand", WELL_S, 20, covered_hand), "covered", 10),
    (Act("one colour", WELL_S, 20, one_colour), "covered", 10),
    (Act("sprayed", WELL_S, 20, sprayed), "covered", 10),
    (Act("defocused", WELL_S, 20, defocused), "blurred", 10),
    (Act("turned by 10°", WELL_S, 20, pose=TURNED), "moved", 10),
    (Act("frozen, clock ticks", WELL_S, 20, freezes=True), "frozen", 10),
    (Act("overexposed", WELL_S, 80, overexposed), "overexposed", 70),
    (Act("underexposed", WELL_S, 80, underexposed), "underexposed", 70),
)
#: What happens every day and is no fault.
EVERYDAY = (
    Act("nothing", WELL_S, 80),
    Act("dusk", WELL_S, 200, dusk),
    Act("infrared", WELL_S, 60, infrared),
    Act("headlights", WELL_S, 9, headlights),
    Act("rain", WELL_S, 60, rain),
    Act("wind", WELL_S, 40, shaken),
)


def play(footage: Footage, act: Act | None, seconds: int, seed: int = 1) -> Iterator[Picture]:
    """Yield a picture a second, each with the camera's own clock in its corner."""
    random = np.random.default_rng(seed)
    still: Picture | None = None
    for second in range(seconds):
        since = second - act.at_s if act is not None else -1
        if act is None or not 0 <= since < act.lasts_s:
            yield _stamped(_noisy(footage.at(second, Pose()), _NOISE, random), second)
            continue
        picture = _noisy(footage.at(second, act.pose or Pose()), _NOISE, random)
        if act.effect is not None:
            picture = act.effect(picture, since, random)
        if act.freezes:
            still = picture = picture if still is None else still
        yield _stamped(picture, second)


def _stamped(picture: Picture, second: int) -> Picture:
    """Return the picture with a clock, as cameras write it."""
    stamped = picture.copy()
    text = f"2026-11-22 12:{second // 60:02}:{second % 60:02}"
    cv2.putText(stamped, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.55, (255, 255, 255), 2)
    return stamped
