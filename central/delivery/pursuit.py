"""Following up what is missing: boxes are asked to send it again (protocol I12)."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from central.db.engine import Database
from central.db.models import Box, BoxGap, BoxOutbox
from central.delivery.gaps import Gap, Pursued, follow, next_at, to_ask
from central.delivery.stock import find_gaps
from central.ports import Resend
from central.sites.liveness import LOST_AFTER_S
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: Gaps of an outbox that are followed up at once, the lowest; the next ones when these are closed.
MAX_GAPS = 100
#: Requests at a time, over all boxes; what is left is due the next time.
MAX_REQUESTS = 50
#: An outbox that no heartbeat spoke of for so long: its box is away, or counts in another one.
_SPEAKS_WITHIN = timedelta(seconds=LOST_AFTER_S)

OutboxKey = tuple[str, UUID]


class GapPursuit:
    """Implements central.ports.Pursuer on the centre's database.

    Only a box that spoke of the outbox in the last three minutes is asked: a command to one that is
    away reaches nobody, and one that counts in another outbox has nothing of it.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        # What was found of each outbox that lacks something: where nothing has changed and nothing
        # is due, its events, which may be many after an old gap, are not gone through again.
        self._looks: dict[OutboxKey, _Look] = {}

    def due(self) -> Sequence[Resend]:
        """Return what to ask boxes for now; see the port. Blocks for one transaction at most."""
        now = self._clock.now()
        with self._database.read() as session:
            lacking = session.scalars(select(BoxOutbox).where(_LACKS)).all()
        self._looks = {key: self._looks[key] for key in map(_key, lacking) if key in self._looks}
        wanted = [_key(row) for row in lacking if self._is_worth_it(row, now)]
        if not wanted:
            return ()
        with self._database.write() as session:
            return self._pursue(session, wanted, now)

    def _is_worth_it(self, row: BoxOutbox, now: datetime) -> bool:
        look = self._looks.get(_key(row))
        if look is None or look.standing != _standing(row):
            return True
        return look.next_at is not None and look.next_at <= now and _is_there(row, now)

    def _pursue(
        self, session: Session, wanted: Sequence[OutboxKey], now: datetime
    ) -> Sequence[Resend]:
        # As the inbox does: who works on a box's outboxes holds the box.
        boxes = {
            box.id: box
            for box in session.scalars(
                select(Box)
                .where(Box.id.in_({box_id for box_id, _ in wanted}))
                .order_by(Box.id)
                .with_for_update()
            )
        }
        outboxes = session.scalars(
            select(BoxOutbox)
            .where(BoxOutbox.box_id.in_(boxes), _LACKS)
            .order_by(BoxOutbox.box_id, BoxOutbox.first_at)
        ).all()
        known = known_gaps(session, wanted)
        requests: list[Resend] = []
        for row in outboxes:
            if _key(row) not in wanted:
                continue
            before = known[_key(row)]
            after = follow(before, find_gaps(session, row, MAX_GAPS), now)
            if _is_there(row, now):
                room = MAX_REQUESTS - len(requests)
                after = _ask(row, boxes[row.box_id].region_code, after, now, requests, room)
            if after != before:
                _replace(session, row, after)
            self._looks[_key(row)] = _Look(_standing(row), next_at(after, row.told_first))
        if requests:
            log.info("pursuit.asked", extra={"requests": len(requests)})
        return requests


@dataclass(frozen=True, slots=True)
class _Look:
    """How an outbox stood, and when something of it is due: None where nothing ever will be."""

    standing: tuple[int | None, ...]
    next_at: datetime | None


#: Outboxes of which something is missing, or was the last time.
_LACKS = or_(
    BoxOutbox.missing_since.is_not(None),
    exists().where(BoxGap.box_id == BoxOutbox.box_id, BoxGap.outbox_id == BoxOutbox.outbox_id),
)


def _key(row: BoxOutbox) -> OutboxKey:
    return row.box_id, row.outbox_id


def _standing(row: BoxOutbox) -> tuple[int | None, ...]:
    return row.received, row.highest, row.complete_to, row.told_last, row.told_first


def known_gaps(
    session: Session, keys: Iterable[OutboxKey]
) -> defaultdict[OutboxKey, list[Pursued]]:
    """Return what was last seen of the gaps of these outboxes, lowest first."""
    found: defaultdict[OutboxKey, list[Pursued]] = defaultdict(list)
    wanted = set(keys)
    rows = session.execute(
        select(
            BoxGap.box_id,
            BoxGap.outbox_id,
            BoxGap.first,
            BoxGap.last,
            BoxGap.since,
            BoxGap.asked_at,
            BoxGap.first_asked_at,
            BoxGap.times,
        )
        .where(BoxGap.box_id.in_({box_id for box_id, _ in wanted}))
        .order_by(BoxGap.first)
    )
    for box_id, outbox_id, first, last, since, asked_at, first_asked_at, times in rows:
        if (box_id, outbox_id) in wanted:
            pursued = Pursued(Gap(first, last), since, asked_at, first_asked_at, times)
            found[box_id, outbox_id].append(pursued)
    return found


def _is_there(row: BoxOutbox, now: datetime) -> bool:
    return row.told_at is not None and now - row.told_at <= _SPEAKS_WITHIN


def _ask(
    row: BoxOutbox,
    region_code: str,
    gaps: Sequence[Pursued],
    now: datetime,
    requests: list[Resend],
    room: int,
) -> list[Pursued]:
    """Add requests for what is due, at most ``room``; return the gaps with that noted."""
    after = []
    for one in gaps:
        part = to_ask(one, row.told_first, now)
        if part is None or room <= 0:
            after.append(one)
            continue
        room -= 1
        asked = one.asked(now)
        after.append(asked)
        requests.append(
            Resend(region_code, row.box_id, row.outbox_id, part.first, part.last, asked.again_at)
        )
    return after


def _replace(session: Session, row: BoxOutbox, gaps: Iterable[Pursued]) -> None:
    session.execute(
        delete(BoxGap)
        .where(BoxGap.box_id == row.box_id, BoxGap.outbox_id == row.outbox_id)
        .execution_options(synchronize_session=False)
    )
    session.add_all(
        BoxGap(
            box_id=row.box_id,
            outbox_id=row.outbox_id,
            first=one.gap.first,
            last=one.gap.last,
            since=one.since,
            asked_at=one.asked_at,
            first_asked_at=one.first_asked_at,
            times=one.times,
        )
        for one in gaps
    )
    session.flush()
