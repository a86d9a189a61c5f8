"""Time as both sides read it: one port, one adapter, one fake.

Nothing else in the product calls ``time.time``, ``datetime.now`` or ``time.sleep``: a test says so.
"""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What a component may know about time."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC. It may jump: never measure an age with it."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds of a clock that never goes back, from an arbitrary start."""


class SystemClock:
    """The machine's own clocks."""

    def now(self) -> datetime:
        """Return the machine's wall time in UTC."""
        return datetime.now(UTC)

    def monotonic_ns(self) -> int:
        """Return CLOCK_MONOTONIC."""
        return time.monotonic_ns()


class FakeClock:
    """A clock that stands still until told to move; for tests and simulations.

    Both times move together with :meth:`advance`; :meth:`step_wall` moves the wall time alone, as
    an NTP correction does.
    """

    def __init__(self, now: datetime, monotonic_ns: int = 0) -> None:
        self._now = now
        self._monotonic_ns = monotonic_ns

    def now(self) -> datetime:
        """Return the wall time last set."""
        return self._now

    def monotonic_ns(self) -> int:
        """Return the monotonic time last reached."""
        return self._monotonic_ns

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass on both clocks."""
        self._now += timedelta(seconds=seconds)
        self._monotonic_ns += round(seconds * 1_000_000_000)

    def step_wall(self, seconds: float) -> None:
        """Correct the wall clock by ``seconds``, either way; monotonic time is untouched."""
        self._now += timedelta(seconds=seconds)
