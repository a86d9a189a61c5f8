"""A box's archive as its own database and FFmpeg see it, from outside the box."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from bench.clip import decode
from bench.judge import from_epoch_ms
from bench.recording import Span, holes


@dataclass(frozen=True, slots=True)
class Archive:
    """What is below a box's ``data_dir``."""

    folder: Path

    def recorded(self, camera_id: str) -> tuple[Span, ...]:
        """Return the indexed files' stretches, oldest first."""
        with self._database() as connection:
            rows = connection.execute(
                "select start_us, end_us from segment where camera_id = ? order by start_us",
                (camera_id,),
            ).fetchall()
        return tuple(Span(_at(start), _at(end)) for start, end in rows)

    def hold(self, camera_id: str, span: Span, until: datetime) -> None:
        """Hold a stretch as an alert does; the box may be running."""
        times = [round(each.timestamp() * 1e6) for each in (span.start, span.end, until)]
        with self._database() as connection, connection:
            connection.execute(
                "insert into hold (camera_id, start_us, end_us, reason, until_us)"
                " values (?, ?, ?, 'chaos', ?)",
                (camera_id, *times),
            )

    def covers(self, camera_id: str, span: Span) -> bool:
        """Return whether a stretch that was recorded is still there."""
        return not holes(self.recorded(camera_id), span)

    def impossible(self) -> tuple[str, ...]:
        """Return the segments that end before they begin or lie on another one of their camera."""
        with self._database() as connection:
            rows = connection.execute(
                "select camera_id, path, start_us, end_us, wall_us from segment"
                " order by camera_id, start_us, end_us"
            ).fetchall()
        faults = [
            f"{path}: of negative length"
            for _, path, start, end, wall in rows
            if end <= start or wall < 0
        ]
        for (camera_id, path, _, end, _), (other_id, other, start, _, _) in pairwise(rows):
            if camera_id == other_id and start < end:
                faults.append(f"{other}: begins {(end - start) / 1e6:.3f} s before {path} ends")
        return tuple(faults)

    def deleted(self) -> int:
        """Return how many segments retention has deleted, by its own proof."""
        with self._database() as connection:
            query = "select coalesce(sum(segments), 0) from deletion"
            return int(connection.execute(query).fetchone()[0])

    def files(self) -> tuple[Path, ...]:
        """Return every recorded file."""
        return tuple(sorted((self.folder / "recordings").rglob("*.mp4")))

    def unreadable(self) -> tuple[str, ...]:
        """Decode every file and return what is wrong with those that can't be played."""
        faults = ((path, decode(path.read_bytes()).error) for path in self.files())
        return tuple(f"{path.name}: {error}" for path, error in faults if error is not None)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.folder / "box.db", timeout=30)) as connection:
            yield connection


def _at(us: int) -> datetime:
    return from_epoch_ms(0) + timedelta(microseconds=us)
