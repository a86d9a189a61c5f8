"""Going through all that is kept of an outbox, to say exactly what it proves (protocol I13)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.db.models import BoxEvent, BoxOutbox
from central.delivery.chain import Examined, examine
from central.delivery.stock import all_links, links
from protocol.codec import encode
from protocol.messages import EventMessage

_STEP = 1000
_EVENT: TypeAdapter[EventMessage] = TypeAdapter(
    Annotated[EventMessage, Field(discriminator="type")]
)


class Head(StrEnum):
    """Whether the end of the chain is the one that the box's last heartbeat names."""

    SAME = "same"
    OTHER = "other"
    NOT_HERE = "not_here"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found. Three things are looked at, and none stands for another.

    ``chain``: each event names the hash that the bytes of the one before it had **when they came**.
    ``head``: the last one is the one that the box says it is.
    ``same`` of the ``events`` have a document here that, written out, has the hash of those bytes:
    nobody changed it since. ``other`` were written by a newer box, or changed; the first is named.
    A document says what it follows too, so that it can't be changed together with the column.
    """

    checked_at: datetime
    chain: Examined
    head: Head
    events: int
    same: int
    first_other: int | None

    @property
    def other(self) -> int:
        """How many documents are not, written out, the bytes that came."""
        return self.events - self.same


def prove(session: Session, row: BoxOutbox, now: datetime) -> Proof:
    """Go through an outbox from its first event to its last; each is read twice."""
    chain = examine(all_links(session, row.box_id, row.outbox_id))
    events, same, first_other = _documents(session, row.box_id, row.outbox_id)
    return Proof(now, chain, _head(session, row), events, same, first_other)


def _head(session: Session, row: BoxOutbox) -> Head:
    if row.told_head is None:
        return Head.UNTOLD
    found = links(session, row.box_id, row.outbox_id, row.told_last, 2)
    if not found or found[0].sequence != row.told_last:
        return Head.NOT_HERE
    return Head.SAME if found[0].digest == row.told_head else Head.OTHER


def _documents(session: Session, box_id: str, outbox_id: UUID) -> tuple[int, int, int | None]:
    """Return how many events there are, of how many the document is what came, the first other."""
    rows = session.execute(
        select(BoxEvent.sequence, BoxEvent.digest, BoxEvent.prevhash, BoxEvent.payload)
        .where(BoxEvent.box_id == box_id, BoxEvent.outbox_id == outbox_id)
        .order_by(BoxEvent.sequence)
        .execution_options(yield_per=_STEP)
    )
    events, same, first_other = 0, 0, None
    for sequence, digest, prevhash, payload in rows:
        events += 1
        if _written_out(payload) == digest and payload.get("prevhash") == prevhash:
            same += 1
        elif first_other is None:
            first_other = sequence
    return events, same, first_other


def _written_out(payload: dict[str, Any]) -> str | None:
    """Return the hash of a document as a box would send it; None where it is no event."""
    try:
        return sha256(encode(_EVENT.validate_python(payload))).hexdigest()
    except ValidationError:
        return None
