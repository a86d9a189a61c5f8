"""The gathering rule for one region: when a count becomes an alert. Pure.

::

    state    what is seen                                        next     says
    quiet    the vote is for the lowest threshold                rising   -
    rising   a break of gap_s or longer, or nothing seen         quiet    -
    rising   held for hold_s, and repeat_s since the last END    open     START
    open     a higher threshold held for hold_s                  open     UPDATE, level raised
    open     any other frame                                     open     UPDATE
    open     voted below the clear count for clear_s             quiet    END
    open     not looked at for LAPSE_S (lapse)                   quiet    END
    open     a frame outside of the schedule (rest)              quiet    END
    rising   a frame outside of the schedule (rest)              quiet    -

A single frame decides nothing: detectors miss people and see too many. The vote is for a threshold
when ``vote`` of the frames of the last WINDOW_S reach it; that comes vote * WINDOW_S late, so what
is held counts from so much earlier, and START waits for a frame that reaches the threshold itself.
While it is open every look says what it is: which of it is worth sending, and when, the desk knows.

Time is the frames' own. A time that is not later than the last is not looked at, unless it is so
much earlier that the clock was set: then every timer begins anew and an open alert stays open.
A stretch in which nothing was seen (the camera was lost, or the clock was set ahead) counts for
nothing: not as held, not as clear, and not as a lapse. That is for :meth:`Gathering.lapse`, which
is told by the monotonic clock how long nothing was seen.

Outside of its schedule a rule counts for nothing: the first frame there ends an open alert, whoever
is still there, and forgets what was held, so nobody who came before a period began is in its hold.
``repeat_s`` does count across: a crowd that stays through a short break is not called for anew.
"""

import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from edge.alarm.passage import Passage, Step, seconds
from edge.alarm.sensitivity import LEANINGS, Sensitivity
from protocol.messages import AlertLevel, AlertOp

#: An open alert whose camera was not seen for so long says nothing any more.
LAPSE_S = 600.0
#: The vote. Tuned over several variants on one annotated clip (PETS09-S2L1, `bench.scene`) and not
#: tried on any other, nor yet there with the fallback model: a fit, not a validated choice.
WINDOW_S, VOTE = 4.0, LEANINGS[Sensitivity.NORMAL].vote

_ORDER = list(AlertLevel)


@dataclass(frozen=True, slots=True)
class Timing:
    """The settings of GatheringSection that decide, and how long without frames is blind.

    ``blind_s`` is for the rate that was asked for; a slower one that is achieved makes it longer.
    """

    levels: Mapping[AlertLevel, int]
    hold_s: float
    gap_s: float
    clear_fraction: float
    clear_s: float
    repeat_s: float
    blind_s: float = 3.0
    vote: float = VOTE

    @property
    def clear_count(self) -> int:
        """Fewer people than this are a region that has cleared."""
        lowest = min(self.levels.values())
        # 0.7 of 10 is 7 and not 7.000000000000001
        return max(1, math.ceil(round(self.clear_fraction * lowest, 6)))


@dataclass(frozen=True, slots=True)
class Change:
    """What the rule says at ``at``."""

    op: AlertOp
    level: AlertLevel
    at: datetime
    count: int
    threshold: int


class _Window:
    """The counts of the last WINDOW_S, of which the share ``vote`` decides."""

    def __init__(self, vote: float) -> None:
        self.late = timedelta(seconds=vote * WINDOW_S)  # by so much a vote comes after the event
        self._vote = vote
        self._counts: deque[tuple[datetime, int]] = deque()

    def add(self, at: datetime, count: int) -> int:
        """Take a count and return the voted one: what ``vote`` of the frames reach."""
        self._counts.append((at, count))
        while seconds(self._counts[0][0], at) >= WINDOW_S:
            self._counts.popleft()
        ordered = sorted((count for _, count in self._counts), reverse=True)
        return ordered[math.ceil(round(self._vote * len(ordered), 6)) - 1]

    def first(self, threshold: int) -> datetime | None:
        """Return when a frame of the window first reached the threshold."""
        return next((at for at, count in self._counts if count >= threshold), None)

    def clear(self) -> None:
        self._counts.clear()


class _Hold:
    """Since when the vote has been for a threshold; breaks shorter than ``gap_s`` don't count."""

    def __init__(self, threshold: int, gap_s: float) -> None:
        self.threshold = threshold
        self._gap_s = gap_s
        self._since: datetime | None = None
        self._broken_at: datetime | None = None

    def update(self, at: datetime, voted: int, window: _Window) -> None:
        """Take the voted count of a frame."""
        if voted >= self.threshold:
            if self._since is None or self._is_broken(at):
                self._since = max(at - window.late, window.first(self.threshold) or at)
            self._broken_at = None
        elif self._broken_at is None:
            self._broken_at = at
        if self._is_broken(at):
            self.reset()

    def _is_broken(self, at: datetime) -> bool:
        return self._broken_at is not None and seconds(self._broken_at, at) >= self._gap_s

    def has_lasted(self, at: datetime, hold_s: float) -> bool:
        """Return whether it is held right now and has been for so long."""
        if self._since is None or self._broken_at is not None:
            return False
        return seconds(self._since, at) >= hold_s

    def reset(self) -> None:
        """Begin anew."""
        self._since = self._broken_at = None


class Gathering:
    """The state machine above. Not thread-safe; one for each rule and region."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        levels = sorted(timing.levels, key=_ORDER.index)
        self._holds = {level: _Hold(timing.levels[level], timing.gap_s) for level in levels}
        self._lowest = levels[0]
        self._window = _Window(timing.vote)
        self._passage = Passage(timing.blind_s)
        self._level: AlertLevel | None = None  # of the open alert
        self._low_since: datetime | None = None
        self._ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether an alert is open."""
        return self._level is not None

    def resume(self, level: AlertLevel) -> None:
        """Go on from an alert that was open when the box stopped; before the first update."""
        self._level = level if level in self._holds else self._lowest

    def update(self, at: datetime, count: int) -> Change | None:
        """Take the count of a frame and return what changed, if anything did."""
        if not self._step(at):
            return None
        voted = self._window.add(at, count)
        for hold in self._holds.values():
            hold.update(at, voted, self._window)
        return self._begin(at, count) if self._level is None else self._go_on(at, voted)

    def rest(self, at: datetime, count: int = 0) -> Change | None:
        """Take a frame that is outside of the schedule; return the END of an alert it finds open.

        ``count`` is who is there: staff see that the schedule ended it and not the crowd.
        """
        if not self._step(at):
            return None
        self._window.clear()
        self._forget()
        return None if self._level is None else self._end(at, count)

    def _step(self, at: datetime) -> bool:
        """Take the time of a frame; return whether it is one to look at."""
        step = self._passage.step(at)
        if step in (Step.AFTER_GAP, Step.SET_BACK):
            self._forget()
            self._window.clear()
        return step is not Step.STALE

    def lapse(self, now: datetime, unseen_s: float) -> Change | None:
        """End an alert, at ``now``, whose camera was not looked at for LAPSE_S.

        Call it now and then; ``unseen_s`` is the monotonic age of the last frame.
        """
        if self._level is None or unseen_s < max(LAPSE_S, self._timing.clear_s):
            return None
        return self._end(now, 0)

    def _forget(self) -> None:
        self._low_since = None
        for hold in self._holds.values():
            hold.reset()

    def _held_level(self, at: datetime) -> AlertLevel | None:
        held = [
            level for level, hold in self._holds.items() if hold.has_lasted(at, self._timing.hold_s)
        ]
        return held[-1] if held else None

    def _begin(self, at: datetime, count: int) -> Change | None:
        level = self._held_level(at)
        if level is None or count < self._timing.levels[self._lowest] or self._cools(at):
            return None
        self._level, self._low_since = level, None
        return self._change(AlertOp.START, at, count)

    def _cools(self, at: datetime) -> bool:
        if self._ended_at is None:
            return False
        return 0 <= seconds(self._ended_at, at) < self._timing.repeat_s

    def _go_on(self, at: datetime, count: int) -> Change | None:
        assert self._level is not None
        if count >= self._timing.clear_count:
            self._low_since = None
        elif self._low_since is None:
            self._low_since = at
        if self._low_since is not None and seconds(self._low_since, at) >= self._timing.clear_s:
            return self._end(at, count)
        level = self._held_level(at)
        if level is not None and _ORDER.index(level) > _ORDER.index(self._level):
            self._level = level
        return self._change(AlertOp.UPDATE, at, count)

    def _end(self, at: datetime, count: int) -> Change:
        change = self._change(AlertOp.END, at, count)
        self._level, self._low_since, self._ended_at = None, None, at
        self._forget()
        return change

    def _change(self, op: AlertOp, at: datetime, count: int) -> Change:
        assert self._level is not None
        return Change(op, self._level, at, count, self._timing.levels[self._level])
