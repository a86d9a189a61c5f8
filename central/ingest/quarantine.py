"""What could not be understood: kept to be looked at, and bounded whatever comes.

A row is one message: its topic and bytes, or, where a box says much the same each minute (its state
and its heartbeat), its topic and the reason. The same again is counted.

What has a place in an outbox is never deleted: its bytes are let go, and its hash stays where the
chain needs it (protocol I9).
"""

import hashlib
import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from central.db.models import Quarantine
from central.db.upsert import insert_into
from central.errors import ConflictError
from central.ingest.parse import Refused
from central.ports import Received
from protocol.codec import MAX_PAYLOAD_BYTES
from protocol.topics import EVENT_LEAVES, BoxTopic, Leaf

log = logging.getLogger(__name__)

#: A season: alerts of a box that was newer than its centre can still be looked for.
KEPT_FOR = timedelta(days=90)
#: Rows a topic. Overflow: the newest is not kept, only counted, in one more row of the topic.
MAX_ROWS = 2000
_TEXT_CHARS = 1000

_HAS_PLACE = Quarantine.outbox_id.is_not(None) & Quarantine.is_doubled.is_(other=False)


def quarantine(session: Session, refused: Iterable[Refused]) -> list[Refused]:
    """Keep or count what was refused, in the caller's transaction.

    Returns what may be receipted: it is kept whole, and has a place of its own.
    """
    settled = []
    counts: dict[str, int] = {}
    for item in refused:
        topic = _text(item.received.topic)
        if topic not in counts:
            counts[topic] = _rows(session, topic)
        digest = _digest(item)
        log.warning(
            "inbox.quarantined",
            extra={"topic": topic[:200], "reason": item.reason[:500], "digest": digest},
        )
        if counts[topic] < MAX_ROWS or session.get(Quarantine, digest) is not None:
            payload = item.received.payload
            counts[topic] += _keep(session, item, digest, _text(item.reason), payload) == 1
            if len(payload) <= MAX_PAYLOAD_BYTES and not item.is_doubled:
                settled.append(item)
        else:
            digest = hashlib.sha256(f"{topic}\0beyond".encode()).hexdigest()
            _keep(session, item, digest, f"more than {MAX_ROWS} rows: counted only", b"")
    return settled


def prune(session: Session, now: datetime) -> int:
    """Let go of what has not come for long; return how many messages it were."""
    is_old = Quarantine.last_at < now - KEPT_FOR
    gone = session.execute(delete(Quarantine).where(is_old, ~_HAS_PLACE))
    emptied = session.execute(
        update(Quarantine)
        .where(is_old, Quarantine.let_go_at.is_(None))
        .values(payload=b"", let_go_at=now)
    )
    return int(gone.rowcount) + int(emptied.rowcount)  # type: ignore[attr-defined]  # both have it


def can_replay(row: Quarantine) -> bool:
    """Return whether a row holds a whole event. A state or heartbeat comes again by itself."""
    topic = BoxTopic.parse(row.topic)
    is_event = topic is not None and topic.leaf in EVENT_LEAVES
    return is_event and row.let_go_at is None and 0 < len(row.payload) == row.size_bytes


def replayable(row: Quarantine) -> Received:
    """Return a row as it came. Raises ConflictError where it can't be taken once more."""
    if not can_replay(row):
        raise ConflictError("only an event that was kept whole can be taken once more")
    return Received(row.topic, row.payload, row.first_at)


def let_go(session: Session, row: Quarantine, now: datetime) -> None:
    """Forget what a message says; where it has a place of its own, its hash stays there."""
    if row.outbox_id is None or row.is_doubled:
        session.delete(row)
    else:
        row.payload, row.let_go_at = b"", now


def _keep(session: Session, item: Refused, digest: str, reason: str, payload: bytes) -> int:
    """Enter a row or count it; return how often it has come."""
    at = item.received.received_at
    statement = insert_into(session, Quarantine).values(
        digest=digest,
        topic=_text(item.received.topic),
        payload=payload[:MAX_PAYLOAD_BYTES],
        size_bytes=len(payload),
        reason=reason,
        box_id=item.topic and item.topic.box_id,
        outbox_id=item.place and item.place.outbox_id,
        sequence=item.place and item.place.sequence,
        sha256=hashlib.sha256(item.received.payload).hexdigest(),
        is_doubled=item.is_doubled,
        first_at=at,
        last_at=at,
        times=1,
    )
    return session.execute(
        statement.on_conflict_do_update(
            index_elements=[Quarantine.digest],
            set_={"times": Quarantine.times + 1, "last_at": at},
        ).returning(Quarantine.times)
    ).scalar_one()


def _digest(item: Refused) -> str:
    says_it_again = item.topic is not None and item.topic.leaf in (Leaf.STATE, Leaf.HEARTBEAT)
    what = _text(item.reason).encode() if says_it_again else item.received.payload
    return hashlib.sha256(item.received.topic.encode() + b"\0" + what).hexdigest()


def _rows(session: Session, topic: str) -> int:
    query = (
        select(func.count())
        .select_from(Quarantine)
        .where(Quarantine.topic == topic, Quarantine.let_go_at.is_(None))
    )
    return session.execute(query).scalar_one()


def _text(words: str) -> str:
    """Return words as both databases can keep them."""
    return words[:_TEXT_CHARS].replace("\0", "�")
