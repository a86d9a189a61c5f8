"""Planned events as the interface sees them."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.activities.book import Places, offer_during, places_of, plan_of
from central.codes import ActivityKind, ActivityState, Leaving
from central.db.models import Activity, Alert, Camera
from central.people.views import PersonView, View, person_views
from central.sites.views import PlaceName, grid_names


class CameraPlace(View):
    """A camera; the name is empty where it is not known any more."""

    uid: str
    name: str


class Times(View):
    """One time that an event is on."""

    start: datetime
    end: datetime


class Weekly(View):
    """On which days of the week (1 is Monday) it comes again, and until when."""

    weekdays: list[int]
    last_day: date


class ActivityView(View):
    """A planned event whole. ``current`` is the time that is on, else the next one."""

    id: UUID
    title: str
    kind: ActivityKind
    state: ActivityState
    cameras: list[CameraPlace]
    grids: list[PlaceName]
    start: datetime
    end: datetime
    weekly: Weekly | None
    current: Times | None
    over_at: datetime
    expected: int
    contact: str
    safety: str
    filed_by: PersonView
    filed_at: datetime
    terms_by: PersonView
    approved_by: PersonView | None
    approved_at: datetime | None
    cancelled_at: datetime | None


class AlertActivity(View):
    """The planned event of an alert; why and since when it is not the event's: null while it is."""

    id: UUID
    title: str
    kind: ActivityKind
    expected: int
    start: datetime
    end: datetime
    left: Leaving | None
    left_at: datetime | None


def activity_views(
    session: Session, activities: Sequence[Activity], now: datetime
) -> list[ActivityView]:
    """Return planned events whole, in their order, in a handful of queries."""
    places = places_of(session, (activity.id for activity in activities))
    uids = {uid for place in places.values() for uid in place.cameras}
    cameras = dict(
        session.execute(select(Camera.uid, Camera.name).where(Camera.uid.in_(uids))).all()
    )
    grids = grid_names(session)
    people = person_views(
        session,
        (key for each in activities for key in (each.filed_by, each.terms_by, each.approved_by)),
    )
    return [_whole(each, places[each.id], cameras, grids, people, now) for each in activities]


def alert_activities(session: Session, alerts: Sequence[Alert]) -> dict[UUID, AlertActivity]:
    """Return the planned events of alerts that have one, by the alert."""
    ids = {alert.activity_id for alert in alerts if alert.activity_id is not None}
    if not ids:
        return {}
    activities = {
        activity.id: activity
        for activity in session.scalars(select(Activity).where(Activity.id.in_(ids)))
    }
    return {
        alert.id: _of_alert(activities[alert.activity_id], alert)
        for alert in alerts
        if alert.activity_id is not None
    }


def state_of(activity: Activity, now: datetime) -> ActivityState:
    """Return where an event stands."""
    if activity.cancelled_at is not None:
        return ActivityState.CANCELLED
    if activity.over_at <= now:
        return ActivityState.OVER
    if activity.approved_at is None:
        return ActivityState.WAITING
    return ActivityState.PLANNED if plan_of(activity).at(now) is None else ActivityState.ON


def _whole(
    activity: Activity,
    places: Places,
    cameras: dict[str, str],
    grids: dict[str, str],
    people: dict[str, PersonView],
    now: datetime,
) -> ActivityView:
    plan = plan_of(activity)
    current = plan.following(now)
    return ActivityView(
        id=activity.id,
        title=activity.title,
        kind=activity.kind,
        state=state_of(activity, now),
        cameras=[CameraPlace(uid=uid, name=cameras.get(uid, "")) for uid in sorted(places.cameras)],
        grids=[PlaceName(code=code, name=grids.get(code, "")) for code in sorted(places.grids)],
        start=activity.start,
        end=activity.end,
        weekly=(
            Weekly(weekdays=sorted(plan.weekdays), last_day=plan.last_day)
            if plan.last_day is not None
            else None
        ),
        current=Times(start=current.start, end=current.end) if current else None,
        over_at=activity.over_at,
        expected=activity.expected,
        contact=activity.contact,
        safety=activity.safety,
        filed_by=people[activity.filed_by],
        filed_at=activity.filed_at,
        terms_by=people[activity.terms_by],
        approved_by=people.get(activity.approved_by or ""),
        approved_at=activity.approved_at,
        cancelled_at=activity.cancelled_at,
    )


def _of_alert(activity: Activity, alert: Alert) -> AlertActivity:
    offer = offer_during(activity, alert.started_at, alert.ended_at or alert.updated_at)
    times = offer.occurrence if offer else activity
    return AlertActivity(
        id=activity.id,
        title=activity.title,
        kind=activity.kind,
        expected=activity.expected,
        start=times.start,
        end=times.end,
        left=alert.activity_left,
        left_at=alert.activity_left_at,
    )
