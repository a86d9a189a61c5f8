"""How good the box's wall clock is: what the kernel says of it, and whether it was set."""

import ctypes
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.media.timeline import MAX_WALL_STEP
from protocol.clock import Clock
from protocol.messages import ClockQuality, ClockState

#: As systemd's timedatectl has it: who steers a clock never lets the kernel believe in so much.
_MOST_ERROR_US = 16_000_000


@dataclass(frozen=True, slots=True)
class KernelTime:
    """The most that the kernel believes its clock to be off, in microseconds.

    It grows by 0.5 ms a second for as long as nobody steers the clock.
    """

    most_error_us: int

    @property
    def is_synced(self) -> bool:
        """Whether a time service steers the clock, or did until lately."""
        return self.most_error_us < _MOST_ERROR_US


class _Timex(ctypes.Structure):
    """The head of the kernel's ``struct timex``, and room for the rest of it."""

    _fields_ = (
        ("modes", ctypes.c_uint),  # 0: only tell
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("rest", ctypes.c_long * 64),
    )


def kernel_time() -> KernelTime | None:
    """Return what the kernel says of its clock; None where it can't be asked."""
    try:
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None
    told = _Timex()
    if adjtimex(ctypes.byref(told)) < 0:
        return None
    return KernelTime(int(told.maxerror))


class ClockWatch:
    """Says how good the wall clock is. Any thread may ask; each time costs a system call.

    That the clock was set is noticed at the next question: a heartbeat asks once a minute.
    """

    def __init__(self, clock: Clock, kernel: Callable[[], KernelTime | None] = kernel_time) -> None:
        self._clock = clock
        self._kernel = kernel
        self._lock = threading.Lock()
        self._lead = self._now_lead()
        self._stepped_at: datetime | None = None
        self._state: ClockState | None = None
        self._since = clock.now()

    def quality(self) -> ClockQuality:
        """Return how good it is now."""
        kernel = self._kernel()
        with self._lock:
            lead = self._now_lead()
            if abs(lead - self._lead) > MAX_WALL_STEP:
                self._stepped_at = self._clock.now()
            self._lead = lead  # what it is steered by adds up, and is no step
            state = _state(kernel)
            if state is not self._state:
                self._state, self._since = state, self._clock.now()
            is_synced = kernel is not None and kernel.is_synced
            return ClockQuality(
                state=state,
                since=self._since,
                error_ms=kernel.most_error_us // 1000 if kernel and is_synced else None,
                stepped_at=self._stepped_at,
            )

    def _now_lead(self) -> datetime:
        return self._clock.now() - timedelta(microseconds=self._clock.monotonic_ns() // 1000)


def _state(kernel: KernelTime | None) -> ClockState:
    if kernel is None:
        return ClockState.UNKNOWN
    return ClockState.SYNCED if kernel.is_synced else ClockState.UNSYNCED
