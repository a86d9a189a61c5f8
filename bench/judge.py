"""Whether the whole line did its work, from what was expected and what was seen: pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bench.centre import Alert, Incident
from bench.match import match
from bench.report import percentile, rounded
from protocol.messages import AlertKind

CONFIRMED = "CONFIRMED"

#: What is raised because we killed something, and rightly so.
BY_KILLS = frozenset({AlertKind.DETECTOR_DOWN})


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything observed of the alerts, by alert.

    ``fired``: when the edge wrote the alert's first message, by its clock. ``shown``: when the
    wall painted it. ``clips``, ``pictures``: alerts whose evidence is there and plays, or shows.
    """

    alerts: Sequence[Alert]
    fired: Mapping[str, datetime]
    shown: Mapping[str, datetime]
    incidents: Mapping[str, Incident]
    clips: Collection[str]
    pictures: Collection[str]


@dataclass(frozen=True, slots=True)
class Row:
    """One expected gathering and what became of it; None where that never happened.

    The rule is satisfied when it says so on the box: that is the box's clock in the alert's first
    message, taken before anything is stored. ``frame_to_rule_ms`` is how long the picture that
    satisfied it was on its way to the rule, by the box's timeline of that camera.
    """

    expected_at: datetime
    alert_id: str | None = None
    off_s: float | None = None
    frame_to_rule_ms: float | None = None
    rule_to_centre_ms: float | None = None
    rule_to_wall_ms: float | None = None
    signed: bool = False
    incident: bool = False
    picture: bool = False
    clip: bool = False

    @property
    def good(self) -> bool:
        """Whether nothing is missing."""
        found = self.alert_id is not None and self.rule_to_wall_ms is not None
        return found and self.signed and self.incident and self.picture and self.clip


@dataclass(frozen=True, slots=True)
class Verdict:
    """The whole run. ``false`` are alerts that nothing called for."""

    rows: tuple[Row, ...]
    false: tuple[Alert, ...]

    @property
    def passed(self) -> bool:
        """Whether there was something to find, all of it was found and done, and nothing else."""
        return bool(self.rows) and all(row.good for row in self.rows) and not self.false

    def figures(self) -> dict[str, object]:
        """Return the figures that the last line carries."""
        found = [row for row in self.rows if row.alert_id is not None]
        centre = [row.rule_to_centre_ms for row in found if row.rule_to_centre_ms is not None]
        wall = [row.rule_to_wall_ms for row in found if row.rule_to_wall_ms is not None]
        frame = [row.frame_to_rule_ms for row in found if row.frame_to_rule_ms is not None]
        off = [abs(row.off_s) for row in found if row.off_s is not None]
        return {
            "gatherings_expected": len(self.rows),
            "gatherings_found": len(found),
            "false_alerts": len(self.false),
            "start_off_s_max": rounded(max(off, default=None), 2),
            "frame_to_rule_ms_p95": rounded(percentile(frame, 0.95)),
            "rule_to_centre_ms_p95": rounded(percentile(centre, 0.95)),
            "rule_to_wall_ms_p95": rounded(percentile(wall, 0.95)),
            "shown": len(wall),
            "signed": sum(row.signed for row in self.rows),
            "incidents": sum(row.incident for row in self.rows),
            "pictures_shown": sum(row.picture for row in self.rows),
            "clips_playable": sum(row.clip for row in self.rows),
        }


def judge(
    expected: Sequence[datetime],
    seen: Seen,
    operator: str,
    *,
    since: datetime,
    later: Sequence[datetime] = (),
    forgiven: Collection[str] = (),
) -> Verdict:
    """Return the verdict on alerts that began at ``since`` or later.

    ``operator`` is the person on duty who signs; ``later`` are gatherings that may be seen while
    the last of the expected ones is looked after, and need not be; ``forgiven`` are kinds that are
    no fault here. An alert that began up to the tolerance before ``since`` may still be an expected
    one's.
    """
    every = [alert for alert in seen.alerts if alert.kind == AlertKind.GATHERING]
    wanted = range(len(expected))
    pairs = match([*expected, *later], [alert.started_at for alert in every])
    rows = {want: Row(expected[want]) for want in wanted}
    rows |= {
        want: _row(expected[want], every[have], seen, operator)
        for want, have in pairs.pairs
        if want in wanted
    }
    false = [every[have] for have in pairs.false if every[have].started_at >= since]
    false += [
        alert
        for alert in seen.alerts
        if alert.kind != AlertKind.GATHERING
        and alert.kind not in forgiven
        and alert.started_at >= since
    ]
    return Verdict(tuple(rows[want] for want in sorted(rows)), tuple(false))


def from_epoch_ms(value_ms: float) -> datetime:
    """Return the time that a browser gives in milliseconds since 1970."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=value_ms)


def _row(expected_at: datetime, alert: Alert, seen: Seen, operator: str) -> Row:
    fired = seen.fired.get(alert.alert_id)
    incident = seen.incidents.get(alert.alert_id)
    return Row(
        expected_at=expected_at,
        alert_id=alert.alert_id,
        off_s=(alert.started_at - expected_at).total_seconds(),
        frame_to_rule_ms=_ms(alert.started_at, fired),
        rule_to_centre_ms=_ms(fired, alert.received_at),
        rule_to_wall_ms=_ms(fired, seen.shown.get(alert.alert_id)),
        signed=_is_signed(alert, operator),
        incident=incident is not None and _is_right(incident, alert, operator),
        picture=alert.alert_id in seen.pictures,
        clip=alert.alert_id in seen.clips,
    )


def _ms(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds() * 1000


def _is_signed(alert: Alert, operator: str) -> bool:
    by_operator = alert.acked_by == operator and alert.verified_by == operator
    return alert.state == CONFIRMED and by_operator and operator in alert.on_duty


def _is_right(incident: Incident, alert: Alert, operator: str) -> bool:
    linked = alert.incident_id == incident.incident_id and alert.alert_id in incident.alert_ids
    return linked and incident.owner == operator and incident.deadline is not None
