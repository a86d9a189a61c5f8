"""Whether anybody takes in what boxes send: the consumers as they say they are."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.db.models import ConsumerPulse
from central.people.views import View

#: A consumer that has said nothing for so long is gone: it speaks every five seconds.
GONE_AFTER = timedelta(seconds=30)


class ConsumerView(View):
    """A consumer; ``works``: it is connected to the broker, and spoke a moment ago.

    ``dropped`` messages found its queue full, and ``refused`` ones made it fail: their boxes keep
    both.
    """

    name: str
    works: bool
    connected: bool
    seen_at: datetime
    queued: int
    committed: int
    committed_at: datetime | None
    dropped: int
    refused: int


def consumer_views(session: Session, now: datetime) -> list[ConsumerView]:
    """Return every consumer that did not go in order, by name."""
    rows = session.scalars(select(ConsumerPulse).order_by(ConsumerPulse.name))
    return [
        ConsumerView(
            name=row.name,
            works=row.connected and now - row.seen_at <= GONE_AFTER,
            connected=row.connected,
            seen_at=row.seen_at,
            queued=row.queued,
            committed=row.committed,
            committed_at=row.committed_at,
            dropped=row.overflowed,
            refused=row.refused,
        )
        for row in rows
    ]
