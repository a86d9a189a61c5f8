"""What the box's line carries: counted where it is sent."""

import threading
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from protocol.clock import Clock
from protocol.messages import UplinkFigures

_NS = 1_000_000_000
_DAY_S, _MINUTE_S = 86_400, 60
#: Messages whose answer is awaited and timed; beyond it the oldest is not.
_TIMED = 256


@dataclass(slots=True)
class RollingSum:
    """The sum of what was added in the last ``window_s`` seconds, to ``steps`` of them: pure."""

    window_s: int
    steps: int
    _parts: deque[tuple[int, int]] = field(default_factory=deque)  # (number of the step, sum)

    def add(self, amount: int, now_mono_ns: int) -> None:
        """Add to it."""
        step = self._step(now_mono_ns)
        if self._parts and self._parts[-1][0] == step:
            amount += self._parts.pop()[1]
        self._parts.append((step, amount))
        self._forget(step)

    def total(self, now_mono_ns: int) -> int:
        """Return the sum."""
        self._forget(self._step(now_mono_ns))
        return sum(amount for _, amount in self._parts)

    def _step(self, now_mono_ns: int) -> int:
        return now_mono_ns * self.steps // (self.window_s * _NS)

    def _forget(self, step: int) -> None:
        while self._parts and self._parts[0][0] <= step - self.steps:
            self._parts.popleft()


@dataclass(slots=True)
class _Answers:
    """How long the last answer took."""

    last_ms: int | None = None
    _asked_ns: dict[int, int] = field(default_factory=dict)

    def asked(self, key: int, now_ns: int) -> None:
        if len(self._asked_ns) >= _TIMED:
            del self._asked_ns[next(iter(self._asked_ns))]
        self._asked_ns[key] = now_ns

    def came(self, key: int, now_ns: int) -> None:
        asked_ns = self._asked_ns.pop(key, None)
        if asked_ns is not None:
            self.last_ms = (now_ns - asked_ns) // 1_000_000

    def forget(self) -> None:
        self._asked_ns.clear()


class LineMeter:
    """Counts what is sent over the line, and how long answers take. Thread-safe; returns at once.

    Begins anew with the process: in its first day the day's figures are those since the start.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._day = RollingSum(_DAY_S, 144)
        self._minute = RollingSum(_MINUTE_S, 12)
        self._connects = RollingSum(_DAY_S, 144)
        self._pubacks = _Answers()
        self._receipts = _Answers()
        self._budget_bytes_s: Callable[[], float] | None = None

    def follow(self, budget_bytes_s: Callable[[], float]) -> None:
        """Tell of that budget from now on; it must answer at once, in any thread."""
        self._budget_bytes_s = budget_bytes_s

    def sent(self, size_bytes: int) -> None:
        """Count bytes that were handed to the line."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            self._day.add(size_bytes, now_ns)
            self._minute.add(size_bytes, now_ns)

    def connected(self) -> None:
        """Count a connection to the broker."""
        with self._lock:
            self._connects.add(1, self._clock.monotonic_ns())
            self._pubacks.forget()
            self._receipts.forget()

    def published(self, packet_id: int) -> None:
        """Time a message of QoS 1 from now to the broker's acknowledgement."""
        with self._lock:
            self._pubacks.asked(packet_id, self._clock.monotonic_ns())

    def acknowledged(self, packet_id: int) -> None:
        """Note that the broker acknowledged a message; one that is not timed is passed over."""
        with self._lock:
            self._pubacks.came(packet_id, self._clock.monotonic_ns())

    def event_sent(self, sequence: int) -> None:
        """Time an event from now to its receipt."""
        with self._lock:
            self._receipts.asked(sequence, self._clock.monotonic_ns())

    def receipted(self, sequences: Collection[int]) -> None:
        """Note that receipts came for events."""
        now_ns = self._clock.monotonic_ns()
        with self._lock:
            for sequence in sequences:
                self._receipts.came(sequence, now_ns)

    def figures(self) -> UplinkFigures:
        """Return it all for the heartbeat."""
        now_ns = self._clock.monotonic_ns()
        budget = self._budget_bytes_s
        with self._lock:
            return UplinkFigures(
                day_bytes=self._day.total(now_ns),
                kbit_s=round(self._minute.total(now_ns) * 8 / 1000 / _MINUTE_S),
                connects_day=self._connects.total(now_ns),
                puback_ms=self._pubacks.last_ms,
                receipt_ms=self._receipts.last_ms,
                budget_kbit_s=None if budget is None else round(budget() * 8 / 1000),
            )
