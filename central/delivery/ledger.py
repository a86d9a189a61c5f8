"""What came of each outbox, and what is missing: kept with every batch (protocol I9)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from central.db.models import BoxOutbox
from central.delivery.chain import extend
from central.delivery.stock import links
from central.ingest.parse import Refused, Understood
from protocol.messages import HeartbeatMessage, OutboxMessage

#: Events read at a time to follow a chain that a late one has closed the gap of.
_STEP = 500


@dataclass(slots=True)
class DeliveryLedger:
    """Brings the rows of ``box_outbox`` up to date inside the caller's transaction.

    The caller holds the boxes' lock, so that no two of these work on one box.
    """

    session: Session
    now: datetime
    _rows: dict[tuple[str, UUID], BoxOutbox] = field(default_factory=dict)

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

    def settle(
        self,
        fresh: Iterable[Understood],
        repeated: Iterable[Understood],
        unread: Iterable[Refused] = (),
    ) -> None:
        """Take a batch after it was stored: new events, those known before, and those set aside."""
        touched = set()
        for refused in unread:
            if refused.topic is not None and refused.place is not None:
                row = self._row(refused.topic.box_id, refused.place.outbox_id)
                row.highest = max(row.highest, refused.place.sequence)
                touched.add((row.box_id, row.outbox_id))
        for item in fresh:
            row = self._of(item)
            row.received += 1
            row.highest = max(row.highest, _event(item).sequence)
            row.last_at = self.now
            if _event(item).sequence <= row.complete_to:
                self._check(row, _event(item).sequence)
            touched.add((row.box_id, row.outbox_id))
        for item in repeated:
            self._of(item).repeated += 1
        for key in touched:
            self._follow(self._rows[key])
            self._judge(self._rows[key])

    def _of(self, item: Understood) -> BoxOutbox:
        return self._row(item.topic.box_id, _event(item).outboxid)

    def _row(self, box_id: str, outbox_id: UUID) -> BoxOutbox:
        key = box_id, outbox_id
        row = self._rows.get(key) or self.session.get(BoxOutbox, key)
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
            complete_to, broken_at = extend(row.complete_to, some)
            if row.broken_at is None:
                row.broken_at = broken_at
            has_more = complete_to > row.complete_to and complete_to == some[-1].sequence
            row.complete_to = complete_to
            if not has_more:
                return

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
        if is_whole:
            row.missing_since = None
        elif row.missing_since is None:
            row.missing_since = self.now


def _event(item: Understood) -> OutboxMessage:
    assert isinstance(item.message, OutboxMessage)
    return item.message
