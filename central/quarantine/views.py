"""The quarantine as the interface sees it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from central.db.models import Quarantine, QuarantineLedger
from central.errors import InvalidError
from central.ingest.quarantine import can_replay
from central.people.views import PersonView, View, person_views
from central.quarantine.excerpt import excerpt
from protocol.codec import MAX_PAYLOAD_BYTES
from protocol.topics import EVENT_LEAVES

#: Entries of the ledger that are shown.
_NEWEST = 20


class QuarantinedView(View):
    """One message, or the same one many times.

    ``excerpt`` is readable and holds no secrets; ``replayable``: it is an event, kept whole;
    ``doubled``: another event has its number, so there may be two boxes of one id.
    """

    digest: str
    topic: str
    box_id: str | None
    outbox_id: UUID | None
    sequence: int | None
    reason: str
    first_at: datetime
    last_at: datetime
    times: int
    size_bytes: int
    excerpt: str
    replayable: bool
    doubled: bool


class QuarantinePage(View):
    """A page, newest first; ``next`` goes into ``before`` of the next one. ``total`` is of all."""

    items: list[QuarantinedView]
    next: str | None
    total: int


class QuarantineEntryView(View):
    """What somebody did with a message, ``replayed`` or ``discarded``."""

    at: datetime
    action: str
    person: PersonView | None
    digest: str
    note: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the quarantine is asked for; None is all."""

    box_id: str | None = None
    reason: str | None = None
    doubled: bool | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return it for a query."""
        found: list[ColumnElement[bool]] = [Quarantine.let_go_at.is_(None)]
        if self.box_id is not None:
            found.append(Quarantine.box_id == self.box_id)
        if self.reason is not None:
            found.append(
                func.lower(Quarantine.reason).contains(self.reason.lower(), autoescape=True)
            )
        if self.doubled is not None:
            found.append(Quarantine.is_doubled.is_(self.doubled))
        return found


def quarantine_page(
    session: Session, wanted: Wanted, before: str | None, limit: int
) -> QuarantinePage:
    """Return a page of what is wanted, the last that came first. Raises InvalidError."""
    conditions = wanted.conditions()
    total = session.scalars(select(func.count()).select_from(Quarantine).where(*conditions)).one()
    query = select(Quarantine).where(*conditions)
    if before is not None:
        query = query.where(_older_than(before))
    rows = session.scalars(
        query.order_by(Quarantine.last_at.desc(), Quarantine.digest.desc()).limit(limit + 1)
    ).all()
    shown = rows[:limit]
    following = _cursor(shown[-1]) if len(rows) > limit else None
    return QuarantinePage(items=[_view(row) for row in shown], next=following, total=total)


def replayable_digests(session: Session, wanted: Wanted, after: str, limit: int) -> list[str]:
    """Return what of it may be taken once more, in the order of the digests from ``after`` on.

    Any order will do: of an alert the message with the highest number counts (protocol I6).
    """
    # Nearly what can_replay says; of what it does not let through the desk says so.
    is_event = or_(*(Quarantine.topic.endswith(f"/{leaf}") for leaf in sorted(EVENT_LEAVES)))
    return list(
        session.scalars(
            select(Quarantine.digest)
            .where(
                *wanted.conditions(),
                is_event,
                Quarantine.size_bytes.between(1, MAX_PAYLOAD_BYTES),
                Quarantine.digest > after,
            )
            .order_by(Quarantine.digest)
            .limit(limit)
        )
    )


def newest_entries(session: Session) -> list[QuarantineEntryView]:
    """Return the newest entries of the ledger, newest first."""
    rows = session.scalars(
        select(QuarantineLedger).order_by(QuarantineLedger.position.desc()).limit(_NEWEST)
    ).all()
    people = person_views(session, [row.actor_id for row in rows])
    return [
        QuarantineEntryView(
            at=row.at,
            action=row.action,
            person=people.get(row.actor_id or ""),
            digest=row.digest,
            note=row.note,
        )
        for row in rows
    ]


def _view(row: Quarantine) -> QuarantinedView:
    return QuarantinedView(
        digest=row.digest,
        topic=row.topic,
        box_id=row.box_id,
        outbox_id=row.outbox_id,
        sequence=row.sequence,
        reason=row.reason,
        first_at=row.first_at,
        last_at=row.last_at,
        times=row.times,
        size_bytes=row.size_bytes,
        excerpt=excerpt(row.payload),
        replayable=can_replay(row),
        doubled=row.is_doubled,
    )


def _cursor(row: Quarantine) -> str:
    return f"{row.last_at.isoformat()}/{row.digest}"


def _older_than(cursor: str) -> ColumnElement[bool]:
    words, _, digest = cursor.partition("/")
    try:
        at = datetime.fromisoformat(words)
    except ValueError:
        raise InvalidError("'before' is no cursor of this list") from None
    if at.tzinfo is None:
        raise InvalidError("'before' is no cursor of this list")
    return or_(Quarantine.last_at < at, and_(Quarantine.last_at == at, Quarantine.digest < digest))
