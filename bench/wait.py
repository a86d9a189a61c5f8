"""Waiting for something to come true, with a limit."""

import threading
from collections.abc import Callable
from typing import TypeVar

from protocol.clock import Clock

Found = TypeVar("Found")


class WaitedTooLongError(Exception):
    """What was waited for did not come."""


def until(
    look: Callable[[], Found | None],
    *,
    limit_s: float,
    what: str,
    clock: Clock,
    every_s: float = 0.1,
) -> Found:
    """Return what ``look`` returns as soon as that is not None or False.

    Raises WaitedTooLongError that names ``what`` after ``limit_s``.
    """
    deadline_ns = clock.monotonic_ns() + round(limit_s * 1e9)
    pause = threading.Event()
    while True:
        found = look()
        if found is not None and found is not False:
            return found
        if clock.monotonic_ns() >= deadline_ns:
            raise WaitedTooLongError(f"{what}: not within {limit_s:g} s")
        pause.wait(every_s)
