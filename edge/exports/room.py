"""How much of the disk exports may take, and which of them go. Pure."""

import errno
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.exports.job import ENDED, Job, State

KEPT_FOR = timedelta(days=7)
#: So many results, and as many jobs that came to nothing: more nobody looks through.
MOST_KEPT = 200
#: All results together: so much, or that part of a larger disk.
LEAST_TOTAL_BYTES = 5_000_000_000
TOTAL_FRACTION = 0.05
#: Beside what the watermark leaves.
_SPARE_BYTES = 256_000_000
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@dataclass(frozen=True, slots=True)
class Space:
    """The disk that exports are written to."""

    total_bytes: int
    free_bytes: int


def budget_bytes(space: Space) -> int:
    """Return how much all results may take together."""
    return max(LEAST_TOTAL_BYTES, round(TOTAL_FRACTION * space.total_bytes))


def floor_bytes(space: Space, min_free_fraction: float) -> int:
    """Return how much must stay free, whatever is exported.

    A disk in use stands at the watermark, ``min_free_fraction``: retention keeps it there. So an
    export may take half of what is free then; it never takes the rest, and retention makes up for
    it with the oldest footage that nobody holds.
    """
    return round(min_free_fraction * space.total_bytes / 2) + _SPARE_BYTES


def has_room(space: Space, min_free_fraction: float, more_bytes: int) -> bool:
    """Say whether ``more_bytes`` may be written."""
    return space.free_bytes - more_bytes >= floor_bytes(space, min_free_fraction)


def is_full(error: OSError) -> bool:
    """Say whether a disk refused for want of room."""
    return error.errno in _FULL


def outdated(
    jobs: Iterable[Job], read: Collection[str], now: datetime, most_bytes: int
) -> list[Job]:
    """Return the ended jobs that go at ``now``, oldest first.

    These are the ones that ended KEPT_FOR ago, and as many more as the results are over
    ``most_bytes`` by, or the results or those that have none over MOST_KEPT. One that is being
    ``read`` stays.
    """
    ended = sorted((job for job in jobs if job.state in ENDED), key=lambda job: job.id)
    over_bytes = sum(job.size_bytes for job in ended) - most_bytes
    counted = Counter(job.state is State.DONE for job in ended)
    going = []
    for job in ended:
        if job.id in read:
            continue
        has_result = job.state is State.DONE
        is_old = job.ended_at is not None and now - job.ended_at >= KEPT_FOR
        if is_old or counted[has_result] > MOST_KEPT or (over_bytes > 0 and has_result):
            going.append(job)
            counted[has_result] -= 1
            over_bytes -= job.size_bytes
    return going
