"""What is to be deleted, and why. Pure."""

import heapq
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Protocol

from edge.recording.coverage import Stretch
from edge.recording.segment import Hold, Segment

#: As many as one transaction takes without keeping the recorders waiting; the rest comes next.
MOST_DELETIONS = 500


class Reason(StrEnum):
    """Why footage is no longer kept; the words of the proof. The plan gives the first three."""

    AGE = "age"
    QUOTA = "quota"
    WATERMARK = "watermark"
    ORPHAN = "orphan"  # a file without a row and without a picture in it
    LOST = "lost"  # the file of a row was gone or cut short: not our doing


@dataclass(frozen=True, slots=True)
class CameraPolicy:
    """How long a camera's footage is kept, and how much of it at most."""

    days: int
    quota_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How much may be kept, and how long.

    ``quota_bytes`` is for all cameras together. ``days`` is for what ``cameras`` does not name:
    footage of cameras that were renamed or taken out of the configuration.
    """

    days: int
    quota_bytes: int | None
    min_free_fraction: float
    cameras: Mapping[str, CameraPolicy] = field(default_factory=dict)

    def of(self, camera_id: str) -> CameraPolicy:
        """Return what holds for a camera."""
        return self.cameras.get(camera_id) or CameraPolicy(self.days)

    def without_quotas(self) -> "Policy":
        """Return the same without quotas."""
        cameras = {name: CameraPolicy(each.days) for name, each in self.cameras.items()}
        return replace(self, quota_bytes=None, cameras=cameras)

    def or_more(self, other: "Policy") -> "Policy":
        """Return what keeps all that either of the two keeps."""
        cameras = {
            name: CameraPolicy(
                max(self.of(name).days, other.of(name).days),
                _more(self.of(name).quota_bytes, other.of(name).quota_bytes),
            )
            for name in (*self.cameras, *other.cameras)
        }
        return Policy(
            max(self.days, other.days),
            _more(self.quota_bytes, other.quota_bytes),
            min(self.min_free_fraction, other.min_free_fraction),
            cameras,
        )

    @property
    def most_days(self) -> int:
        """The longest that anything is kept."""
        return max([self.days, *(each.days for each in self.cameras.values())])


def _more(one: int | None, other: int | None) -> int | None:
    """Return the larger quota; None, for none, is the largest."""
    return None if one is None or other is None else max(one, other)


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk the recordings are on, and how much of it they take."""

    total_bytes: int
    free_bytes: int
    used_bytes: int


class Holdings(Protocol):
    """What there is to delete. Iterators are read only as far as needed.

    ``passing`` are stretches in order and apart of one another: what begins within one may be left
    out. It is what holds keep, and there may be a hundred times as much of it as of the rest.
    """

    def cameras(self) -> Collection[str]:
        """Return the cameras that there is footage of, configured or not."""

    def of_camera(
        self, camera_id: str, begun_by: datetime | None = None, passing: Sequence[Stretch] = ()
    ) -> Iterable[Segment]:
        """Return a camera's segments, oldest first; only those that begin by ``begun_by``."""

    def camera_bytes(self, camera_id: str) -> int:
        """Return how much a camera's segments take."""


@dataclass(frozen=True, slots=True)
class Deletion:
    """One segment that is to go."""

    segment: Segment
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to go; ``short_bytes`` is what is missing to the limits even then.

    With ``short_bytes`` above 0 in a plan that is not ``partial``, all that is left is held or
    growing, or is not ours.
    """

    deletions: tuple[Deletion, ...]
    short_bytes: int
    partial: bool


def plan(
    holdings: Holdings,
    holds: Iterable[Hold],
    growing: Collection[Path],
    disk: Disk,
    policy: Policy,
    now: datetime,
    is_of_age: Callable[[Segment], bool] = lambda _: True,
) -> Plan:
    """Return what must go so that the limits are kept.

    First what is too old, camera by camera; then what is over a camera's quota; then, where that
    does not do for the box's quota and the free space, the oldest of all cameras, so that what is
    over the legal time goes before anything that is not. Held and growing segments are passed over
    (recording I4), whatever it costs. Those that ``is_of_age`` denies don't go for their age,
    whatever their times say.
    """
    return _Planner(holdings, _Spared(holds, growing, now), disk, policy).plan(now, is_of_age)


class _Spared:
    """What may not go.

    Half a year of alerts is thousands of holds, and what they keep is gone through at every round:
    so holds that touch are one stretch, and a look is a bisection.
    """

    def __init__(self, holds: Iterable[Hold], growing: Collection[Path], now: datetime) -> None:
        self._growing = growing
        self._begins: dict[str, list[datetime]] = {}
        self._ends: dict[str, list[datetime]] = {}
        for hold in sorted(holds, key=lambda hold: hold.start):
            if hold.until > now:
                self._keep(hold.camera_id, hold.start - hold.lead, hold.end)

    def _keep(self, camera_id: str, begin: datetime, end: datetime) -> None:
        begins = self._begins.setdefault(camera_id, [])
        ends = self._ends.setdefault(camera_id, [])
        if ends and begin <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            begins.append(begin)
            ends.append(end)

    def stretches(self, camera_id: str) -> list[Stretch]:
        """Return what is held of a camera, in order and apart: whatever begins in there stays."""
        begins, ends = self._begins.get(camera_id, []), self._ends.get(camera_id, [])
        return list(map(Stretch, begins, ends))

    def __contains__(self, segment: Segment) -> bool:
        if segment.path in self._growing:
            return True
        before = bisect_left(self._begins.get(segment.camera_id, ()), segment.end)
        return before > 0 and segment.start < self._ends[segment.camera_id][before - 1]


class _Planner:
    """One plan in the making."""

    def __init__(self, holdings: Holdings, spared: _Spared, disk: Disk, policy: Policy) -> None:
        self._holdings = holdings
        self._spared = spared
        self._policy = policy
        self._deletions: dict[int, Deletion] = {}
        self._is_full = False
        quota = policy.quota_bytes
        self._over_quota = 0 if quota is None else disk.used_bytes - quota
        self._under_watermark = round(policy.min_free_fraction * disk.total_bytes) - disk.free_bytes
        self._over_own = {
            camera_id: holdings.camera_bytes(camera_id) - each.quota_bytes
            for camera_id, each in policy.cameras.items()
            if each.quota_bytes is not None
        }

    def plan(self, now: datetime, is_of_age: Callable[[Segment], bool]) -> Plan:
        cameras = sorted(self._holdings.cameras())
        for camera_id in cameras:
            self._take_old(camera_id, now, is_of_age)
        for camera_id in sorted(self._over_own):
            self._take(self._not_held(camera_id), partial(self._own_limit, camera_id))
        oldest_first = heapq.merge(
            *map(self._not_held, cameras), key=lambda segment: (segment.start, segment.id)
        )
        self._take(oldest_first, self._limit)
        short = max(0, self._over_quota, self._under_watermark, *self._over_own.values())
        return Plan(tuple(self._deletions.values()), short, partial=self._is_full)

    def _take_old(
        self, camera_id: str, now: datetime, is_of_age: Callable[[Segment], bool]
    ) -> None:
        kept_from = now - timedelta(days=self._policy.of(camera_id).days)
        for segment in self._not_held(camera_id, kept_from):
            if self._is_full:
                return
            if segment.end <= kept_from and is_of_age(segment):
                self._choose(segment, Reason.AGE)

    def _not_held(self, camera_id: str, begun_by: datetime | None = None) -> Iterable[Segment]:
        """Return a camera's segments, oldest first; some of them may be held all the same."""
        return self._holdings.of_camera(camera_id, begun_by, self._spared.stretches(camera_id))

    def _own_limit(self, camera_id: str) -> Reason | None:
        return Reason.QUOTA if self._over_own[camera_id] > 0 else None

    def _limit(self) -> Reason | None:
        if self._over_quota > 0:
            return Reason.QUOTA
        return Reason.WATERMARK if self._under_watermark > 0 else None

    def _take(self, oldest_first: Iterable[Segment], why: Callable[[], Reason | None]) -> None:
        """Choose segments as long as there is a limit that is not kept."""
        segments = iter(oldest_first)
        while (reason := why()) is not None and not self._is_full:
            segment = next(segments, None)
            if segment is None:
                return
            self._choose(segment, reason)

    def _choose(self, segment: Segment, reason: Reason) -> None:
        if segment.id in self._deletions or segment in self._spared:
            return
        if len(self._deletions) == MOST_DELETIONS:
            self._is_full = True
            return
        self._deletions[segment.id] = Deletion(segment, reason)
        self._over_quota -= segment.size_bytes
        self._under_watermark -= segment.size_bytes
        if segment.camera_id in self._over_own:
            self._over_own[segment.camera_id] -= segment.size_bytes
