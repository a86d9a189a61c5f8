"""How many people there were, minute by minute, in quarters of an hour. Counts only. Pure."""

import statistics
import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

QUARTER = timedelta(minutes=15)
MINUTE = timedelta(minutes=1)
MINUTES = 15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PACKED = struct.Struct(f"<{MINUTES}H")
PACKED_BYTES = _PACKED.size
#: In place of a count: nobody looked. The greatest count that can be kept is one less.
_UNSEEN = 0xFFFF
MOST = _UNSEEN - 1


def quarter_of(at: datetime) -> datetime:
    """Return when the quarter of an hour began that ``at`` is in; days have whole ones."""
    return at - (at - _EPOCH) % QUARTER


@dataclass(frozen=True, slots=True)
class Quarter:
    """What one rule counted in one region. ``minutes`` are MINUTES long, None: nobody looked.

    A minute's count is the middle one of its looks: a single frame in which the detector sees too
    many decides nothing, as with the rule itself. ``peak`` is the highest of any look.
    """

    start: datetime
    peak: int
    minutes: tuple[int | None, ...]

    def with_other(self, other: "Quarter") -> "Quarter":
        """Return both parts of one quarter as one: a restart in between, or a clock set back.

        Of a minute that is in both, the higher count stays.
        """
        minutes = tuple(
            max((count for count in pair if count is not None), default=None)
            for pair in zip(self.minutes, other.minutes, strict=True)
        )
        return Quarter(self.start, max(self.peak, other.peak), minutes)

    def packed(self) -> bytes:
        """Return the minutes as the database keeps them: two bytes each, little end first."""
        return _PACKED.pack(
            *(_UNSEEN if count is None else min(count, MOST) for count in self.minutes)
        )


def unpacked(start: datetime, peak: int, minutes: bytes) -> Quarter:
    """Return the quarter that was packed. Raises struct.error for what is none."""
    counts = _PACKED.unpack(minutes)
    return Quarter(start, peak, tuple(None if count == _UNSEEN else count for count in counts))


class Tally:
    """Takes the counts of one rule and region, and gives each quarter when it is over.

    Not thread-safe. Memory is bounded by how many different counts a minute can have.
    """

    def __init__(self) -> None:
        self._start: datetime | None = None
        self._minute = 0
        self._looks: Counter[int] = Counter()
        self._minutes: list[int | None] = [None] * MINUTES
        self._peak = 0

    @property
    def end(self) -> datetime | None:
        """When the quarter that is being counted is over; None where nothing was counted."""
        return None if self._start is None else self._start + QUARTER

    def add(self, at: datetime, count: int) -> Quarter | None:
        """Take a count of an aware moment; return the quarter before where another has begun."""
        start = quarter_of(at)
        ended = self.close() if self._start not in (None, start) else None
        self._start = start
        minute = (at - start) // MINUTE
        if minute != self._minute:
            self._close_minute()
            self._minute = minute
        self._looks[count] += 1
        self._peak = max(self._peak, count)
        return ended

    def close(self) -> Quarter | None:
        """Return what was counted so far, and begin anew; None where that is nothing."""
        if self._start is None:
            return None
        self._close_minute()
        quarter = Quarter(self._start, self._peak, tuple(self._minutes))
        self._start, self._minutes, self._peak = None, [None] * MINUTES, 0
        return quarter

    def _close_minute(self) -> None:
        if not self._looks:
            return
        middle = statistics.median_high(self._looks.elements())
        before = self._minutes[self._minute]
        self._minutes[self._minute] = middle if before is None else max(before, middle)
        self._looks.clear()


def counts_of(quarters: Sequence[Quarter]) -> list[tuple[datetime, int]]:
    """Return every minute that was looked at, in the quarters' order, with its count."""
    return [
        (quarter.start + number * MINUTE, count)
        for quarter in quarters
        for number, count in enumerate(quarter.minutes)
        if count is not None
    ]
