"""Which steps a point takes, and what must be there for each. Pure.

::

    from     to        needs
    draft    trial     place type, legal basis, managing unit, a clear checklist that is signed
    draft    in_use    those, the day of installation, the photo of the notice sign
    trial    in_use    the same
    trial    draft     a reason
    draft, trial, in_use
             retired   a reason
    retired  draft     a reason; checklist and photo are to be made anew

What a state needed stays needed in it (points I2). Nothing but a person's step ends a trial run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from central.errors import ConflictError, InvalidError
from central.points.codes import Item, Lack, PlaceType, PointState
from protocol.messages import AlertMode, LegalBasis

#: After so long a trial run is to be ended, or its reason thought over.
TRIAL_DAYS = timedelta(days=30)
#: So often somebody looks whether the notice sign is still there and whole (article 13).
SIGN_DAYS = timedelta(days=30)

_STEPS = frozenset(
    {
        (PointState.DRAFT, PointState.TRIAL),
        (PointState.DRAFT, PointState.IN_USE),
        (PointState.TRIAL, PointState.IN_USE),
        (PointState.TRIAL, PointState.DRAFT),
        (PointState.DRAFT, PointState.RETIRED),
        (PointState.TRIAL, PointState.RETIRED),
        (PointState.IN_USE, PointState.RETIRED),
        (PointState.RETIRED, PointState.DRAFT),
    }
)
_FOR_TRIAL = (Lack.PLACE_TYPE, Lack.LEGAL_BASIS, Lack.MANAGER_UNIT, Lack.CHECKLIST)
_NEEDED = {
    PointState.TRIAL: _FOR_TRIAL,
    PointState.IN_USE: (*_FOR_TRIAL, Lack.INSTALLED_ON, Lack.SIGN_PHOTO),
}


@dataclass(frozen=True, slots=True)
class Papers:
    """What is there of a point's file."""

    place_type: PlaceType | None = None
    legal_basis: LegalBasis | None = None
    manager_unit: str = ""
    installed_on: date | None = None
    is_clear: bool = False  # the checklist is signed, and nothing on it stands against the place
    has_photo: bool = False


def lacks(papers: Papers, state: PointState) -> tuple[Lack, ...]:
    """Return what a point still needs to be in ``state``."""
    missing = {
        Lack.PLACE_TYPE: papers.place_type is None,
        Lack.LEGAL_BASIS: papers.legal_basis is None,
        Lack.MANAGER_UNIT: not papers.manager_unit.strip(),
        Lack.CHECKLIST: not papers.is_clear,
        Lack.INSTALLED_ON: papers.installed_on is None,
        Lack.SIGN_PHOTO: not papers.has_photo,
    }
    return tuple(lack for lack in _NEEDED.get(state, ()) if missing[lack])


def check_step(before: PointState, after: PointState, papers: Papers) -> None:
    """Raise ConflictError for a step that there is none of, InvalidError where papers lack."""
    if (before, after) not in _STEPS:
        raise ConflictError(f"a point that is {before} does not become {after}")
    check_papers(after, papers)


def check_papers(state: PointState, papers: Papers) -> None:
    """Raise InvalidError where a point in ``state`` would lack something."""
    if missing := lacks(papers, state):
        raise InvalidError(f"a point that is {state} needs: {', '.join(missing)}")


def is_clear(answers: Mapping[Item, bool]) -> bool:
    """Return whether nothing on a checklist stands against the place.

    Raises InvalidError unless it answers every item, and no other.
    """
    if set(answers) != set(Item):
        odd = sorted(set(answers) ^ set(Item))
        raise InvalidError(f"answers: must answer every item and no other; see '{odd[0]}'")
    return all(answers.values())


def mode_of(said: AlertMode, *, in_trial: bool) -> AlertMode:
    """Return how an alert of a point is taken that its box says is ``said``.

    What comes from a point in trial is only logged; a drill is somebody's wish and rings.
    """
    return AlertMode.TRIAL if in_trial and said is AlertMode.LIVE else said


def trial_is_long(state: PointState, since: datetime, now: datetime) -> bool:
    """Return whether a trial run goes on for longer than it should."""
    return state is PointState.TRIAL and now - since >= TRIAL_DAYS


def sign_due_at(
    state: PointState, since: datetime, checked_at: datetime | None, *, is_whole: bool
) -> datetime | None:
    """Return when the notice sign of a point in use is to be looked at; None for others.

    A sign that was found damaged is due at once, until it is found whole.
    """
    if state is not PointState.IN_USE:
        return None
    if checked_at is None:
        return since + SIGN_DAYS
    return checked_at + SIGN_DAYS if is_whole else checked_at
