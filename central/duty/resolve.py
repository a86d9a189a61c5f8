"""Who is on duty at a moment.

* A shift lasts from its start to before its end; it may pass midnight.
* A shift without people is no shift: nobody came (接班人未到).
* Where several cover the moment, the one that began last has it.
* Where none does, the one that ended last stays responsible until the next begins (incident I7):
  there is someone at every moment after the first shift.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from central.codes import Post

#: Posts from the highest.
ORDER = {post: rank for rank, post in enumerate(Post)}


@dataclass(frozen=True, slots=True)
class OnDuty:
    """A person and their post."""

    person_id: str
    post: Post


@dataclass(frozen=True, slots=True)
class ShiftPlan:
    """A shift of the roster."""

    id: int
    name: str
    start: datetime
    end: datetime
    people: tuple[OnDuty, ...]


@dataclass(frozen=True, slots=True)
class Responsible:
    """The shift that has a moment; ``held_over`` where it should have been relieved by then."""

    shift: ShiftPlan
    held_over: bool


def responsible(shifts: Sequence[ShiftPlan], at: datetime) -> Responsible | None:
    """Return who has the moment; None only before the first shift of all."""
    begun = [shift for shift in shifts if shift.start <= at and shift.people]
    covering = [shift for shift in begun if at < shift.end]
    if covering:
        return Responsible(
            max(covering, key=lambda shift: (shift.start, shift.id)), held_over=False
        )
    if begun:
        return Responsible(max(begun, key=lambda shift: (shift.end, shift.id)), held_over=True)
    return None


def by_rank(people: Sequence[OnDuty]) -> list[OnDuty]:
    """Return the people from the highest post down; within a post as they came."""
    return sorted(people, key=lambda person: ORDER[person.post])


def first_receiver(people: Sequence[OnDuty]) -> str | None:
    """Return who takes a matter first (首问责任): the duty officer, else the next in rank."""
    officers = [person for person in people if person.post is Post.OFFICER]
    for person in officers or by_rank(people):
        return person.person_id
    return None
