"""The units of a run that are not decoded yet, and when they must be. Pure.

A picture is decoded for the sake of one that is wanted, so nothing is decoded before one is. Where
key frames come as often as pictures are wanted, a picture that is due waits for the next of them,
and what lies between is never decoded.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from edge.detect import wire
from edge.detect.schedule import TICKS_PER_S, Due

#: So much waits at most: then it is decoded whether a picture is wanted or not.
MAX_BYTES = 2 * 1024 * 1024
#: Cameras keep no exact time: key frames that come by so much slower are soon enough.
_SLACK = 0.25


@dataclass(slots=True)
class Want:
    """Pictures that are wanted at a rate.

    One that is due waits so long at most for a key frame; as long as it is to the next one where
    nothing else is said, so that the rate stays what it is.
    """

    due: Due
    patience_s: float | None = None

    def waits_s(self) -> float:
        """Return how long one waits."""
        return self.due.interval_s if self.patience_s is None else self.patience_s


class Pending:
    """Collects one run's units. Not thread-safe.

    With B-frames what is shown does not come in order: then every unit is decoded as it comes, and
    so it is after ``hurry``.
    """

    def __init__(self, wants: Sequence[Want], max_bytes: int = MAX_BYTES) -> None:
        self._wants = wants
        self._max_bytes = max_bytes
        self._units: list[wire.Unit] = []
        self._bytes = 0
        self._hurries = False
        self._last_key_90k: int | None = None
        self._key_step_s: float | None = None

    def take(self, unit: wire.Unit) -> list[wire.Unit]:
        """Take the next unit and return what is to be decoded now: nothing, or all up to it."""
        if unit.is_key:
            self.clear()
            if self._last_key_90k is not None:
                self._key_step_s = (unit.pts_90k - self._last_key_90k) / TICKS_PER_S
            self._last_key_90k = unit.pts_90k
        self._units.append(unit)
        self._bytes += len(unit.data)
        self._hurries |= unit.pts_90k != unit.dts_90k
        if not (
            self._hurries
            or self._bytes > self._max_bytes
            or any(self._is_pressing(want, unit) for want in self._wants)
        ):
            return []
        units = self._units
        self.clear()
        return units

    def hurry(self) -> None:
        """Let every unit be decoded as it comes."""
        self._hurries = True

    def clear(self) -> None:
        """Forget what waits."""
        self._units, self._bytes = [], 0

    def _is_pressing(self, want: Want, unit: wire.Unit) -> bool:
        late_s = want.due.late_s(unit.pts_90k)
        if late_s is None or unit.is_key:
            return late_s is not None
        waits_s = want.waits_s()
        is_key_near = self._key_step_s is not None and (
            0 < self._key_step_s <= waits_s * (1 + _SLACK)
        )
        return not is_key_near or late_s >= waits_s
