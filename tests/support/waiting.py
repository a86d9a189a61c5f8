"""Waiting in a thread for what will be true soon."""

import threading
from collections.abc import Callable

from protocol.clock import SystemClock

_POLL_S = 0.01


def wait_until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    """Return once ``condition`` holds; fail after ``within_s``."""
    clock = SystemClock()
    deadline_ns = clock.monotonic_ns() + round(within_s * 1_000_000_000)
    pause = threading.Event()
    while not condition():
        if clock.monotonic_ns() > deadline_ns:
            raise AssertionError(f"not within {within_s:g} s: {condition}")
        pause.wait(_POLL_S)
