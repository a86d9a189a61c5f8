"""The fire rule for one region: when sightings of flame and smoke become alerts. Pure.

Flame and smoke are two alerts, each with its own state::

    state    what is seen                                        next     says
    quiet    sure (below), and repeat_s since the last END       open     START
    open     flame became sure within RAISE_S of smoke           open     UPDATE, extra-urgent
    open     any other frame                                     open     UPDATE
    open     hardly seen any more (CLEAR_SHARE) for clear_s      quiet    END
    open     not looked at for LAPSE_S (lapse)                   quiet    END
    open     a frame outside of the schedule (rest)              quiet    END

**Flame** is sure when it is in ``vote`` (3 of 5) of the looks of the last ``confirm_s``, over at
least SPAN_S, and flickers; a look is then one of at least MIN_LOOKS, however slowly they come. No
single frame, and no burst of frames of one flash, is a fire.

**Smoke** is sure when it is held for ``hold_s``, grows or moves, and is new to the view
(edge.alarm.smoke). Until the background is known it must grow.

**Strategy** ``any``: each starts its own alert. ``both`` (for cameras that alarm falsely): nothing
is said before flame and smoke have both been sure within TOGETHER_S; then the flame alert starts,
raised, and either keeps it open; smoke has none of its own.

Flame within RAISE_S after smoke was sure is a fire that spreads: the flame alert starts at
extra-urgent and an open smoke alert is raised to it.

Time is the frames' own, as in edge.alarm.gathering: stale frames are not looked at; a clock set
back or a stretch in which nothing was seen begins every timer anew and leaves open alerts open.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from edge.alarm.passage import Passage, Step, seconds
from edge.alarm.smoke import Background, SmokeHold
from edge.ports import Rectangle, Sighting
from protocol.messages import AlertKind, AlertLevel, AlertOp

#: An open alert whose camera was not seen for so long says nothing any more.
LAPSE_S = 600.0
#: A vote is over at least so many looks, and the looks that show a flame over at least so long.
MIN_LOOKS, SPAN_S = 5, 2.0
#: A flame changes from look to look by more grey levels than this somewhere; a lamp does not.
FLICKERS = 1.0
#: Below this share of the looks an alert begins to clear: well below what starts one.
CLEAR_SHARE = 0.2
#: Flame so soon after smoke raises the level.
RAISE_S = 600.0
TOGETHER_S = 60.0


class Strategy(StrEnum):
    """Whether flame or smoke alone is enough (任意), or only both together (协同)."""

    ANY = "any"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class FireTiming:
    """The settings of FireSection that decide, and how long without frames is blind.

    ``vote`` is the share of looks that shows a flame. Levels are those of an alert that begins.
    """

    strategy: Strategy = Strategy.ANY
    flame_level: AlertLevel = AlertLevel.EXTRA_URGENT
    smoke_level: AlertLevel = AlertLevel.URGENT
    confirm_s: float = 5.0
    hold_s: float = 20.0
    clear_s: float = 60.0
    repeat_s: float = 300.0
    vote: float = 0.6
    blind_s: float = 3.0


@dataclass(frozen=True, slots=True)
class FireChange:
    """What the rule says of flame or of smoke at ``at``; ``score`` is of what is seen then."""

    op: AlertOp
    kind: AlertKind
    level: AlertLevel
    at: datetime
    score: float | None


class FlameVote:
    """Whether flame is in enough of the looks of the last seconds. Not thread-safe."""

    def __init__(self, confirm_s: float, vote: float) -> None:
        self._confirm_s = confirm_s
        self._vote = vote
        self._looks: deque[tuple[datetime, float | None]] = deque()

    def add(self, at: datetime, motion: float | None) -> None:
        """Take a look: how much the flame in it moves, or None where there is none."""
        self._looks.append((at, motion))
        while self._is_spent(at):
            self._looks.popleft()

    def _is_spent(self, at: datetime) -> bool:
        age_s = seconds(self._looks[0][0], at)
        # Slow looks stay until there are enough of them, but not for ever.
        is_enough = len(self._looks) > MIN_LOOKS
        return age_s > 2 * self._confirm_s or (is_enough and age_s > self._confirm_s)

    @property
    def is_sure(self) -> bool:
        """Return whether it is an alarm now."""
        seen = [(at, motion) for at, motion in self._looks if motion is not None]
        needed = math.ceil(round(self._vote * max(len(self._looks), MIN_LOOKS), 6))
        return (
            bool(seen)
            and seen[-1] == self._looks[-1]
            and len(seen) >= needed
            and seconds(seen[0][0], seen[-1][0]) >= SPAN_S
            and max(motion for _, motion in seen) >= FLICKERS
        )

    @property
    def share(self) -> float:
        """Return the share of the last looks that show a flame."""
        seen = sum(motion is not None for _, motion in self._looks)
        return seen / max(len(self._looks), 1)

    def forget(self) -> None:
        """Begin anew."""
        self._looks.clear()


class _Alert:
    """What is said of one kind: whether it is open, its level, and when it last ended."""

    def __init__(self, kind: AlertKind, timing: FireTiming) -> None:
        self._kind = kind
        self._timing = timing
        self.level: AlertLevel | None = None
        self._low_since: datetime | None = None
        self._ended_at: datetime | None = None

    def resume(self, level: AlertLevel) -> None:
        self.level = level

    def start(self, at: datetime, level: AlertLevel, score: float | None) -> FireChange | None:
        """Begin, unless the last one ended less than repeat_s ago."""
        if self._ended_at is not None and (
            0 <= seconds(self._ended_at, at) < self._timing.repeat_s
        ):
            return None
        self.level, self._low_since = level, None
        return self._change(AlertOp.START, at, score)

    def go_on(self, at: datetime, share: float, score: float | None) -> FireChange:
        if share >= CLEAR_SHARE:
            self._low_since = None
        elif self._low_since is None:
            self._low_since = at
        if self._low_since is not None and seconds(self._low_since, at) >= self._timing.clear_s:
            return self.end(at)
        return self._change(AlertOp.UPDATE, at, score)

    def end(self, at: datetime) -> FireChange:
        change = self._change(AlertOp.END, at, None)
        self.level, self._low_since, self._ended_at = None, None, at
        return change

    def forget(self) -> None:
        self._low_since = None

    def _change(self, op: AlertOp, at: datetime, score: float | None) -> FireChange:
        assert self.level is not None
        return FireChange(op, self._kind, self.level, at, score)


class Fire:
    """The state machine above. Not thread-safe; one for each rule and region.

    What is masked, or of too low a score, is left out by the caller; ``weak`` are all boxes that
    look like smoke, whatever their score: they make the background.
    """

    def __init__(self, timing: FireTiming) -> None:
        self._timing = timing
        self._passage = Passage(timing.blind_s)
        self._flame = FlameVote(timing.confirm_s, timing.vote)
        self._smoke = SmokeHold(timing.hold_s)
        self._background = Background(timing.hold_s)
        self._alerts = {kind: _Alert(kind, timing) for kind in (AlertKind.FLAME, AlertKind.SMOKE)}
        self._sure_at: dict[AlertKind, datetime] = {}

    @property
    def is_open(self) -> bool:
        """Whether any alert is open."""
        return any(alert.level is not None for alert in self._alerts.values())

    @property
    def is_busy(self) -> bool:
        """Whether there is reason to look often: an open alert, or something seen lately."""
        return self.is_open or self._flame.share > 0 or self._smoke.share > 0

    def resume(self, kind: AlertKind, level: AlertLevel) -> None:
        """Go on from an alert that was open when the box stopped; before the first update."""
        self._alerts[kind].resume(level)

    def update(
        self, at: datetime, sightings: Sequence[Sighting], weak: Sequence[Rectangle] = ()
    ) -> list[FireChange]:
        """Take what one look shows and return what the rule says of it."""
        if not self._step(at):
            return []
        scores = self._note(at, sightings, weak)
        raised = self._judge(at)
        said = [self._say(at, kind, scores.get(kind), raised=raised) for kind in self._alerts]
        return [change for change in said if change is not None]

    def rest(self, at: datetime) -> list[FireChange]:
        """Take a frame that is outside of the schedule; return the ENDs of what it finds open."""
        if not self._step(at):
            return []
        self._forget()
        return self._end_all(at)

    def lapse(self, now: datetime, unseen_s: float) -> list[FireChange]:
        """End, at ``now``, what is open on a camera that was not looked at for LAPSE_S.

        Call it now and then; ``unseen_s`` is the monotonic age of the last frame.
        """
        if unseen_s < max(LAPSE_S, self._timing.clear_s):
            return []
        return self._end_all(now)

    # -- what was seen -----------------------------------------------------------------------------

    def _step(self, at: datetime) -> bool:
        step = self._passage.step(at)
        if step is Step.STALE:
            return False
        if step is not Step.NEXT:
            self._forget()
        if step is Step.SET_BACK:
            # Moments of the old clock say nothing beside those of the new one.
            self._background.forget()
            self._sure_at.clear()
        return True

    def _note(
        self, at: datetime, sightings: Sequence[Sighting], weak: Sequence[Rectangle]
    ) -> dict[AlertKind, float]:
        """Take the look into all windows; return the best score of each kind that counts."""
        flames = [each for each in sightings if each.kind is AlertKind.FLAME]
        smokes = [each for each in sightings if each.kind is AlertKind.SMOKE]
        smokes = [each for each in smokes if self._background.is_new(at, each.box)]
        if self._alerts[AlertKind.SMOKE].level is None:
            # An open alert's smoke must not become its own background.
            self._background.note(at, weak)
        self._flame.add(at, max((each.motion for each in flames), default=None))
        area = sum(_area(each.box) for each in smokes)
        self._smoke.add(at, area, max((each.motion for each in smokes), default=0.0))
        found = {AlertKind.FLAME: flames, AlertKind.SMOKE: smokes}
        return {kind: max(each.score for each in seen) for kind, seen in found.items() if seen}

    def _judge(self, at: datetime) -> bool:
        """Note what is sure now; return whether flame now follows smoke."""
        by_growth = not self._background.is_known(at)
        is_smoke_open = self._alerts[AlertKind.SMOKE].level is not None
        if self._smoke.is_sure(at, by_growth=by_growth) or (is_smoke_open and self._smoke.share):
            self._sure_at[AlertKind.SMOKE] = at
        if not self._flame.is_sure:
            return False
        self._sure_at[AlertKind.FLAME] = at
        return self._within(AlertKind.SMOKE, at, RAISE_S)

    def _within(self, kind: AlertKind, at: datetime, most_s: float) -> bool:
        """Return whether this kind was sure so lately."""
        sure_at = self._sure_at.get(kind)
        return sure_at is not None and seconds(sure_at, at) <= most_s

    # -- what is said ------------------------------------------------------------------------------

    def _say(
        self, at: datetime, kind: AlertKind, score: float | None, *, raised: bool
    ) -> FireChange | None:
        alert = self._alerts[kind]
        if alert.level is not None:
            if raised:
                alert.level = AlertLevel.EXTRA_URGENT
            return alert.go_on(at, self._share(kind), score)
        if not self._starts(kind, at):
            return None
        plain = {
            AlertKind.FLAME: self._timing.flame_level,
            AlertKind.SMOKE: self._timing.smoke_level,
        }[kind]
        if self._timing.strategy is Strategy.BOTH:
            raised = True
        change = alert.start(at, AlertLevel.EXTRA_URGENT if raised else plain, score)
        if change is not None and kind is AlertKind.SMOKE:
            self._background.drop_recent(at)
        return change

    def _share(self, kind: AlertKind) -> float:
        """Return in how many of the last looks there was what keeps an alert of this kind open."""
        if self._timing.strategy is Strategy.BOTH:
            return max(self._flame.share, self._smoke.share)
        return self._flame.share if kind is AlertKind.FLAME else self._smoke.share

    def _starts(self, kind: AlertKind, at: datetime) -> bool:
        if self._timing.strategy is Strategy.ANY:
            return self._sure_at.get(kind) == at
        return (
            kind is AlertKind.FLAME
            and at in self._sure_at.values()
            and all(self._within(each, at, TOGETHER_S) for each in self._alerts)
        )

    def _end_all(self, at: datetime) -> list[FireChange]:
        return [alert.end(at) for alert in self._alerts.values() if alert.level is not None]

    def _forget(self) -> None:
        self._flame.forget()
        self._smoke.forget()
        for alert in self._alerts.values():
            alert.forget()


def _area(box: Rectangle) -> float:
    return max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
