"""The seam behind which whole pieces lie: on a disk, or on S3-compatible storage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Protocol

from central.codes import EvidencePlace
from central.errors import EvidenceAwayError
from central.evidence.span import Span


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that lies there, since ``since``."""

    key: str
    since: datetime


class Content(Protocol):
    """Bytes that are being read; for the reader to close."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes, at most ``size``; none at the end."""

    def close(self) -> None:
        """Let go of them."""


class EvidenceStorage(Protocol):
    """Files under keys; a key is never used for other bytes. For many threads.

    Where it is away, full or refuses for now, what is asked of it raises EvidenceAwayError.
    """

    def check(self) -> None:
        """Raise EvidenceAwayError where it is known to take nothing now; asks nobody."""

    def probe(self) -> None:
        """Find out whether it works. Raises EvidenceAwayError."""

    @property
    def works(self) -> bool:
        """Whether it did when it was last asked."""

    def put(self, key: str, source: Path, sha256: str) -> None:
        """Keep a copy of a file that has this hash: once this returns it is whole and durable.

        ``source`` stays as it is. The same again is nothing new. Raises EvidenceAwayError with
        perhaps a file under the key that nobody may vouch for.
        """

    def open(self, key: str, span: Span) -> Content:
        """Return those bytes of a file. Raises NotFoundError, EvidenceAwayError."""

    def delete(self, key: str) -> None:
        """Remove a file, or do nothing where there is none. Raises EvidenceAwayError."""

    def kept(self) -> Iterator[Kept]:
        """Yield every file, in no order; some may be somebody else's. Raises EvidenceAwayError."""

    def end_unfinished(self, before: datetime) -> int:
        """Drop what of an unfinished put lies since before then; return how many there were."""


def in_batches(kept: Iterator[Kept], size: int) -> Iterator[Sequence[Kept]]:
    """Yield all of them, ``size`` at a time."""
    while some := list(islice(kept, size)):
        yield some


@dataclass(frozen=True, slots=True)
class Storages:
    """Every place that is configured, and the one that new pieces go to."""

    by_place: Mapping[EvidencePlace, EvidenceStorage]
    target: EvidencePlace

    @property
    def newest(self) -> EvidenceStorage:
        """The storage that new pieces go to."""
        return self.by_place[self.target]

    def at(self, place: EvidencePlace) -> EvidenceStorage:
        """Return the storage of a place. Raises EvidenceAwayError where it is not configured."""
        storage = self.by_place.get(place)
        if storage is None:
            raise EvidenceAwayError(f"evidence: it lies on {place}, which is not configured")
        return storage
