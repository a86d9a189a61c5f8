"""The feed's table: publishing, the cursor, reading on from it, pruning.

A cursor is ``(xid, id)``. On PostgreSQL ids become visible out of order, so a plain ``id > cursor``
skips rows (measured: 228 of 1 500 with four writers). Rows are therefore ordered by their
transaction first, and read only where every transaction before it has ended.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, Text, cast, delete, func, select, text, tuple_
from sqlalchemy.orm import Session

from central.codes import FeedKind
from central.db.bulk import insert_rows
from central.db.models import FeedFloor, FeedRow

#: PostgreSQL's wake-up for readers; it says nothing, what changed is in the table.
CHANNEL = "tanshao_feed"

_CURSOR = re.compile(r"^(\d{1,19})-(\d{1,19})$", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the feed: everything up to and with it has been seen."""

    xid: int
    id: int

    def __str__(self) -> str:
        """Return the cursor as browsers keep it."""
        return f"{self.xid}-{self.id}"

    @classmethod
    def parse(cls, words: str) -> "Cursor | None":
        """Return the cursor in ``words``, or None where there is none."""
        found = _CURSOR.match(words)
        return cls(int(found[1]), int(found[2])) if found else None


START = Cursor(0, 0)


@dataclass(frozen=True, slots=True)
class Change:
    """Something changed."""

    cursor: Cursor
    kind: FeedKind
    ref: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What came after a cursor.

    ``held``: more has been committed, but a transaction that is older still runs.
    """

    rows: tuple[Change, ...]
    held: bool


def publish(session: Session, at: datetime, changes: Sequence[tuple[FeedKind, str]]) -> None:
    """Add changes to the feed, in the caller's transaction; readers are woken by its commit."""
    if not changes:
        return
    session.flush()
    postgres = _is_postgres(session)
    xid = _current(session) if postgres else 0
    insert_rows(
        session,
        FeedRow,
        [{"xid": xid, "at": at, "kind": kind, "ref": ref} for kind, ref in changes],
    )
    if postgres and not session.info.get(CHANNEL):
        session.info[CHANNEL] = True  # once a transaction: NOTIFY takes a lock at commit
        session.execute(text("select pg_notify(:channel, '')"), {"channel": CHANNEL})


def newest(session: Session) -> Cursor:
    """Return the cursor of now: what is read in the same session is not older."""
    query = select(FeedRow.xid, FeedRow.id).order_by(FeedRow.xid.desc(), FeedRow.id.desc())
    if _is_postgres(session):
        query = query.where(FeedRow.xid < _oldest_running(session))
    row = session.execute(query.limit(1)).first()
    return max(Cursor(*row), _floor(session)) if row else _floor(session)


def is_stale(session: Session, cursor: Cursor) -> bool:
    """Return whether rows after ``cursor`` are gone, or it is of another database."""
    return not _floor(session) <= cursor <= max(newest(session), _last(session))


def after(session: Session, cursor: Cursor, limit: int) -> Changes:
    """Return the next changes behind ``cursor``, in order, at most ``limit``."""
    query = (
        select(FeedRow.xid, FeedRow.id, FeedRow.kind, FeedRow.ref)
        .where(tuple_(FeedRow.xid, FeedRow.id) > tuple_(cursor.xid, cursor.id))
        .order_by(FeedRow.xid, FeedRow.id)
        .limit(limit)
    )
    found = [Change(Cursor(xid, key), kind, ref) for xid, key, kind, ref in session.execute(query)]
    if not found or not _is_postgres(session):
        return Changes(tuple(found), held=False)
    oldest = _oldest_running(session)
    ready = tuple(change for change in found if change.cursor.xid < oldest)
    return Changes(ready, held=len(ready) < len(found))


def begin_anew_if_foreign(session: Session) -> bool:
    """Clear the feed where it is another PostgreSQL cluster's; return whether it was.

    A dump that is restored elsewhere brings rows whose transactions are ahead of the new cluster's:
    what is written there sorts before them and would never be read. Afterwards every cursor of
    before is stale. To be called first in a transaction.
    """
    if not _is_postgres(session):
        return False
    newest_known = max(_last(session), _floor(session)).xid
    # Given after that was read: what this cluster has committed has a lower one.
    current = _current(session)
    if newest_known < current:
        return False
    session.execute(text("lock table feed in share row exclusive mode"))
    session.execute(delete(FeedRow))
    session.execute(delete(FeedFloor))
    session.add(FeedFloor(one=1, xid=current, id=0))
    return True


def prune(session: Session, before: datetime) -> int:
    """Delete what is older than ``before`` and move the floor; return how many rows went."""
    query = select(FeedRow.xid, FeedRow.id).where(FeedRow.at < before)
    last = session.execute(query.order_by(FeedRow.xid.desc(), FeedRow.id.desc()).limit(1)).first()
    if last is None:
        return 0
    edge = Cursor(*last)
    gone = session.execute(
        delete(FeedRow).where(tuple_(FeedRow.xid, FeedRow.id) <= tuple_(edge.xid, edge.id))
    )
    floor = session.get(FeedFloor, 1, with_for_update=True)
    if floor is None:
        session.add(FeedFloor(one=1, xid=edge.xid, id=edge.id))
    elif Cursor(floor.xid, floor.id) < edge:
        floor.xid, floor.id = edge.xid, edge.id
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE's result has it


def _floor(session: Session) -> Cursor:
    floor = session.get(FeedFloor, 1)
    return Cursor(floor.xid, floor.id) if floor else START


def _last(session: Session) -> Cursor:
    """Return the newest committed row's cursor, held back or not."""
    query = select(FeedRow.xid, FeedRow.id).order_by(FeedRow.xid.desc(), FeedRow.id.desc())
    row = session.execute(query.limit(1)).first()
    return Cursor(*row) if row else START


def _current(session: Session) -> int:
    """Return this transaction's own number."""
    xid = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
    return int(session.execute(select(xid)).scalar_one())


def _oldest_running(session: Session) -> int:
    """Return the oldest transaction that has not ended, as this session's snapshot sees it."""
    xmin = func.pg_snapshot_xmin(func.pg_current_snapshot())
    return int(session.execute(select(cast(cast(xmin, Text), BigInteger))).scalar_one())


def _is_postgres(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
