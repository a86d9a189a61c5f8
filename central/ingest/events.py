"""The ledger of what boxes sent: each event once, in the place that it has (protocol I3, I4)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from central.db.bulk import insert_rows
from central.db.models import BoxEvent
from central.db.types import JsonText
from central.delivery.ledger import DeliveryLedger
from central.ingest.parse import Refused, Understood, event_of

#: Places a statement asks for: far below SQLite's limit on variables.
_ROWS = 500

_REUSED = "sequence: used by another event before: is there a second such box?"

Key = tuple[str, UUID, int]


@dataclass(slots=True)
class EventIntake:
    """Stores a batch's events inside the caller's transaction, which has their boxes locked.

    ``fresh`` are those not seen before, in order; ``repeated`` those that were; ``refused`` those
    whose place other bytes have: a box sends what it stored (protocol I9).
    """

    session: Session
    ledger: DeliveryLedger
    fresh: list[Understood] = field(default_factory=list)
    repeated: list[Understood] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def take(self, items: Sequence[Understood]) -> None:
        """Store what is new."""
        digests = self._known(items)
        first = len(self.fresh)
        for item in items:
            digest = item.digest
            known = digests.get(_key(item))
            if known is None:
                digests[_key(item)] = digest
                self.fresh.append(item)
            elif known == digest:
                self.repeated.append(item)
            else:
                self.refused.append(
                    Refused(item.received, item.topic, _REUSED, item.place, is_doubled=True)
                )
        insert_rows(self.session, BoxEvent, [_values(item) for item in self.fresh[first:]])

    def _known(self, items: Iterable[Understood]) -> dict[Key, str]:
        """Return the digests of what is here in the places of ``items``.

        Most events are behind all that is known of their outbox, and need no look.
        """
        keys = [_key(item) for item in items]
        wanted = [key for key in keys if key[2] <= self.ledger.highest(key[0], key[1])]
        found: dict[Key, str] = {}
        for first in range(0, len(wanted), _ROWS):
            place = tuple_(BoxEvent.box_id, BoxEvent.outbox_id, BoxEvent.sequence)
            rows = self.session.execute(
                select(
                    BoxEvent.box_id, BoxEvent.outbox_id, BoxEvent.sequence, BoxEvent.digest
                ).where(place.in_(wanted[first : first + _ROWS]))
            )
            found |= {
                (box_id, outbox_id, number): digest for box_id, outbox_id, number, digest in rows
            }
        return found


def _key(item: Understood) -> Key:
    message = event_of(item)
    return item.topic.box_id, message.outboxid, message.sequence


def _values(item: Understood) -> dict[str, Any]:
    message = event_of(item)
    return {
        "box_id": item.topic.box_id,
        "outbox_id": message.outboxid,
        "sequence": message.sequence,
        "event_id": message.id,
        "payload": JsonText(message.model_dump_json(exclude_none=True)),
        "digest": item.digest,
        "prevhash": message.prevhash,
        "received_at": item.received.received_at,
    }
