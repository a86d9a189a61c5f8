"""What the process that makes an export is told, and what it answers. Pure."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from edge.exports.job import Failure, Kind, PartSaid, Piece, Polygon
from edge.media.sample import TICKS_PER_S

#: Of any file: what a FAT32 stick takes, with room for the last recorded file.
PART_BYTES = 3_500_000_000
#: More files than this nobody looks through.
MAX_PARTS = 999

_BITS_PER_PIXEL = 0.1  # at most, of what is encoded anew
_LEAST_RATE = 500_000
_FRAMES_PER_S = 25
_REORDERED = timedelta(seconds=1)


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Source(_Record):
    """One recorded file; its first ``size_bytes`` count.

    ``sha256`` is what the index says of the whole file; None while it is growing.
    """

    path: str
    run_id: str
    start: datetime
    start_dts_90k: int
    duration_90k: int
    size_bytes: int
    sha256: str | None


class Order(_Record):
    """One job for the process: paths are absolute, but for ``stem``, the files' common name.

    ``lines`` are what is burned in; ``{time}`` in them is the wall time in ``zone``.
    """

    folder: str
    stem: str
    kind: Kind
    start: datetime
    end: datetime
    zone: str
    lines: tuple[str, ...] = ()
    plain_lines: tuple[str, ...] = ()
    regions: tuple[Polygon, ...] = ()
    part_bytes: int = PART_BYTES
    sources: tuple[Source, ...]


class Shown(_Record):
    """A stretch of wall time without a hole."""

    start: datetime
    end: datetime


class Used(_Record):
    """A recorded file that is in the result: its hash as it was read.

    ``sha256`` is of the bytes that count. ``intact`` says whether that is what the index says;
    None where the index says nothing.
    """

    path: str
    start: datetime
    end: datetime
    size_bytes: int
    sha256: str
    intact: bool | None


class Lost(_Record):
    """A recorded file that could not be read, and why."""

    path: str
    start: datetime
    end: datetime
    error: str


class MadePart(_Record):
    """One finished video."""

    said: PartSaid
    file: Piece
    shown: tuple[Shown, ...]
    undecodable: int = 0


class Made(_Record):
    """The process's answer: all it made, or why there is nothing.

    ``font`` says what the burned-in text is drawn with; empty where none is.
    """

    parts: tuple[MadePart, ...] = ()
    used: tuple[Used, ...] = ()
    lost: tuple[Lost, ...] = ()
    font: str = ""
    failure: Failure | None = None
    detail: str = ""


def read_until(kind: Kind, end: datetime) -> datetime:
    """Return until when recorded samples are needed to show all pictures before ``end``.

    With B-frames a picture is decoded after some that are shown after it.
    """
    return end if kind is Kind.COPY else end + _REORDERED


def most_bits_per_s(width: int, height: int) -> int:
    """Return the rate that a picture of that size is encoded with at most."""
    return max(_LEAST_RATE, round(width * height * _FRAMES_PER_S * _BITS_PER_PIXEL))


def most_bytes(kind: Kind, size_bytes: int, duration_90k: int, width: int, height: int) -> int:
    """Return how much a result takes at most: of so much footage, so long, of that size."""
    if kind is Kind.COPY:
        return size_bytes
    return 1_000_000 + most_bits_per_s(width, height) * duration_90k // (8 * TICKS_PER_S) * 11 // 10
