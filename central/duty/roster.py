"""The roster in the database."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from central.db.models import Region, Shift, ShiftAssignment
from central.duty.pattern import PlannedShift
from central.duty.resolve import OnDuty, Responsible, ShiftPlan, by_rank, responsible


def duty_at(session: Session, region_code: str, at: datetime) -> Responsible | None:
    """Return who has the moment in a village (central.duty.resolve)."""
    manned = select(ShiftAssignment.shift_id)
    begun = select(Shift).where(
        Shift.region_code == region_code, Shift.start <= at, Shift.id.in_(manned)
    )
    covering = begun.where(Shift.end > at)
    ended_last = begun.where(Shift.end <= at).order_by(Shift.end.desc(), Shift.id.desc()).limit(1)
    shifts = [*session.scalars(covering), *session.scalars(ended_last)]
    return responsible(_plans(session, shifts), at)


def relieved_at(
    session: Session, region_code: str, at: datetime, person_id: str
) -> datetime | None:
    """Return when the next manned shift without a person begins after a moment, if one does."""
    theirs = select(ShiftAssignment.shift_id).where(ShiftAssignment.person_id == person_id)
    return session.scalars(
        select(Shift.start)
        .where(
            Shift.region_code == region_code,
            Shift.start > at,
            Shift.id.in_(select(ShiftAssignment.shift_id)),
            Shift.id.not_in(theirs),
        )
        .order_by(Shift.start)
        .limit(1)
    ).first()


def shifts_between(
    session: Session, region_code: str, start: datetime, end: datetime
) -> list[ShiftPlan]:
    """Return the shifts that begin from ``start`` to before ``end``, in order."""
    found = session.scalars(
        select(Shift)
        .where(Shift.region_code == region_code, Shift.start >= start, Shift.start < end)
        .order_by(Shift.start, Shift.id)
    )
    return _plans(session, list(found))


def shifts_after(session: Session, region_code: str, at: datetime) -> list[ShiftPlan]:
    """Return the shifts that are not over at a moment, in order."""
    found = session.scalars(
        select(Shift)
        .where(Shift.region_code == region_code, Shift.end > at)
        .order_by(Shift.start, Shift.id)
    )
    return _plans(session, list(found))


def lock_roster(session: Session, region_code: str) -> None:
    """Let nobody else change a village's roster until the transaction ends; the first lock of all.

    Rows that refer to the village may still come.
    """
    session.get(Region, region_code, with_for_update={"key_share": True})


def replace_shifts(
    session: Session,
    region_code: str,
    start: datetime,
    end: datetime,
    shifts: Sequence[PlannedShift],
) -> None:
    """Make ``shifts`` the only ones that begin from ``start`` to before ``end``.

    Alerts keep the people who were on duty when they came (incident I2).
    """
    inside = select(Shift.id).where(
        Shift.region_code == region_code, Shift.start >= start, Shift.start < end
    )
    session.execute(delete(ShiftAssignment).where(ShiftAssignment.shift_id.in_(inside)))
    session.execute(
        delete(Shift).where(
            Shift.region_code == region_code, Shift.start >= start, Shift.start < end
        )
    )
    add_shifts(session, region_code, shifts)


def add_shifts(session: Session, region_code: str, shifts: Sequence[PlannedShift]) -> None:
    """Add shifts to the roster."""
    for planned in shifts:
        shift = Shift(
            region_code=region_code, name=planned.name, start=planned.start, end=planned.end
        )
        session.add(shift)
        session.flush()
        session.add_all(
            ShiftAssignment(shift_id=shift.id, person_id=person.person_id, post=person.post)
            for person in planned.people
        )
    session.flush()


def _plans(session: Session, shifts: Sequence[Shift]) -> list[ShiftPlan]:
    people: defaultdict[int, list[OnDuty]] = defaultdict(list)
    ids = [shift.id for shift in shifts]
    for row in session.scalars(
        select(ShiftAssignment)
        .where(ShiftAssignment.shift_id.in_(ids))
        .order_by(ShiftAssignment.shift_id, ShiftAssignment.person_id)
    ):
        people[row.shift_id].append(OnDuty(row.person_id, row.post))
    return [
        ShiftPlan(shift.id, shift.name, shift.start, shift.end, tuple(by_rank(people[shift.id])))
        for shift in shifts
    ]
