"""Planned events in the database: reading them as plans, and finding those of a place."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.activities.plan import Plan
from central.activities.rule import Offer
from central.db.models import Activity, ActivityPlace, Camera


@dataclass(frozen=True, slots=True)
class Places:
    """Where an event is: cameras by uid, and whole grids by code."""

    cameras: frozenset[str]
    grids: frozenset[str]

    def have(self, camera_uid: str, grid_code: str) -> bool:
        """Return whether a camera is one of them, or its grid."""
        return camera_uid in self.cameras or grid_code in self.grids


def plan_of(activity: Activity) -> Plan:
    """Return when an event is on."""
    return Plan(
        start=activity.start,
        end=activity.end,
        zone=ZoneInfo(activity.time_zone),
        weekdays=frozenset(int(digit) for digit in activity.weekdays),
        last_day=date.fromisoformat(activity.last_day) if activity.last_day else None,
        stopped_at=activity.cancelled_at,
    )


def places_of(session: Session, ids: Iterable[UUID]) -> defaultdict[UUID, Places]:
    """Return where events are, in one query."""
    rows = session.scalars(
        select(ActivityPlace)
        .where(ActivityPlace.activity_id.in_(list(ids)))
        .order_by(ActivityPlace.place)
    ).all()
    found: defaultdict[UUID, Places] = defaultdict(lambda: Places(frozenset(), frozenset()))
    for row in rows:
        old, new = found[row.activity_id], {row.place}
        found[row.activity_id] = (
            Places(old.cameras, old.grids | new)
            if row.is_grid
            else Places(old.cameras | new, old.grids)
        )
    return found


def reach(session: Session, places: Places) -> frozenset[str]:
    """Return the uids of every camera that is meant, those in the grids too, and the grids."""
    inside = session.scalars(select(Camera.uid).where(Camera.grid_code.in_(places.grids)))
    return places.cameras | places.grids | frozenset(inside)


def offers_at(
    session: Session, camera_uid: str, grid_code: str, at: Sequence[datetime]
) -> list[Offer]:
    """Return the approved events that are on at one of the moments, at a camera or in its grid."""
    there = (camera_uid, grid_code)
    return Programme.read(session, there, min(at), max(at)).offers_at(*there, at)


@dataclass(frozen=True, slots=True)
class Programme:
    """The approved events at some places in a stretch of time, read once for many alerts."""

    activities: tuple[Activity, ...] = ()
    places: Mapping[UUID, Places] = field(default_factory=dict)

    @classmethod
    def read(
        cls, session: Session, places: Collection[str], since: datetime, until: datetime
    ) -> "Programme":
        """Read what is at one of ``places``, camera uids and grid codes, from since to until."""
        there = select(ActivityPlace.activity_id).where(ActivityPlace.place.in_(places))
        found = session.scalars(
            select(Activity).where(
                Activity.id.in_(there),
                Activity.approved_at.is_not(None),
                Activity.start <= until,
                Activity.over_at > since,
            )
        ).all()
        ids = [activity.id for activity in found]
        return cls(tuple(found), places_of(session, ids) if ids else {})

    def offers_at(self, camera_uid: str, grid_code: str, at: Sequence[datetime]) -> list[Offer]:
        """Return the events that are on at one of the moments, at a camera or in its grid."""
        return [
            Offer(activity.id, activity.expected, occurrence)
            for activity in self.activities
            if self.places[activity.id].have(camera_uid, grid_code)
            for moment in at
            if (occurrence := plan_of(activity).at(moment)) is not None
        ]


def is_there(session: Session, activity_id: UUID, camera_uid: str, grid_code: str) -> bool:
    """Return whether an event takes place at a camera or in its grid."""
    place = select(ActivityPlace.place).where(
        ActivityPlace.activity_id == activity_id, ActivityPlace.place.in_((camera_uid, grid_code))
    )
    return session.scalars(place).first() is not None


def offer_during(activity: Activity, since: datetime, until: datetime) -> Offer | None:
    """Return an approved event as its first time that touches a stretch, its grace included."""
    if activity.approved_at is None:
        return None
    times = plan_of(activity).occurrences(since, max(since, until))
    occurrence = next(times, None)
    return None if occurrence is None else Offer(activity.id, activity.expected, occurrence)
