"""How much may wait in the outbox, and what gives way as it fills: pure (alert I11)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: From here on it is an alert, and UPDATEs are folded into the next message of their alert …
TIGHT_AT = 0.8
#: … until it has come down to this.
CALM_AT = 0.6


class Room(StrEnum):
    """What the outbox takes."""

    ALL = "all"
    ESSENTIAL = "essential"  # what begins, ends or makes an alert graver
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that may wait.

    A village writes some 800 messages of 1.5 kB a day; one alert that stays open for all of a day
    17 000. So the defaults hold months of an outage, and days of the worst.
    """

    rows: int = 200_000
    size_bytes: int = 400_000_000
    age: timedelta = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits, and since when the oldest of it does."""

    rows: int
    size_bytes: int
    oldest_at: datetime | None

    def size(self, limits: Limits) -> float:
        """Return how much of the room is taken: 1 is all of it."""
        return max(self.rows / limits.rows, self.size_bytes / limits.size_bytes)

    def full(self, limits: Limits, now: datetime) -> float:
        """Return how near to its limits it is, in size or in age; beyond 1 where it has passed."""
        waited = timedelta() if self.oldest_at is None else now - self.oldest_at
        return max(self.size(limits), waited / limits.age, 0.0)

    def room(self, limits: Limits, now: datetime) -> Room:
        """Return what is still taken. Age alone, which a clock may have wrong, costs no alert."""
        if self.size(limits) >= 1:
            return Room.NOTHING
        is_tight = self.size(limits) >= TIGHT_AT or self.full(limits, now) >= 1
        return Room.ESSENTIAL if is_tight else Room.ALL


def takes(room: Room, *, is_essential: bool) -> bool:
    """Return whether a message is given a place."""
    return room is Room.ALL or (room is Room.ESSENTIAL and is_essential)


def is_filling(full: float, *, was_filling: bool) -> bool:
    """Return whether somebody should know; once they do, until there is room again."""
    return full >= (CALM_AT if was_filling else TIGHT_AT)
