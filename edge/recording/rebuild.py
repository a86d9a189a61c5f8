"""Carrying the rows of a damaged index over, beside the recorders (recording I15)."""

import json
import logging
import re
import sqlite3
import struct
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import fields, replace
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from edge.db.damage import Row, Wreck
from edge.db.database import Database
from edge.media.sample import TICKS_PER_S, GapReason
from edge.recording import segments
from edge.recording.index import RecordingIndex
from edge.recording.segment import ClosedFile, Gap, is_recorded_path
from edge.recording.unexplained import unexplained
from protocol.clock import Clock

log = logging.getLogger(__name__)

_RESCUED = "rebuild.from"
_PENDING = "rebuild.segments"
_BATCH_ROWS = 500
_HASH = re.compile(r"[0-9a-f]{64}")
#: Far more than the longest file.
_LONGEST_90K = 3600 * TICKS_PER_S


def begin_rebuild(connection: sqlite3.Connection, file: str, lost: Sequence[str]) -> None:
    """Note, in the caller's transaction, that rows of ``file`` beside the database are to come.

    ``lost`` names the tables of which something could not be read.
    """
    _set(connection, _RESCUED, {"file": file, "lost": lost})
    _set(connection, _PENDING, {"file": file, "after": 0})


def unsettled(database: Database) -> str | None:
    """Return what a person has still to look into after a damage, or None.

    That is as long as the damaged file is there. Raises StorageError.
    """
    said = _get(database, _RESCUED)
    if said is None or not database.path.with_name(said["file"]).exists():
        return None
    lost = ", ".join(said["lost"]) or "nothing that is known of"
    return (
        f"the database was damaged or gone and was made anew (lost in part: {lost}); "
        f"see {said['file']}"
    )


class Rebuild:
    """Makes the segment table anew, over several starts where need be. One thread uses it.

    Rows that can be read in the damaged database are carried over, marked as ``recovered``; the
    census reads back the files that then have none. In the end, what nothing explains becomes a gap
    of reason ``disk``. Methods raise StorageError.
    """

    def __init__(self, database: Database, index: RecordingIndex, clock: Clock) -> None:
        self._database = database
        self._index = index
        self._clock = clock

    def is_pending(self) -> bool:
        """Return whether there is anything to do."""
        return _get(self._database, _PENDING) is not None

    def carry_over(self, stopping: threading.Event) -> bool:
        """Carry over the rows that can be read; return False where it was broken off."""
        pending = _get(self._database, _PENDING)
        if pending is None:
            return True
        file, after = pending["file"], pending["after"]
        path = self._database.path.with_name(file)
        if not path.exists():
            return True  # a person took it away
        rows = 0
        with closing(Wreck(path)) as wreck, closing(wreck.rows("segment", after)) as found:
            while batch := list(islice(found, _BATCH_ROWS)):
                if stopping.is_set():
                    return False
                rows += self._insert(file, batch)
        log.warning("rebuild.carried_over", extra={"rows": rows, "from": str(path)})
        return True

    def _insert(self, file: str, batch: Sequence[tuple[int, Row]]) -> int:
        count = 0
        with self._database.transaction() as connection:
            for _, row in batch:
                found = closed_file(row, self._index.root)
                if found is None or _has_another_size(found):
                    continue
                with suppress(sqlite3.IntegrityError):  # read back before it was our turn
                    segments.insert(connection, found, self._index.root)
                    count += 1
            _set(connection, _PENDING, {"file": file, "after": batch[-1][0]})
        return count

    def finish(self) -> None:
        """Explain what is left without a reason; all is done then."""
        now = self._clock.now()
        for camera_id, stream in sorted(self._index.streams()):
            for start, end in unexplained(self._database, camera_id, stream, now):
                self._index.add_gap(Gap(camera_id, stream, start, end, GapReason.DISK))
        with self._database.transaction() as connection:
            connection.execute("delete from meta where key = ?", (_PENDING,))
        log.warning("rebuild.done")


def closed_file(row: Row, root: Path) -> ClosedFile | None:
    """Return the file that a row of a damaged index speaks of, or None: it can't be believed.

    It must agree with itself: name and start, duration and times.
    """
    try:
        row = {"keys": b"", **row, "id": 0}  # an older row has no key points
        segment = segments.of_row(row, root)
        parts = row["path"].split("/")
        named = f"{segment.start:%Y%m%d%H%M%S}"
        is_sound = (
            is_recorded_path(row["path"])
            and parts[:2] == [segment.camera_id, segment.stream.value]
            and f"{parts[2]}{parts[3][:6]}" == named
            and 0 < segment.duration_90k < _LONGEST_90K
            and abs(
                segment.duration_90k * 1_000_000 // TICKS_PER_S - (row["end_us"] - row["start_us"])
            )
            <= 1
            and 0 < segment.init_bytes < segment.size_bytes
            and _HASH.fullmatch(segment.sha256) is not None
        )
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, struct.error):
        return None
    if not is_sound:
        return None
    values = {field.name: getattr(segment, field.name) for field in fields(ClosedFile)}
    keys = segment.keys if _has_sound_keys(segment) else ()  # without any it is played as one piece
    return replace(ClosedFile(**values), keys=keys, recovered=True)


def _has_sound_keys(file: ClosedFile) -> bool:
    """Return whether the key points lie within the file, each after the one before."""
    ticks = [key.after_90k for key in file.keys]
    offsets = [key.offset for key in file.keys]
    return (
        all(earlier < later for earlier, later in pairwise(ticks))
        and all(earlier < later for earlier, later in pairwise(offsets))
        and all(tick < file.duration_90k for tick in ticks)
        and all(file.init_bytes <= offset < file.size_bytes for offset in offsets)
    )


def _has_another_size(file: ClosedFile) -> bool:
    """Return whether a file is not what its row says; where there is none, the census judges."""
    try:
        return file.path.stat().st_size != file.size_bytes
    except OSError:
        return False


def _get(database: Database, key: str) -> dict[str, Any] | None:
    with database.reading() as connection:
        row = connection.execute("select value from meta where key = ?", (key,)).fetchone()
    return None if row is None else dict(json.loads(row["value"]))


def _set(connection: sqlite3.Connection, key: str, value: Mapping[str, object]) -> None:
    connection.execute(
        "insert or replace into meta (key, value) values (:key, :value)",
        {"key": key, "value": json.dumps(value)},
    )
