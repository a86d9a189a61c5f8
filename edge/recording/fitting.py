"""Which part of a clip fits into so many bytes (evidence I8): pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

#: What is shown after the instant that matters, at the least, however many bytes it takes.
LEAST_AFTER_90K = 90_000
#: What an MP4 takes beside its samples: a head, and of each sample its place, size and times.
HEAD_BYTES = 4096
SAMPLE_BYTES = 32
_STEPS = 1000


@dataclass(frozen=True, slots=True)
class Fit:
    """How long a clip may be, in bytes, and the instant that it must show."""

    max_bytes: int
    around: datetime


@dataclass(frozen=True, slots=True)
class Frame:
    """One sample of a clip: when it is shown, its size, and whether a clip can begin with it."""

    at_90k: int
    size_bytes: int
    is_key: bool


def fitting(frames: Sequence[Frame], max_bytes: int, around_90k: int) -> slice:
    """Return the frames to keep: all, or a stretch around an instant that fits.

    Both sides of the instant are shortened alike. It begins with a key frame, at the one before
    the instant at the latest, and goes to LEAST_AFTER_90K after the instant at the earliest: where
    that takes more than ``max_bytes``, so does what is returned. ``frames`` are in the order of
    their times, begin with a key frame, and are not empty.
    """
    times = [frame.at_90k for frame in frames]
    keys = [number for number, frame in enumerate(frames) if frame.is_key]
    sums: list[int] = [0, *accumulate(frame.size_bytes + SAMPLE_BYTES for frame in frames)]
    before = around_90k - times[0]
    after = max(times[-1] + 1 - around_90k, LEAST_AFTER_90K)

    def stretch(step: int) -> tuple[int, int]:
        """Return the first frame and the one after the last, for ``step`` of _STEPS each way."""
        from_90k = around_90k - before * step // _STEPS
        first = max((key for key in keys if times[key] <= from_90k), default=keys[0])
        until_90k = around_90k + max(after * step // _STEPS, LEAST_AFTER_90K)
        return first, max(bisect_left(times, until_90k), first + 1)

    def size_bytes(step: int) -> int:
        first, stop = stretch(step)
        return HEAD_BYTES + sums[stop] - sums[first]

    # Sizes grow with the steps: the last that fits, else the first.
    fits = bisect_left(range(_STEPS + 1), max_bytes + 1, key=size_bytes) - 1
    return slice(*stretch(max(fits, 0)))
