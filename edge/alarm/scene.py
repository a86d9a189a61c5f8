"""One camera's rules: from what the detector saw to what the desk is told. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from edge.alarm.fire_rule import FIRE_KINDS, FireRule
from edge.alarm.gathering import Change, Gathering, Timing
from edge.alarm.geometry import PERSON_M, Ground, Place, inside, largest_cluster, place
from edge.alarm.presence import Presences
from edge.alarm.schedule import Calendar
from edge.alarm.sensitivity import LEANINGS
from edge.alarm.sight import BLIND_LOOKS, MAX_BLIND_S
from edge.config import CameraSection
from edge.ports import Detections, Occurrence, OpenAlert, Sightings
from edge.rule_config import GatheringSection, Region
from protocol.messages import AlertKind
from protocol.shapes import Exclusions

#: Told of a count: camera, rule and region, the frame's time and how many people.
Counted = Callable[[str, str, str, datetime, int], None]

#: A camera is not blind for less, however often it is looked at.
_BLIND_S = 3.0
#: A region with so large a share of a rule's lowest count is worth a closer look, and stays so for
#: a while: groups come and go.
BUSY_SHARE, BUSY_S = 0.5, 10.0


def timing_of(rule: GatheringSection, blind_s: float = _BLIND_S) -> Timing:
    """Return what decides of a rule's settings."""
    return Timing(
        levels=rule.levels,
        hold_s=rule.hold_s,
        gap_s=rule.gap_s,
        clear_fraction=rule.clear_fraction,
        clear_s=rule.clear_s,
        repeat_s=rule.repeat_s,
        blind_s=blind_s,
        vote=LEANINGS[rule.sensitivity].vote,
    )


class GatheringRule:
    """One gathering rule of a camera, over all its regions. Not thread-safe.

    Fed with the places of one frame, in time order; ``interval_s`` is the longest usual time
    between frames. Places may come from a detector or from a ground truth. ``min_score`` is the
    model's, before the rule's sensitivity. ``is_busy`` says whether there is or lately was reason
    to look often: people enough in a region, or an open alert; outside of the rule's schedule there
    is none. ``counted`` is told the count of every region at every frame within the schedule.
    """

    def __init__(
        self,
        camera_id: str,
        rule: GatheringSection,
        *,
        min_score: float,
        interval_s: float = 0.5,
        has_ground: bool = True,
        calendar: Calendar | None = None,
        counted: Counted | None = None,
    ) -> None:
        self._camera_id = camera_id
        self._rule = rule
        self._exclude: Exclusions = rule.exclude
        self._counted = counted
        self._schedule = None if rule.schedule is None else rule.schedule.on(calendar or Calendar())
        self._presences = Presences(LEANINGS[rule.sensitivity].score(min_score))
        self._radius_m = rule.radius_m if has_ground else rule.radius_heights * PERSON_M
        timing = timing_of(rule, max(_BLIND_S, BLIND_LOOKS * interval_s))
        self._machines = [(region, Gathering(timing)) for region in rule.regions]
        self._many = max(1, math.ceil(BUSY_SHARE * min(rule.levels.values())))
        self._busy_at: datetime | None = None
        self.is_busy = True

    def resume(self, alerts: Sequence[OpenAlert]) -> None:
        """Go on from what was open when the box stopped; before the first frame."""
        open_levels = {
            alert.region_id: alert.level
            for alert in alerts
            if (alert.camera_id, alert.rule_id) == (self._camera_id, self._rule.id)
        }
        for region, machine in self._machines:
            if region.id in open_levels:
                machine.resume(open_levels[region.id])

    def mask(self, masks: Mapping[str, Exclusions]) -> None:
        """Look past who stands in these areas from now on, by rule; unnamed, in its own."""
        self._exclude = masks.get(self._rule.id, self._rule.exclude)

    def see(self, at: datetime, places: Sequence[Place]) -> list[Occurrence]:
        """Take the places of one frame and return what the rule says of it."""
        people = self._presences.update(at, places)
        counted = [
            person
            for person in people
            if not any(inside(person.image, polygon) for polygon in self._exclude)
        ]
        said = []
        is_on = self._is_on(at)
        for region, machine in self._machines:
            within = [person for person in counted if inside(person.image, region.polygon)]
            count = self._count(within)
            if is_on:
                if len(within) >= self._many or machine.is_open:
                    self._busy_at = at
                if self._counted is not None:
                    self._counted(self._camera_id, self._rule.id, region.id, at, count)
                change = machine.update(at, count)
            else:
                self._busy_at = None
                change = machine.rest(at, count)
            if change is not None:
                said.append(self._occurrence(region, change, within))
        self.is_busy = (
            self._busy_at is not None and abs((at - self._busy_at).total_seconds()) <= BUSY_S
        )
        return said

    def lapse(self, now: datetime, unseen_s: float) -> list[Occurrence]:
        """Return the ends of alerts whose camera has long shown nothing; call it now and then.

        ``unseen_s`` is how long ago the last frame was seen, by the monotonic clock. Outside of the
        schedule it is the frames that end an alert; where none come, that is MAX_BLIND_S later.
        """
        is_over = unseen_s > MAX_BLIND_S and not self._is_on(now)
        changes = [
            (
                region,
                machine.rest(now) if is_over and machine.is_open else machine.lapse(now, unseen_s),
            )
            for region, machine in self._machines
        ]
        return [self._occurrence(region, change, ()) for region, change in changes if change]

    def _is_on(self, at: datetime) -> bool:
        return self._schedule is None or self._schedule.is_on(at)

    def _count(self, people: Sequence[Place]) -> int:
        if self._rule.mode == "region_count":
            return len(people)
        return largest_cluster(people, self._radius_m)

    def _occurrence(self, region: Region, change: Change, people: Sequence[Place]) -> Occurrence:
        sure = sum(person.score for person in people) / len(people) if people else None
        return Occurrence(
            op=change.op,
            kind=AlertKind.GATHERING,
            level=change.level,
            mode=self._rule.alert_mode,
            camera_id=self._camera_id,
            rule_id=self._rule.id,
            region_id=region.id,
            at=change.at,
            count=change.count,
            threshold=change.threshold,
            confidence=sure if sure is None else round(sure, 3),
        )


class Scene:
    """All rules of one camera. Not thread-safe. Raises ConfigError for impossible ground points.

    ``fire_scores`` are the fire model's own; without them the camera's fire rules see nothing.
    """

    def __init__(
        self,
        camera: CameraSection,
        *,
        min_score: float,
        fire_scores: Mapping[AlertKind, float] | None = None,
        interval_s: float = 0.5,
        open_alerts: Sequence[OpenAlert] = (),
        calendar: Calendar | None = None,
        counted: Counted | None = None,
    ) -> None:
        points = [(point.image, point.metres) for point in camera.ground]
        self._ground = Ground(points) if points else None
        self._rules = [
            GatheringRule(
                camera.id,
                rule,
                min_score=min_score,
                interval_s=interval_s,
                has_ground=bool(points),
                calendar=calendar,
                counted=counted,
            )
            for rule in camera.gatherings
        ]
        self._fires = [
            FireRule(
                camera.id,
                rule,
                min_scores=fire_scores or dict.fromkeys(FIRE_KINDS, 1.0),
                interval_s=interval_s,
                calendar=calendar,
            )
            for rule in camera.fires
        ]
        for rule in self._all():
            rule.resume(open_alerts)

    @property
    def is_crowded(self) -> bool:
        """Whether any rule has reason to look for people often."""
        return any(rule.is_busy for rule in self._rules)

    @property
    def is_burning(self) -> bool:
        """Whether any rule has reason to look for flame and smoke often."""
        return any(rule.is_busy for rule in self._fires)

    def see(self, detections: Detections) -> list[Occurrence]:
        """Take who was seen in one frame and return what the rules say of it."""
        found = (place(box, self._ground, detections.aspect) for box in detections.boxes)
        places = [each for each in found if each is not None]
        return [said for rule in self._rules for said in rule.see(detections.at, places)]

    def see_fire(self, sightings: Sightings) -> list[Occurrence]:
        """Take what looked like flame or smoke in one frame and return what the rules say of it."""
        return [said for rule in self._fires for said in rule.see(sightings.at, sightings.seen)]

    def mask(self, masks: Mapping[str, Exclusions]) -> None:
        """Have each rule look past these areas; those that are not named, past their own."""
        for rule in self._all():
            rule.mask(masks)

    def lapse(self, now: datetime, unseen_s: float) -> list[Occurrence]:
        """Return the ends of alerts whose camera has long shown nothing; see GatheringRule."""
        return [said for rule in self._all() for said in rule.lapse(now, unseen_s)]

    def _all(self) -> tuple[GatheringRule | FireRule, ...]:
        return (*self._rules, *self._fires)
