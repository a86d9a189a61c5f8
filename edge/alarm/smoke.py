"""Smoke that is worth an alarm: held, growing or moving, and new to the view. Pure.

What a network calls smoke is mostly not: haze, a grey road, a wall in the evening sun. They stand
still, and they were there before. So a sighting counts only where the *background* (what looked
like smoke over the last minutes, cell by cell) was mostly clear, and what is held must grow or
move. A chimney that always smokes is background too, and an exclusion mask says it at once.
"""

import math
import statistics
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from edge.alarm.passage import seconds
from edge.ports import Rectangle

#: The background's grid over the picture, its reach and the steps in which it is forgotten.
CELLS = 16
BACKGROUND_S, BUCKET_S = 300.0, 15.0
#: A cell that looked like smoke in so large a share of the looks is background.
STALE_SHARE = 0.3
#: Of a sighting so much must be clear of it.
CLEAR_SHARE = 0.5
#: A shorter background is not known yet: what is there may always have been.
KNOWN_S = 60.0

#: Mean change from look to look, in grey levels of 255. Still scenes that were called smoke had 1.0
#: and 1.8 on the study's clips (camera noise), real smoke 3 to 50.
MOVES, STIRS = 2.5, 1.0
#: The last third against the first.
GROWS = 1.3
#: Of the looks so many must show it, and no break may be longer than this share of the hold.
HELD_SHARE, BREAK_SHARE = 0.6, 0.25


@dataclass(slots=True)
class _Bucket:
    start: datetime
    looks: int = 0
    hits: list[int] = field(default_factory=lambda: [0] * CELLS**2)


class Background:
    """Which cells have looked like smoke. Not thread-safe; looks come in time order.

    ``recent_s``: what is younger is not background yet, it may be a fire that has just begun.
    """

    def __init__(self, recent_s: float) -> None:
        self._recent_s = recent_s
        self._buckets: deque[_Bucket] = deque()

    def note(self, at: datetime, boxes: Sequence[Rectangle]) -> None:
        """Take a look and all that looked like smoke in it, weak sightings too."""
        if not self._buckets or seconds(self._buckets[-1].start, at) >= BUCKET_S:
            self._buckets.append(_Bucket(at))
        while seconds(self._buckets[0].start, at) > BACKGROUND_S + self._recent_s:
            self._buckets.popleft()
        bucket = self._buckets[-1]
        bucket.looks += 1
        for cell in {cell for box in boxes for cell in _cells(box)}:
            bucket.hits[cell] += 1

    def is_known(self, at: datetime) -> bool:
        """Return whether the background has been looked at for long enough to go by it."""
        old = self._old(at)
        return bool(old) and seconds(old[0].start, at) >= KNOWN_S + self._recent_s

    def is_new(self, at: datetime, box: Rectangle) -> bool:
        """Return whether a sighting is mostly where nothing looked like smoke before."""
        old = self._old(at)
        looks = sum(bucket.looks for bucket in old)
        cells = list(_cells(box))
        stale = sum(
            sum(bucket.hits[cell] for bucket in old) >= STALE_SHARE * looks for cell in cells
        )
        return looks == 0 or stale <= (1 - CLEAR_SHARE) * len(cells)

    def drop_recent(self, at: datetime) -> None:
        """Take back what is not background yet: it has turned out to be a fire."""
        self._buckets = deque(self._old(at))

    def forget(self) -> None:
        """Begin anew: the clock was set."""
        self._buckets.clear()

    def _old(self, at: datetime) -> list[_Bucket]:
        return [
            bucket
            for bucket in self._buckets
            if seconds(bucket.start, at) >= BUCKET_S + self._recent_s
        ]


def _cells(box: Rectangle) -> Iterator[int]:
    def span(low: float, high: float) -> range:
        first = min(max(int(low * CELLS), 0), CELLS - 1)
        return range(first, min(max(math.ceil(high * CELLS), first + 1), CELLS))

    for row in span(box[1], box[3]):
        for column in span(box[0], box[2]):
            yield row * CELLS + column


@dataclass(frozen=True, slots=True)
class _Look:
    at: datetime
    area: float  # 0: no smoke
    motion: float


class SmokeHold:
    """Whether smoke has been held for ``hold_s`` and grew or moved. Not thread-safe."""

    def __init__(self, hold_s: float, held_share: float = HELD_SHARE) -> None:
        self._hold_s = hold_s
        self._held_share = held_share
        self._looks: deque[_Look] = deque()
        self._since: datetime | None = None

    def add(self, at: datetime, area: float, motion: float) -> None:
        """Take a look: how much of the picture is smoke (0: none), and how much it moves."""
        self._looks.append(_Look(at, area, motion))
        while seconds(self._looks[0].at, at) > self._hold_s * (1 + BREAK_SHARE):
            self._looks.popleft()
        last = next((look.at for look in reversed(self._looks) if look.area > 0), None)
        if last is None or seconds(last, at) > self._hold_s * BREAK_SHARE:
            self._since = None
        elif self._since is None:
            self._since = at

    def is_sure(self, at: datetime, *, by_growth: bool) -> bool:
        """Return whether it is an alarm now; ``by_growth``: moving alone is not enough."""
        if self._since is None or seconds(self._since, at) < self._hold_s:
            return False
        seen = [look for look in self._looks if look.area > 0]
        if not self._looks[-1].area or len(seen) < self._held_share * len(self._looks):
            return False
        stir = statistics.median(look.motion for look in seen)
        return self._grows(seen, stir) or (stir >= MOVES and not by_growth)

    @property
    def share(self) -> float:
        """Return the share of the last looks that show smoke."""
        return sum(look.area > 0 for look in self._looks) / max(len(self._looks), 1)

    def forget(self) -> None:
        """Begin anew."""
        self._looks.clear()
        self._since = None

    @staticmethod
    def _grows(seen: Sequence[_Look], stir: float) -> bool:
        third = len(seen) // 3
        if third == 0 or stir < STIRS:
            return False
        first = statistics.fmean(look.area for look in seen[:third])
        return statistics.fmean(look.area for look in seen[-third:]) >= GROWS * first
