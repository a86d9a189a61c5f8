"""What of a box somebody must look after. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from central.codes import BoxState
from central.delivery.gaps import YOUNG_FOR
from central.fleet.clock import is_doubtful
from protocol.messages import ClockQuality

#: An alert that waits on its box for longer than this: the line is down, or too slow.
BACKLOG_AFTER = timedelta(minutes=10)
#: How full an outbox is when its box begins to fold (alert I11).
FULL_AT_PERCENT = 80
#: Pictures and clips that wait on a box. A few always do: a clip is sent after its alert.
EVIDENCE_MANY = 20
#: How long two boxes of one id are warned of after the last sign of it.
DOUBLED_FOR = timedelta(days=7)


class BoxWarning(StrEnum):
    """What is wrong, gravest first."""

    DOUBLED = "doubled"  # another event under a number: maybe two boxes of one id
    TWO_OUTBOXES = "two_outboxes"  # an old outbox speaks again beside a new one
    BROKEN = "broken"  # an event follows another one than came
    GAP = "gap"  # numbers are missing for more than a minute
    QUARANTINE = "quarantine"  # something could not be understood
    DETECTOR = "detector"  # it should look and does not
    CLOCK = "clock"  # its times are not to be relied on
    FULL = "full"  # its outbox fills: steps of alerts are not told any more
    OUTBOX = "outbox"  # alerts wait on the box
    EVIDENCE = "evidence"  # pictures and clips wait on the box
    CAMERA_CLOCK = "camera_clock"  # a camera's clock is off by more than 5 s


@dataclass(frozen=True, slots=True)
class OutboxFacts:
    """What the rule needs to know of an outbox."""

    first_at: datetime
    told_at: datetime | None
    broken_at: int | None
    missing_since: datetime | None


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """What the rule needs to know of a box; ``quarantined`` are those with no other event."""

    state: BoxState
    detector: str
    outbox_oldest_at: datetime | None
    evidence_pending: int
    quarantined: int
    doubled_at: datetime | None
    clock: ClockQuality | None
    clock_offset_ms: int | None
    full_percent: int
    cameras_clock_off: int
    outboxes: Sequence[OutboxFacts]


def box_warnings(box: BoxFacts, now: datetime) -> list[BoxWarning]:
    """Return what is wrong with a box, gravest first."""
    oldest = box.outbox_oldest_at
    wrong = {
        BoxWarning.DOUBLED: box.doubled_at is not None and now - box.doubled_at < DOUBLED_FOR,
        BoxWarning.TWO_OUTBOXES: _old_one_speaks(box.outboxes, now),
        BoxWarning.BROKEN: any(one.broken_at is not None for one in box.outboxes),
        BoxWarning.GAP: any(
            one.missing_since is not None and now - one.missing_since >= YOUNG_FOR
            for one in box.outboxes
        ),
        BoxWarning.QUARANTINE: box.quarantined > 0,
        # Of a box that is away nobody knows how its detector is.
        BoxWarning.DETECTOR: box.detector == "down" and box.state is not BoxState.LOST,
        BoxWarning.CLOCK: is_doubtful(box.clock, box.clock_offset_ms, now, is_late=False),
        BoxWarning.FULL: box.full_percent >= FULL_AT_PERCENT,
        BoxWarning.OUTBOX: oldest is not None and now - oldest >= BACKLOG_AFTER,
        BoxWarning.EVIDENCE: box.evidence_pending >= EVIDENCE_MANY,
        BoxWarning.CAMERA_CLOCK: box.cameras_clock_off > 0 and box.state is not BoxState.LOST,
    }
    return [warning for warning in BoxWarning if wrong[warning]]


def _old_one_speaks(outboxes: Sequence[OutboxFacts], now: datetime) -> bool:
    """Return whether of late an outbox was spoken of after a newer one had begun.

    A box whose disk was replaced leaves its old outbox for good; only two boxes go to and fro.
    """
    return any(
        old.told_at is not None and old.told_at > new.first_at and now - old.told_at < DOUBLED_FOR
        for new in outboxes
        for old in outboxes
        if old.first_at < new.first_at
    )
