"""The evidence table: pictures and clips from asked for to stored at the centre."""

import sqlite3
from datetime import datetime, timedelta
from typing import Any

from edge.alerts.piece import Piece
from edge.db.database import Database
from edge.db.instant import from_us, to_us
from protocol.messages import AlertLevel, EvidenceKind, EvidenceLack

#: Longer than any clip's tail and any wait before another try.
LONGEST_WAIT = timedelta(hours=2)

# What a person asked for (protocol I22) has the command's id in the place of an alert's.
_LEVEL = f"coalesce(alert.level, '{AlertLevel.URGENT}')"
_PIECE = f"""
    select evidence.*, coalesce(alert.camera_id, command.camera_id) as camera_id,
           {_LEVEL} as level, coalesce(alert.started_us, evidence.start_us) as started_us,
           command.command_id is not null as is_asked
"""
_WHOSE = """
    from evidence
    left join alert on alert.alert_id = evidence.alert_id
    left join command on command.command_id = evidence.alert_id
"""
_READY = f"""
    {_WHOSE}
    where evidence.kind = :kind and stored_us is null and failed is null
      and (alert.alert_id is not null or command.command_id is not null)
      and max(due_us, next_try_us) not between :now + 1 and :latest
      and (path is not null) = :made
"""


class EvidenceStore:
    """Reads and marks evidence rows; any thread may call it. All methods raise StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ready(self, kind: EvidenceKind, now: datetime, *, made: bool) -> Piece | None:
        """Return the piece of ``kind`` to work on at ``now``: the one that was due first.

        ``made`` asks for one that is to be brought to the centre, else for one that is to be made.
        Nothing waits for longer than LONGEST_WAIT: then the wall clock was set back, and it is due.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                f"{_PIECE} {_READY} order by due_us, evidence.alert_id limit 1",
                _when(kind, now, made=made),
            ).fetchone()
        return None if row is None else _piece(row)

    def foremost(self, kind: EvidenceKind, now: datetime) -> list[Piece]:
        """Return of what is to be brought at ``now`` the newest of each level, and the oldest."""
        when = _when(kind, now, made=True)
        with self._database.reading() as connection:
            # Beside max() SQLite takes the other columns from the row that has it.
            newest = connection.execute(
                f"{_PIECE}, max(due_us) as newest_us {_READY} group by {_LEVEL}", when
            ).fetchall()
            oldest = connection.execute(
                f"{_PIECE} {_READY} order by due_us, evidence.alert_id limit 1", when
            ).fetchall()
        return [_piece(row) for row in newest + oldest]

    def next_at(self, kind: EvidenceKind, *, made: bool) -> datetime | None:
        """Return when the next piece of ``kind`` can be worked on; None where there is none.

        ``made`` as in :meth:`ready`.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                """
                select min(max(due_us, next_try_us)) as at_us from evidence
                where kind = :kind and stored_us is null and failed is null
                  and (path is not null) = :made
                """,
                {"kind": kind.value, "made": made},
            ).fetchone()
        return None if row["at_us"] is None else from_us(row["at_us"])

    def pending(self) -> int:
        """Return how many pieces the centre does not have yet and may still get."""
        with self._database.reading() as connection:
            row = connection.execute(
                "select count(*) as n from evidence where stored_us is null and failed is null"
            ).fetchone()
        return int(row["n"])

    def pending_bytes(self) -> int:
        """Return how much the files of those pieces take, as far as they are made."""
        with self._database.reading() as connection:
            row = connection.execute(
                "select coalesce(sum(size_bytes), 0) as n from evidence"
                " where stored_us is null and failed is null"
            ).fetchone()
        return int(row["n"])

    def made(self, piece: Piece, path: str, sha256: str, size_bytes: int) -> None:
        """Record the file of a piece with its true bounds; its tries begin anew."""
        self._change(
            piece,
            {
                "path": path,
                "sha256": sha256,
                "size_bytes": size_bytes,
                "start_us": to_us(piece.start),
                "end_us": to_us(piece.end),
                "tries": 0,
                "next_try_us": 0,
            },
        )

    def unmade(self, piece: Piece) -> None:
        """Record that the file of a piece is gone or damaged: it must be made again."""
        self._change(piece, {"path": None, "sha256": None, "size_bytes": None})

    def stored(self, piece: Piece, now: datetime) -> None:
        """Record that the centre has it."""
        self._change(piece, {"stored_us": to_us(now)})

    def came_further(self, piece: Piece) -> None:
        """Record that the centre has more of it than before: its tries begin anew."""
        self._change(piece, {"tries": 0, "next_try_us": 0})

    def again(self, piece: Piece, at: datetime) -> None:
        """Try again, not before ``at``."""
        self._change(piece, {"tries": piece.tries + 1, "next_try_us": to_us(at)})

    def failed(self, piece: Piece, lack: EvidenceLack, reason: str) -> None:
        """Give a piece up for good; the centre is yet to be told."""
        self._change(piece, {"failed": reason, "lack": lack.value, "tries": 0, "next_try_us": 0})

    def lacking(self, kind: EvidenceKind, now: datetime) -> tuple[Piece, EvidenceLack] | None:
        """Return a piece that will never come and why, where the centre is to be told now.

        Of an alert's only: what a command asked for is told by its result.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                f"""
                {_PIECE} {_WHOSE}
                where evidence.kind = :kind and lack is not null and alert.alert_id is not null
                  and next_try_us not between :now + 1 and :latest
                order by next_try_us, evidence.alert_id limit 1
                """,
                _when(kind, now, made=False),
            ).fetchone()
        return None if row is None else (_piece(row), EvidenceLack(row["lack"]))

    def told(self, piece: Piece) -> None:
        """Record that the centre knows that it will never come."""
        self._change(piece, {"lack": None})

    def forget(self, ended_before: datetime, *, waiting: bool) -> int:
        """Delete the rows of pieces that end before then; return how many.

        ``waiting`` says whether those go, too, that the centre does not have yet and may still get.
        """
        with self._database.transaction() as connection:
            return connection.execute(
                """
                delete from evidence
                where end_us < :before
                  and (:waiting or stored_us is not null or failed is not null)
                """,
                {"before": to_us(ended_before), "waiting": waiting},
            ).rowcount

    def wanted(self) -> set[tuple[str, EvidenceKind]]:
        """Return alert and kind of the pieces whose file must be kept, made already or not."""
        with self._database.reading() as connection:
            rows = connection.execute(
                "select alert_id, kind from evidence where stored_us is null and failed is null"
            ).fetchall()
        return {(row["alert_id"], EvidenceKind(row["kind"])) for row in rows}

    def _change(self, piece: Piece, values: dict[str, Any]) -> None:
        columns = ", ".join(f"{column} = :{column}" for column in values)
        with self._database.transaction() as connection:
            connection.execute(
                f"update evidence set {columns} where alert_id = :alert_id and kind = :kind",  # noqa: S608 - our own column names
                values | {"alert_id": piece.alert_id, "kind": piece.kind.value},
            )


def _when(kind: EvidenceKind, now: datetime, *, made: bool) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "now": to_us(now),
        "latest": to_us(now + LONGEST_WAIT),
        "made": made,
    }


def _piece(row: sqlite3.Row) -> Piece:
    return Piece(
        alert_id=row["alert_id"],
        camera_id=row["camera_id"],
        kind=EvidenceKind(row["kind"]),
        level=AlertLevel(row["level"]),
        began=from_us(row["started_us"]),
        due=from_us(row["due_us"]),
        start=from_us(row["start_us"]),
        end=from_us(row["end_us"]),
        path=row["path"],
        sha256=row["sha256"],
        size_bytes=row["size_bytes"],
        tries=row["tries"],
        is_asked=bool(row["is_asked"]),
    )
