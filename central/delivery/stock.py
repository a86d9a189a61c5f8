"""What is here of an outbox, read from the tables of events and of the quarantine."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Select,
    func,
    literal,
    null,
    or_,
    select,
    tuple_,
    union,
    union_all,
)
from sqlalchemy.orm import Session

from central.db.models import BoxEvent, BoxOutbox, Quarantine
from central.delivery.chain import Link
from central.delivery.gaps import Gap, gaps_up_to

#: Rows read at a time where all are.
_STEP = 2000
#: Places a statement asks for: far below SQLite's limit on variables.
_PLACES = 500


def links(
    session: Session, box_id: str, outbox_id: UUID, from_sequence: int, limit: int
) -> list[Link]:
    """Return events from there on, and what stands in quarantine in an event's place, in order.

    At most ``limit`` rows are read; an event that is in quarantine too is read as what it is.
    """
    rows = session.execute(_links(box_id, outbox_id, from_sequence).limit(limit))
    return list(_each_once(rows))


def heads(
    session: Session, places: Collection[tuple[str, UUID, int]]
) -> dict[tuple[str, UUID], Link]:
    """Return what stands in these places (box, outbox, number), at most one an outbox.

    The number 0 stands for an outbox of which nothing is here.
    """
    found: dict[tuple[str, UUID], Link] = {}
    wanted = [place for place in places if place[2] > 0]
    for first in range(0, len(wanted), _PLACES):
        for box_id, outbox_id, *link in session.execute(_at(wanted[first : first + _PLACES])):
            # An event comes after what is in quarantine in its place, and stands for both.
            found[box_id, outbox_id] = Link(*link)
    return found


def _at(places: Sequence[tuple[str, UUID, int]]) -> Select[Any]:
    read = select(
        BoxEvent.box_id,
        BoxEvent.outbox_id,
        BoxEvent.sequence,
        BoxEvent.digest,
        BoxEvent.prevhash,
        literal(value=False).label("is_opaque"),
    ).where(tuple_(BoxEvent.box_id, BoxEvent.outbox_id, BoxEvent.sequence).in_(places))
    unread = select(
        Quarantine.box_id,
        Quarantine.outbox_id,
        Quarantine.sequence,
        Quarantine.sha256,
        null(),
        literal(value=True),
    ).where(
        tuple_(Quarantine.box_id, Quarantine.outbox_id, Quarantine.sequence).in_(places),
        Quarantine.is_doubled.is_(other=False),
    )
    both = union_all(read, unread).subquery()
    return select(both).order_by(both.c.is_opaque.desc())


def all_links(session: Session, box_id: str, outbox_id: UUID) -> Iterator[Link]:
    """Yield all links of an outbox in order; they are read as they are taken, to the end."""
    query = _links(box_id, outbox_id, from_sequence=1)
    return _each_once(session.execute(query.execution_options(yield_per=_STEP)))


def _links(box_id: str, outbox_id: UUID, from_sequence: int) -> Select[Any]:
    read = select(
        BoxEvent.sequence,
        BoxEvent.digest,
        BoxEvent.prevhash,
        literal(value=False).label("is_opaque"),
    ).where(BoxEvent.box_id == box_id, BoxEvent.outbox_id == outbox_id)
    unread = select(Quarantine.sequence, Quarantine.sha256, null(), literal(value=True)).where(
        Quarantine.box_id == box_id,
        Quarantine.outbox_id == outbox_id,
        Quarantine.is_doubled.is_(other=False),
    )
    both = union_all(
        read.where(BoxEvent.sequence >= from_sequence),
        unread.where(Quarantine.sequence >= from_sequence),
    ).subquery()
    return select(both).order_by(both.c.sequence, both.c.is_opaque)


def _each_once(rows: Iterable[Any]) -> Iterator[Link]:
    """Yield the first row of each number: an event comes before what is in quarantine."""
    last = 0
    for sequence, digest, prevhash, is_opaque in rows:
        if sequence != last:
            last = sequence
            yield Link(sequence, digest, prevhash, bool(is_opaque))


def top(row: BoxOutbox) -> int:
    """Return the highest number that is known to have been given."""
    return max(row.highest, row.told_last)


def find_gaps(session: Session, row: BoxOutbox, limit: int) -> list[Gap]:
    """Return what is missing of an outbox, lowest first, at most ``limit`` gaps."""
    if row.complete_to >= top(row):
        return []
    here = _numbers(row).subquery()
    number = here.c.number
    following = func.lead(number).over(order_by=number).label("following")
    pairs = select(number, following).subquery()
    neighbours = session.execute(
        select(pairs.c.number, pairs.c.following)
        .where(
            or_(
                pairs.c.following - pairs.c.number > 1,
                pairs.c.following.is_(None) & (pairs.c.number < _number(top(row))),
            )
        )
        .order_by(pairs.c.number)
        .limit(limit)
    )
    return gaps_up_to(top(row), ((number, following) for number, following in neighbours))


def count_missing(session: Session, row: BoxOutbox) -> int:
    """Return how many numbers of an outbox are missing."""
    if row.complete_to >= top(row):
        return 0
    here = session.scalars(select(func.count()).select_from(_numbers(row).subquery())).one()
    return top(row) - row.complete_to - (here - 1)


def _number(value: int) -> BindParameter[int]:
    """Return a number as wide as sequences are: PostgreSQL takes a bare one for 32 bits."""
    return literal(value, BigInteger())


def _numbers(row: BoxOutbox) -> Select[tuple[int]]:
    """Select the numbers that are here from ``complete_to`` on, each once, that one included."""
    events = select(BoxEvent.sequence.label("number")).where(
        BoxEvent.box_id == row.box_id,
        BoxEvent.outbox_id == row.outbox_id,
        BoxEvent.sequence > row.complete_to,
    )
    quarantined = select(Quarantine.sequence).where(
        Quarantine.box_id == row.box_id,
        Quarantine.outbox_id == row.outbox_id,
        Quarantine.is_doubled.is_(other=False),
        Quarantine.sequence > row.complete_to,
    )
    every = union(select(_number(row.complete_to).label("number")), events, quarantined).subquery()
    return select(every.c.number)
