"""Alerts as the interface sees them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.activities.views import AlertActivity, alert_activities
from central.codes import AlertState, FalseReason
from central.db.models import (
    ActivityLedger,
    Alert,
    AlertDuty,
    AlertLedger,
    Evidence,
    EvidenceLacking,
    IncidentAlert,
    IncidentLedger,
    Person,
    PointLedger,
)
from central.duty.resolve import ORDER
from central.duty.views import OnDutyView
from central.people.views import PersonView, View, person_views
from central.sites.views import PlaceName, grid_names
from protocol.messages import AlertKind, AlertLevel, AlertMode, EvidenceKind, EvidenceLack


class CameraName(View):
    """Which camera, by the name it had."""

    uid: str
    name: str


class EvidenceView(View):
    """A picture or clip; its bytes are at ``/evidence/{id}``."""

    id: UUID
    kind: EvidenceKind
    start: datetime
    end: datetime
    size_bytes: int
    sha256: str


class LackView(View):
    """A picture or clip that will never come."""

    kind: EvidenceKind
    reason: EvidenceLack


class AlertView(View):
    """An alert whole."""

    id: UUID
    kind: AlertKind
    level: AlertLevel
    mode: AlertMode
    state: AlertState
    camera: CameraName
    grid: PlaceName
    rule_id: str
    region_id: str
    started_at: datetime
    ended_at: datetime | None
    updated_at: datetime
    received_at: datetime
    late: bool
    clock_doubtful: bool
    count: int
    threshold: int
    peak: int
    confidence: float | None
    on_duty: list[OnDutyView]
    acked_by: PersonView | None
    acked_at: datetime | None
    verified_by: PersonView | None
    verified_at: datetime | None
    reason: FalseReason | None
    note: str
    sign_by: datetime
    verify_by: datetime
    incident_id: UUID | None
    activity: AlertActivity | None
    evidence: list[EvidenceView]
    lacks: list[LackView]
    box_id: str
    sequence: int


class LedgerView(View):
    """One thing that happened; without an actor where the system did it."""

    at: datetime
    action: str
    actor: PersonView | None
    device: str | None
    from_state: str | None
    to_state: str | None
    note: str


@dataclass(frozen=True, slots=True)
class AlertParts:
    """What of an alert is in other tables."""

    grid_name: str
    on_duty: list[OnDutyView]
    acked_by: PersonView | None
    verified_by: PersonView | None
    incident_id: UUID | None
    activity: AlertActivity | None
    evidence: list[EvidenceView]
    lacks: list[LackView]


def alert_views(session: Session, alerts: Sequence[Alert]) -> list[AlertView]:
    """Return alerts whole, in their order, in a handful of queries however many they are."""
    ids = [alert.id for alert in alerts]
    grids = grid_names(session)
    people = person_views(
        session, (key for alert in alerts for key in (alert.acked_by, alert.verified_by))
    )
    duty = _duty(session, ids)
    evidence = _evidence(session, ids)
    lacks = _lacks(session, ids, evidence)
    activities = alert_activities(session, alerts)
    incidents = dict(
        session.execute(
            select(IncidentAlert.alert_id, IncidentAlert.incident_id).where(
                IncidentAlert.alert_id.in_(ids)
            )
        ).all()
    )
    return [
        _whole(
            alert,
            AlertParts(
                grid_name=grids.get(alert.grid_code, ""),
                on_duty=duty[alert.id],
                acked_by=people.get(alert.acked_by or ""),
                verified_by=people.get(alert.verified_by or ""),
                incident_id=incidents.get(alert.id),
                activity=activities.get(alert.id),
                evidence=evidence[alert.id],
                lacks=lacks[alert.id],
            ),
        )
        for alert in alerts
    ]


def ledger_views(
    session: Session,
    entries: Sequence[AlertLedger]
    | Sequence[IncidentLedger]
    | Sequence[ActivityLedger]
    | Sequence[PointLedger],
) -> list[LedgerView]:
    """Return ledger entries in their order."""
    people = person_views(session, (entry.actor_id for entry in entries))
    return [
        LedgerView(
            at=entry.at,
            action=entry.action,
            actor=people.get(entry.actor_id or ""),
            device=entry.device,
            from_state=entry.from_state,
            to_state=entry.to_state,
            note=entry.note,
        )
        for entry in entries
    ]


def _whole(alert: Alert, parts: AlertParts) -> AlertView:
    return AlertView(
        id=alert.id,
        kind=alert.kind,
        level=alert.level,
        mode=alert.mode,
        state=alert.state,
        camera=CameraName(uid=alert.camera_uid, name=alert.camera_name),
        grid=PlaceName(code=alert.grid_code, name=parts.grid_name),
        rule_id=alert.rule_id,
        region_id=alert.region_id,
        started_at=alert.started_at,
        ended_at=alert.ended_at,
        updated_at=alert.updated_at,
        received_at=alert.received_at,
        late=alert.late,
        clock_doubtful=alert.clock_doubtful,
        count=alert.count,
        threshold=alert.threshold,
        peak=alert.peak,
        confidence=alert.confidence,
        on_duty=parts.on_duty,
        acked_by=parts.acked_by,
        acked_at=alert.acked_at,
        verified_by=parts.verified_by,
        verified_at=alert.verified_at,
        reason=alert.reason,
        note=alert.note,
        sign_by=alert.sign_by,
        verify_by=alert.verify_by,
        incident_id=parts.incident_id,
        activity=parts.activity,
        evidence=parts.evidence,
        lacks=parts.lacks,
        box_id=alert.box_id,
        sequence=alert.sequence,
    )


def _duty(session: Session, ids: Sequence[UUID]) -> defaultdict[UUID, list[OnDutyView]]:
    """Return who was on duty, by the names and telephones they had."""
    found: defaultdict[UUID, list[OnDutyView]] = defaultdict(list)
    rows = session.execute(
        select(AlertDuty, Person)
        .join(Person, Person.id == AlertDuty.person_id)
        .where(AlertDuty.alert_id.in_(ids))
    ).all()
    for duty, person in sorted(rows, key=lambda row: (ORDER[row[0].post], row[0].person_id)):
        view = PersonView(
            id=duty.person_id,
            name=duty.name,
            post=person.post,
            phone=duty.phone,
            has_pin=person.pin_hash is not None,
        )
        found[duty.alert_id].append(OnDutyView(person=view, post=duty.post))
    return found


def _lacks(
    session: Session, ids: Sequence[UUID], evidence: Mapping[UUID, Sequence[EvidenceView]]
) -> defaultdict[UUID, list[LackView]]:
    """Return what will never come and did not come all the same, pictures before clips."""
    found: defaultdict[UUID, list[LackView]] = defaultdict(list)
    for row in session.scalars(
        select(EvidenceLacking)
        .where(EvidenceLacking.alert_id.in_(ids))
        .order_by(EvidenceLacking.kind.desc())
    ):
        if all(piece.kind is not row.kind for piece in evidence.get(row.alert_id, ())):
            found[row.alert_id].append(LackView(kind=row.kind, reason=row.reason))
    return found


def _evidence(session: Session, ids: Sequence[UUID]) -> defaultdict[UUID, list[EvidenceView]]:
    found: defaultdict[UUID, list[EvidenceView]] = defaultdict(list)
    for row in session.scalars(
        select(Evidence).where(Evidence.alert_id.in_(ids)).order_by(Evidence.stored_at)
    ):
        assert row.alert_id is not None
        found[row.alert_id].append(
            EvidenceView(
                id=row.id,
                kind=row.kind,
                start=row.start,
                end=row.end,
                size_bytes=row.size_bytes,
                sha256=row.sha256,
            )
        )
    return found
