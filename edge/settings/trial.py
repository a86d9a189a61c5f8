"""A version of the settings on trial: kept once it has proved itself, else taken back. Pure.

::

    tried ── start ──▶ tried            at most MOST_STARTS times; the next one takes it back
          ── look ───▶ kept             what its terms want is there
          ── look ───▶ taken back       it is not there, and the time is over
          ── give_up ▶ taken back       it can't be built, or somebody wants it undone

That the box died is no step: it shows in the next start. Time is the age of the version in this
process, by the monotonic clock, so that a clock that is set changes nothing.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from edge.section import Section

#: Begun so often without a word that it holds, a version is taken back: the box dies of it.
MOST_STARTS = 3


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a box has to have run with a version, at least, before that holds.

    ``settle_s`` is of one with terms: a stream that is gone is known to be lost by then.
    """

    steady_s: float = 30.0
    settle_s: float = 10.0


#: "camera/stream".
Stream = Annotated[str, Field(max_length=80)]


class Terms(Section):
    """What a version that was pushed has to show before it is kept (protocol I27).

    ``command_id`` is the command's; ``streams`` were live when it was asked for.
    """

    command_id: UUID
    within_s: int = Field(ge=1, le=3600)
    streams: Annotated[tuple[Stream, ...], Field(max_length=200)] = ()


@dataclass(frozen=True, slots=True)
class Signs:
    """How the box is under the tried version.

    ``hears``: the centre has answered under it, or the box has none. ``wanted`` are the streams
    that it is to have, ``live`` those that come.
    """

    hears: bool
    wanted: AbstractSet[str]
    live: AbstractSet[str]


def names(streams: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return the names of streams that are given by camera and stream."""
    return frozenset(f"{camera_id}/{stream}" for camera_id, stream in streams)


class Ending(StrEnum):
    """What became of a trial."""

    KEPT = "kept"
    TAKEN_BACK = "taken_back"


@dataclass(frozen=True, slots=True)
class Trial:
    """How the trial of version ``tried`` stands; ``accepted`` is what had proved itself before.

    ``starts`` counts how often the box began to run with it, ``why`` says what it is taken back
    for. Nothing changes what has ended.
    """

    accepted: int
    tried: int
    terms: Terms | None = None
    starts: int = 0
    ending: Ending | None = None
    why: str = ""

    @property
    def counts(self) -> int:
        """The version whose settings the box is to go by."""
        return self.accepted if self.ending is Ending.TAKEN_BACK else self.tried

    def start(self) -> "Trial":
        """Return the trial as the box begins to run with it, again or for the first time."""
        most = MOST_STARTS if self.terms else 1
        if self.starts < most or self.ending is not None:
            return replace(self, starts=self.starts + (self.ending is None))
        if self.terms is None:
            return self.give_up(f"the box ended within {Pace().steady_s:g} s of running with it")
        return self.give_up(f"the box ended {most} times before it had proved itself")

    def look(self, signs: Signs, age_s: float, pace: Pace = Pace()) -> "Trial":
        """Return the trial after the box has run with it for so long in this process."""
        if self.ending is not None:
            return self
        if self.terms is None:
            return replace(self, ending=Ending.KEPT) if age_s >= pace.steady_s else self
        lacks = self.lacks(signs)
        if not lacks and age_s >= pace.settle_s:
            return replace(self, ending=Ending.KEPT)
        if lacks and age_s >= self.terms.within_s:
            return self.give_up(f"within {self.terms.within_s} s {' and '.join(lacks)}")
        return self

    def lacks(self, signs: Signs) -> tuple[str, ...]:
        """Return in words what the terms want and is not there.

        A stream that was not live before, or is not wanted any more, counts for nothing.
        """
        assert self.terms is not None
        gone = sorted(set(self.terms.streams) & signs.wanted - signs.live)
        words = [] if signs.hears else ["the centre was not heard"]
        return (*words, *([f"{', '.join(gone)} did not come back"] if gone else ()))

    def give_up(self, why: str) -> "Trial":
        """Return the trial as one that is to be taken back."""
        return self if self.ending else replace(self, ending=Ending.TAKEN_BACK, why=why)
