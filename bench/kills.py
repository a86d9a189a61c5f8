"""What ``kill -9`` hits and when, in every turn of the clip: pure.

The moments lie around the gathering, where there is most to lose: just before the rule fires (the
alert must wait for the broker or the centre), just after (its receipt, its picture and its clip are
on their way), and while it is open (a restarted rule must neither end it nor raise it again).
The detector and the edge are spared while the rule counts its seconds: without pictures nothing can
count, and the alert then rightly comes later than the truth's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Victim(StrEnum):
    """A part of the village.

    ``EDGE`` is the process that does the edge's work, as a crash hits it; ``WHOLE_EDGE`` also the
    one that would fork it again.
    """

    DETECTOR = "detector"
    BROKER = "broker"
    CENTRE = "centre"
    EDGE = "edge"
    WHOLE_EDGE = "whole-edge"


#: Whose end costs footage.
RECORDERS = frozenset({Victim.EDGE, Victim.WHOLE_EDGE})


@dataclass(frozen=True, slots=True)
class Kill:
    """One kill: of what, and when."""

    victim: Victim
    at: datetime


#: Seconds from the start of the gathering, turn about.
_TURNS: tuple[tuple[tuple[Victim, float], ...], ...] = (
    (
        (Victim.BROKER, -1.0),
        (Victim.CENTRE, 1.0),
        (Victim.DETECTOR, 4.0),
        (Victim.EDGE, 40.0),
        (Victim.WHOLE_EDGE, 75.0),
    ),
    (
        (Victim.CENTRE, -1.0),
        (Victim.EDGE, 1.5),
        (Victim.BROKER, 25.0),
        (Victim.DETECTOR, 50.0),
    ),
)


def plan(gatherings: list[datetime]) -> tuple[Kill, ...]:
    """Return the kills for gatherings that start at the given times, one turn each, in order."""
    kills = [
        Kill(victim, start + timedelta(seconds=after_s))
        for turn, start in enumerate(sorted(gatherings))
        for victim, after_s in _TURNS[turn % len(_TURNS)]
    ]
    return tuple(sorted(kills, key=lambda kill: kill.at))
