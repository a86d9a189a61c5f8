"""Gaps in an outbox's numbers: how old they are, and when a box is asked for them again. Pure.

Of one gap::

    young ── a minute ──▶ open ── its box is there ──▶ asked ── an hour ──▶ unanswered
    any ── it came ──▶ closed;  any ── the box keeps nothing so old ──▶ gone
    any ── its outbox ended ──▶ renewed
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

#: What is missing for less long may be under way.
YOUNG_FOR = timedelta(seconds=60)
#: A gap is asked for again after so long, doubled each time …
ASK_AGAIN = timedelta(minutes=10)
#: … up to this.
ASK_AGAIN_AT_MOST = timedelta(days=1)
#: So long after it was first asked, a box will hardly send it any more.
ANSWER_WITHIN = timedelta(hours=1)


class GapState(StrEnum):
    """Where a gap stands."""

    YOUNG = "young"
    OPEN = "open"
    ASKED = "asked"
    UNANSWERED = "unanswered"
    GONE = "gone"
    RENEWED = "renewed"  # what waited of it was given other numbers


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Numbers that are not here, both ends included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many numbers."""
        return self.last - self.first + 1

    def overlaps(self, other: "Gap") -> bool:
        """Return whether the two have a number in common."""
        return self.first <= other.last and other.first <= self.last


@dataclass(frozen=True, slots=True)
class Pursued:
    """A gap, since when it is known, and how often its box was asked for it."""

    gap: Gap
    since: datetime
    asked_at: datetime | None = None
    first_asked_at: datetime | None = None
    times: int = 0

    @property
    def again_at(self) -> datetime:
        """When its box is asked for it, for the first time or again."""
        if self.asked_at is None:
            return self.since + YOUNG_FOR
        doubled = 1 << min(self.times - 1, 16)  # a day is reached after nine times
        return self.asked_at + min(ASK_AGAIN * doubled, ASK_AGAIN_AT_MOST)

    def asked(self, now: datetime) -> "Pursued":
        """Return the gap after its box was asked."""
        return replace(
            self,
            asked_at=now,
            first_asked_at=self.first_asked_at or now,
            times=self.times + 1,
        )


def gaps_up_to(top: int, neighbours: Iterable[tuple[int, int | None]]) -> list[Gap]:
    """Return the gaps between numbers that are here, each given with the next one that is.

    The last number of all has none: what is missing after it reaches to ``top``.
    """
    found = []
    for number, following in neighbours:
        last = top if following is None else following - 1
        if last > number:
            found.append(Gap(number + 1, last))
    return found


def follow(known: Sequence[Pursued], found: Iterable[Gap], now: datetime) -> list[Pursued]:
    """Return the gaps there are, each with what is known of the one it is a part of.

    A gap shrinks and is split while its numbers come, and the last one grows.
    """
    return [_inherited(gap, [one for one in known if one.gap.overlaps(gap)], now) for gap in found]


def _inherited(gap: Gap, parents: Sequence[Pursued], now: datetime) -> Pursued:
    if not parents:
        return Pursued(gap, now)
    asked = [one for one in parents if one.asked_at is not None]
    return Pursued(
        gap,
        since=min(one.since for one in parents),
        asked_at=max((one.asked_at for one in asked if one.asked_at), default=None),
        first_asked_at=min(
            (one.first_asked_at for one in asked if one.first_asked_at), default=None
        ),
        times=max(one.times for one in parents),
    )


def to_ask(pursued: Pursued, kept_from: int | None, now: datetime) -> Gap | None:
    """Return the part of a gap to ask its box for now; None where it is not time, or no use.

    ``kept_from`` is the lowest number that the box still keeps, where it says so.
    """
    if now < pursued.again_at:
        return None
    first = max(pursued.gap.first, kept_from or 0)
    return Gap(first, pursued.gap.last) if first <= pursued.gap.last else None


def next_at(gaps: Iterable[Pursued], kept_from: int | None) -> datetime | None:
    """Return when the first of the gaps is to be asked for; None where it is no use for any."""
    return min((one.again_at for one in gaps if one.gap.last >= (kept_from or 0)), default=None)


def state_of(
    pursued: Pursued, kept_from: int | None, now: datetime, *, has_ended: bool = False
) -> GapState:
    """Return where a gap stands; ``has_ended``: its outbox has."""
    if has_ended:
        return GapState.RENEWED
    if kept_from is not None and pursued.gap.last < kept_from:
        return GapState.GONE
    if pursued.first_asked_at is not None:
        is_long_ago = now - pursued.first_asked_at >= ANSWER_WITHIN
        return GapState.UNANSWERED if is_long_ago else GapState.ASKED
    return GapState.YOUNG if now - pursued.since < YOUNG_FOR else GapState.OPEN
