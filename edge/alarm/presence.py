"""Who is there, from a detector whose boxes jump and whose scores sink. Pure.

No identity: a presence is a place that is remembered for two seconds, so that a person half behind
a lamp post, whom the detector is no longer sure of, is still believed. It has no name or number and
ends with the memory.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from edge.alarm.geometry import Place, distance_m

#: How long a place is remembered, for a weak sighting to be believed there.
MEMORY_S = 2.0
#: Feet are found to within so much, and two people can't be nearer to each other.
NEAR_M = 0.6
APART_M = 0.4
#: By how much a person who turned or stopped may be elsewhere than their walk would have it.
SPEED_M_S = 1.5
#: Places are averaged over so long, and walks over so long: feet jump when legs are hidden.
SMOOTH_S, WALK_S = 0.9, 1.0
#: Nobody walks faster for long; a faster one is two people taken for one.
MAX_WALK_M_S = 1.8


@dataclass(frozen=True, slots=True)
class _Presence:
    """A place and how it moves, in the place's own unit a second."""

    place: Place
    seen_at: datetime
    walk: tuple[float, float] = (0.0, 0.0)

    def expected(self, age_s: float) -> Place:
        """Return where it should be ``age_s`` after it was seen; people don't walk on unseen."""
        on_s = min(age_s, WALK_S)
        place = self.place
        return replace(place, x=place.x + self.walk[0] * on_s, y=place.y + self.walk[1] * on_s)


class Presences:
    """The people of one camera. Not thread-safe.

    A sighting of at least ``min_score`` is a person; a weaker one is where a person was seen within
    MEMORY_S. Who is not seen at all in a frame is not there: the rule's vote bridges that.
    Updates come in time order; an earlier or equal time begins anew.
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
        self._presences = [
            presence
            for presence in self._presences
            if (at - presence.seen_at).total_seconds() <= MEMORY_S
        ]
        sightings = _distinct(places)
        seen, unseen = self._match(at, sightings)
        begun = [
            _Presence(place, at)
            for place in sightings
            if place not in seen and place.score >= self._min_score
        ]
        here = [*seen.values(), *begun]
        self._presences = [*here, *unseen]
        return [presence.place for presence in here]

    def _match(
        self, at: datetime, sightings: Sequence[Place]
    ) -> tuple[dict[Place, _Presence], list[_Presence]]:
        """Give each sighting the nearest presence that it may be, the nearest pairs first."""
        pairs = []
        for index, presence in enumerate(self._presences):
            age_s = (at - presence.seen_at).total_seconds()
            expected = presence.expected(age_s)
            for place in sightings:
                apart_m = distance_m(expected, place)
                if apart_m <= NEAR_M + SPEED_M_S * age_s:
                    pairs.append((apart_m, index, place))
        seen: dict[Place, _Presence] = {}
        used: set[int] = set()
        for _, index, place in sorted(pairs, key=lambda pair: pair[:2]):
            if index in used or place in seen:
                continue
            used.add(index)
            seen[place] = _moved(self._presences[index], place, at)
        return seen, [p for index, p in enumerate(self._presences) if index not in used]


def _moved(presence: _Presence, place: Place, at: datetime) -> _Presence:
    """Return the presence drawn towards where it is seen now, the more the longer ago it was."""
    age_s = (at - presence.seen_at).total_seconds()
    old, expected = presence.place, presence.expected(age_s)
    share = 1 - math.exp(-age_s / SMOOTH_S)
    x = expected.x + share * (place.x - expected.x)
    y = expected.y + share * (place.y - expected.y)
    share = 1 - math.exp(-age_s / WALK_S)
    walk_x = presence.walk[0] + share * ((x - old.x) / age_s - presence.walk[0])
    walk_y = presence.walk[1] + share * ((y - old.y) / age_s - presence.walk[1])
    slower = min(1.0, MAX_WALK_M_S * place.per_metre / max(math.hypot(walk_x, walk_y), 1e-9))
    return _Presence(replace(place, x=x, y=y), at, (walk_x * slower, walk_y * slower))


def _distinct(places: Sequence[Place]) -> list[Place]:
    """Return the places without those that must be the same person as a better one."""
    distinct: list[Place] = []
    for place in sorted(places, key=lambda place: -place.score):
        if all(distance_m(place, better) >= APART_M for better in distinct):
            distinct.append(place)
    return distinct
