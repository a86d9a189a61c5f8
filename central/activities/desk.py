"""What people do with planned events, each act one transaction with its ledger entry and feed row.

::

    act      needs                                      effect on alerts
    file     terms                                      none until approved
    change   terms, why; not over, not cancelled        none until approved again, where
                                                        place, time or number changed
    approve  somebody else than whose terms they are;   from now on
             not cancelled
    cancel   why; not over, not cancelled               ends now, open known alerts ring
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from central.activities.book import Places, places_of, plan_of, reach
from central.activities.plan import Plan, check_plan, overlap
from central.activities.views import state_of
from central.activities.words import terms_of
from central.codes import ActivityKind, ActivityState, FeedKind
from central.db.engine import Database
from central.db.models import Activity, ActivityLedger, ActivityPlace, Camera, Grid
from central.duty.roster import lock_roster
from central.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, OverlapError
from central.ledger.book import append
from central.ledger.chain import Entry
from central.wall.feed import publish
from protocol.clock import Clock
from protocol.ids import uuid7


@dataclass(frozen=True, slots=True)
class Terms:
    """What a planned event is agreed to be.

    ``overlap`` is why it may be on where and when another one is; empty: it may not.
    """

    title: str
    kind: ActivityKind
    places: Places
    plan: Plan
    expected: int
    contact: str
    safety: str
    overlap: str


class ActivityDesk:
    """Files, changes, approves and cancels the planned events of one village.

    The village's roster row is locked first, so of two filings at once the later one sees the
    other. That alerts follow is ``EffectWatch``'s business, within its rhythm.
    """

    def __init__(self, database: Database, clock: Clock, region_code: str, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._region_code = region_code
        self._zone = zone

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone of the village's clocks."""
        return self._zone

    def file(self, terms: Terms, actor_id: str) -> Activity:
        """Enter a planned event. Raises InvalidError, OverlapError."""
        with self._transaction() as (session, now):
            activity = Activity(
                id=uuid7(now),
                region_code=self._region_code,
                filed_by=actor_id,
                filed_at=now,
            )
            self._put(session, activity, terms, actor_id)
            self._write(session, activity, "file", actor_id, now, _said(activity, terms))
        return activity

    def change(self, activity_id: UUID, terms: Terms, actor_id: str, note: str) -> Activity:
        """Change the terms. Raises NotFoundError, ConflictError, InvalidError, OverlapError."""
        with self._transaction() as (session, now):
            activity = self._open(session, activity_id, now)
            before = _weighty(activity, places_of(session, [activity_id])[activity_id])
            approved = (activity.terms_by, activity.approved_by, activity.approved_at)
            self._put(session, activity, terms, actor_id)
            if _weighty(activity, terms.places) == before:  # what was approved is still so
                activity.terms_by, activity.approved_by, activity.approved_at = approved
            words = f"{note};{_said(activity, terms)}"
            self._write(session, activity, "change", actor_id, now, words)
        return activity

    def approve(self, activity_id: UUID, actor_id: str) -> Activity:
        """Let it have effect. Raises NotFoundError, ConflictError, ForbiddenError."""
        with self._transaction() as (session, now):
            activity = self._find(session, activity_id)  # over, too: funerals are filed afterwards
            if activity.approved_at is not None or activity.cancelled_at is not None:
                raise ConflictError("the activity has been approved already, or cancelled")
            if activity.terms_by == actor_id:
                raise ForbiddenError("somebody else approves what one has filed or changed")
            activity.approved_by, activity.approved_at = actor_id, now
            self._write(session, activity, "approve", actor_id, now, "")
        return activity

    def cancel(self, activity_id: UUID, actor_id: str, note: str) -> Activity:
        """End it now, or before it begins. Raises NotFoundError, ConflictError."""
        with self._transaction() as (session, now):
            activity = self._open(session, activity_id, now)
            activity.cancelled_at = activity.over_at = now
            self._write(session, activity, "cancel", actor_id, now, note)
        return activity

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Session, datetime]]:
        now = self._clock.now()
        with self._database.write() as session:
            lock_roster(session, self._region_code)
            yield session, now

    def _find(self, session: Session, activity_id: UUID) -> Activity:
        activity = session.get(Activity, activity_id, with_for_update={"key_share": True})
        if activity is None:
            raise NotFoundError(f"there is no activity {activity_id}")
        return activity

    def _open(self, session: Session, activity_id: UUID, now: datetime) -> Activity:
        activity = self._find(session, activity_id)
        if state_of(activity, now) in (ActivityState.OVER, ActivityState.CANCELLED):
            raise ConflictError("the activity is over or cancelled")
        return activity

    def _put(self, session: Session, activity: Activity, terms: Terms, actor_id: str) -> None:
        """Give an event its terms; nobody has approved them yet."""
        check_plan(terms.plan, activity.filed_at)
        self._check_places(session, terms.places)
        self._check_overlap(session, activity.id, terms)
        plan = terms.plan
        activity.title, activity.kind = terms.title, terms.kind
        activity.start, activity.end = plan.start, plan.end
        activity.weekdays = "".join(str(day) for day in sorted(plan.weekdays))
        activity.last_day = plan.last_day.isoformat() if plan.last_day else None
        activity.time_zone, activity.over_at = plan.zone.key, plan.over_at()
        activity.expected, activity.contact = terms.expected, terms.contact
        activity.safety, activity.terms_by = terms.safety, actor_id
        activity.approved_by = activity.approved_at = None
        session.add(activity)
        session.flush()
        session.execute(delete(ActivityPlace).where(ActivityPlace.activity_id == activity.id))
        session.add_all(
            ActivityPlace(activity_id=activity.id, place=place, is_grid=is_grid)
            for is_grid, places in ((False, terms.places.cameras), (True, terms.places.grids))
            for place in places
        )
        session.flush()

    def _check_places(self, session: Session, places: Places) -> None:
        if not places.cameras and not places.grids:
            raise InvalidError("cameras: name a camera or a grid at least")
        cameras = set(session.scalars(select(Camera.uid).where(Camera.uid.in_(places.cameras))))
        grids = set(session.scalars(select(Grid.code).where(Grid.code.in_(places.grids))))
        if unknown := sorted((places.cameras - cameras) | (places.grids - grids)):
            raise InvalidError(f"cameras, grids: there is no {unknown[0]}")

    def _check_overlap(self, session: Session, own_id: UUID, terms: Terms) -> None:
        if terms.overlap:
            return
        wanted = reach(session, terms.places)
        others = session.scalars(
            select(Activity).where(
                Activity.id != own_id,
                Activity.cancelled_at.is_(None),
                Activity.start < terms.plan.over_at(),
                Activity.over_at > terms.plan.start,
            )
        ).all()
        places = places_of(session, (other.id for other in others))
        for other in others:
            at = overlap(terms.plan, plan_of(other))
            if at is not None and wanted & reach(session, places[other.id]):
                local = at.astimezone(self._zone)
                raise OverlapError(f"'{other.title}' is there too, at {local:%Y-%m-%d %H:%M}")

    def _write(
        self,
        session: Session,
        activity: Activity,
        action: str,
        actor_id: str,
        now: datetime,
        note: str,
    ) -> None:
        state = state_of(activity, now)
        entry = Entry(str(activity.id), now, action, actor_id, to_state=state, note=note)
        append(session, ActivityLedger, [entry])
        publish(session, now, [(FeedKind.ACTIVITY, str(activity.id))])


def _weighty(activity: Activity, places: Places) -> tuple[object, ...]:
    """Return the terms that alerts are judged by."""
    when = (activity.start, activity.end, activity.weekdays, activity.last_day)
    return (*when, activity.expected, places)


def _said(activity: Activity, terms: Terms) -> str:
    words = terms_of(activity, terms.places)
    return f"{words};与其他活动重叠:{terms.overlap}" if terms.overlap else words
