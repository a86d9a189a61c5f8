"""What a gathering rule counted, and the threshold that suggests itself (docs/design/api.md)."""

from collections.abc import Sequence
from datetime import date, datetime, tzinfo

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from edge.alarm.scene import timing_of
from edge.config import CameraSection
from edge.crowds.history import KEPT, CrowdHistory
from edge.crowds.suggestion import NEEDED_DAYS, WINDOW, days_of, suggest
from edge.errors import NotFoundError
from edge.rule_config import GatheringSection
from protocol.clock import Clock


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class DayAnswer(_Answer):
    """One day of the box; counts only. See DayOfCounts."""

    day: date
    minutes: int
    typical: int
    busy: int
    peak: int


class SuggestionAnswer(_Answer):
    """What the last days suggest; ``threshold`` is null where they are too few. See Suggestion."""

    window_days: int
    needed_days: int
    days: int
    minutes: int
    threshold: int | None
    alarms: int
    alarms_suggested: int | None


class RuleHistoryAnswer(_Answer):
    """One rule in one of its regions; ``threshold`` is the one in use, of its lowest level."""

    camera_id: str
    rule_id: str
    region_id: str
    threshold: int
    kept_days: int
    since: datetime | None
    days: tuple[DayAnswer, ...]
    suggestion: SuggestionAnswer


class RuleRoutes:
    """One method a route; it blocks, so it runs in a worker thread."""

    def __init__(
        self, cameras: Sequence[CameraSection], zone: tzinfo, crowds: CrowdHistory, clock: Clock
    ) -> None:
        self._rules = {
            (camera.id, rule.id): rule for camera in cameras for rule in camera.gatherings
        }
        self._zone = zone
        self._crowds = crowds
        self._clock = clock

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1/rules")
        router.add_api_route("/{camera_id}/{rule_id}/history", self.history)
        return router

    def history(self, camera_id: str, rule_id: str, region: str | None = None) -> RuleHistoryAnswer:
        """Say what was counted day by day, and which threshold that suggests.

        The rule's first region where none is named.
        """
        rule = self._rule(camera_id, rule_id)
        region_id = rule.regions[0].id if region is None else region
        if region_id not in {each.id for each in rule.regions}:
            raise NotFoundError(f"rule {rule_id} of camera {camera_id}: region {region_id}")
        now = self._clock.now()
        quarters = self._crowds.quarters((camera_id, rule_id, region_id), now)
        recent = [quarter for quarter in quarters if quarter.start >= now - WINDOW]
        found = suggest(recent, timing_of(rule), self._zone)
        return RuleHistoryAnswer(
            camera_id=camera_id,
            rule_id=rule_id,
            region_id=region_id,
            threshold=min(rule.levels.values()),
            kept_days=KEPT.days,
            since=quarters[0].start if quarters else None,
            days=tuple(map(DayAnswer.model_validate, days_of(quarters, self._zone))),
            suggestion=SuggestionAnswer(
                window_days=WINDOW.days,
                needed_days=NEEDED_DAYS,
                days=found.days,
                minutes=found.minutes,
                threshold=found.threshold,
                alarms=found.alarms,
                alarms_suggested=found.alarms_suggested,
            ),
        )

    def _rule(self, camera_id: str, rule_id: str) -> GatheringSection:
        rule = self._rules.get((camera_id, rule_id))
        if rule is None:
            raise NotFoundError(f"camera {camera_id}: rule {rule_id}")
        return rule
