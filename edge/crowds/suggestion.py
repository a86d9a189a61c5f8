"""What a rule's own history says of its threshold. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo

from edge.alarm.gathering import LAPSE_S, Timing
from edge.crowds.quarter import MINUTE, Quarter, counts_of

#: A threshold is suggested from the last so many days, and only where there are counts of as many.
WINDOW = timedelta(days=14)
NEEDED_DAYS = 3
#: So many of a hundred minutes had no more people than what is suggested.
PERCENT = 99
#: One person is no gathering, however empty the place is at other times.
LEAST = 2

Minute = tuple[datetime, int]


@dataclass(frozen=True, slots=True)
class DayOfCounts:
    """One day of the box: how many minutes were looked at, and the people in them.

    ``typical`` is the middle minute, ``busy`` the one that PERCENT of them don't exceed, ``peak``
    the highest of any look.
    """

    day: date
    minutes: int
    typical: int
    busy: int
    peak: int


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``threshold`` is None where there are counts of fewer than NEEDED_DAYS of the window's days.

    ``alarms`` is how often the rule would have alarmed in the window as it is, ``alarms_suggested``
    with the suggested threshold: both estimated from its minutes.
    """

    days: int
    minutes: int
    threshold: int | None
    alarms: int
    alarms_suggested: int | None


def percentile(counts: Iterable[int], percent: int) -> int:
    """Return the lowest of the counts that ``percent`` of them don't exceed; 0 of none."""
    ordered = sorted(counts)
    if not ordered:
        return 0
    return ordered[math.ceil(len(ordered) * percent / 100) - 1]


def days_of(quarters: Sequence[Quarter], zone: tzinfo) -> list[DayOfCounts]:
    """Return the days in which anything was counted, oldest first, by where quarters begin."""
    by_day: defaultdict[date, list[Quarter]] = defaultdict(list)
    for quarter in quarters:
        by_day[quarter.start.astimezone(zone).date()].append(quarter)
    found = []
    for day in sorted(by_day):
        counts = [count for _, count in counts_of(by_day[day])]
        peak = max(quarter.peak for quarter in by_day[day])
        typical, busy = percentile(counts, 50), percentile(counts, PERCENT)
        found.append(DayOfCounts(day, len(counts), typical, busy, peak))
    return found


def suggest(quarters: Sequence[Quarter], timing: Timing, zone: tzinfo) -> Suggestion:
    """Return what the quarters of the window, in order of time, say to a rule of that timing.

    Only its lowest threshold is judged: the others say how grave a gathering is.
    """
    minutes = counts_of(quarters)
    days = len({at.astimezone(zone).date() for at, _ in minutes})
    threshold = None
    if days >= NEEDED_DAYS:
        threshold = max(LEAST, percentile((count for _, count in minutes), PERCENT))
    return Suggestion(
        days=days,
        minutes=len(minutes),
        threshold=threshold,
        alarms=alarms(minutes, timing),
        alarms_suggested=None if threshold is None else alarms(minutes, _with(timing, threshold)),
    )


def alarms(minutes: Iterable[Minute], timing: Timing) -> int:
    """Return how often a rule would have started an alert, by one count a minute.

    An estimate: ``hold_s`` and ``clear_s`` are rounded up to whole minutes, and what happened
    within a minute is its middle count. Minutes that nobody looked at are as for the rule: they
    break what was held or clear, and LAPSE_S of them end an alert.
    """
    lowest = min(timing.levels.values())
    hold, clear = _whole(timing.hold_s), _whole(timing.clear_s)
    held = cleared = started = 0
    is_open = False
    before: datetime | None = None
    ended: datetime | None = None
    for at, count in minutes:
        if before is not None and at - before != MINUTE:
            held = cleared = 0
            if is_open and (at - before - MINUTE).total_seconds() >= LAPSE_S:
                is_open, ended = False, before
        before = at
        held = held + 1 if count >= lowest else 0
        cleared = cleared + 1 if count < timing.clear_count else 0
        if is_open and cleared >= clear:
            is_open, ended = False, at
        elif not is_open and held >= hold and not _cools(ended, at, timing.repeat_s):
            is_open, cleared = True, 0
            started += 1
    return started


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds / 60))


def _cools(ended: datetime | None, at: datetime, repeat_s: float) -> bool:
    return ended is not None and (at - ended).total_seconds() < repeat_s


def _with(timing: Timing, threshold: int) -> Timing:
    return replace(timing, levels={min(timing.levels, key=timing.levels.__getitem__): threshold})
