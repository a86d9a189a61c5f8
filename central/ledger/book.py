"""The ledgers in the database: appending and checking."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from central.db.bulk import insert_rows
from central.db.models import (
    ActivityLedger,
    AlertLedger,
    Base,
    CommandLedger,
    IncidentLedger,
    PointLedger,
    QuarantineLedger,
)
from central.ledger.chain import Entry, Link, first_break, link

LedgerRow = (
    AlertLedger | IncidentLedger | ActivityLedger | QuarantineLedger | CommandLedger | PointLedger
)
LedgerTable = (
    type[AlertLedger]
    | type[IncidentLedger]
    | type[ActivityLedger]
    | type[QuarantineLedger]
    | type[CommandLedger]
    | type[PointLedger]
)

#: Every ledger, by the table that keeps it.
LEDGERS: tuple[LedgerTable, ...] = (
    AlertLedger,
    IncidentLedger,
    ActivityLedger,
    QuarantineLedger,
    CommandLedger,
    PointLedger,
)

#: One writer at a time per ledger on PostgreSQL, until its transaction ends; last in our order of
#: locks (boxes, alerts, incidents, ledgers), so that two transactions never wait for each other.
_LOCKS: dict[Any, int] = {
    AlertLedger: 0x7A6E5401,
    IncidentLedger: 0x7A6E5402,
    ActivityLedger: 0x7A6E5403,
    QuarantineLedger: 0x7A6E5404,
    CommandLedger: 0x7A6E5405,
    PointLedger: 0x7A6E5406,
}
#: The column that says what an entry is about, and what is kept there.
_SUBJECTS: dict[Any, tuple[str, Callable[[str], object]]] = {
    AlertLedger: ("alert_id", UUID),
    IncidentLedger: ("incident_id", UUID),
    ActivityLedger: ("activity_id", UUID),
    QuarantineLedger: ("digest", str),
    CommandLedger: ("command_id", UUID),
    PointLedger: ("subject", str),
}


def append(session: Session, table: LedgerTable, entries: Iterable[Entry]) -> None:
    """Append ``entries`` in their order, in the caller's transaction."""
    session.flush()  # a subject's row goes before its history
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCKS[table]})
    newest = session.scalars(select(table).order_by(table.position.desc()).limit(1)).first()
    previous = _link_of(table, newest) if newest else None
    rows = []
    for entry in entries:
        previous = link(previous, entry)
        rows.append(_values_of(table, previous))
    insert_rows(session, table, rows)


def broken_at(session: Session, table: LedgerTable) -> int | None:
    """Return the position at which the ledger's chain is broken; None where it holds."""
    return first_break(_links(session, table))


def _links(session: Session, table: LedgerTable) -> Iterator[Link]:
    for row in session.scalars(select(table).order_by(table.position)).yield_per(1000):
        yield _link_of(table, row)


def _link_of(table: LedgerTable, row: Base) -> Link:
    assert isinstance(row, LedgerRow)
    entry = Entry(
        subject_id=str(getattr(row, _SUBJECTS[table][0])),
        at=row.at,
        action=row.action,
        actor_id=row.actor_id,
        device=row.device,
        from_state=row.from_state,
        to_state=row.to_state,
        note=row.note,
    )
    return Link(row.position, entry, row.prev_hash, row.hash)


def _values_of(table: LedgerTable, made: Link) -> dict[str, object]:
    entry = made.entry
    column, kept = _SUBJECTS[table]
    return {
        "position": made.position,
        "at": entry.at,
        "action": entry.action,
        "actor_id": entry.actor_id,
        "device": entry.device,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "note": entry.note,
        "prev_hash": made.prev_hash,
        "hash": made.hash,
        column: kept(entry.subject_id),
    }
