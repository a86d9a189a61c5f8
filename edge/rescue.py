"""Opening the box's database, and making it anew where it is damaged or gone (recording I15).

::

    box.db damaged ─▶ box.db.making ─▶ box.db.new-<time>   what can be read of it, complete
                      box.db, -wal  ─▶ box.db.damaged-<time>
                                       box.db.new-<time> ─▶ box.db
"""

import logging
import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.bus.outbox import Outbox, former_outboxes
from edge.config import EdgeConfig
from edge.db.damage import Row, Wreck
from edge.db.database import Database, suspicion
from edge.errors import DamagedError
from edge.recording.claim import Claim
from edge.recording.day_folder import day_folders, is_ours
from edge.recording.hold_desk import place
from edge.recording.hold_rules import Placing, Terms
from edge.recording.hold_trace import BOX
from edge.recording.proof import FOLDER as PROOF_FOLDER
from edge.recording.proof import Proof
from edge.recording.rebuild import begin_rebuild
from edge.recording.segment import start_by_name
from edge.soundness import is_sound
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: Why footage is held whose holds could not be read; a person looks into it and ends it.
HELD_FOR = "damaged-index"
_HELD_DAYS = 3650
#: So soon somebody is to look whether that is still needed.
_REVIEW_DAYS = 14
_MOST_KEPT = 3
#: No box has given so many ids to holds: a greater one is damage.
_MOST_HOLDS = 2**40
#: No clock of a box shows this year, however wrong it is.
_NEVER = 2100
#: No file is nearly so long.
_LONGEST_FILE = timedelta(hours=1)
#: What the rescue says itself, and what belongs to the outbox that has ended.
_NOT_CARRIED = ("outbox.", "rebuild.")
#: Made by triggers, row by row later, or by the outbox itself.
_NOT_COPIED = frozenset({"footprint", "segment", "outbox", "backlog"})
_SIDES = ("-wal", "-shm", "")  # the log before its database: it must never meet another one


def open_database(config: EdgeConfig, clock: Clock, held: Claim | None = None) -> Database:
    """Return the box's database, made anew from what can be read of it where it is damaged or gone.

    The files stay as they are: segments are read back beside the recorders. ``held`` is the data
    folder's claim, where the caller has it. Raises StorageError, also where it is damaged and
    another process uses it, and OSError.
    """
    path = config.box.data_dir / "box.db"
    if not _is_unfinished(path) and not _is_lost(path, config):
        try:
            return Database(path)
        except DamagedError as error:
            log.error("database.damaged", extra={"path": str(path), "problem": str(error)})  # noqa: TRY400 - the box goes on
    claim = Claim(config.box.data_dir)
    if held is None:
        claim.take()
    with closing(claim):
        path.touch()  # where it is gone: what is set aside then is an empty file
        made = _made(path) or _Rescue(config, clock).make(path)
        _forget_old(path, _swap(path, made))
    return Database(path)


def _is_unfinished(path: Path) -> bool:
    return suspicion(path).exists() or _made(path) is not None


def _is_lost(path: Path, config: EdgeConfig) -> bool:
    """Return whether a database is empty or gone although something was recorded or deleted."""
    if path.exists() and path.stat().st_size > 0:
        return False
    was_deleted = (config.box.data_dir / PROOF_FOLDER).exists()
    return was_deleted or bool(day_folders(config.recordings_folder()))


def _made(path: Path) -> Path | None:
    """Return the complete new database, where an earlier start did not come further."""
    return next(path.parent.glob(f"{path.name}.new-*Z"), None)


def _swap(path: Path, made: Path) -> Path:
    """Set the damaged files aside and put the new one in their place; return where they are.

    Done again where it was broken off it comes to the same.
    """
    aside = path.with_name(_aside(path, made.name.rpartition("-")[2]))
    for side in _SIDES:
        old = path.with_name(f"{path.name}{side}")
        if old.exists():
            old.replace(aside.with_name(f"{aside.name}{side}"))
    suspicion(path).unlink(missing_ok=True)
    _sync(path.parent)
    made.replace(path)
    _sync(path.parent)
    log.error("database.made_anew", extra={"path": str(path), "damaged": str(aside)})
    return aside


def _aside(path: Path, stamp: str) -> str:
    return f"{path.name}.damaged-{stamp}"


def _forget_old(path: Path, newest: Path) -> None:
    """Keep the damaged databases of the last few times: they must not fill the disk.

    ``newest`` is kept whatever its name says: the clock may have been wrong.
    """
    others = sorted(set(path.parent.glob(f"{path.name}.damaged-*Z")) - {newest})
    for old in others[: 1 - _MOST_KEPT]:
        for side in _SIDES:
            old.with_name(f"{old.name}{side}").unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Rescue:
    config: EdgeConfig
    clock: Clock

    def make(self, path: Path) -> Path:
        """Make the new database beside the damaged one and return it, complete and closed."""
        now = self.clock.now()
        making = path.with_name(f"{path.name}.making")
        for side in _SIDES:
            making.with_name(f"{making.name}{side}").unlink(missing_ok=True)
        stamp = f"{now:%Y%m%dT%H%M%SZ}"
        aside = _aside(path, stamp)
        with (
            closing(Wreck(path)) as wreck,
            closing(Database(making)) as database,
            database.transaction() as connection,
        ):
            lost = sorted(self._carry_over(wreck, connection, Outbox(database, self.clock)))
            if "deletion" in lost:
                Proof(database).restore(connection)
            if "hold" in lost:
                self._hold_everything(connection, now)
            if "evidence" in lost:
                self._spare_evidence(connection, stamp)
            begin_rebuild(connection, aside, lost)
        log.error("database.rescued", extra={"path": str(path), "lost": lost})
        return making.replace(path.with_name(f"{path.name}.new-{stamp}"))

    def _carry_over(
        self, wreck: Wreck, connection: sqlite3.Connection, outbox: Outbox
    ) -> Iterator[str]:
        """Copy all that can be read; yield the tables of which something is lost.

        Segments come later, and nothing of them is lost as long as their files are there.
        """
        for table in _tables(connection):
            if not _copied(wreck, connection, table):
                yield table
        _number_holds_on(wreck, connection)
        waiting = (row for _, row in wreck.rows("outbox") if row.get("receipt_us") is None)
        payloads = (row.get("payload") for row in waiting)
        former = former_outboxes({str(row["key"]): row["value"] for _, row in wreck.rows("meta")})
        outbox.renew(connection, (each for each in payloads if isinstance(each, bytes)), former)
        if not wreck.is_whole("outbox"):
            yield "outbox"

    def _hold_everything(self, connection: sqlite3.Connection, now: datetime) -> None:
        """Hold all that was recorded so far: what of it had to stay is not known any more."""
        folders = day_folders(self.config.recordings_folder())
        cameras = {folder.parent.parent.name for folder in folders}
        cameras |= {camera.id for camera in self.config.cameras}
        stretches = _recorded_stretches(_late_files(folders, now), now)
        zone = ZoneInfo(self.config.box.time_zone)
        review_on = (now + timedelta(days=_REVIEW_DAYS)).astimezone(zone).date()
        terms = Terms(now + timedelta(days=_HELD_DAYS), review_on)
        for camera_id in sorted(cameras):
            for start, end in stretches:
                place(connection, Placing(camera_id, start, end, HELD_FOR, terms), BOX, now)

    def _spare_evidence(self, connection: sqlite3.Connection, stamp: str) -> None:
        """Move pictures and clips that no row speaks of any more to where nothing removes them."""
        folder = self.config.box.data_dir / "evidence"
        known = {row[0] for row in connection.execute("select path from evidence")}
        strays = [path for path in folder.glob("*") if path.name not in known]
        if strays:
            aside = folder.with_name(f"evidence.damaged-{stamp}")
            aside.mkdir(exist_ok=True)
            for path in strays:
                path.replace(aside / path.name)


def _tables(connection: sqlite3.Connection) -> list[str]:
    query = "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
    return [row[0] for row in connection.execute(query) if row[0] not in _NOT_COPIED]


def _copied(wreck: Wreck, connection: sqlite3.Connection, table: str) -> bool:
    """Copy a table and return whether nothing of it is lost."""
    is_all = True
    there = set(wreck.columns(table))
    columns = [
        row["name"]
        for row in connection.execute(f"pragma table_info({table})").fetchall()
        if row["name"] in there
    ]
    if not columns:
        return False
    values = ", ".join(f":{name}" for name in columns)
    insert = f"insert or ignore into {table} ({', '.join(columns)}) values ({values})"  # noqa: S608
    for _, row in wreck.rows(table):
        if table == "meta" and str(row["key"]).startswith(_NOT_CARRIED):
            continue
        is_all &= is_sound(table, row) and _inserted(connection, insert, row)
    return is_all and wreck.is_whole(table)


def _number_holds_on(wreck: Wreck, connection: sqlite3.Connection) -> None:
    """Let no id of a hold be given twice (recording I17), as far as the last one can be known."""
    counted = [row["seq"] for _, row in wreck.rows("sqlite_sequence") if row["name"] == "hold"]
    traced = connection.execute("select max(hold_id) from hold_event").fetchone()[0]
    kept = connection.execute("select max(id) from hold").fetchone()[0]
    numbers = [each for each in (*counted, traced, kept) if isinstance(each, int)]
    last = max((each for each in numbers if 0 < each < _MOST_HOLDS), default=0)
    connection.execute("delete from sqlite_sequence where name = 'hold'")
    connection.execute("insert into sqlite_sequence (name, seq) values ('hold', ?)", (last,))


def _inserted(connection: sqlite3.Connection, insert: str, row: Row) -> bool:
    try:
        connection.execute(insert, row)
    except sqlite3.IntegrityError:
        return False  # not of the type its column has
    return True


def _late_files(folders: Iterable[Path], now: datetime) -> Iterator[datetime]:
    """Yield when the recorded files began that may reach beyond ``now``."""
    yesterday = f"{now - timedelta(days=1):%Y%m%d}"
    for folder in folders:
        if folder.name < yesterday:
            continue
        try:
            paths = list(folder.iterdir())
        except OSError as error:
            log.warning("recovery.folder_left", extra={"path": str(folder), "error": str(error)})
            continue
        starts = (start_by_name(path) for path in paths if is_ours(path.name))
        # A file of the calendar's last day was made by hand, or by damage.
        yield from (start for start in starts if start is not None and start.year < _NEVER)


def _recorded_stretches(
    starts: Iterable[datetime], now: datetime
) -> list[tuple[datetime, datetime]]:
    """Return all time until ``now``, and what was recorded when the clock was ahead of that.

    No more: what is yet to be recorded must be free to go, or the disk fills up.
    """
    found = [(datetime(1970, 1, 1, tzinfo=UTC), now)]
    for start in sorted(starts):
        first, end = found[-1]
        if start <= end:
            found[-1] = (first, max(end, start + _LONGEST_FILE))
        else:
            found.append((start, start + _LONGEST_FILE))
    return found


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
