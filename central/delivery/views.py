"""The delivery ledger (送达台账) as the interface sees it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from central.db.models import Box, BoxOutbox, Quarantine
from central.delivery.gaps import GapState, Pursued, follow, state_of
from central.delivery.proof import Head, Proof
from central.delivery.pursuit import known_gaps
from central.delivery.stock import count_missing, find_gaps
from central.people.views import View

#: Gaps of an outbox that are shown, the lowest.
_SHOWN = 50


class GapView(View):
    """Numbers that are missing, both ends included; ``count`` of them."""

    first: int
    last: int
    count: int
    since: datetime
    state: GapState
    asked_at: datetime | None
    times: int


class OutboxView(View):
    """What came of one outbox of a box, and what did not.

    ``missing`` counts the numbers up to the highest that is known of; ``gaps_left_out`` says that
    there are more gaps than are shown. ``is_current``: no heartbeat of the box spoke of another one
    since; ``ended_at``: its box said that another one took its place.
    ``quarantined`` keep their place, ``doubled`` have another event's.
    """

    box_id: str
    box_name: str
    outbox_id: UUID
    is_current: bool
    first_at: datetime
    last_at: datetime
    received: int
    repeated: int
    quarantined: int
    doubled: int
    highest: int
    told_last: int
    told_first: int | None
    told_at: datetime | None
    complete_to: int
    broken_at: int | None
    missing: int
    missing_since: datetime | None
    ended_at: datetime | None
    gaps: list[GapView]
    gaps_left_out: bool


class ProofView(View):
    """What going through a whole outbox proved; see central.delivery.proof."""

    checked_at: datetime
    links: int
    opaque: int
    whole_to: int
    missing: int
    broken: int
    breaks: list[int]
    head: Head
    events: int
    same: int
    other: int
    first_other: int | None


@dataclass(frozen=True, slots=True)
class SetAside:
    """How much of an outbox is in quarantine."""

    kept: int = 0
    doubled: int = 0


def set_aside(session: Session) -> dict[tuple[str, UUID], SetAside]:
    """Return for each outbox how many messages are in quarantine."""
    rows = session.execute(
        select(
            Quarantine.box_id,
            Quarantine.outbox_id,
            func.sum(case((Quarantine.is_doubled, 0), else_=1)),
            func.sum(case((Quarantine.is_doubled, 1), else_=0)),
        )
        .where(Quarantine.outbox_id.is_not(None))
        .group_by(Quarantine.box_id, Quarantine.outbox_id)
    )
    return {
        (box_id, outbox_id): SetAside(int(kept), int(doubled))
        for box_id, outbox_id, kept, doubled in rows
    }


def outbox_views(session: Session, now: datetime, box_id: str | None = None) -> list[OutboxView]:
    """Return the outboxes box by box, the newest first; of one box where it is named."""
    query = select(BoxOutbox).order_by(BoxOutbox.box_id, BoxOutbox.first_at.desc())
    if box_id is not None:
        query = query.where(BoxOutbox.box_id == box_id)
    rows = session.scalars(query).all()
    names = dict(session.execute(select(Box.id, Box.name)).all())
    aside = set_aside(session)
    known = known_gaps(session, [(row.box_id, row.outbox_id) for row in rows])
    current = _current(rows)
    views = []
    for row in rows:
        key = row.box_id, row.outbox_id
        held = aside.get(key, SetAside())
        found = find_gaps(session, row, _SHOWN + 1)
        pursued = follow(known[key], found, row.missing_since or now)
        views.append(
            OutboxView(
                box_id=row.box_id,
                box_name=names[row.box_id],
                outbox_id=row.outbox_id,
                is_current=current.get(row.box_id) == row.outbox_id,
                first_at=row.first_at,
                last_at=row.last_at,
                received=row.received,
                repeated=row.repeated,
                quarantined=held.kept,
                doubled=held.doubled,
                highest=row.highest,
                told_last=row.told_last,
                told_first=row.told_first,
                told_at=row.told_at,
                complete_to=row.complete_to,
                broken_at=row.broken_at,
                missing=count_missing(session, row),
                missing_since=row.missing_since,
                ended_at=row.ended_at,
                gaps=[_gap_view(one, row, now) for one in pursued[:_SHOWN]],
                gaps_left_out=len(found) > _SHOWN,
            )
        )
    return views


def proof_view(proof: Proof) -> ProofView:
    """Return a proof as the interface sees it."""
    return ProofView(
        checked_at=proof.checked_at,
        links=proof.chain.links,
        opaque=proof.chain.opaque,
        whole_to=proof.chain.whole_to,
        missing=proof.chain.missing,
        broken=proof.chain.broken,
        breaks=list(proof.chain.breaks),
        head=proof.head,
        events=proof.events,
        same=proof.same,
        other=proof.other,
        first_other=proof.first_other,
    )


def _gap_view(pursued: Pursued, row: BoxOutbox, now: datetime) -> GapView:
    return GapView(
        first=pursued.gap.first,
        last=pursued.gap.last,
        count=pursued.gap.count,
        since=pursued.since,
        state=state_of(pursued, row.told_first, now, has_ended=row.ended_at is not None),
        asked_at=pursued.asked_at,
        times=pursued.times,
    )


def _current(rows: Iterable[BoxOutbox]) -> dict[str, UUID]:
    """Return the outbox that each box last spoke of; the newest where it spoke of none."""
    of_box: defaultdict[str, list[BoxOutbox]] = defaultdict(list)
    for row in rows:
        of_box[row.box_id].append(row)
    return {
        box_id: max(found, key=lambda row: (row.told_at or row.first_at, row.first_at)).outbox_id
        for box_id, found in of_box.items()
    }
