"""A process that is killed at its n-th step on the disk, without one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import pytest


class Killed(BaseException):
    """The process is gone: nothing it would have done next happens."""


class _Steps:
    def __init__(self, last: int) -> None:
        self._left = last

    def is_last(self) -> bool:
        self._left -= 1
        return self._left < 0

    def wrap(self, do: Any) -> Any:
        def step(*given: Any, **named: Any) -> Any:
            if self.is_last():
                raise Killed
            return do(*given, **named)

        return step


class _Written:
    """A file to write to; cut off there, half of it is written."""

    def __init__(self, file: Any, steps: _Steps) -> None:
        self._file = file
        self._steps = steps
        self.flush, self.fileno = file.flush, file.fileno

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        if self._steps.is_last():
            self._file.write(data[: len(data) // 2])
            raise Killed
        return int(self._file.write(data))


@contextmanager
def cut_after(steps: int | None) -> Iterator[None]:
    """Kill whoever writes to the disk after so many steps; None: never."""
    if steps is None:
        yield
        return
    taken, fdopen = _Steps(steps), os.fdopen
    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "fsync", "fchown"):
            patch.setattr(os, name, taken.wrap(getattr(os, name)))
        for name in ("replace", "mkdir", "unlink"):
            patch.setattr(Path, name, taken.wrap(getattr(Path, name)))
        patch.setattr(os, "fdopen", lambda *given: _Written(fdopen(*given), taken))
        yield
