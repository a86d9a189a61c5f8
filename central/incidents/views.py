"""Incidents as the interface sees them, and an alert together with its incident."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.alerts.views import AlertView, CameraName, LedgerView, alert_views, ledger_views
from central.codes import Category, IncidentState
from central.db.models import Alert, AlertLedger, Incident, IncidentAlert, IncidentLedger
from central.people.views import PersonView, View, person_views
from central.sites.views import PlaceName, grid_names
from protocol.messages import AlertCurve, AlertLevel


class IncidentView(View):
    """An incident whole."""

    id: UUID
    serial: str
    state: IncidentState
    level: AlertLevel
    category: Category
    summary: str
    grid: PlaceName
    camera: CameraName | None
    owner: PersonView
    first_receiver: PersonView
    handler: PersonView | None
    opened_at: datetime
    deadline: datetime
    overdue: bool
    closed_at: datetime | None
    alert_ids: list[UUID]


class IncidentDetail(IncidentView):
    """An incident with its history and its alerts."""

    ledger: list[LedgerView]
    alerts: list[AlertView]


class AlertDetail(AlertView):
    """An alert with its history, its incident and the curve of what was counted."""

    ledger: list[LedgerView]
    incident: IncidentView | None
    curve: AlertCurve | None


def incident_views(
    session: Session, incidents: Sequence[Incident], now: datetime
) -> list[IncidentView]:
    """Return incidents whole, in their order. A closed one is overdue where it was closed late."""
    grids = grid_names(session)
    people = person_views(
        session,
        (
            key
            for incident in incidents
            for key in (incident.owner_id, incident.first_receiver_id, incident.handler_id)
        ),
    )
    alerts: defaultdict[UUID, list[UUID]] = defaultdict(list)
    linked = select(IncidentAlert.incident_id, IncidentAlert.alert_id).order_by(
        IncidentAlert.alert_id
    )
    for incident_id, alert_id in session.execute(
        linked.where(IncidentAlert.incident_id.in_([incident.id for incident in incidents]))
    ):
        alerts[incident_id].append(alert_id)
    return [
        IncidentView(
            id=incident.id,
            serial=incident.serial,
            state=incident.state,
            level=incident.level,
            category=incident.category,
            summary=incident.summary,
            grid=PlaceName(code=incident.grid_code, name=grids.get(incident.grid_code, "")),
            camera=_camera(incident),
            owner=people[incident.owner_id],
            first_receiver=people[incident.first_receiver_id],
            handler=people.get(incident.handler_id or ""),
            opened_at=incident.opened_at,
            deadline=incident.deadline,
            overdue=(incident.closed_at or now) > incident.deadline,
            closed_at=incident.closed_at,
            alert_ids=alerts[incident.id],
        )
        for incident in incidents
    ]


def incident_detail(session: Session, incident: Incident, now: datetime) -> IncidentDetail:
    """Return an incident with its history and its alerts."""
    (view,) = incident_views(session, [incident], now)
    entries = session.scalars(
        select(IncidentLedger)
        .where(IncidentLedger.incident_id == incident.id)
        .order_by(IncidentLedger.position)
    ).all()
    alerts = session.scalars(
        select(Alert).where(Alert.id.in_(view.alert_ids)).order_by(Alert.started_at, Alert.id)
    ).all()
    return IncidentDetail(
        **dict(view), ledger=ledger_views(session, entries), alerts=alert_views(session, alerts)
    )


def alert_detail(session: Session, alert: Alert, now: datetime) -> AlertDetail:
    """Return an alert with its history and its incident."""
    (view,) = alert_views(session, [alert])
    entries = session.scalars(
        select(AlertLedger).where(AlertLedger.alert_id == alert.id).order_by(AlertLedger.position)
    ).all()
    incident = session.get(Incident, view.incident_id) if view.incident_id else None
    return AlertDetail(
        **dict(view),
        ledger=ledger_views(session, entries),
        incident=incident_views(session, [incident], now)[0] if incident else None,
        curve=None if alert.curve is None else AlertCurve.model_validate(alert.curve),
    )


def _camera(incident: Incident) -> CameraName | None:
    if incident.camera_uid is None:
        return None
    return CameraName(uid=incident.camera_uid, name=incident.camera_name or "")
