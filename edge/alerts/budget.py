"""How fast evidence may be sent, so that alerts and live video have room (evidence I9): pure.

A token bucket whose rate feels its way as TCP does: it doubles until alerts are late for the first
time, is halved whenever they are, and grows by a step a second otherwise. It grows only while it
is what holds the upload back: on a link that is slower than the budget it stays.
"""

from collections.abc import Callable
from dataclasses import dataclass

_NS = 1_000_000_000

#: An alert whose receipt is not here after so long is late: on an idle 4G link it takes 0.1–0.5 s.
LATE_S = 1.5
#: While somebody watches live, evidence has so much of what the link carries, and does not try for
#: more.
SHARE_BESIDE_LIVE = 0.5
#: The rate grows once in this time, and falls once in twice this time: so long it takes to show.
EVERY_S = 1.0
STEP_BYTES_S = 50_000
#: What may go at once after a pause.
BURST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Signs:
    """What the uplink shows: how long a receipt has been awaited, and who watches live."""

    awaited_s: float = 0.0
    viewers: int = 0


@dataclass(frozen=True, slots=True)
class Rates:
    """Bytes a second: never less, at first, never more."""

    floor: float = 16_000
    start: float = 500_000
    ceiling: float = 12_500_000


class Budget:
    """Says how long to wait before bytes are sent. Not thread-safe.

    Times are of the monotonic clock; ``signs`` is asked once in EVERY_S and returns at once, as
    ``spent`` does, which is told of all bytes.
    """

    def __init__(
        self,
        signs: Callable[[], Signs],
        rates: Rates | None = None,
        spent: Callable[[int], None] = lambda _bytes: None,
    ) -> None:
        self._signs = signs
        self._spent = spent
        self._rates = rates or Rates()
        self._rate = self._rates.start
        self._share = 1.0
        self._was_late = False
        self._held_back = False
        self._tokens = float(BURST_BYTES)
        self._filled_ns: int | None = None
        self._changed_ns = 0

    @property
    def bytes_s(self) -> float:
        """The rate that holds now."""
        return max(self._rates.floor, self._rate * self._share)

    def wait_s(self, size_bytes: int, now_ns: int) -> float:
        """Take ``size_bytes`` out of the budget; return how long to wait before they are sent."""
        self._fill(now_ns)
        self._spent(size_bytes)
        self._tokens -= size_bytes
        if self._tokens >= 0:
            return 0.0
        self._held_back = True
        return -self._tokens / self.bytes_s

    def _fill(self, now_ns: int) -> None:
        if self._filled_ns is None:
            self._filled_ns = self._changed_ns = now_ns
        elapsed_s = max(0, now_ns - self._filled_ns) / _NS
        self._filled_ns = max(now_ns, self._filled_ns)
        self._tokens = min(self._tokens + elapsed_s * self.bytes_s, BURST_BYTES)
        if now_ns - self._changed_ns >= EVERY_S * _NS:
            self._feel(now_ns)

    def _feel(self, now_ns: int) -> None:
        """Change the rate by what the uplink shows."""
        signs = self._signs()
        self._share = SHARE_BESIDE_LIVE if signs.viewers else 1.0
        if signs.awaited_s > LATE_S:
            if now_ns - self._changed_ns < 2 * EVERY_S * _NS:
                return
            self._was_late = True
            self._rate = max(self._rates.floor, self._rate / 2)
        elif self._held_back and not signs.viewers:
            faster = self._rate + STEP_BYTES_S if self._was_late else self._rate * 2
            self._rate = min(faster, self._rates.ceiling)
        self._held_back = False
        self._changed_ns = now_ns
