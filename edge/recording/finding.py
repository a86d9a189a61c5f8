"""What a check of the archive found wrong, and what would put it right. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from protocol.relay import StreamName

#: With more of the rows than this without their file, it is the disk that is missing.
_MOST_MISSING = 0.5
_FEW_ROWS = 20


class Remedy(StrEnum):
    """What a repair does, in words."""

    DROP = "the row goes"
    FORGET = "the row goes, its time becomes a gap"
    SALVAGE = "the row goes, what is sound in the file is read back"
    READ_BACK = "what is sound in the file is read back; a file without a picture goes"
    UNLINK = "the deletion is finished"
    UNCOVER = "the gap is taken off the footage"
    EXPLAIN = "the time becomes a gap of reason disk"
    PERSON = "nothing: a person decides"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is against an invariant of docs/design/recording.md.

    ``segment_id``, ``path`` and the stretch of a stream are there where the remedy needs them.
    """

    invariant: str
    subject: str
    problem: str
    remedy: Remedy
    segment_id: int | None = None
    path: Path | None = None
    stream: tuple[str, StreamName] | None = None
    start: datetime | None = None
    end: datetime | None = None

    def __str__(self) -> str:
        """Return the line that people read."""
        return f"{self.invariant}  {self.subject}: {self.problem} → {self.remedy}"


def forgotten(findings: Iterable[Finding]) -> int:
    """Return how many rows the remedies would forget."""
    return sum(finding.remedy in (Remedy.FORGET, Remedy.SALVAGE) for finding in findings)


def is_too_much(findings: Iterable[Finding], rows: int) -> bool:
    """Return whether so much of the index would go that it is rather the disk that is wrong."""
    return is_most(forgotten(findings), rows)


def is_most(missing: int, rows: int) -> bool:
    """Return whether so many of the rows have no file that the disk is missing, or another one."""
    return rows > _FEW_ROWS and missing > _MOST_MISSING * rows
