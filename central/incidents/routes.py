"""Incidents: the list, one of them, and what people do with it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import select, tuple_

from central.alerts.query import place_of, read_place
from central.codes import IncidentState
from central.db.models import Incident
from central.errors import NotFoundError
from central.http.access import ANY, DUTY, ActorDep, allow
from central.http.centre import CentreDep
from central.http.given import Body
from central.incidents.states import IncidentAction
from central.incidents.views import IncidentDetail, IncidentView, incident_detail, incident_views
from central.people.views import View

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])


class Act(Body):
    """What is said of an act; ``owner_id`` names who is to handle it."""

    note: str = Field(default="", max_length=1000)
    owner_id: str | None = Field(default=None, max_length=64)


class IncidentPage(View):
    """A page of incidents, newest first; ``next`` goes into ``before`` of the next one."""

    items: list[IncidentView]
    next: str | None


@router.get("", **allow(*ANY))
def incidents(
    centre: CentreDep,
    state: Annotated[list[IncidentState] | None, Query()] = None,
    overdue: bool | None = None,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> IncidentPage:
    """List incidents, newest first. ``overdue`` looks at those that are not closed."""
    now = centre.clock.now()
    query = select(Incident).order_by(Incident.opened_at.desc(), Incident.id.desc())
    if state:
        query = query.where(Incident.state.in_(state))
    if overdue is not None:
        late = (Incident.state != IncidentState.CLOSED) & (Incident.deadline < now)
        query = query.where(late if overdue else ~late)
    if before is not None:
        query = query.where(tuple_(Incident.opened_at, Incident.id) < tuple_(*read_place(before)))
    with centre.database.read() as session:
        found = list(session.scalars(query.limit(limit + 1)))
        page = found[:limit]
        following = place_of(page[-1].opened_at, page[-1].id) if len(found) > limit else None
        return IncidentPage(items=incident_views(session, page, now), next=following)


@router.get("/{incident_id}", **allow(*ANY))
def incident(incident_id: UUID, centre: CentreDep) -> IncidentDetail:
    """Return one incident with its history and its alerts."""
    with centre.database.read() as session:
        found = session.get(Incident, incident_id)
        if found is None:
            raise NotFoundError(f"there is no incident {incident_id}")
        return incident_detail(session, found, centre.clock.now())


@router.post("/{incident_id}/{action}", **allow(*DUTY))
def act(
    incident_id: UUID, action: IncidentAction, body: Act, actor: ActorDep, centre: CentreDep
) -> IncidentView:
    """Move an incident on: handle, feedback, close, rework, note."""
    moved = centre.incidents.act(incident_id, action, actor.id, body.note, body.owner_id)
    with centre.database.read() as session:
        return incident_views(session, [moved], centre.clock.now())[0]
