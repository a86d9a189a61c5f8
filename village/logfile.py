"""A log file that is turned over before it grows without end."""

import contextlib
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


class LogFile:
    """Bytes appended to ``path``; past ``limit_bytes`` it becomes ``path.1`` and so on.

    Safe from several threads. What the disk refuses is dropped and counted in ``dropped``: a full
    disk must not stop what is being logged, nor the log once there is room again.
    """

    def __init__(self, path: Path, *, limit_bytes: int = 5_000_000, keep: int = 3) -> None:
        self.path = path
        self.dropped = 0
        self._limit_bytes = limit_bytes
        self._keep = keep
        self._lock = threading.Lock()
        self._ended = False
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        """Append whole lines."""
        with self._lock:
            try:
                if self._file.closed and not self._ended:
                    self._file = self.path.open("ab", buffering=0)
                self._file.write(data)
            except (OSError, ValueError):
                self.dropped += 1
                return
            if self._file.tell() > self._limit_bytes:
                self._file.close()
                with contextlib.suppress(OSError):  # the next write opens it, or counts
                    self._turn()

    def _turn(self) -> None:
        for number in range(self._keep - 1, 0, -1):
            older = self.path.with_name(f"{self.path.name}.{number}")
            if older.exists():
                older.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("ab", buffering=0)

    def close(self) -> None:
        """Close the file; idempotent."""
        with self._lock:
            self._ended = True
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
