"""The trace of persons' holds: what became of each, readable long after its end (recording I17).

Each function runs in the caller's transaction.
"""

import sqlite3
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from edge.db.instant import from_us, to_us
from edge.recording.hold_rules import Act

#: A trace goes so long after its hold's end.
KEPT_AFTER_END = timedelta(days=3 * 365 + 1)

#: Who ends a hold whose time is over.
BOX = "box"

_STATE = "camera_id, start_us, end_us, reason, until_us, placed_by, placed_us, review_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonHold:
    """Footage that a person keeps; ``review_on`` is a day in the box's zone."""

    id: int
    camera_id: str
    start: datetime
    end: datetime
    reason: str
    until: datetime
    placed_by: str
    placed_at: datetime
    review_on: date


@dataclass(frozen=True, slots=True)
class HoldEvent:
    """One act; ``hold`` is as it was after it."""

    id: int
    at: datetime
    act: Act
    actor: str
    note: str
    hold: PersonHold


def write(
    connection: sqlite3.Connection, hold_id: int, act: Act, actor: str, note: str, at: datetime
) -> None:
    """Write an act down, with the hold as its row is now."""
    connection.execute(
        f"""
        insert into hold_event (hold_id, at_us, act, actor, note, {_STATE})
        select id, :at_us, :act, :actor, :note, {_STATE} from hold where id = :hold_id
        """,  # noqa: S608 - names of our own
        {
            "hold_id": hold_id,
            "at_us": to_us(at),
            "act": act.value,
            "actor": actor,
            "note": note,
        },
    )


def keep_trace_of_ended(connection: sqlite3.Connection, now: datetime) -> None:
    """Write down which persons' holds are over by ``now``, and forget what is long over."""
    connection.execute(
        f"""
        insert into hold_event (hold_id, at_us, act, actor, note, {_STATE})
        select id, :now_us, :act, :actor, '', {_STATE} from hold
        where until_us <= :now_us and placed_by is not null
        """,  # noqa: S608 - names of our own
        {"now_us": to_us(now), "act": Act.ENDED.value, "actor": BOX},
    )
    connection.execute(
        """
        delete from hold_event where hold_id in (
          select hold_id from hold_event where act in ('released', 'ended')
          group by hold_id having max(at_us) < :before_us)
        """,
        {"before_us": to_us(now) - KEPT_AFTER_END // timedelta(microseconds=1)},
    )


def events(
    connection: sqlite3.Connection, camera_id: str | None, before_id: int | None, limit: int
) -> list[HoldEvent]:
    """Return at most ``limit`` acts, newest first; only those before ``before_id`` where given."""
    rows = connection.execute(
        """
        select * from hold_event
        where (:camera_id is null or camera_id = :camera_id)
          and (:before_id is null or id < :before_id)
        order by id desc limit :limit
        """,
        {"camera_id": camera_id, "before_id": before_id, "limit": limit},
    ).fetchall()
    return [
        HoldEvent(
            row["id"],
            from_us(row["at_us"]),
            Act(row["act"]),
            row["actor"],
            row["note"],
            hold_of_row(row, row["hold_id"]),
        )
        for row in rows
    ]


def hold_of_row(row: sqlite3.Row, hold_id: int) -> PersonHold:
    """Return the person's hold that is in a row of ``hold`` or ``hold_event``."""
    return PersonHold(
        id=hold_id,
        camera_id=row["camera_id"],
        start=from_us(row["start_us"]),
        end=from_us(row["end_us"]),
        reason=row["reason"],
        until=from_us(row["until_us"]),
        placed_by=row["placed_by"],
        placed_at=from_us(row["placed_us"]),
        review_on=date.fromisoformat(row["review_on"]),
    )
