"""What is to be deleted, and why. Pure."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from edge.recording.segment import Hold, Segment

#: As many as one transaction takes without keeping the recorders waiting; the rest comes next.
MOST_DELETIONS = 500

#: A hold reaches so far back, so that the key frame its first picture needs is held too: the
#: longest file is a minute and a half.
HOLD_LEAD = timedelta(seconds=90)


class Reason(StrEnum):
    """Why footage is no longer kept; the words of the proof. The plan gives the first three."""

    AGE = "age"
    QUOTA = "quota"
    WATERMARK = "watermark"
    ORPHAN = "orphan"  # a file without a row and without a picture in it
    LOST = "lost"  # the file of a row was gone or cut short: not our doing


@dataclass(frozen=True, slots=True)
class Policy:
    """How much may be kept, and how long. ``quota_bytes`` is for all cameras together."""

    days: int
    quota_bytes: int | None
    min_free_fraction: float


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk the recordings are on, and how much of it they take."""

    total_bytes: int
    free_bytes: int
    used_bytes: int


@dataclass(frozen=True, slots=True)
class Deletion:
    """One segment that is to go."""

    segment: Segment
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to go, oldest first; ``short_bytes`` is what is missing to the limits even then.

    With ``short_bytes`` above 0 in a plan that is not ``partial``, all that is left is held or
    growing, or is not ours.
    """

    deletions: tuple[Deletion, ...]
    short_bytes: int
    partial: bool


def plan(
    oldest_first: Iterable[Segment],
    holds: Iterable[Hold],
    growing: Collection[Path],
    disk: Disk,
    policy: Policy,
    now: datetime,
    is_of_age: Callable[[Segment], bool] = lambda _: True,
) -> Plan:
    """Return what must go so that the limits are kept.

    ``oldest_first`` is read only as far as needed. Held and growing segments are passed over
    (recording I4), whatever it costs. Those that ``is_of_age`` denies don't go for their age,
    whatever their times say.
    """
    kept_from = now - timedelta(days=policy.days)
    over_quota = 0 if policy.quota_bytes is None else disk.used_bytes - policy.quota_bytes
    under_watermark = round(policy.min_free_fraction * disk.total_bytes) - disk.free_bytes
    by_camera = _by_camera(holds, now)
    deletions: list[Deletion] = []
    for segment in oldest_first:
        if segment.end <= kept_from and is_of_age(segment):
            reason = Reason.AGE
        elif over_quota > 0:
            reason = Reason.QUOTA
        elif under_watermark > 0:
            reason = Reason.WATERMARK
        elif segment.start > kept_from:
            break
        else:
            continue
        if segment.path in growing or _is_held(segment, by_camera.get(segment.camera_id, ())):
            continue
        if len(deletions) == MOST_DELETIONS:
            return Plan(tuple(deletions), max(0, over_quota, under_watermark), partial=True)
        deletions.append(Deletion(segment, reason))
        over_quota -= segment.size_bytes
        under_watermark -= segment.size_bytes
    return Plan(tuple(deletions), max(0, over_quota, under_watermark), partial=False)


def _by_camera(holds: Iterable[Hold], now: datetime) -> dict[str, list[Hold]]:
    by_camera: dict[str, list[Hold]] = {}
    for hold in holds:
        if hold.until > now:
            by_camera.setdefault(hold.camera_id, []).append(hold)
    return by_camera


def _is_held(segment: Segment, holds: Iterable[Hold]) -> bool:
    return any(segment.start < hold.end and segment.end > hold.start - HOLD_LEAD for hold in holds)
