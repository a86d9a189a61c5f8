"""The filing of a village's system with the county's police (备案, article 14). Pure.

::

    not filed, something in use needs a filing    not_filed, due 30 days after the first use
    not filed, nothing in use needs one           exempt (nothing in use at all: not_filed, not due)
    filed, and the four facts are as filed        filed
    filed, and they are not                       change_needed

The four facts are the managing units, the places, number and type of the cameras, and how long
recordings are kept, of the cameras in use that need a filing: those of articles 9 and 33 do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from central.points.codes import DeviceType, Fact, FilingState
from protocol.messages import LegalBasis

#: So long after the first use a system is to be filed.
DUE = timedelta(days=30)

_EXEMPT = frozenset({LegalBasis.ARTICLE_9, LegalBasis.NON_PUBLIC})


@dataclass(frozen=True, slots=True)
class Filed:
    """What a filing says of one camera; ``retention_days`` None: its box does not say."""

    uid: str
    place: str
    device_type: DeviceType
    unit: str
    retention_days: int | None


@dataclass(frozen=True, slots=True)
class InUse:
    """A camera that is in use: what a filing would say, by what it is there, since which day."""

    facts: Filed
    legal_basis: LegalBasis
    since: date


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is not as it was filed; ``before`` or ``now`` is empty where there is none."""

    fact: Fact
    uid: str
    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a system stands; ``days_left`` until ``due_on``, below 0 once that is over."""

    state: FilingState
    due_on: date | None = None
    days_left: int | None = None
    changes: tuple[Change, ...] = ()


def needs_filing(legal_basis: LegalBasis) -> bool:
    """Return whether a camera that is there by this is to be filed."""
    return legal_basis not in _EXEMPT


def to_file(in_use: Sequence[InUse]) -> tuple[Filed, ...]:
    """Return what a filing would say now, in the order of uids."""
    facts = (each.facts for each in in_use if needs_filing(each.legal_basis))
    return tuple(sorted(facts, key=lambda each: each.uid))


def standing(in_use: Sequence[InUse], filed: Sequence[Filed] | None, today: date) -> Standing:
    """Return where a system stands whose last filing said ``filed`` (None: there is none)."""
    if filed is not None:
        changes = changes_since(filed, to_file(in_use))
        state = FilingState.CHANGE_NEEDED if changes else FilingState.FILED
        return Standing(state, changes=changes)
    begun = [each.since for each in in_use if needs_filing(each.legal_basis)]
    if begun:
        due_on = min(begun) + DUE
        return Standing(FilingState.NOT_FILED, due_on, (due_on - today).days)
    return Standing(FilingState.EXEMPT if in_use else FilingState.NOT_FILED)


def changes_since(filed: Sequence[Filed], now: Sequence[Filed]) -> tuple[Change, ...]:
    """Return what is otherwise than filed, camera by camera.

    How long recordings are kept is compared where both know it.
    """
    old, new = ({each.uid: each for each in facts} for facts in (filed, now))
    changes: list[Change] = []
    for uid in sorted(old.keys() | new.keys()):
        before, after = old.get(uid), new.get(uid)
        if before is None:
            assert after is not None
            changes.append(Change(Fact.ADDED, uid, "", after.place))
        elif after is None:
            changes.append(Change(Fact.REMOVED, uid, before.place, ""))
        else:
            changes += _differences(before, after)
    return tuple(changes)


def _differences(before: Filed, now: Filed) -> list[Change]:
    pairs: list[tuple[Fact, str, str]] = [
        (Fact.UNIT, before.unit, now.unit),
        (Fact.PLACE, before.place, now.place),
        (Fact.TYPE, before.device_type, now.device_type),
    ]
    if before.retention_days is not None and now.retention_days is not None:
        pairs.append((Fact.RETENTION, str(before.retention_days), str(now.retention_days)))
    return [Change(fact, now.uid, old, new) for fact, old, new in pairs if old != new]
