"""What came of bringing a piece of evidence to the centre."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What came of an upload."""

    STORED = "stored"
    PART = "part"  # the centre has more of it than before, and not all
    NOT_YET = "not_yet"  # the centre does not know the alert yet: soon
    AWAY = "away"  # the link, or the whole centre: nothing else would get through either
    AGAIN = "again"  # this piece: later
    REFUSED = "refused"  # the centre will never take these bytes
    TOO_LONG = "too_long"  # the centre takes nothing of this length
    DAMAGED = "damaged"  # these are not the bytes that were made


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict and its reason.

    ``came_further``: the centre has more of the piece than was known before. ``limit_bytes``: what
    the centre takes, where it said so.
    """

    verdict: Verdict
    reason: str = ""
    came_further: bool = False
    limit_bytes: int | None = None
