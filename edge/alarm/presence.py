"""Who is there, from a detector that misses people for a moment. Pure.

No identity: a presence is a place that is remembered for a second, so that a person behind a lamp
post is still counted. It has no name or number and ends with the memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from edge.alarm.geometry import Place, distance_m

#: How long a person who is not seen stays counted: what passing behind a post takes.
MEMORY_S = 1.0
#: Feet are found to within so much, and two people can't be nearer to each other.
NEAR_M = 0.6
APART_M = 0.4
#: A brisk walk, by which a person may be elsewhere when seen again.
SPEED_M_S = 1.5
#: One sighting may be a mistake; a second within MEMORY_S makes it a person.
SIGHTINGS = 2


@dataclass(frozen=True, slots=True)
class _Presence:
    place: Place
    seen_at: datetime
    sightings: int


class Presences:
    """The people of one camera, smoothed over MEMORY_S. Not thread-safe.

    A sighting of at least ``min_score`` begins a presence; a weaker one only prolongs one that is
    already there. Updates come in time order; an earlier or equal time, or a break longer than
    the memory, begins anew.
    """

    def __init__(self, min_score: float) -> None:
        self._min_score = min_score
        self._presences: list[_Presence] = []
        self._at: datetime | None = None

    def update(self, at: datetime, places: Sequence[Place]) -> list[Place]:
        """Take what one frame shows and return who is there."""
        if self._at is not None and at <= self._at:
            self._presences.clear()
        self._at = at
        sightings = _distinct(places)
        seen, unseen = self._match(at, sightings)
        begun = [
            _Presence(place, at, 1)
            for place in sightings
            if place not in seen and place.score >= self._min_score
        ]
        kept = [p for p in unseen if (at - p.seen_at).total_seconds() <= MEMORY_S]
        self._presences = [*seen.values(), *kept, *begun]
        return [p.place for p in self._presences if p.sightings >= SIGHTINGS]

    def _match(
        self, at: datetime, sightings: Sequence[Place]
    ) -> tuple[dict[Place, _Presence], list[_Presence]]:
        """Give each sighting the nearest presence that it may be, the nearest pairs first."""
        pairs = []
        for index, presence in enumerate(self._presences):
            age_s = (at - presence.seen_at).total_seconds()
            for place in sightings:
                reach_m = NEAR_M + (SPEED_M_S * age_s if place.score >= self._min_score else 0.0)
                apart_m = distance_m(presence.place, place)
                if apart_m <= reach_m:
                    pairs.append((apart_m, index, place))
        seen: dict[Place, _Presence] = {}
        used: set[int] = set()
        for _, index, place in sorted(pairs, key=lambda pair: pair[:2]):
            if index in used or place in seen:
                continue
            used.add(index)
            old = self._presences[index]
            seen[place] = replace(old, place=place, seen_at=at, sightings=old.sightings + 1)
        return seen, [p for index, p in enumerate(self._presences) if index not in used]


def _distinct(places: Sequence[Place]) -> list[Place]:
    """Return the places without those that must be the same person as a better one."""
    distinct: list[Place] = []
    for place in sorted(places, key=lambda place: -place.score):
        if all(distance_m(place, better) >= APART_M for better in distinct):
            distinct.append(place)
    return distinct
