"""One fire rule of a camera: from sightings to what the desk is told. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from edge.alarm.fire import Fire, FireChange, FireTiming
from edge.alarm.geometry import Point, inside
from edge.alarm.schedule import Calendar
from edge.alarm.sensitivity import FLAME_VOTES, LEANINGS
from edge.alarm.sight import BLIND_LOOKS, MAX_BLIND_S
from edge.ports import Occurrence, OpenAlert, Rectangle, Sighting
from edge.rule_config import FireSection, Region, Rule
from protocol.messages import AlertKind
from protocol.shapes import Exclusions

#: A camera is not blind for less, however often it is looked at.
_BLIND_S = 3.0
#: A flame in smoke needs so much of the score only: all that the detector hands on.
IN_SMOKE = 0.5
FIRE_KINDS = (AlertKind.FLAME, AlertKind.SMOKE)


def alert_region(region_id: str, kind: AlertKind) -> str:
    """Return the region of an alert: flame and smoke of one region are two alerts (alert I1)."""
    return f"{region_id}-{kind.value}"


def alert_regions(rule: Rule) -> tuple[str, ...]:
    """Return the regions that a rule's alerts may be of."""
    if isinstance(rule, FireSection):
        return tuple(
            alert_region(region.id, kind) for region in rule.regions for kind in FIRE_KINDS
        )
    return tuple(region.id for region in rule.regions)


class FireRule:
    """A rule over all its regions. Not thread-safe; fed with the sightings of one look, in order.

    ``min_scores`` are the model's own, before the rule's sensitivity: a sighting below them is
    none, but what looks like smoke at all still makes the background. ``is_busy``: there is reason
    to look often.
    """

    def __init__(
        self,
        camera_id: str,
        rule: FireSection,
        *,
        min_scores: Mapping[AlertKind, float],
        interval_s: float = 0.5,
        calendar: Calendar | None = None,
    ) -> None:
        self._camera_id = camera_id
        self._rule = rule
        self._exclude: Exclusions = rule.exclude
        self._schedule = None if rule.schedule is None else rule.schedule.on(calendar or Calendar())
        leaning = LEANINGS[rule.sensitivity]
        self._scores = {kind: leaning.score(min_scores[kind]) for kind in FIRE_KINDS}
        timing = timing_of(rule, max(_BLIND_S, BLIND_LOOKS * interval_s))
        self._machines = [(region, Fire(timing)) for region in rule.regions]
        self.is_busy = False

    def resume(self, alerts: Sequence[OpenAlert]) -> None:
        """Go on from what was open when the box stopped; before the first look."""
        levels = {
            alert.region_id: alert.level
            for alert in alerts
            if (alert.camera_id, alert.rule_id) == (self._camera_id, self._rule.id)
        }
        for region, machine in self._machines:
            for kind in FIRE_KINDS:
                level = levels.get(alert_region(region.id, kind))
                if level is not None:
                    machine.resume(kind, level)

    def mask(self, masks: Mapping[str, Exclusions]) -> None:
        """Look past what is in these areas from now on, by rule; unnamed, in its own."""
        self._exclude = masks.get(self._rule.id, self._rule.exclude)

    def see(self, at: datetime, sightings: Sequence[Sighting]) -> list[Occurrence]:
        """Take the sightings of one look and return what the rule says of it."""
        unmasked = [each for each in sightings if not self._is_masked(each)]
        sure = self._sure(unmasked)
        smoky = [each.box for each in unmasked if each.kind is AlertKind.SMOKE]
        is_on = self._schedule is None or self._schedule.is_on(at)
        said: list[Occurrence] = []
        for region, machine in self._machines:
            if is_on:
                within = [each for each in sure if inside(_centre(each), region.polygon)]
                changes = machine.update(at, within, smoky)
            else:
                changes = machine.rest(at)
            said += self._occurrences(region, changes)
        self.is_busy = any(machine.is_busy for _, machine in self._machines)
        return said

    def lapse(self, now: datetime, unseen_s: float) -> list[Occurrence]:
        """Return the ends of alerts whose camera has long shown nothing; call it now and then.

        ``unseen_s`` is how long ago the last look was, by the monotonic clock. Outside of the
        schedule it is the looks that end an alert; where none come, that is MAX_BLIND_S later.
        """
        is_off = self._schedule is not None and not self._schedule.is_on(now)
        is_over = unseen_s > MAX_BLIND_S and is_off
        return [
            occurrence
            for region, machine in self._machines
            for occurrence in self._occurrences(
                region,
                machine.rest(now) if is_over and machine.is_open else machine.lapse(now, unseen_s),
            )
        ]

    def _sure(self, sightings: Sequence[Sighting]) -> list[Sighting]:
        """Return what counts: scores enough, or a weaker flame in smoke that does.

        A flame behind its smoke looks dim, and there is no smoke without it.
        """
        sure = [each for each in sightings if each.score >= self._scores[each.kind]]
        smoke = [each.box for each in sure if each.kind is AlertKind.SMOKE]
        weak = self._scores[AlertKind.FLAME] * IN_SMOKE
        return sure + [
            each
            for each in sightings
            if each.kind is AlertKind.FLAME
            and weak <= each.score < self._scores[AlertKind.FLAME]
            and any(_touch(each.box, box) for box in smoke)
        ]

    def _is_masked(self, sighting: Sighting) -> bool:
        """Return whether it is in a mask, or stands in one: smoke rises out of its chimney."""
        return any(
            inside(point, polygon)
            for polygon in self._exclude
            for point in (_centre(sighting), _foot(sighting))
        )

    def _occurrences(self, region: Region, changes: Sequence[FireChange]) -> Iterator[Occurrence]:
        for change in changes:
            yield Occurrence(
                op=change.op,
                kind=change.kind,
                level=change.level,
                mode=self._rule.alert_mode,
                camera_id=self._camera_id,
                rule_id=self._rule.id,
                region_id=alert_region(region.id, change.kind),
                at=change.at,
                confidence=None if change.score is None else round(change.score, 3),
            )


def timing_of(rule: FireSection, blind_s: float = _BLIND_S) -> FireTiming:
    """Return what decides of a rule's settings."""
    return FireTiming(
        strategy=rule.strategy,
        flame_level=rule.flame_level,
        smoke_level=rule.smoke_level,
        confirm_s=rule.confirm_s,
        hold_s=rule.hold_s,
        clear_s=rule.clear_s,
        repeat_s=rule.repeat_s,
        vote=FLAME_VOTES[rule.sensitivity],
        blind_s=blind_s,
    )


def _touch(one: Rectangle, other: Rectangle) -> bool:
    return min(one[2], other[2]) >= max(one[0], other[0]) and min(one[3], other[3]) >= max(
        one[1], other[1]
    )


def _centre(sighting: Sighting) -> Point:
    left, top, right, bottom = sighting.box
    return (left + right) / 2, (top + bottom) / 2


def _foot(sighting: Sighting) -> Point:
    left, _, right, bottom = sighting.box
    return (left + right) / 2, bottom
