"""An alert as the sum of its box's events, in whatever order they come (incident I3).

::

    field                               comes from
    kind, camera, rule, region, mode,
    level, count, threshold, confidence the newest event: the highest sequence (protocol I6) of the
                                        newest outbox: their ids grow with time
    curve                               the newest event, which has all that earlier ones had
    started_at                          the earliest any event says
    ended_at                            the newest END; what came after an END does not reopen it
    peak                                the highest any event says
    clock_doubtful                      any event's times are in doubt (protocol I17)

So START, UPDATE and END give one same alert in every order, and a duplicate changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from protocol.messages import (
    AlertCurve,
    AlertKind,
    AlertLevel,
    AlertMessage,
    AlertMode,
    AlertOp,
)


@dataclass(frozen=True, slots=True)
class BoxFacts:
    """What the box has said of an alert so far.

    ``at``, ``outbox_id`` and ``sequence`` are the newest event's.
    """

    at: datetime
    outbox_id: UUID
    sequence: int
    kind: AlertKind
    level: AlertLevel
    mode: AlertMode
    camera_id: str
    camera_name: str
    grid_code: str
    rule_id: str
    region_id: str
    started_at: datetime
    ended_at: datetime | None
    count: int
    threshold: int
    peak: int
    confidence: float | None
    curve: AlertCurve | None = None
    clock_doubtful: bool = False


def facts_of(event: AlertMessage, *, clock_doubtful: bool = False) -> BoxFacts:
    """Return what one event alone says."""
    data = event.data
    ended_at = (data.ended_at or data.at) if data.op is AlertOp.END else None
    return BoxFacts(
        at=data.at,
        outbox_id=event.outboxid,
        sequence=event.sequence,
        kind=data.kind,
        level=data.level,
        mode=data.mode,
        camera_id=data.camera_id,
        camera_name=data.camera_name,
        grid_code=data.grid_code,
        rule_id=data.rule_id,
        region_id=data.region_id,
        started_at=data.started_at,
        ended_at=ended_at,
        count=data.count,
        threshold=data.threshold,
        peak=max(data.peak, data.count),
        confidence=data.confidence,
        curve=data.curve,
        clock_doubtful=clock_doubtful,
    )


def fold(known: BoxFacts | None, event: BoxFacts) -> BoxFacts:
    """Return what is known after ``event`` too. Associative, commutative and idempotent."""
    if known is None:
        return event
    # Not by the moment first: the box's clock may be set back between two events.
    newest = max(known, event, key=_age)
    ends = [ended for ended in (known.ended_at, event.ended_at) if ended is not None]
    return BoxFacts(
        at=newest.at,
        outbox_id=newest.outbox_id,
        sequence=newest.sequence,
        kind=newest.kind,
        level=newest.level,
        mode=newest.mode,
        camera_id=newest.camera_id,
        camera_name=newest.camera_name,
        grid_code=newest.grid_code,
        rule_id=newest.rule_id,
        region_id=newest.region_id,
        started_at=min(known.started_at, event.started_at),
        ended_at=max(ends) if ends else None,
        count=newest.count,
        threshold=newest.threshold,
        peak=max(known.peak, event.peak),
        confidence=newest.confidence,
        curve=newest.curve,
        clock_doubtful=known.clock_doubtful or event.clock_doubtful,
    )


def _age(facts: BoxFacts) -> tuple[UUID, int, datetime]:
    return facts.outbox_id, facts.sequence, facts.at
