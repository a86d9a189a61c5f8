"""The commands a box has heard: what keeps one from being done twice (protocol I20).

Every function runs in the caller's transaction, which also does what the command says.
"""

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from edge.db.instant import to_us
from protocol.messages import Outcome

#: A command's id is kept for so long: its centre gives it for a day at most.
KEEP = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Entry:
    """A command as it was heard; ``until`` is when it is given up."""

    command_id: UUID
    kind: str
    camera_id: str | None
    heard_at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Fetched:
    """How a command that fetches stands: its piece is stored, or failed and why, or is late."""

    command_id: UUID
    kind: str
    is_stored: bool
    failed: str | None


def said_at(connection: sqlite3.Connection, command_id: UUID) -> int | None:
    """Return where in the outbox the last word on a command is; None: it was never heard."""
    row = connection.execute(
        "select seq from command where command_id = ?", (str(command_id),)
    ).fetchone()
    return None if row is None else int(row["seq"])


def enter(connection: sqlite3.Connection, entry: Entry, outcome: Outcome, sequence: int) -> None:
    """Write a command down with what was first said of it; forget what is older than KEEP."""
    connection.execute(
        "delete from command where outcome <> 'accepted' and heard_us < ?",
        (to_us(entry.heard_at - KEEP),),
    )
    connection.execute(
        """
        insert into command (command_id, kind, camera_id, heard_us, until_us, outcome, seq)
        values (:command_id, :kind, :camera_id, :heard_us, :until_us, :outcome, :seq)
        """,
        {
            "command_id": str(entry.command_id),
            "kind": entry.kind,
            "camera_id": entry.camera_id,
            "heard_us": to_us(entry.heard_at),
            "until_us": to_us(entry.until),
            "outcome": outcome.value,
            "seq": sequence,
        },
    )


def finish(
    connection: sqlite3.Connection, command_id: UUID, outcome: Outcome, sequence: int
) -> None:
    """Write down what became of an accepted command. Its piece, if it waits, is given up."""
    connection.execute(
        "update command set outcome = ?, seq = ? where command_id = ?",
        (outcome.value, sequence, str(command_id)),
    )
    connection.execute(
        """
        update evidence set failed = :outcome
        where alert_id = :command_id and stored_us is null and failed is null
        """,
        {"outcome": outcome.value, "command_id": str(command_id)},
    )


def count_open(connection: sqlite3.Connection) -> int:
    """Return how many commands are under way."""
    row = connection.execute(
        "select count(*) as n from command where outcome = 'accepted'"
    ).fetchone()
    return int(row["n"])


def accepted(connection: sqlite3.Connection, kind: str, now: datetime) -> list[UUID]:
    """Return the commands of a kind that are under way and not too late, as they were heard."""
    rows = connection.execute(
        """
        select command_id from command
        where outcome = 'accepted' and kind = :kind and until_us > :now order by heard_us
        """,
        {"kind": kind, "now": to_us(now)},
    )
    return [UUID(row["command_id"]) for row in rows]


def open_of(connection: sqlite3.Connection, kind: str) -> list[UUID]:
    """Return the commands of a kind that are under way, however late, as they were heard."""
    rows = connection.execute(
        "select command_id from command where outcome = 'accepted' and kind = ? order by heard_us",
        (kind,),
    )
    return [UUID(row["command_id"]) for row in rows]


def accepted_of_cameras(
    connection: sqlite3.Connection, kind: str, now: datetime
) -> list[tuple[UUID, str]]:
    """Return the commands of a kind that is about a camera, as :func:`accepted`, with its id."""
    rows = connection.execute(
        """
        select command_id, camera_id from command
        where outcome = 'accepted' and kind = :kind and until_us > :now order by heard_us
        """,
        {"kind": kind, "now": to_us(now)},
    )
    return [(UUID(row["command_id"]), row["camera_id"]) for row in rows]


def settled(connection: sqlite3.Connection, now: datetime) -> list[Fetched]:
    """Return the commands under way of which there is something to say now.

    A ``configure`` ends by itself, and never by its time: it says which settings count.
    """
    rows = connection.execute(
        """
        select command_id, command.kind, stored_us is not null as is_stored, failed
        from command left join evidence on evidence.alert_id = command.command_id
        where outcome = 'accepted' and command.kind <> 'configure'
          and (until_us <= :now or stored_us is not null or failed is not null)
        order by heard_us
        """,
        {"now": to_us(now)},
    ).fetchall()
    return [
        Fetched(
            UUID(row["command_id"]),
            row["kind"],
            bool(row["is_stored"]),
            row["failed"],
        )
        for row in rows
    ]
