"""How long the disk will do at the rate of the last day. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from edge.recording.retention import Disk, Policy

#: A camera that was recorded for less of the last day says nothing of a whole one.
LEAST_RECORDED_S = 600.0
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a camera's footage takes.

    ``lately_bytes`` and ``lately_s`` are of the last day: what was written and how long it lasts.
    ``beyond_bytes`` is older than the camera's days: held, or waiting for the janitor.
    """

    camera_id: str
    size_bytes: int
    beyond_bytes: int
    lately_bytes: int
    lately_s: float


@dataclass(frozen=True, slots=True)
class CameraForecast:
    """``fits_days`` of footage will be there, of the ``days`` promised; None: not known yet.

    ``daily_bytes`` is what a whole day takes.
    """

    camera_id: str
    days: int
    daily_bytes: int | None
    fits_days: float | None

    @property
    def is_short(self) -> bool:
        """Whether the promise can't be kept."""
        return self.fits_days is not None and self.fits_days < self.days


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of all cameras.

    ``full_in_days``: when the limits are reached and the oldest must go; 0 where they are, None
    where nothing is written, or every camera comes to its own days before that.
    """

    cameras: tuple[CameraForecast, ...]
    full_in_days: float | None


def forecast(usages: Iterable[Usage], disk: Disk, policy: Policy) -> Forecast:
    """Return how many days each camera will be kept, recorded all day at its rate of the last one.

    The room is shared as the plan shares it: a camera that has reached its days takes no more, and
    where the limits come first all others are kept for the same time. Where all fits, what is left
    over is told as more days for all. What is beyond its days stays where it is.
    """
    known = list(usages)
    rates = {each.camera_id: _daily(each) for each in known}
    writing = {camera_id: rate for camera_id, rate in rates.items() if rate}
    free = disk.free_bytes - round(policy.min_free_fraction * disk.total_bytes)
    if policy.quota_bytes is not None:
        free = min(free, policy.quota_bytes - disk.used_bytes)
    beyond = sum(each.beyond_bytes for each in known)
    # What idle cameras have goes for its age, but no sooner than the others fill its place.
    room = max(0, free + disk.used_bytes - beyond)
    owns = {camera_id: _own_days(camera_id, rate, policy) for camera_id, rate in writing.items()}
    common, spare = _shared(room, [(rate, owns[name]) for name, rate in writing.items()])
    return Forecast(
        tuple(
            CameraForecast(
                each.camera_id,
                policy.of(each.camera_id).days,
                rates[each.camera_id],
                _fits(each.camera_id, rates, policy, common, spare),
            )
            for each in known
        ),
        _full_in_days(free, known, writing, owns),
    )


def _full_in_days(
    free: int, known: list[Usage], writing: dict[str, int], owns: dict[str, float]
) -> float | None:
    if not writing:
        return None
    kept = {each.camera_id: each.size_bytes - each.beyond_bytes for each in known}
    to_come = sum(max(0.0, rate * owns[name] - kept[name]) for name, rate in writing.items())
    return None if free > 0 and to_come <= free else max(0.0, free / sum(writing.values()))


def _daily(usage: Usage) -> int | None:
    if usage.lately_s < LEAST_RECORDED_S:
        return None
    return round(usage.lately_bytes * _DAY_S / usage.lately_s)


def _own_days(camera_id: str, rate: int, policy: Policy) -> float:
    """Return the days that a camera's own limits leave it."""
    own = policy.of(camera_id)
    return own.days if own.quota_bytes is None else min(own.days, own.quota_bytes / rate)


def _shared(room: float, wants: list[tuple[int, float]]) -> tuple[float | None, float]:
    """Return the days that ``room`` gives to all, or None and what is left over, in days of all.

    ``wants`` are bytes a day and days; None: all get what they want.
    """
    if not wants:
        return None, 0.0
    wants = sorted(wants, key=lambda want: want[1])
    rates = sum(rate for rate, _ in wants)
    for rate, days in wants:
        if room < rates * days:
            return room / rates, 0.0
        room -= rate * days
        rates -= rate
    return None, room / sum(rate for rate, _ in wants)


def _fits(
    camera_id: str,
    rates: dict[str, int | None],
    policy: Policy,
    common: float | None,
    spare: float,
) -> float | None:
    rate = rates[camera_id]
    if not rate:
        return None
    own = policy.of(camera_id)
    by_quota = float("inf") if own.quota_bytes is None else own.quota_bytes / rate
    by_disk = own.days + spare if common is None else min(common, own.days)
    return min(by_quota, by_disk)
