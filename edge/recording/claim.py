"""One box on one data folder: two would record over each other."""

import fcntl
import os
from pathlib import Path

from edge.errors import StorageError

_NAME = "box.lock"


class Claim:
    """A lock on a data folder, which the kernel ends with the process, however that ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME
        self._descriptor: int | None = None

    def take(self) -> None:
        """Take the folder; idempotent. Raises StorageError where another process has it."""
        if self._descriptor is not None:
            return
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StorageError(f"{self._path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StorageError(f"{self._path.parent}: in use by a box that runs") from error
        self._descriptor = descriptor

    def close(self) -> None:
        """Give the folder back; idempotent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
