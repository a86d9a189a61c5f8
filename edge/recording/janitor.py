"""Carrying out the retention plan, apart from the recorders."""

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from edge.background import BackgroundThread
from edge.db.database import Database
from edge.errors import StorageError
from edge.faultlog import FaultLog
from edge.recording import gaps, holds
from edge.recording.believed import BelievedClock
from edge.recording.coverage import Stretch
from edge.recording.doomed import Doomed, Remains
from edge.recording.elders import Elders
from edge.recording.index import RecordingIndex
from edge.recording.label import DiskState, Label
from edge.recording.rebuild import unsettled
from edge.recording.retention import Deletion, Disk, Plan, Policy, plan
from edge.recording.segment import Segment
from protocol.clock import Clock

log = logging.getLogger(__name__)

INTERVAL_S = 30.0
#: With less than this the database can't commit, so files must go before their rows.
_NO_SPACE_BYTES = 4 * 1024 * 1024
#: Gaps are kept for so long, so that a year's coverage can be asked, and for the margin longer than
#: footage.
_GAPS_KEPT = timedelta(days=400)
_GAPS_MARGIN = timedelta(days=35)
#: The time where none is believed: nothing is too old yet and no hold is over.
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)


class StorageAlarm(Protocol):
    """Where the janitor says that the limits can't be met, and that they are met again.

    It is called in the janitor's thread. What raises StorageError is called again.
    """

    def stands(self) -> bool:
        """Say whether it has begun and not ended, be it in an earlier process."""

    def begin(self) -> None:
        """Raise it."""

    def end(self) -> None:
        """End it."""


class Janitor:
    """Deletes what the plan says every ``interval_s``, and notes that the box is alive.

    ``alarm`` is raised when the limits can't be met because only held or growing footage is left,
    the disk lets nothing go or is not the one that the index is about, deletions can't be written
    down, and after the database was damaged; ``trouble`` says which. A full or read-only disk makes
    it try again at the next round, never stop.
    """

    def __init__(
        self,
        database: Database,
        index: RecordingIndex,
        doomed: Doomed,
        label: Label,
        policy: Policy,
        clock: Clock,
        alarm: StorageAlarm,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._database = database
        self._index = index
        self._doomed = doomed
        self._label = label
        self._policy = self._goes_by = policy
        self._spares: Callable[[], Policy | None] = lambda: None
        self._clock = clock
        self._alarm = alarm
        self._interval_s = interval_s
        self._faults = FaultLog(log, clock)
        self._believed: BelievedClock | None = None
        self._elders = Elders(clock, timedelta(days=policy.most_days), 0)
        self._remains = Remains(0, 0)
        self._gaps_kept = max(_GAPS_KEPT, timedelta(days=policy.most_days) + _GAPS_MARGIN)
        self._thread = BackgroundThread("janitor", self._run)
        self._stopping = self._thread.stopping
        self.trouble: str | None = None
        self.deleted = 0

    def spare(self, spares: Callable[[], Policy | None]) -> None:
        """Let what another policy keeps stay as well, while there is one; before :meth:`start`."""
        self._spares = spares

    def start(self) -> None:
        """Begin with a round at once."""
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop after the transaction that is going on. Idempotent."""
        self._thread.close(timeout_s)

    def _run(self) -> None:
        while True:
            try:
                self.sweep()
            except (StorageError, OSError) as error:
                self._faults.report("janitor.refused", str(error), {})
            except Exception:
                # The supervising loop: without retention the disk fills, so it never ends.
                log.exception("janitor.failed")
            if self._stopping.wait(self._interval_s):
                return

    def sweep(self) -> None:
        """Do one round: delete until the limits are met. Raises StorageError and OSError."""
        believed = self._time()
        now = believed or _NO_TIME
        try:
            trouble = self._delete(now, believed or self._clock.now())
        except OSError:
            self._judge("the disk refuses")
            raise
        except StorageError:
            self._judge("deletions can't be written down")
            raise
        if not self._stopping.is_set():  # a round that was cut short knows nothing of the limits
            self._judge(trouble or unsettled(self._database))
        with self._database.transaction() as connection:
            holds.drop_expired(connection, now)
            if believed is not None:
                gaps.drop_ended(connection, believed - self._gaps_kept)
        self._index.stamp_alive(self._clock.now(), believed)

    def _delete(self, now: datetime, at: datetime) -> str | None:
        """Delete until the limits are met, and return what is in the way where they can't be."""
        state = self._label.state()
        self._remains = self._doomed.unlink_all()
        short_bytes = 0
        while not self._stopping.is_set():
            todo = self._plan(now, state)
            short_bytes = todo.short_bytes
            if todo.deletions:
                self._carry_out(todo.deletions, now, at)
            if not todo.partial:
                break
        if state.is_wrong:
            return "it is not the disk that the index is about"
        if self._remains.files:
            return "the disk does not let files go"
        return "only held footage is left to delete" if short_bytes > 0 else None

    def disk(self) -> Disk:
        """Return how full the recordings' disk is, by what an ordinary user may still write."""
        stat = os.statvfs(self._index.root)
        return Disk(
            stat.f_blocks * stat.f_frsize,
            stat.f_bavail * stat.f_frsize,
            self._index.size_bytes(),
        )

    def _plan(self, now: datetime, state: DiskState) -> Plan:
        with self._database.reading() as connection:
            held = holds.holds(connection, now)
        growing = self._index.growing_paths()
        spared = self._spares()
        self._goes_by = self._policy if spared is None else self._policy.or_more(spared)
        disk = self.disk()
        # What resists has been planned already. To plan more in its place would take row after row
        # of a disk that lets nothing go, until none is left.
        disk = replace(disk, free_bytes=disk.free_bytes + self._remains.size_bytes)
        if state is DiskState.RIGHT:
            return plan(self._index, held, growing, disk, self._goes_by, now, self._is_of_age)
        # How much of a quota is on this disk is not known then; free space is still kept.
        policy = self._goes_by.without_quotas()
        return plan(_Present(self._index), held, growing, disk, policy, now, self._is_of_age)

    def _is_of_age(self, segment: Segment) -> bool:
        age = timedelta(days=self._goes_by.of(segment.camera_id).days)
        return self._elders.include(segment, age)

    def _carry_out(self, deletions: tuple[Deletion, ...], now: datetime, at: datetime) -> None:
        try:
            with self._database.transaction() as connection:
                deletions = holds.unheld(connection, deletions, now)
                self._doomed.condemn(deletions, at)
        except StorageError:
            if self.disk().free_bytes > _NO_SPACE_BYTES:
                raise
            # The disk is so full that not even the deletion can be written down. These files are to
            # go anyway; should we die right here, the next start finds rows without a file.
            with self._database.reading() as connection:  # nobody places a hold meanwhile
                deletions = holds.unheld(connection, deletions, now)
                deletions = tuple(
                    each for each in deletions if self._doomed.unlink(each.segment.path)
                )
            if not deletions:
                raise
            self._doomed.condemn(deletions, at)
        self._remains = self._doomed.unlink_all()
        self.deleted += len(deletions)
        # A recorder may be about to make a file in today's folder, however empty it is.
        today = f"{at:%Y%m%d}"
        for folder in {deletion.segment.path.parent for deletion in deletions}:
            if folder.name < today:
                self._remove_if_empty(folder)

    def _remove_if_empty(self, folder: Path) -> None:
        try:
            folder.rmdir()
        except OSError:
            log.debug("janitor.folder_in_use", extra={"folder": str(folder)})

    def _judge(self, trouble: str | None) -> None:
        self.trouble = trouble
        if trouble is not None:
            self._faults.report("janitor.limits_not_met", trouble, {})
        stands = self._alarm.stands()
        if trouble is not None and not stands:
            self._alarm.begin()
        elif trouble is None and stands:
            self._alarm.end()

    def _time(self) -> datetime | None:
        """Return the wall time where it is believed, and see who is an elder by now."""
        newest_id = self._index.newest_id()
        if self._believed is None:
            self._believed = BelievedClock(self._clock, self._index.last_believed())
            self._elders = Elders(self._clock, timedelta(days=self._policy.most_days), newest_id)
        self._elders.note(newest_id)
        return self._believed.now()


class _Present:
    """The Holdings whose files are there.

    What is not here is on another disk, takes no room on this one and comes back with it.
    """

    def __init__(self, index: RecordingIndex) -> None:
        self._index = index

    def cameras(self) -> set[str]:
        return self._index.cameras()

    def of_camera(
        self, camera_id: str, begun_by: datetime | None = None, passing: Sequence[Stretch] = ()
    ) -> Iterator[Segment]:
        return filter(_is_there, self._index.of_camera(camera_id, begun_by, passing))

    def camera_bytes(self, camera_id: str) -> int:
        return self._index.camera_bytes(camera_id)


def _is_there(segment: Segment) -> bool:
    return segment.path.exists()
