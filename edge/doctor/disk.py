"""Whether the disks hold what the box must keep. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from edge.doctor.finding import Finding, Kind, Values

#: The janitor deletes down to the least free share: far below it, it can't.
_FULL_SHARE = 0.5
_INODES_FRACTION = 0.05
_WORN_PERCENT = 80
#: Thirty-two cameras of 2 Mbit/s are 8 MB/s.
_SLOW_MB_S = 10.0
_GB = 1e9


class Use(StrEnum):
    """What a folder is for."""

    DATABASE = "database"
    RECORDINGS = "recordings"


@dataclass(frozen=True, slots=True)
class WriteTest:
    """A test file that was written: how fast, or why it could not be."""

    mb_s: float | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class FolderFacts:
    """A folder and the file system that it is on, or that it will be made on.

    ``is_missing`` is one that is not there and that the box does not make itself.
    ``device`` tells file systems apart. ``network`` is its type where another machine has a hand in
    it, else empty. ``worn_percent`` is the used part of a flash chip's life; ``failing`` is the
    disk's own word (SMART); None is what it does not tell. ``is_writable`` is for who asks.
    """

    use: Use
    path: str
    is_there: bool
    is_missing: bool
    device: int
    network: str
    is_read_only: bool
    is_writable: bool
    total_bytes: int
    free_bytes: int
    inodes: int
    free_inodes: int
    worn_percent: int | None = None
    failing: bool | None = None
    written: WriteTest | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """How long a camera's footage fits, of the days promised, as the running box expects it."""

    camera_id: str
    days: int
    fits_days: float


@dataclass(frozen=True, slots=True)
class Limits:
    """What the configuration says of the recordings' disk."""

    min_free_fraction: float
    quota_bytes: int | None


def judge(
    folders: Iterable[FolderFacts], limits: Limits, expected: Iterable[Expected]
) -> Iterator[Finding]:
    """Yield what is to be said of the folders; a file system that two share is judged once."""
    judged: set[int] = set()
    for facts in folders:
        if facts.is_missing:
            yield Finding(Kind.DISK_MISSING, facts.path)
            continue
        found = list(_judge_folder(facts))
        if facts.device not in judged:
            judged.add(facts.device)
            found += _judge_file_system(facts, limits)
        yield from found or [Finding(Kind.DISK_FINE, facts.path, _size(facts))]
        yield from _judge_write_test(facts)
    for each in expected:
        if each.fits_days < each.days:
            values = {"days": each.days, "fits_days": round(each.fits_days, 1)}
            yield Finding(Kind.DISK_DAYS_SHORT, each.camera_id, values)


def _judge_folder(facts: FolderFacts) -> Iterator[Finding]:
    if facts.is_read_only:
        yield Finding(Kind.DISK_READ_ONLY, facts.path)
    elif not facts.is_writable:
        yield Finding(Kind.DISK_NOT_WRITABLE, facts.path)
    if facts.use is Use.DATABASE and facts.network:
        yield Finding(Kind.DISK_NETWORK_DATABASE, facts.path, {"type": facts.network})


def _judge_file_system(facts: FolderFacts, limits: Limits) -> Iterator[Finding]:
    size = _size(facts)
    if facts.free_bytes < facts.total_bytes * limits.min_free_fraction * _FULL_SHARE:
        yield Finding(Kind.DISK_FULL, facts.path, size)
    if facts.inodes and facts.free_inodes < facts.inodes * _INODES_FRACTION:
        yield Finding(Kind.DISK_INODES_SHORT, facts.path, {"free_inodes": facts.free_inodes})
    if (
        facts.use is Use.RECORDINGS
        and limits.quota_bytes is not None
        and limits.quota_bytes > facts.total_bytes
    ):
        values = {**size, "quota_gb": round(limits.quota_bytes / _GB)}
        yield Finding(Kind.DISK_QUOTA_TOO_LARGE, facts.path, values)
    if facts.worn_percent is not None and facts.worn_percent >= _WORN_PERCENT:
        yield Finding(Kind.DISK_WORN, facts.path, {"worn_percent": facts.worn_percent})
    if facts.failing:
        yield Finding(Kind.DISK_FAILING, facts.path)


def _judge_write_test(facts: FolderFacts) -> Iterator[Finding]:
    if facts.written is None:
        return
    if facts.written.mb_s is None:
        yield Finding(Kind.DISK_WRITE_FAILED, facts.path, {"error": facts.written.error})
        return
    kind = Kind.DISK_SLOW if facts.written.mb_s < _SLOW_MB_S else Kind.DISK_SPEED
    yield Finding(kind, facts.path, {"mb_s": round(facts.written.mb_s, 1)})


def _size(facts: FolderFacts) -> Values:
    return {
        "free_gb": round(facts.free_bytes / _GB, 1),
        "total_gb": round(facts.total_bytes / _GB, 1),
    }
