"""Who is on duty, and the roster."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import Field, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.codes import FeedKind, Post
from central.db.models import Person
from central.duty.pattern import PlannedShift
from central.duty.resolve import OnDuty
from central.duty.roster import lock_roster, replace_shifts
from central.duty.views import DutyView, RosterView, duty_view, roster_view
from central.errors import InvalidError
from central.http.access import ADMIN, ANY, allow
from central.http.centre import CentreDep
from central.http.given import FIRST_YEAR, LAST_YEAR, Body, Moment
from central.wall.feed import publish

router = APIRouter(prefix="/api/v1/duty", tags=["duty"])

#: A year and a day: more is a mistake.
_MAX_DAYS = 366


class Assignment(Body):
    """A person's post in a shift."""

    person_id: str = Field(max_length=64)
    post: Post


class NewShift(Body):
    """A shift of the roster."""

    name: str = Field(min_length=1, max_length=20)
    start: Moment
    end: Moment
    people: list[Assignment] = Field(max_length=20)

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if not timedelta(0) < self.end - self.start <= timedelta(days=7):
            raise ValueError("a shift ends after its start, within seven days")
        return self


class NewRoster(Body):
    """The shifts that begin on the days ``from`` … ``to``, both of them included."""

    first: date = Field(alias="from")
    last: date = Field(alias="to")
    shifts: list[NewShift] = Field(max_length=5 * _MAX_DAYS)


@router.get("", **allow(*ANY))
def duty(centre: CentreDep, at: Moment | None = None) -> DutyView:
    """Say who is, was or will be on duty."""
    with centre.database.read() as session:
        return duty_view(session, centre.village.region_code, at or centre.clock.now())


@router.get("/roster", **allow(*ANY))
def roster(
    centre: CentreDep,
    first: Annotated[date, Query(alias="from")],
    last: Annotated[date, Query(alias="to")],
) -> RosterView:
    """Return the shifts that begin on the days ``from`` … ``to`` of the village."""
    start, end = _days(first, last, centre.config.village.zone)
    with centre.database.read() as session:
        return roster_view(session, centre.village.region_code, start, end)


@router.put("/roster", **allow(*ADMIN))
def put_roster(body: NewRoster, centre: CentreDep) -> RosterView:
    """Make these the only shifts that begin on those days."""
    start, end = _days(body.first, body.last, centre.config.village.zone)
    outside = [shift.name for shift in body.shifts if not start <= shift.start < end]
    if outside:
        raise InvalidError(f"shifts: {outside[0]} does not begin on the days from … to")
    planned = [
        PlannedShift(
            shift.name,
            shift.start,
            shift.end,
            tuple(OnDuty(one.person_id, one.post) for one in shift.people),
        )
        for shift in body.shifts
    ]
    region_code = centre.village.region_code
    with centre.database.write() as session:
        lock_roster(session, region_code)
        _check_people(session, region_code, planned)
        replace_shifts(session, region_code, start, end, planned)
        publish(session, centre.clock.now(), [(FeedKind.DUTY, region_code)])
        return roster_view(session, region_code, start, end)


def _days(first: date, last: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    if not FIRST_YEAR < first.year <= last.year < LAST_YEAR:
        raise InvalidError(f"a day lies between the years {FIRST_YEAR} and {LAST_YEAR}")
    if not 0 <= (last - first).days < _MAX_DAYS:
        raise InvalidError("'to' is a day from 'from' on, within a year")
    return (
        datetime.combine(first, time(), zone),
        datetime.combine(last + timedelta(days=1), time(), zone),
    )


def _check_people(session: Session, region_code: str, shifts: list[PlannedShift]) -> None:
    known = set(
        session.scalars(select(Person.id).where(Person.region_code == region_code, Person.active))
    )
    for shift in shifts:
        if len(set(shift.people)) != len(shift.people):
            raise InvalidError(f"shifts: {shift.name} names someone twice in one post")
        for one in shift.people:
            if one.person_id not in known:
                raise InvalidError(f"shifts: there is no person {one.person_id}")
    starts = [(shift.start, shift.name) for shift in shifts]
    if len(set(starts)) != len(starts):
        raise InvalidError("shifts: two of one name begin at once")
