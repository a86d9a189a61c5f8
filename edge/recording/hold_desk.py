"""Holds by persons: placed, changed, reviewed and released, each in somebody's name (I17)."""

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo

from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.errors import NotFoundError, RefusedError
from edge.health import Component, Condition
from edge.recording import hold_trace
from edge.recording.hold_lead import lead
from edge.recording.hold_rules import (
    Act,
    Placing,
    Refusal,
    Terms,
    check_change,
    check_placing,
    check_reason,
    is_review_due,
)
from edge.recording.hold_trace import HoldEvent, PersonHold
from edge.recording.index import RecordingIndex
from edge.recording.segment import Footage, Hold
from edge.recording.segments import LONGEST_US
from protocol.clock import Clock
from protocol.relay import StreamName

#: So many holds of persons at a time: what is held is looked through for every file that may go.
MAX_HOLDS = 500

_NOTED = timedelta(minutes=5)
_MICROSECOND = timedelta(microseconds=1)

#: How long a stretch is recorded, files that overlap counted once, and what the files take that the
#: hold keeps: those of its lead too.
_KEPT = """
with file as (
  select max(start_us, :start_us) as start_us, min(end_us, :end_us) as end_us, size_bytes,
    max(end_us) over (
      order by start_us, id rows between unbounded preceding and 1 preceding) as reached_us
  from segment
  where camera_id = :camera_id and stream = 'main' and start_us < :end_us and path <> :growing
    and end_us > :start_us - :lead_us and start_us > :start_us - :lead_us - :longest_us
)
select coalesce(sum(max(0, end_us - max(start_us, coalesce(reached_us, start_us)))), 0),
  coalesce(sum(size_bytes), 0)
from file
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A person's hold, or an alert's, with what is there of the footage it keeps.

    ``size_bytes`` counts the main stream's files that may not go for it, the lead to its key frame
    included.
    """

    hold: PersonHold | Hold
    recorded: timedelta
    size_bytes: int
    review_due: bool = False


@dataclass(frozen=True, slots=True)
class InForce:
    """The holds in force, persons' first, newest first; at most so many as were asked for."""

    holds: tuple[Kept, ...]
    left_out: int


class HoldDesk:
    """Where persons keep footage. Any thread may call; every act is one transaction.

    What is placed is judged by the time that the box believes, or by its clock where it believes
    none yet: to keep too much does no harm. Only the janitor ends holds, by believed time (I10).
    All methods raise StorageError where the database refuses.
    """

    def __init__(
        self, database: Database, index: RecordingIndex, zone: tzinfo, clock: Clock
    ) -> None:
        self._database = database
        self._index = index
        self._zone = zone
        self._clock = clock

    def place(self, wanted: Placing, actor: str) -> Kept:
        """Keep what there is of a stretch, in ``actor``'s name, and return how much that is.

        Raises RefusedError: a rule is broken, nothing is recorded there, or too much is held.
        """
        now = self._now()
        check_placing(wanted, now, self._zone)
        with self._database.transaction() as connection:
            count = "select count(*) from hold where placed_by is not null"
            if connection.execute(count).fetchone()[0] >= MAX_HOLDS:
                raise RefusedError(Refusal.TOO_MANY)
            hold = place(connection, wanted, actor, now)
            kept = self._kept(connection, _row(connection, hold.id), now)
            # Only now, in the transaction: what the janitor has condemned before has no row.
            if not kept.recorded:
                raise RefusedError(Refusal.NOTHING_RECORDED)
        return kept

    def change(
        self,
        hold_id: int,
        actor: str,
        *,
        until: datetime | None = None,
        review_on: date | None = None,
        reason: str | None = None,
    ) -> Kept:
        """Give a person's hold other terms; ``reason`` says why they change.

        Raises NotFoundError and RefusedError.
        """
        now = self._now()
        with self._database.transaction() as connection:
            hold = _persons(connection, hold_id)
            before = Terms(hold.until, hold.review_on)
            after = Terms(until or before.until, review_on or before.review_on)
            check_change(before, after, reason, now, self._zone)
            connection.execute(
                "update hold set until_us = :until_us, review_on = :review_on where id = :id",
                {
                    "id": hold_id,
                    "until_us": to_us(after.until),
                    "review_on": after.review_on.isoformat(),
                },
            )
            note = (reason or "").strip()
            hold_trace.write(connection, hold_id, Act.CHANGED, actor, note, now)
            return self._kept(connection, _row(connection, hold_id), now)

    def release(self, hold_id: int, actor: str, reason: str) -> None:
        """End a person's hold: its footage goes when retention says so. The trace stays.

        Raises NotFoundError and RefusedError.
        """
        check_reason(reason)
        with self._database.transaction() as connection:
            _persons(connection, hold_id)
            hold_trace.write(connection, hold_id, Act.RELEASED, actor, reason.strip(), self._now())
            connection.execute("delete from hold where id = :id", {"id": hold_id})

    def in_force(self, camera_id: str | None, limit: int) -> InForce:
        """Return the holds in force, a camera's or all, alerts' too."""
        now = self._now()
        where = "(:camera_id is null or camera_id = :camera_id)"
        of = {"camera_id": camera_id}
        with self._database.reading() as connection:
            total = connection.execute(
                f"select count(*) from hold where {where}",  # noqa: S608 - words of our own
                of,
            ).fetchone()[0]
            rows = connection.execute(
                f"""
                select * from hold where {where}
                order by placed_us is null, coalesce(placed_us, start_us) desc, id desc
                limit :limit
                """,  # noqa: S608 - words of our own
                of | {"limit": limit},
            ).fetchall()
            found = tuple(self._kept(connection, row, now) for row in rows)
        return InForce(found, total - len(found))

    def history(self, camera_id: str | None, before_id: int | None, limit: int) -> list[HoldEvent]:
        """Return what was done to persons' holds, newest first."""
        with self._database.reading() as connection:
            return hold_trace.events(connection, camera_id, before_id, limit)

    def component(self) -> Component:
        """Return how many holds there are and wait for a review, for the health board."""
        today = self._now().astimezone(self._zone).date().isoformat()
        with self._database.reading() as connection:
            row = connection.execute(
                """
                select count(placed_by), count(*) - count(placed_by),
                  coalesce(sum(review_on <= :today), 0) from hold
                """,
                {"today": today},
            ).fetchone()
        detail = f"holds to be reviewed: {row[2]}" if row[2] else None
        figures = {"persons": row[0], "alerts": row[1], "review_due": row[2]}
        return Component(Condition.OK, detail, figures)

    def _now(self) -> datetime:
        wall, believed = self._clock.now(), self._index.last_believed()
        # The janitor notes what it believes every half minute.
        return wall if believed is None or abs(wall - believed) < _NOTED else believed

    def _kept(self, connection: sqlite3.Connection, row: sqlite3.Row, now: datetime) -> Kept:
        hold = _of_row(row)
        growing = self._index.growing(hold.camera_id, StreamName.MAIN)
        recorded_us, size_bytes = connection.execute(
            _KEPT,
            {
                "camera_id": hold.camera_id,
                "start_us": to_us(hold.start),
                "end_us": to_us(hold.end),
                "lead_us": row["lead_us"],
                "longest_us": LONGEST_US,
                # It may have been indexed since: it counts once.
                "growing": "" if growing is None else self._below_root(growing),
            },
        ).fetchone()
        recorded = recorded_us * _MICROSECOND
        if growing is not None and growing.start < hold.end and growing.end > hold.start:
            recorded += min(growing.end, hold.end) - max(growing.start, hold.start)
            size_bytes += growing.size_bytes
        review_on = hold.review_on if isinstance(hold, PersonHold) else None
        due = is_review_due(review_on, now, self._zone)
        return Kept(hold, min(recorded, hold.end - hold.start), size_bytes, due)

    def _below_root(self, footage: Footage) -> str:
        return footage.path.relative_to(self._index.root).as_posix()


def place(connection: sqlite3.Connection, wanted: Placing, actor: str, now: datetime) -> PersonHold:
    """Place a hold that a person can release, with its trace, in the caller's transaction.

    Whether it may be placed is not asked.
    """
    row = {
        "camera_id": wanted.camera_id,
        "start_us": to_us(wanted.start),
        "end_us": to_us(wanted.end),
        "reason": wanted.reason.strip(),
        "until_us": to_us(wanted.terms.until),
        "placed_by": actor,
        "placed_us": to_us(now),
        "review_on": wanted.terms.review_on.isoformat(),
        "lead_us": lead(connection, wanted.camera_id, wanted.start) // _MICROSECOND,
    }
    names, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    hold_id = connection.execute(
        f"insert into hold ({names}) values ({values})",  # noqa: S608 - names of our own
        row,
    ).lastrowid
    assert hold_id is not None
    hold_trace.write(connection, hold_id, Act.PLACED, actor, wanted.reason.strip(), now)
    return _persons(connection, hold_id)


def _row(connection: sqlite3.Connection, hold_id: int) -> sqlite3.Row:
    query = "select * from hold where id = :id"
    row: sqlite3.Row | None = connection.execute(query, {"id": hold_id}).fetchone()
    if row is None:
        raise NotFoundError(f"hold {hold_id}")
    return row


def _persons(connection: sqlite3.Connection, hold_id: int) -> PersonHold:
    hold = _of_row(_row(connection, hold_id))
    if not isinstance(hold, PersonHold):
        raise RefusedError(Refusal.ALERT_HOLD)
    return hold


def _of_row(row: sqlite3.Row) -> PersonHold | Hold:
    if row["placed_by"] is not None:
        return hold_trace.hold_of_row(row, row["id"])
    return Hold(
        row["camera_id"],
        from_us(row["start_us"]),
        from_us(row["end_us"]),
        row["reason"],
        from_us(row["until_us"]),
        row["lead_us"] * _MICROSECOND,
    )
