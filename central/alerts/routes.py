"""Alerts: the list, one of them, and what people do with it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from central.alerts.query import AlertFilter, find_alerts
from central.alerts.views import AlertView, alert_views
from central.codes import AlertState, Category, Device, FalseReason
from central.db.models import Alert
from central.errors import NotFoundError
from central.http.access import ANY, ActorDep, allow
from central.http.centre import Centre, CentreDep
from central.http.given import Body, Moment
from central.incidents.opening import Draft
from central.incidents.views import AlertDetail, alert_detail
from central.people.views import View
from protocol.messages import AlertKind, AlertLevel, GridCode

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


class Ack(Body):
    """Where it was signed."""

    device: Device


class NewIncident(Body):
    """What a person says of a new incident."""

    category: Category
    level: AlertLevel
    summary: str = Field(min_length=1, max_length=500)
    grid_code: GridCode | None = None


class Confirmation(Body):
    """A new incident, an open one, or neither: then the alert says what the new one is about."""

    incident: NewIncident | None = None
    incident_id: UUID | None = None

    @model_validator(mode="after")
    def _one(self) -> "Confirmation":
        if self.incident is not None and self.incident_id is not None:
            raise ValueError("give 'incident' or 'incident_id', not both")
        return self


class FalseAlarm(Body):
    """Why it was none."""

    reason: FalseReason
    note: str = Field(default="", max_length=500)


class Known(Body):
    """Which activity it was: in words, or the planned event that was filed."""

    note: str = Field(default="", max_length=500)
    activity_id: UUID | None = None


class AlertPage(View):
    """A page of alerts, newest first; ``next`` goes into ``before`` of the next one."""

    items: list[AlertView]
    next: str | None


@router.get("", **allow(*ANY))
def alerts(
    centre: CentreDep,
    state: Annotated[list[AlertState] | None, Query()] = None,
    kind: Annotated[list[AlertKind] | None, Query()] = None,
    camera: str | None = None,
    start: Annotated[Moment | None, Query(alias="from")] = None,
    end: Annotated[Moment | None, Query(alias="to")] = None,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AlertPage:
    """List alerts that began within a time, newest first."""
    wanted = AlertFilter(state or (), kind or (), camera, start, end)
    with centre.database.read() as session:
        found, following = find_alerts(session, wanted, before, limit)
        return AlertPage(items=alert_views(session, found), next=following)


@router.get("/{alert_id}", **allow(*ANY))
def alert(alert_id: UUID, centre: CentreDep) -> AlertDetail:
    """Return one alert with its history and its incident."""
    return _detail(centre, alert_id)


@router.post("/{alert_id}/ack", **allow(*ANY))
def ack(alert_id: UUID, body: Ack, actor: ActorDep, centre: CentreDep) -> AlertView:
    """Sign: NEW → ACKED (签收)."""
    return _view(centre, centre.alerts.ack(alert_id, actor.id, body.device))


@router.post("/{alert_id}/confirm", **allow(*ANY))
def confirm(alert_id: UUID, body: Confirmation, actor: ActorDep, centre: CentreDep) -> AlertDetail:
    """Verify: ACKED → CONFIRMED, and an incident (属实)."""
    if body.incident_id is not None:
        centre.alerts.confirm(alert_id, actor.id, body.incident_id)
    elif body.incident is not None:
        said = body.incident
        draft = Draft(said.category, said.level, said.summary, said.grid_code)
        centre.alerts.confirm(alert_id, actor.id, draft)
    else:
        centre.alerts.confirm(alert_id, actor.id, Draft())
    return _detail(centre, alert_id)


@router.post("/{alert_id}/false", **allow(*ANY))
def reject(alert_id: UUID, body: FalseAlarm, actor: ActorDep, centre: CentreDep) -> AlertView:
    """Verify: ACKED → FALSE (误报)."""
    return _view(centre, centre.alerts.reject(alert_id, actor.id, body.reason, body.note))


@router.post("/{alert_id}/known", **allow(*ANY))
def know(alert_id: UUID, body: Known, actor: ActorDep, centre: CentreDep) -> AlertView:
    """Verify: ACKED → KNOWN (已知活动)."""
    return _view(centre, centre.alerts.know(alert_id, actor.id, body.note, body.activity_id))


def _view(centre: Centre, alert: Alert) -> AlertView:
    with centre.database.read() as session:
        return alert_views(session, [alert])[0]


def _detail(centre: Centre, alert_id: UUID) -> AlertDetail:
    with centre.database.read() as session:
        found = session.get(Alert, alert_id)
        if found is None:
            raise NotFoundError(f"there is no alert {alert_id}")
        return alert_detail(session, found, centre.clock.now())
