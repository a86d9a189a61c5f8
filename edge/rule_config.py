"""The part of the box's configuration that says what is looked for: a camera's rules."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from edge.alarm.fire import Strategy
from edge.alarm.schedule import Calendar, DayKind, Schedule, periods_of
from edge.alarm.sensitivity import Sensitivity
from edge.section import Section, other_than
from protocol.messages import AlertLevel, AlertMode, LocalId
from protocol.shapes import Exclusions, Polygon

#: Rules that nobody configures: a configured one's alerts must not be taken for theirs.
OWN_RULES = frozenset(
    {"camera-clock", "camera-lost", "detector-down", "storage", "outbox", "picture"}
)

RuleId = Annotated[LocalId, other_than(OWN_RULES)]


#: An alert of a fire rule is of a region's id and "-flame" or "-smoke".
MAX_FIRE_REGION_ID = 26


class Region(Section):
    """A part of the picture that a rule looks at."""

    id: LocalId = "all"
    polygon: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def _day(texts: tuple[str, ...]) -> tuple[str, ...]:
    periods_of(texts)
    return texts


_Day = Annotated[tuple[str, ...], Field(max_length=8), AfterValidator(_day)]


class ScheduleSection(Section):
    """When a rule is at work: a day's periods ("08:00-12:00"), in the box's time zone.

    A day that is left out has none. ``holiday`` is for the box's ``holidays``; without it a holiday
    is a day of the week like any other.
    """

    monday: _Day = ()
    tuesday: _Day = ()
    wednesday: _Day = ()
    thursday: _Day = ()
    friday: _Day = ()
    saturday: _Day = ()
    sunday: _Day = ()
    holiday: _Day | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(self._rows().values()):
            raise ValueError("'schedule' must have a period; without 'schedule' it is always")
        return self

    def _rows(self) -> dict[DayKind, tuple[str, ...]]:
        rows: dict[DayKind, tuple[str, ...] | None] = {
            kind: getattr(self, kind.value) for kind in DayKind
        }
        return {kind: row for kind, row in rows.items() if row is not None}

    def on(self, calendar: Calendar) -> Schedule:
        """Return the schedule on a village's days."""
        return Schedule({day: periods_of(row) for day, row in self._rows().items()}, calendar)


class GatheringSection(Section):
    """A gathering: enough people in a region, or close together, for long enough.

    ``levels`` are thresholds that raise the level; the lowest is the rule's. ``clear_fraction`` and
    ``clear_s``: it ends when fewer than that share of the lowest threshold were there for so long.
    ``radius_m`` needs the camera's ground points; without them ``radius_heights`` (person heights)
    is the distance for "close together". ``gap_s``: a shorter break does not restart ``hold_s``.
    ``schedule``: at work always where there is none. ``sensitivity``: edge.alarm.sensitivity.
    """

    kind: Literal["gathering"] = "gathering"
    id: RuleId
    mode: Literal["region_count", "close_together"] = "region_count"
    alert_mode: AlertMode = AlertMode.LIVE
    regions: Annotated[tuple[Region, ...], Field(min_length=1, max_length=4)] = (Region(),)
    exclude: Exclusions = ()
    levels: dict[AlertLevel, Annotated[int, Field(ge=1, le=1000)]] = Field(
        default={AlertLevel.ORDINARY: 15, AlertLevel.URGENT: 30, AlertLevel.EXTRA_URGENT: 60}
    )
    radius_m: float = Field(default=2.0, gt=0, le=50)
    radius_heights: float = Field(default=1.2, gt=0, le=20)
    hold_s: float = Field(default=60.0, ge=0, le=3600)
    gap_s: float = Field(default=1.5, ge=0, le=60)
    clear_fraction: float = Field(default=0.7, gt=0, le=1)
    clear_s: float = Field(default=120.0, ge=0, le=3600)
    repeat_s: float = Field(default=600.0, ge=0, le=86400)
    sensitivity: Sensitivity = Sensitivity.NORMAL
    schedule: ScheduleSection | None = None

    @model_validator(mode="after")
    def _levels_grow(self) -> Self:
        order = [level for level in AlertLevel if level in self.levels]
        thresholds = [self.levels[level] for level in order]
        if not thresholds or thresholds != sorted(set(thresholds)):
            raise ValueError(f"'levels' must be given and grow with the level, not {thresholds}")
        if len({region.id for region in self.regions}) != len(self.regions):
            raise ValueError("'regions' must have different ids")
        return self


class FireSection(Section):
    """Flame and smoke in a region: what looks like them for long enough; see edge.alarm.fire.

    ``strategy``: either of them alarms, or only both together. ``exclude`` are masks for what burns
    or smokes by right: chimneys, altars. ``confirm_s`` is the vote of flame, ``hold_s`` how long
    smoke must be there, and grow or move. ``clear_s``: an alert ends when hardly any was seen for
    so long. ``flame_level`` and ``smoke_level`` are those an alert begins with.
    """

    kind: Literal["fire"] = "fire"
    id: RuleId
    strategy: Strategy = Strategy.ANY
    alert_mode: AlertMode = AlertMode.LIVE
    regions: Annotated[tuple[Region, ...], Field(min_length=1, max_length=4)] = (Region(),)
    exclude: Exclusions = ()
    flame_level: AlertLevel = AlertLevel.EXTRA_URGENT
    smoke_level: AlertLevel = AlertLevel.URGENT
    confirm_s: float = Field(default=5.0, ge=3, le=60)
    hold_s: float = Field(default=20.0, ge=10, le=120)
    clear_s: float = Field(default=60.0, ge=0, le=3600)
    repeat_s: float = Field(default=300.0, ge=0, le=86400)
    sensitivity: Sensitivity = Sensitivity.NORMAL
    schedule: ScheduleSection | None = None

    @model_validator(mode="after")
    def _regions_are_told_apart(self) -> Self:
        if len({region.id for region in self.regions}) != len(self.regions):
            raise ValueError("'regions' must have different ids")
        too_long = [region.id for region in self.regions if len(region.id) > MAX_FIRE_REGION_ID]
        if too_long:
            raise ValueError(
                f"'regions' must have ids of at most {MAX_FIRE_REGION_ID} characters: flame and "
                f"smoke are added to them, not {too_long[0]}"
            )
        return self


def _kind(given: object) -> str | None:
    """Return a rule's kind: a gathering where none is given, as before there were others."""
    kind = given.get("kind", "gathering") if isinstance(given, dict) else None
    return kind if isinstance(kind, str) else getattr(given, "kind", None)


#: Any rule. In an error's key the kind follows the number; RULE_KINDS are left out of it.
Rule = Annotated[
    Annotated[GatheringSection, Tag("gathering")] | Annotated[FireSection, Tag("fire")],
    Discriminator(
        _kind,
        custom_error_type="rule_kind",
        custom_error_message="'kind' must be gathering or fire",
    ),
]
RULE_KINDS = frozenset({"gathering", "fire"})
