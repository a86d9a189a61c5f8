"""What came of each outbox, and what is missing: kept with every batch (protocol I9)."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from central.db.models import BoxGap, BoxOutbox
from central.delivery.chain import Link, extend
from central.delivery.stock import heads, links
from central.ingest.parse import Refused, Understood, event_of
from protocol.messages import HeartbeatMessage

OutboxKey = tuple[str, UUID]

#: Events read at a time to follow a chain that a late one has closed the gap of.
_STEP = 500


@dataclass(slots=True)
class DeliveryLedger:
    """Brings the rows of ``box_outbox`` up to date inside the caller's transaction.

    The caller holds the boxes' lock, so that no two of these work on one box. ``look`` reads the
    rows of a whole batch at once and comes first.
    """

    session: Session
    now: datetime
    _rows: dict[OutboxKey, BoxOutbox] = field(default_factory=dict)

    def look(self, items: Iterable[Understood | Refused]) -> None:
        """Read what is known of the outboxes that ``items`` are of or speak of."""
        keys = {key for item in items if (key := _outbox_of(item)) is not None}
        boxes = {box_id for box_id, _ in keys}
        outboxes = {outbox_id for _, outbox_id in keys}
        for row in self.session.scalars(
            select(BoxOutbox).where(BoxOutbox.box_id.in_(boxes), BoxOutbox.outbox_id.in_(outboxes))
        ):
            self._rows[row.box_id, row.outbox_id] = row

    def highest(self, box_id: str, outbox_id: UUID) -> int:
        """Return the highest number of an outbox that is here, 0 for none."""
        row = self._rows.get((box_id, outbox_id))
        return 0 if row is None else row.highest

    def heard(self, items: Iterable[Understood]) -> None:
        """Take what heartbeats say of how far their boxes have counted."""
        for item in items:
            if not isinstance(item.message, HeartbeatMessage):
                continue
            data = item.message.data
            if data.outbox_id is None:
                continue
            row = self._row(item.topic.box_id, data.outbox_id)
            row.told_at = self.now
            if data.last_sequence >= row.told_last:
                row.told_last, row.told_head = data.last_sequence, data.head
                row.told_first = data.first_sequence
            self._judge(row)
            for former in set(data.former_outboxes or ()) - {data.outbox_id}:
                self._end(item.topic.box_id, former)

    def _end(self, box_id: str, outbox_id: UUID) -> None:
        """Note that an outbox has ended: what waited in it has other numbers now."""
        row = self._rows.get((box_id, outbox_id)) or self.session.get(
            BoxOutbox, (box_id, outbox_id)
        )
        if row is None or row.ended_at is not None:
            return  # nothing of it ever came, or it is known
        row.ended_at, row.missing_since = self.now, None
        self.session.execute(
            delete(BoxGap).where(BoxGap.box_id == box_id, BoxGap.outbox_id == outbox_id)
        )

    def settle(
        self,
        fresh: Iterable[Understood],
        repeated: Iterable[Understood],
        unread: Iterable[Refused] = (),
    ) -> None:
        """Take a batch after it was stored: new events, those known before, and those set aside."""
        batches: defaultdict[OutboxKey, list[Understood]] = defaultdict(list)
        for item in fresh:
            batches[item.topic.box_id, event_of(item).outboxid].append(item)
        set_aside: set[OutboxKey] = set()
        for refused in unread:
            if refused.topic is not None and refused.place is not None:
                row = self._row(refused.topic.box_id, refused.place.outbox_id)
                row.highest = max(row.highest, refused.place.sequence)
                set_aside.add((row.box_id, row.outbox_id))
        for item in repeated:
            self._row(item.topic.box_id, event_of(item).outboxid).repeated += 1
        plain = {
            key: items
            for key, items in batches.items()
            if key not in set_aside and self._goes_on(self._row(*key), items)
        }
        for key, items in batches.items():
            self._enter(self._row(*key), items)
        self._lengthen(plain)
        for key in {*batches, *set_aside}:
            row = self._rows[key]
            if key not in plain or row.complete_to < row.highest:
                self._follow(row)
            self._judge(row)

    def _goes_on(self, row: BoxOutbox, items: Iterable[Understood]) -> bool:
        """Return whether all that is here of an outbox is whole and comes before ``items``."""
        return row.highest == row.complete_to < min(map(_sequence, items))

    def _lengthen(self, batches: Mapping[OutboxKey, Sequence[Understood]]) -> None:
        """Go along chains with what has just come, without reading it again: most are so."""
        with self.session.no_autoflush:  # these rows change again: they are written once
            ends = heads(self.session, [(*key, self._row(*key).complete_to) for key in batches])
        for key, items in batches.items():
            row, end = self._row(*key), ends.get(key)
            fresh = [
                Link(_sequence(item), item.digest, event_of(item).prevhash)
                for item in sorted(items, key=_sequence)
            ]
            self._extend(row, fresh if end is None else [end, *fresh])

    def _enter(self, row: BoxOutbox, items: Sequence[Understood]) -> None:
        """Note that events have come, and look at those that nobody could read until now."""
        row.received += len(items)
        row.last_at = self.now
        for item in items:
            if _sequence(item) <= row.complete_to:
                self._check(row, _sequence(item))
        row.highest = max(row.highest, *map(_sequence, items))

    def _row(self, box_id: str, outbox_id: UUID) -> BoxOutbox:
        key = box_id, outbox_id
        row = self._rows.get(key)
        if row is None:
            row = BoxOutbox(
                box_id=box_id,
                outbox_id=outbox_id,
                first_at=self.now,
                last_at=self.now,
                received=0,
                repeated=0,
                highest=0,
                complete_to=0,
                told_last=0,
            )
            self.session.add(row)
        self._rows[key] = row
        return row

    def _follow(self, row: BoxOutbox) -> None:
        """Go along the chain from where it was whole, as far as it is without a gap."""
        while True:
            some = links(self.session, row.box_id, row.outbox_id, max(row.complete_to, 1), _STEP)
            before = row.complete_to
            self._extend(row, some)
            if row.complete_to == before or row.complete_to != some[-1].sequence:
                return

    def _extend(self, row: BoxOutbox, some: Sequence[Link]) -> None:
        row.complete_to, broken_at = extend(row.complete_to, some)
        if row.broken_at is None:
            row.broken_at = broken_at

    def _check(self, row: BoxOutbox, sequence: int) -> None:
        """Look whether an event follows the one before it that was passed over until now.

        It was in quarantine, where nobody could read what it follows.
        """
        around = links(self.session, row.box_id, row.outbox_id, max(sequence - 1, 1), _STEP)
        _, broken_at = extend(sequence - 1, [link for link in around if link.sequence <= sequence])
        if broken_at is not None:
            row.broken_at = min(broken_at, row.broken_at or broken_at)

    def _judge(self, row: BoxOutbox) -> None:
        """Note since when something is missing, and that it no longer is."""
        is_whole = row.complete_to >= max(row.highest, row.told_last)
        if is_whole or row.ended_at is not None:
            row.missing_since = None
        elif row.missing_since is None:
            row.missing_since = self.now


def _sequence(item: Understood) -> int:
    return event_of(item).sequence


def _outbox_of(item: Understood | Refused) -> OutboxKey | None:
    if item.topic is None:
        return None
    if item.place is not None:
        return item.topic.box_id, item.place.outbox_id
    if isinstance(item, Understood) and isinstance(item.message, HeartbeatMessage):
        told_of = item.message.data.outbox_id
        return None if told_of is None else (item.topic.box_id, told_of)
    return None
