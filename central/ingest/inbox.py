"""The inbox: a batch of MQTT messages, stored in one transaction (protocol I3)."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from central.alerts.states import Deadlines
from central.db.engine import Database
from central.db.models import Box
from central.delivery.ledger import DeliveryLedger
from central.ingest.alerts import AlertIntake
from central.ingest.parse import Refused, Understood, understand
from central.ingest.quarantine import quarantine
from central.ingest.sites import SiteIntake
from central.ports import Committed, Received
from central.wall.feed import publish
from protocol.clock import Clock
from protocol.messages import AlertMessage
from protocol.topics import BoxTopic

log = logging.getLogger(__name__)

UNKNOWN_BOX = "box: not entered at this centre, or under another region"


class DatabaseInbox:
    """Implements central.ports.Inbox on the centre's database.

    What a known box sent and can't be understood is quarantined, and receipted where it was kept
    whole. What an unknown box sent is quarantined but **not** receipted: once it has been entered,
    its alerts still come. Nor is what has another event's place.
    One message that the database itself refuses goes to quarantine without the rest of its batch.
    """

    def __init__(self, database: Database, clock: Clock, deadlines: Deadlines) -> None:
        self._database = database
        self._clock = clock
        self._deadlines = deadlines

    def commit(self, batch: Sequence[Received]) -> Sequence[Committed]:
        """Store the batch and return what may be receipted. Blocks for one transaction.

        Raises StoreUnavailableError with nothing stored.
        """
        parsed = [understand(received) for received in batch]
        try:
            return self._commit(parsed)
        except (StatementError, OverflowError) as error:
            if not _is_about_a_value(error):
                raise
            # A value that passed the schema and that no column takes. Find it, keep the others.
            log.warning("inbox.refused", extra={"messages": len(parsed), "error": _brief(error)})
        return _merged(self._commit_alone(item) for item in parsed)

    def _commit_alone(self, item: Understood | Refused) -> Sequence[Committed]:
        try:
            return self._commit([item])
        except (StatementError, OverflowError) as error:
            if not _is_about_a_value(error):
                raise
            reason = f"database: {_brief(error)}"
            return self._commit([Refused(item.received, item.topic, reason, item.place)])

    def _commit(self, parsed: Sequence[Understood | Refused]) -> Sequence[Committed]:
        now = self._clock.now()
        with self._database.write() as session:
            boxes = _lock_boxes(session, parsed)
            refused = [item for item in parsed if isinstance(item, Refused)]
            understood: list[Understood] = []
            for item in parsed:
                if not isinstance(item, Understood):
                    continue
                if _is_known(item.topic, boxes):
                    understood.append(item)
                else:
                    refused.append(Refused(item.received, item.topic, UNKNOWN_BOX, item.place))
            sites = SiteIntake(session, boxes, now)
            sites.take(understood)
            alerts = AlertIntake(session, boxes, now, self._deadlines)
            refused += alerts.take(
                [item for item in understood if isinstance(item.message, AlertMessage)]
            )
            kept = quarantine(session, refused)
            ledger = DeliveryLedger(session, now)
            ledger.heard(understood)
            own = [item for item in kept if item.topic and _is_known(item.topic, boxes)]
            ledger.settle(alerts.fresh, alerts.repeated, own)
            publish(session, now, [*sites.changes, *alerts.changes])
        receipts = _receipts(understood, refused, kept, boxes)
        log.debug(
            "inbox.committed",
            extra={"messages": len(parsed), "new": len(alerts.fresh), "refused": len(refused)},
        )
        return receipts


def _lock_boxes(session: Session, parsed: Sequence[Understood | Refused]) -> dict[str, Box]:
    """Return the batch's boxes that are entered, locked in order.

    The lock keeps two consumers from folding the same box's events at once.
    """
    ids = {item.topic.box_id for item in parsed if item.topic}
    found = session.scalars(select(Box).where(Box.id.in_(ids)).order_by(Box.id).with_for_update())
    return {box.id: box for box in found}


def _is_known(topic: BoxTopic, boxes: dict[str, Box]) -> bool:
    """Return whether a topic is a box's that is entered, under its own region."""
    box = boxes.get(topic.box_id)
    return box is not None and box.region_code == topic.region_code


def _receipts(
    understood: Iterable[Understood],
    refused: Iterable[Refused],
    kept: Iterable[Refused],
    boxes: dict[str, Box],
) -> Sequence[Committed]:
    """Return what is stored for good: as an alert, or whole in quarantine."""
    lost = {(item.topic, item.place) for item in refused}
    whole = (item for item in understood if (item.topic, item.place) not in lost)
    items: list[Understood | Refused] = [*whole, *kept]
    return _merged(
        [
            Committed(
                item.topic.region_code,
                item.topic.box_id,
                item.place.outbox_id,
                (item.place.sequence,),
            )
        ]
        for item in items
        if item.topic is not None and item.place is not None and _is_known(item.topic, boxes)
    )


def _merged(parts: Iterable[Sequence[Committed]]) -> Sequence[Committed]:
    """Return one entry an outbox, its sequences in order and each once."""
    sequences: defaultdict[tuple[str, str, UUID], set[int]] = defaultdict(set)
    for part in parts:
        for one in part:
            sequences[one.region_code, one.box_id, one.outbox_id].update(one.sequences)
    return [Committed(*key, tuple(sorted(found))) for key, found in sorted(sequences.items())]


def _is_about_a_value(error: Exception) -> bool:
    """Return whether the message is at fault: a value refused by its column or on the way to it.

    Anything else (a missing table, a bug of ours) must not send alerts to quarantine.
    """
    return isinstance(error, DataError | IntegrityError) or not isinstance(error, DBAPIError)


def _brief(error: Exception) -> str:
    """Return the database's own sentence, without the statement and its values."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
