"""The inbox: a batch of MQTT messages, stored in one transaction (protocol I3)."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from central.alerts.states import Deadlines
from central.commands.intake import ResultIntake
from central.db.engine import Database
from central.db.models import Alert, Box, Quarantine, QuarantineLedger
from central.db.violation import is_taken
from central.delivery.ledger import DeliveryLedger
from central.errors import NotFoundError
from central.ingest.alerts import AlertIntake
from central.ingest.parse import Refused, Understood, understand
from central.ingest.quarantine import quarantine, replayable
from central.ingest.sites import SiteIntake
from central.ledger.book import append
from central.ledger.chain import Entry
from central.ports import Committed, Received
from central.wall.feed import publish
from protocol.clock import Clock
from protocol.messages import AlertMessage
from protocol.topics import BoxTopic

log = logging.getLogger(__name__)

#: How often a batch is begun anew because another replica was first.
_TURNS = 2

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
        return self._commit_whole([understand(received) for received in batch])

    def replay(self, digest: str, actor_id: str) -> str | None:
        """Take an event in quarantine once more, as if it came now.

        Returns None where it is an event now, and its row is gone; else why it still is none. Who
        made it one is entered. Raises NotFoundError, ConflictError where there is nothing to take,
        and StoreUnavailableError.
        """
        try:
            with self._database.write() as session:
                return self._replay(session, digest, actor_id)
        except (StatementError, OverflowError) as error:
            if not _is_about_a_value(error):
                raise
            return f"database: {_brief(error)}"

    def _replay(self, session: Session, digest: str, actor_id: str) -> str | None:
        now = self._clock.now()
        found = session.get(Quarantine, digest)
        if found is None:
            raise NotFoundError("it is no longer in quarantine")
        item = understand(replayable(found))
        boxes = _lock_boxes(session, [item])
        row = session.get(Quarantine, digest, with_for_update=True, populate_existing=True)
        if row is None:
            raise NotFoundError("it is no longer in quarantine")
        if isinstance(item, Understood) and not _is_known(item.topic, boxes):
            item = Refused(item.received, item.topic, UNKNOWN_BOX, item.place)
        if isinstance(item, Understood):
            ledger = DeliveryLedger(session, now)
            ledger.look([item])
            alerts = AlertIntake(session, boxes, now, self._deadlines, ledger)
            refused = alerts.take([item])
            results = ResultIntake(session, now)
            results.take(alerts.results)
            ledger.settle(alerts.fresh, ())
            publish(session, now, [*alerts.changes, *results.changes])
            if not refused and alerts.repeated and not _is_folded(session, item):
                refused = [Refused(item.received, item.topic, row.reason, item.place)]
            if not refused:
                words = f"{row.topic} #{row.sequence}: {row.reason}"
                session.delete(row)
                append(
                    session,
                    QuarantineLedger,
                    [Entry(digest, now, "replayed", actor_id, note=words)],
                )
                return None
            item = refused[0]
        row.reason = item.reason
        return item.reason

    def _commit_whole(self, parsed: Sequence[Understood | Refused]) -> Sequence[Committed]:
        """Commit a batch; where a value in it is refused, by halves, down to the one that has it.

        The value passed the schema, and no column takes it: its message goes to quarantine, and
        the others are kept.
        """
        try:
            return self._commit_in_turn(parsed)
        except (StatementError, OverflowError) as error:
            if not _is_about_a_value(error):
                raise
            log.warning("inbox.refused", extra={"messages": len(parsed), "error": _brief(error)})
            reason = f"database: {_brief(error)}"
        if len(parsed) == 1:
            item = parsed[0]
            return self._commit([Refused(item.received, item.topic, reason, item.place)])
        half = len(parsed) // 2
        return _merged(self._commit_whole(part) for part in (parsed[:half], parsed[half:]))

    def _commit_in_turn(self, parsed: Sequence[Understood | Refused]) -> Sequence[Committed]:
        """Commit, once more where another replica has stored the same row meanwhile.

        That is nobody's fault: the second time the row is seen, and what is there stays.
        """
        for _ in range(_TURNS):
            try:
                return self._commit(parsed)
            except IntegrityError as error:
                if not is_taken(error):
                    raise
                log.warning("inbox.raced", extra={"error": _brief(error)})
        return self._commit(parsed)

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
            events = [item for item in understood if item.place is not None]
            told = [item for item in understood if item.place is None]
            sites = SiteIntake(session, boxes, now)
            sites.take(told)
            ledger = DeliveryLedger(session, now)
            ledger.look(parsed)
            alerts = AlertIntake(session, boxes, now, self._deadlines, ledger)
            refused += alerts.take(events)
            results = ResultIntake(session, now)
            results.take(alerts.results)
            kept = quarantine(session, refused)
            ledger.heard(told)
            own = [item for item in kept if item.topic and _is_known(item.topic, boxes)]
            ledger.settle(alerts.fresh, alerts.repeated, own)
            publish(session, now, [*sites.changes, *alerts.changes, *results.changes])
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


def _is_folded(session: Session, item: Understood) -> bool:
    """Return whether an event that is stored already was taken: into its alert, if it has one."""
    if not isinstance(item.message, AlertMessage):
        return True
    alert = session.get(Alert, item.message.data.alert_id)
    return alert is not None and alert.box_id == item.topic.box_id


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

    Anything else (a missing table, a row that is there already, a bug of ours) must not send alerts
    to quarantine.
    """
    if is_taken(error):
        return False
    return isinstance(error, DataError | IntegrityError) or not isinstance(error, DBAPIError)


def _brief(error: Exception) -> str:
    """Return the database's own sentence, without the statement and its values."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0][:300]
