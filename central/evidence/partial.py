"""Files that are here in part, each under the name of what it will be.

All replicas of a centre share the folder. Who writes to a file holds its lock, so what another
replica receives is neither written to nor removed (evidence I4).
"""

import contextlib
import fcntl
import hashlib
import logging
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from central.errors import DamagedError, EvidenceAwayError, InvalidError, OffsetError
from central.evidence.disk import require_room
from central.evidence.leftover import Allowance, Leftover, overdue
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: The folder of half-received files below that of evidence; no box is called so.
PARTIAL = ".partial"
#: A name may be given to a new file between opening and locking: so often it is opened anew.
_TRIES = 5
_SWEEP_EVERY_NS = 60 * 1_000_000_000


class Partial:
    """One file while bytes are added to it, for the one who holds its lock.

    What was written stays when it is closed, for the next who brings the rest. At most
    ``length_bytes``; one byte more raises InvalidError.
    """

    def __init__(self, path: Path, file: FileIO, length_bytes: int) -> None:
        self.path = path
        self.length_bytes = length_bytes
        self.size_bytes = os.fstat(file.fileno()).st_size
        self._file = file

    @property
    def is_whole(self) -> bool:
        """Whether every byte is here."""
        return self.size_bytes == self.length_bytes

    def write(self, chunk: bytes) -> None:
        """Add bytes. Raises InvalidError, EvidenceAwayError where the disk is full or nearly.

        Of a chunk that the disk took in part, that part stays and counts.
        """
        if not chunk:
            return
        if self.size_bytes + len(chunk) > self.length_bytes:
            raise InvalidError(f"longer than the {self.length_bytes} bytes that were named")
        require_room(self.path.parent)
        rest = memoryview(chunk)
        try:
            while rest:
                written = os.write(self._file.fileno(), rest)
                self.size_bytes += written
                rest = rest[written:]
        except OSError as error:
            raise EvidenceAwayError(f"evidence: {error.strerror}") from error

    def verify(self, sha256: str) -> None:
        """Make the whole file durable where it has this hash, else remove it.

        Raises DamagedError where it has another; EvidenceAwayError.
        """
        try:
            self._file.seek(0)
            found = hashlib.file_digest(self._file, "sha256").hexdigest()
            if found != sha256:
                self.path.unlink(missing_ok=True)
                raise DamagedError("the bytes do not have the SHA-256 that was named")
            os.fsync(self._file.fileno())
        except OSError as error:
            raise EvidenceAwayError(f"evidence: {error.strerror}") from error

    def discard(self) -> None:
        """Remove the file: it is not needed. Raises nothing."""
        _remove(self.path)

    def close(self) -> None:
        """Let go of the file and its lock; an empty one is removed. Raises nothing."""
        if self.size_bytes == 0 and not self._file.closed:
            _remove(self.path)
        with contextlib.suppress(OSError):
            self._file.close()


class Partials:
    """The folder of half-received files: offsets, locks, and what is left too long removed."""

    def __init__(self, folder: Path, allowance: Allowance, clock: Clock) -> None:
        self.folder = folder
        self._allowance = allowance
        self._clock = clock
        self._swept_ns: int | None = None

    def open(self) -> None:
        """Make the folder. What another replica receives just now stays. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.sweep()

    def offset(self, name: str) -> int:
        """Return how many bytes of ``name`` are here.

        Raises EvidenceAwayError, as :meth:`begin` would.
        """
        require_room(self.folder)
        try:
            return (self.folder / name).stat().st_size
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise EvidenceAwayError(f"evidence: {error.strerror}") from error

    def begin(self, name: str, offset: int, length_bytes: int) -> Partial:
        """Return the file to add bytes to from ``offset``; it is for the caller to close.

        Raises OffsetError where another number of bytes is here; EvidenceAwayError where
        another replica is receiving it, the disk is full, or nearly, or refuses.
        """
        require_room(self.folder)
        try:
            self._sweep_now_and_then()
            partial = Partial(self.folder / name, self._locked(self.folder / name), length_bytes)
        except OSError as error:
            raise EvidenceAwayError(f"evidence: {error.strerror}") from error
        if partial.size_bytes != offset:
            partial.close()
            raise OffsetError(partial.size_bytes)
        return partial

    def sweep(self) -> None:
        """Remove what is overdue and nobody receives just now. Raises OSError."""
        for name in overdue(list(self._leftovers()), self._allowance):
            path = self.folder / name
            with contextlib.suppress(FileNotFoundError), path.open("r+b", buffering=0) as file:
                if _lock(file):
                    path.unlink(missing_ok=True)
                    log.info("evidence.partial_removed", extra={"path": str(path)})

    def _sweep_now_and_then(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if self._swept_ns is None or now_ns - self._swept_ns >= _SWEEP_EVERY_NS:
            self._swept_ns = now_ns
            self.sweep()

    def _leftovers(self) -> Iterator[Leftover]:
        now_s = self._clock.now().timestamp()
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                yield Leftover(path.name, status.st_size, max(0.0, now_s - status.st_mtime))

    @staticmethod
    def _locked(path: Path) -> FileIO:
        """Return the file of that name, made where there is none, open and locked."""
        for _ in range(_TRIES):
            file = path.open("a+b", buffering=0)
            if not _lock(file):
                file.close()
                raise EvidenceAwayError("evidence: it is being received by another replica")
            # It may have been removed, or stored, before it was locked: then the name is another's.
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                    return file
            file.close()
        raise EvidenceAwayError("evidence: it is being received by another replica")


def _lock(file: FileIO) -> bool:
    """Lock an open file; return whether nobody else has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        log.warning("evidence.left_over", extra={"path": str(path), "error": str(error)})
