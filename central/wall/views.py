"""The snapshot that a page begins with, and the changed objects that follow it."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from central.activities.views import ActivityView, activity_views
from central.alerts.states import UNDECIDED
from central.alerts.views import AlertView, alert_views
from central.codes import FeedKind, IncidentState
from central.db.models import Activity, Alert, Incident
from central.duty.views import DutyView, duty_view
from central.incidents.views import incident_views
from central.people.views import View
from central.sites.views import BoxView, CameraView, box_views, camera_views
from central.wall.feed import Change, Cursor, newest
from protocol.clock import Clock
from protocol.messages import AlertMode

#: More than a wall can show; the rest is in the list of alerts.
MAX_ALERTS = 200
#: How far ahead the wall knows of planned events: it tells which are on, and the feed the rest.
_AHEAD = timedelta(days=1)


class VillageView(View):
    """Whose centre this is."""

    name: str
    region_code: str
    time_zone: str


class IncidentCounts(View):
    """How much is being worked on."""

    open: int
    overdue: int


class WallView(View):
    """Everything a wall shows, and where the feed goes on from here."""

    cursor: str
    server_time: datetime
    village: VillageView
    duty: DutyView
    cameras: list[CameraView]
    boxes: list[BoxView]
    alerts: list[AlertView]
    incidents: IncidentCounts
    activities: list[ActivityView]


def wall_view(session: Session, now: datetime, village: VillageView) -> WallView:
    """Return the snapshot. What changes while it is made comes again on the feed."""
    cursor = newest(session)
    unclosed = Incident.state != IncidentState.CLOSED
    return WallView(
        cursor=str(cursor),
        server_time=now,
        village=village,
        duty=duty_view(session, village.region_code, now),
        cameras=camera_views(session, now),
        boxes=box_views(session, now),
        alerts=alert_views(session, _alerts_of_the_wall(session)),
        incidents=IncidentCounts(
            open=_count(session, unclosed),
            overdue=_count(session, unclosed & (Incident.deadline < now)),
        ),
        activities=_activities_of_the_wall(session, now),
    )


def _activities_of_the_wall(session: Session, now: datetime) -> list[ActivityView]:
    """Return the approved planned events that are on or begin within a day."""
    found = session.scalars(
        select(Activity)
        .where(
            Activity.approved_at.is_not(None),
            Activity.over_at > now,
            Activity.start <= now + _AHEAD,
        )
        .order_by(Activity.start, Activity.id)
    ).all()
    return [
        view
        for view in activity_views(session, found, now)
        if view.current is not None and view.current.start <= now + _AHEAD
    ]


def _alerts_of_the_wall(session: Session) -> Sequence[Alert]:
    """Return the alerts that still go on or wait for someone; trial ones are only logged."""
    return session.scalars(
        select(Alert)
        .where(
            Alert.mode != AlertMode.TRIAL,
            or_(Alert.state.in_(UNDECIDED), Alert.ended_at.is_(None)),
        )
        .order_by(Alert.started_at.desc(), Alert.id.desc())
        .limit(MAX_ALERTS)
    ).all()


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).select_from(Incident).where(condition)) or 0


class Rendered(View):
    """A change with the whole object it is about, as JSON."""

    cursor: Cursor
    kind: FeedKind
    json_text: str


class ChangeRenderer:
    """Turns changes into the objects they are about, as they are now.

    Of several changes of one object only the last is kept: it tells the same. Of trial alerts,
    which are only logged, nothing is told, whoever wrote the change.
    """

    def __init__(self, clock: Clock, region_code: str) -> None:
        self._clock = clock
        self._region_code = region_code
        self._readers: dict[FeedKind, Callable[[Session, Sequence[str]], dict[str, View]]] = {
            FeedKind.ALERT: self._alerts,
            FeedKind.EVIDENCE: self._alerts,
            FeedKind.CAMERA: self._cameras,
            FeedKind.BOX: self._boxes,
            FeedKind.DUTY: self._duty,
            FeedKind.INCIDENT: self._incidents,
            FeedKind.ACTIVITY: self._activities,
        }

    def render(self, session: Session, changes: Sequence[Change]) -> list[Rendered]:
        """Return the changes in order; what is gone meanwhile is left out."""
        last = {(change.kind, change.ref): change for change in changes}
        by_kind: defaultdict[FeedKind, list[str]] = defaultdict(list)
        for kind, ref in last:
            by_kind[kind].append(ref)
        views = {kind: self._readers[kind](session, refs) for kind, refs in by_kind.items()}
        return [
            Rendered(cursor=change.cursor, kind=change.kind, json_text=view.model_dump_json())
            for change in sorted(last.values(), key=lambda change: change.cursor)
            if (view := views[change.kind].get(change.ref)) is not None
        ]

    def _alerts(self, session: Session, refs: Sequence[str]) -> dict[str, View]:
        ids = [UUID(ref) for ref in refs]
        found = session.scalars(
            select(Alert).where(Alert.id.in_(ids), Alert.mode != AlertMode.TRIAL)
        ).all()
        return {str(view.id): view for view in alert_views(session, found)}

    def _incidents(self, session: Session, refs: Sequence[str]) -> dict[str, View]:
        ids = [UUID(ref) for ref in refs]
        found = session.scalars(select(Incident).where(Incident.id.in_(ids))).all()
        return {str(view.id): view for view in incident_views(session, found, self._clock.now())}

    def _activities(self, session: Session, refs: Sequence[str]) -> dict[str, View]:
        ids = [UUID(ref) for ref in refs]
        found = session.scalars(select(Activity).where(Activity.id.in_(ids))).all()
        return {str(view.id): view for view in activity_views(session, found, self._clock.now())}

    def _cameras(self, session: Session, refs: Sequence[str]) -> dict[str, View]:
        return {view.uid: view for view in camera_views(session, self._clock.now(), refs)}

    def _boxes(self, session: Session, refs: Sequence[str]) -> dict[str, View]:
        return {view.box_id: view for view in box_views(session, self._clock.now(), refs)}

    def _duty(self, session: Session, refs: Sequence[str]) -> dict[str, View]:
        view = duty_view(session, self._region_code, self._clock.now())
        return dict.fromkeys(refs, view)
