"""What is recorded and what is missing, as the rest of the box sees it."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from edge.media.sample import Codec, GapReason
from protocol.relay import StreamName


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


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFile(Footage):
    """A file that is complete on the disk and not indexed yet.

    ``wall_us`` is how long it took by the monotonic clock; a recovered file repeats its media
    duration there, as nothing else is known.
    """

    wall_us: int
    sha256: str
    recovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment(ClosedFile):
    """A file that is indexed: a complete file of that size and hash (recording I1)."""

    id: int


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
    """Footage that may not be deleted before ``until``."""

    camera_id: str
    start: datetime
    end: datetime
    reason: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Totals:
    """What one stream's index rows add up to; growing files are not counted."""

    camera_id: str
    stream: StreamName
    segments: int
    size_bytes: int
    earliest: datetime
    latest: datetime
