"""The duty roster as the interface sees it."""

from datetime import datetime

from sqlalchemy.orm import Session

from central.codes import Post
from central.duty.resolve import ShiftPlan
from central.duty.roster import duty_at, shifts_between
from central.people.views import PersonView, View, person_views


class OnDutyView(View):
    """A person and their post."""

    person: PersonView
    post: Post


class ShiftNow(View):
    """The shift that has the moment; ``held_over`` where nobody has relieved it."""

    name: str
    start: datetime
    end: datetime
    held_over: bool


class DutyView(View):
    """Who is on duty; the highest post first."""

    shift: ShiftNow | None
    people: list[OnDutyView]


class ShiftView(View):
    """A shift of the roster."""

    id: int
    name: str
    start: datetime
    end: datetime
    people: list[OnDutyView]


class RosterView(View):
    """The shifts of a stretch of days, in order."""

    shifts: list[ShiftView]


def duty_view(session: Session, region_code: str, at: datetime) -> DutyView:
    """Return who is on duty in a village at a moment."""
    has_it = duty_at(session, region_code, at)
    if has_it is None:
        return DutyView(shift=None, people=[])
    shift = has_it.shift
    return DutyView(
        shift=ShiftNow(
            name=shift.name, start=shift.start, end=shift.end, held_over=has_it.held_over
        ),
        people=_people(session, [shift])[shift.id],
    )


def roster_view(session: Session, region_code: str, start: datetime, end: datetime) -> RosterView:
    """Return the shifts that begin from ``start`` to before ``end``."""
    shifts = shifts_between(session, region_code, start, end)
    people = _people(session, shifts)
    return RosterView(
        shifts=[
            ShiftView(
                id=shift.id,
                name=shift.name,
                start=shift.start,
                end=shift.end,
                people=people[shift.id],
            )
            for shift in shifts
        ]
    )


def _people(session: Session, shifts: list[ShiftPlan]) -> dict[int, list[OnDutyView]]:
    names = person_views(session, (one.person_id for shift in shifts for one in shift.people))
    return {
        shift.id: [OnDutyView(person=names[one.person_id], post=one.post) for one in shift.people]
        for shift in shifts
    }
