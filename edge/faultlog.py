"""Logging a fault that repeats, without filling the log."""

import logging

from protocol.clock import Clock

#: The same fault is written at most so often.
QUIET_S = 60.0
_NS_PER_S = 1_000_000_000
#: Faults whose words differ each time must not pile up in memory.
_MAX_FAULTS = 100


class FaultLog:
    """Writes each fault at most once a minute, with how often it came in between.

    A fault is an event and its words; other fields don't tell one from another.
    """

    def __init__(self, log: logging.Logger, clock: Clock) -> None:
        self._log = log
        self._clock = clock
        self._written_ns: dict[tuple[str, str], int] = {}
        self._silent: dict[tuple[str, str], int] = {}

    def report(self, event: str, error: str, extra: dict[str, str]) -> None:
        """Write a warning, or count it where the same one was written within the minute."""
        self._write(logging.WARNING, event, extra | {"error": error})

    def bug(self, event: str, error: Exception, extra: dict[str, str]) -> None:
        """Write an error with where it was, as seldom; one of the same kind is the same."""
        self._write(logging.ERROR, event, extra | {"error": type(error).__name__}, error)

    def note(self, event: str, extra: dict[str, str]) -> None:
        """Write an event that is no fault, as seldom."""
        self._write(logging.INFO, event, extra)

    def _write(
        self, level: int, event: str, extra: dict[str, str], cause: Exception | None = None
    ) -> None:
        key = event, extra.get("error", "")
        now_ns = self._clock.monotonic_ns()
        last_ns = self._written_ns.get(key)
        if last_ns is not None and now_ns - last_ns < QUIET_S * _NS_PER_S:
            self._silent[key] = self._silent.get(key, 0) + 1
            return
        if len(self._written_ns) >= _MAX_FAULTS:
            self._written_ns.clear()
            self._silent.clear()
        self._written_ns[key] = now_ns
        repeated = self._silent.pop(key, 0)
        self._log.log(level, event, exc_info=cause, extra={**extra, "repeated": repeated})
