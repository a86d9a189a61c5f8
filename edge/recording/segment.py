"""What is recorded and what is missing, as the rest of the box sees it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from edge.media.sample import TICKS_PER_S, Codec, GapReason
from protocol.relay import StreamName

#: A hold reaches back so far at least: the longest file is a minute and a half.
HOLD_LEAD = timedelta(seconds=90)
#: And no further: of a camera that sends no more key frames all would be held.
MOST_LEAD = timedelta(hours=1)

_PATH = re.compile(r"[\w.-]+/(?:main|sub)/\d{8}/\d{6}-[0-9a-f]{32}\.mp4", re.ASCII)


def is_recorded_path(path: str) -> bool:
    """Return whether a path below the recordings folder is one that a recorder makes."""
    return _PATH.fullmatch(path) is not None and not path.startswith(".")


def start_by_name(path: Path) -> datetime | None:
    """Return to the second when a file begins that a recorder made, or None where it says none."""
    try:
        begun = datetime.strptime(f"{path.parent.name}{path.name[:6]}", "%Y%m%d%H%M%S")  # noqa: DTZ007
    except ValueError:
        return None
    return begun.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Footage:
    """Complete fragments of one run in one file, which may still be growing.

    ``path`` is absolute; only its first ``size_bytes`` count, of which ``init_bytes`` are the
    initialisation segment. ``start`` is the wall time of the first sample and ``end`` is ``start``
    plus the media duration. ``start_dts_90k`` is the first sample's media time in its run.
    ``starts_key`` is False where the file was cut inside a very long group of pictures.
    """

    camera_id: str
    stream: StreamName
    run_id: str
    path: Path
    start: datetime
    end: datetime
    start_dts_90k: int
    duration_90k: int
    size_bytes: int
    init_bytes: int
    codec: Codec
    mime_codec: str
    width: int
    height: int
    starts_key: bool = True

    @property
    def run_started(self) -> datetime:
        """When its run began; the same for all files of the run."""
        return self.start - timedelta(microseconds=self.start_dts_90k * 1_000_000 // TICKS_PER_S)


@dataclass(frozen=True, slots=True)
class KeyPoint:
    """Where decoding can begin in a file: so many ticks after its first sample, at a byte of it."""

    after_90k: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFile(Footage):
    """A file that is complete on the disk and not indexed yet.

    ``wall_us`` is how long it took by the monotonic clock; a recovered file repeats its media
    duration there, as nothing else is known. ``keys`` are its fragments that begin with a key
    frame, in order (recording I19); none are known of a row of an older version.
    """

    wall_us: int
    sha256: str
    recovered: bool = False
    keys: tuple[KeyPoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(ClosedFile):
    """A file that is indexed: a complete file of that size and hash (recording I1)."""

    id: int


_AnyFootage = TypeVar("_AnyFootage", bound=Footage)


def run_by_run(footage: Iterable[_AnyFootage]) -> list[_AnyFootage]:
    """Return footage of one stream in the order in which it is played (time I7).

    Where a clock was set back two runs lie on the same wall time, and by that alone their files
    would take turns. Within a run media time decides, between runs their start, then the age of
    their first row.
    """
    items = list(footage)
    first_rows: dict[str, float] = {}
    for item in items:
        row = item.id if isinstance(item, Segment) else float("inf")
        first_rows[item.run_id] = min(row, first_rows.get(item.run_id, row))
    return sorted(
        items,
        key=lambda item: (
            item.run_started,
            first_rows[item.run_id],
            item.run_id,
            item.start_dts_90k,
        ),
    )


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that should have been recorded and was not; ``end`` is None while it lasts."""

    camera_id: str
    stream: StreamName
    start: datetime
    end: datetime | None
    reason: GapReason


@dataclass(frozen=True, slots=True)
class Hold:
    """Footage that may not be deleted before ``until``.

    What is recorded within ``lead`` before it stays too: the key frame of its first picture.
    """

    camera_id: str
    start: datetime
    end: datetime
    reason: str
    until: datetime
    lead: timedelta = HOLD_LEAD


@dataclass(frozen=True, slots=True)
class Totals:
    """What one stream's index rows add up to; growing files are not counted."""

    camera_id: str
    stream: StreamName
    segments: int
    size_bytes: int
    earliest: datetime
    latest: datetime
