"""Which false alarms are worth keeping as examples, what they say, and which have to go. Pure.

Only what a model found teaches a model: gatherings, flame and smoke. A camera's own faults are told
by arithmetic that nobody trains. A drill shows nothing; a trial run is what false alarms are for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from central.codes import FalseReason
from protocol.messages import AlertKind, AlertMode

#: The kinds that a model finds.
FOUND_BY_A_MODEL = frozenset({AlertKind.GATHERING, AlertKind.FLAME, AlertKind.SMOKE})

#: Reasons that say what was there instead, and it was neither flame nor smoke. With the others
#: something may burn in the picture: cooking, paper, rubbish, or what only a note says.
_INSTEAD_OF_FIRE = frozenset(
    {
        FalseReason.LIGHT_REFLECTION,
        FalseReason.HEADLIGHTS,
        FalseReason.SUNSET,
        FalseReason.FOG,
        FalseReason.INSECTS,
        FalseReason.RAIN_SNOW,
        FalseReason.RED_OBJECT,
        FalseReason.SHAKING,
    }
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long and how much is kept. Whichever is reached first decides."""

    keep_days: int
    max_pictures: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Held:
    """An example that is kept: the village's day of its picture, and its size."""

    id: int
    day: date
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Leave:
    """Which examples have to go: by their age, and because there are too many."""

    expired: tuple[int, ...] = ()
    dropped: tuple[int, ...] = ()


def teaches(kind: AlertKind, mode: AlertMode) -> bool:
    """Return whether a false alarm of this kind and mode is an example."""
    return kind in FOUND_BY_A_MODEL and mode is not AlertMode.DRILL


def shows_no_fire(kind: AlertKind, reason: FalseReason) -> bool:
    """Return whether the reason alone says that neither flame nor smoke is in the picture.

    That people were counted wrongly says so of a gathering only: of a flame it says nothing.
    """
    if reason is FalseReason.MISCOUNT:
        return kind is AlertKind.GATHERING
    return reason in _INSTEAD_OF_FIRE


def leaving(held: Sequence[Held], today: date, limits: Limits) -> Leave:
    """Return what has to go by ``today`` so that what stays is within the limits (examples I5).

    A picture stays for ``keep_days`` days after its own. Of the others the newest stay, as many as
    fit one by one; of one day, those that were kept last.
    """
    oldest = today - timedelta(days=limits.keep_days)
    expired = tuple(one.id for one in held if one.day < oldest)
    pictures, size_bytes, dropped = 0, 0, []
    for one in sorted(held, key=lambda one: (one.day, one.id), reverse=True):
        if one.day < oldest:
            continue
        pictures += 1
        size_bytes += one.size_bytes
        if pictures > limits.max_pictures or size_bytes > limits.max_bytes:
            dropped.append(one.id)
    return Leave(expired, tuple(reversed(dropped)))
