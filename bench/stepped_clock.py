"""A wall clock that is set while a program runs, for that program alone.

libfaketime stands between the program and the C library: what it reads from CLOCK_REALTIME is off
by what a file says, and the file may change at any time. CLOCK_MONOTONIC is left alone, as it is
when a person or NTP sets a machine's clock.
"""

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from protocol.clock import Clock

_FOLDERS = (Path("/usr/lib"), Path("/usr/local/lib"))
#: The one for programs with threads.
_LIBRARY = "faketime/libfaketimeMT.so.1"


def library() -> Path | None:
    """Return libfaketime, or None where it is not installed."""
    found = (
        path
        for folder in _FOLDERS
        for pattern in (_LIBRARY, f"*/{_LIBRARY}")
        for path in sorted(folder.glob(pattern))
    )
    return next(found, None)


class SteppedClock:
    """The clock of a program that was started with ``environment``; it runs right until a step.

    ``file`` says how far it is off; it is written anew with each step.
    """

    def __init__(self, clock: Clock, file: Path) -> None:
        self._clock = clock
        self._file = file
        self._off = timedelta()

    def now(self) -> datetime:
        """Return the wall time that the program reads."""
        return self._clock.now() + self._off

    def monotonic_ns(self) -> int:
        """Return the monotonic time, which no step touches."""
        return self._clock.monotonic_ns()

    def step(self, by: timedelta) -> None:
        """Set the program's wall clock by so much, forward or back."""
        self._off += by
        written = self._file.with_name(f"{self._file.name}.new")
        written.write_text(f"{self._off.total_seconds():+.0f}\n", encoding="utf-8")
        written.replace(self._file)  # the program never reads half of it

    @property
    def file(self) -> Path:
        """The file that says how far the clock is off."""
        return self._file

    def environment(self, library: Path) -> Mapping[str, str]:
        """Return the environment to start the program with."""
        self.step(timedelta())
        return os.environ | {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


class OffsetClock:
    """The same clock inside a program of ours, which takes its clock from whoever starts it."""

    def __init__(self, clock: Clock, file: Path) -> None:
        self._clock = clock
        self._file = file

    def now(self) -> datetime:
        """Return the wall time, off by what the file says now. Raises OSError without one."""
        off_s = float(self._file.read_text(encoding="utf-8"))
        return self._clock.now() + timedelta(seconds=off_s)

    def monotonic_ns(self) -> int:
        """Return the monotonic time, which no step touches."""
        return self._clock.monotonic_ns()
