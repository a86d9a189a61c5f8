"""Planned events (报备活动): the list, one of them, and what people do with it."""

from datetime import date
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import select, tuple_

from central.activities.book import Places
from central.activities.desk import Terms
from central.activities.plan import Plan
from central.activities.views import ActivityView, activity_views
from central.alerts.query import place_of, read_place
from central.alerts.views import LedgerView, ledger_views
from central.codes import ActivityKind
from central.db.models import Activity, ActivityLedger
from central.errors import NotFoundError
from central.http.access import ANY, DUTY, ActorDep, allow
from central.http.centre import Centre, CentreDep
from central.http.given import Body, Moment
from central.people.views import View
from protocol.messages import GridCode

router = APIRouter(prefix="/api/v1/activities", tags=["activities"])


class WeeklyTimes(Body):
    """On which days of the week it comes again (1 is Monday), and until which day."""

    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field(min_length=1, max_length=7)
    last_day: date


class NewActivity(Body):
    """What is filed. ``overlap``: why it may be where and when another one is."""

    title: str = Field(min_length=1, max_length=40, pattern=r"\S")
    kind: ActivityKind
    cameras: list[Annotated[str, Field(max_length=80)]] = Field(default=[], max_length=64)
    grids: list[GridCode] = Field(default=[], max_length=32)
    start: Moment
    end: Moment
    weekly: WeeklyTimes | None = None
    expected: int = Field(ge=1, le=20_000)
    contact: str = Field(min_length=1, max_length=60, pattern=r"\S")
    safety: str = Field(default="", max_length=500)
    overlap: str = Field(default="", max_length=200)


class ChangedActivity(NewActivity):
    """The terms as they shall be from now on, and why."""

    note: str = Field(min_length=1, max_length=200, pattern=r"\S")


class Reason(Body):
    """Why."""

    note: str = Field(min_length=1, max_length=200, pattern=r"\S")


class Scope(StrEnum):
    """Which planned events: those not over yet, or those that are over or cancelled."""

    CURRENT = "current"
    PAST = "past"


class ActivityPage(View):
    """A page of planned events; ``next`` goes into ``before`` of the next one."""

    items: list[ActivityView]
    next: str | None


class ActivityDetail(ActivityView):
    """A planned event with its history."""

    ledger: list[LedgerView]


@router.get("", **allow(*ANY))
def activities(
    centre: CentreDep,
    scope: Scope = Scope.CURRENT,
    before: str | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 200,
) -> ActivityPage:
    """List planned events: current ones by their start, past ones from the newest end."""
    now = centre.clock.now()
    query = select(Activity).limit(limit + 1)
    if scope is Scope.CURRENT:
        query = query.where(Activity.over_at > now).order_by(Activity.start, Activity.id)
    else:
        query = query.where(Activity.over_at <= now)
        query = query.order_by(Activity.over_at.desc(), Activity.id.desc())
        if before is not None:
            moment, key = read_place(before)
            query = query.where(tuple_(Activity.over_at, Activity.id) < tuple_(moment, key))
    with centre.database.read() as session:
        found = session.scalars(query).all()
        has_more = scope is Scope.PAST and len(found) > limit
        shown = found[:limit]
        following = place_of(shown[-1].over_at, shown[-1].id) if has_more else None
        return ActivityPage(items=activity_views(session, shown, now), next=following)


@router.get("/{activity_id}", **allow(*ANY))
def activity(activity_id: UUID, centre: CentreDep) -> ActivityDetail:
    """Return one planned event with its history."""
    return _detail(centre, activity_id)


@router.post("", status_code=201, **allow(*DUTY))
def file(body: NewActivity, actor: ActorDep, centre: CentreDep) -> ActivityDetail:
    """File a planned event; it has effect once somebody else has approved it."""
    return _detail(centre, centre.activities.file(_terms(body, centre), actor.id).id)


@router.put("/{activity_id}", **allow(*DUTY))
def change(
    activity_id: UUID, body: ChangedActivity, actor: ActorDep, centre: CentreDep
) -> ActivityDetail:
    """Change the terms; a change of place, time or number needs approval again."""
    centre.activities.change(activity_id, _terms(body, centre), actor.id, body.note.strip())
    centre.known.look()
    return _detail(centre, activity_id)


@router.post("/{activity_id}/approve", **allow(*DUTY))
def approve(activity_id: UUID, actor: ActorDep, centre: CentreDep) -> ActivityDetail:
    """Approve what somebody else has filed (批准)."""
    centre.activities.approve(activity_id, actor.id)
    return _detail(centre, activity_id)


@router.post("/{activity_id}/cancel", **allow(*DUTY))
def cancel(activity_id: UUID, body: Reason, actor: ActorDep, centre: CentreDep) -> ActivityDetail:
    """Cancel it from now on; its open alerts ring."""
    centre.activities.cancel(activity_id, actor.id, body.note.strip())
    centre.known.look()
    return _detail(centre, activity_id)


def _terms(body: NewActivity, centre: Centre) -> Terms:
    weekly = body.weekly
    return Terms(
        title=body.title.strip(),
        kind=body.kind,
        places=Places(frozenset(body.cameras), frozenset(body.grids)),
        plan=Plan(
            start=body.start,
            end=body.end,
            zone=centre.activities.zone,
            weekdays=frozenset(weekly.weekdays) if weekly else frozenset(),
            last_day=weekly.last_day if weekly else None,
        ),
        expected=body.expected,
        contact=body.contact.strip(),
        safety=body.safety.strip(),
        overlap=body.overlap.strip(),
    )


def _detail(centre: Centre, activity_id: UUID) -> ActivityDetail:
    with centre.database.read() as session:
        found = session.get(Activity, activity_id)
        if found is None:
            raise NotFoundError(f"there is no activity {activity_id}")
        (view,) = activity_views(session, [found], centre.clock.now())
        entries = session.scalars(
            select(ActivityLedger)
            .where(ActivityLedger.activity_id == activity_id)
            .order_by(ActivityLedger.position)
        ).all()
        return ActivityDetail(**dict(view), ledger=ledger_views(session, entries))
