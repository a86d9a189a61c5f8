"""Putting all files and rows in step, beside recorders that are at work (recording I5)."""

import logging
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

from edge.background import BackgroundThread
from edge.errors import NotFoundError
from edge.recording.day_folder import compare, day_folders, newest_of_each_stream
from edge.recording.doomed import Doomed
from edge.recording.finding import is_most
from edge.recording.index import RecordingIndex
from edge.recording.label import DiskState, Label
from edge.recording.orphans import Outcome, read_back
from edge.recording.rebuild import Rebuild
from edge.recording.segment import Segment

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tally:
    """What a census found: files read back, files without a picture, rows without their file.

    ``left`` files could be neither read nor removed; they stay for the next start.
    ``disk_looks_wrong``: it is not the disk that the index is about. Then no row was removed.
    """

    recovered: int
    removed: int
    left: int
    rows_dropped: int
    disk_looks_wrong: bool


class Census:
    """Looks through the whole recordings folder once, in a thread of its own.

    That takes seconds to minutes with a month of files: recovery does before what can't wait. With
    a ``rebuild`` the rows of a damaged index come first.
    """

    def __init__(
        self, index: RecordingIndex, doomed: Doomed, label: Label, rebuild: Rebuild | None = None
    ) -> None:
        self._index = index
        self._doomed = doomed
        self._label = label
        self._rebuild = rebuild
        self._thread = BackgroundThread("census", self._run)
        self._stopping = self._thread.stopping
        self._outcomes: Counter[Outcome] = Counter()
        self._lost: list[int] = []
        self._rows = 0
        self._is_complete = True

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self, timeout_s: float = 10.0) -> None:
        """Stop after the file that is being looked at; the next start begins anew. Idempotent."""
        self._thread.close(timeout_s)

    def _run(self) -> None:
        try:
            if self._rebuild is not None and not self._rebuild.carry_over(self._stopping):
                return
            tally = self.take()
            if self._rebuild is not None and tally is not None:
                self._rebuild.finish()
        except Exception:
            # Nothing waits for it, and the next start does it again.
            log.exception("census.failed")

    def take(self) -> Tally | None:
        """Do it now and return what was found; None where it was stopped. Raises StorageError."""
        folders = day_folders(self._index.root)
        # Sizes are checked only where a power cut can have reached: a stat a file is minutes on a
        # hard disk full of them.
        recent = set(newest_of_each_stream(folders))
        for folder in sorted(folders | set(self._index.folders())):
            if self._stopping.is_set():
                return None
            self._look(folder, measure=folder in recent)
        wrong = self._judge_disk()
        dropped = 0 if wrong else sum(self._drop(segment_id) for segment_id in self._lost)
        if self._stopping.is_set():
            return None
        tally = Tally(
            recovered=self._outcomes[Outcome.RECOVERED],
            removed=self._outcomes[Outcome.REMOVED],
            left=self._outcomes[Outcome.LEFT],
            rows_dropped=dropped,
            disk_looks_wrong=wrong,
        )
        log.info("census.done", extra=asdict(tally) | {"rows": self._rows})
        return tally

    def _look(self, folder: Path, *, measure: bool) -> None:
        try:
            found = compare(self._index, self._doomed, folder, measure=measure)
        except OSError as error:
            # Nothing is known of its files: they are neither orphans nor lost.
            log.warning("recovery.folder_left", extra={"path": str(folder), "error": str(error)})
            self._is_complete = False
            return
        self._rows += found.rows
        self._lost += found.lost
        if self._label.state() is DiskState.OTHER:
            return  # what it holds is somebody else's
        for path in found.orphans:
            self._read_back(path)

    def _read_back(self, path: Path) -> None:
        if self._stopping.is_set():
            return
        outcome = read_back(self._index, self._doomed, path)
        self._outcomes[outcome] += 1
        # While the index is made anew, what comes after a file is not known yet: in the end the
        # rebuild explains what is missing still.
        if outcome is Outcome.RECOVERED and self._rebuild is None:
            self._index.explain_after(path)

    def _judge_disk(self) -> bool:
        """Say whether the disk is not the one that the index is about; label it where it is."""
        state, missing = self._label.state(), len(self._lost)
        if state is DiskState.UNKNOWN:
            wrong = is_most(missing, self._rows)
        else:
            # A disk that has every file is the right one, whatever became of its label.
            wrong = state.is_wrong and (missing > 0 or not self._is_complete)
        if wrong:
            self._label.reject()
            extra = {
                "missing": missing,
                "expected": self._label.expected(),
                "file": str(self._label.path),
            }
            log.error("recovery.disk_looks_wrong", extra=extra)
        else:
            self._label.accept()
        return wrong

    def _drop(self, segment_id: int) -> bool:
        """Drop a row whose file is missing or short; say whether that was so still."""
        if self._stopping.is_set():
            return False
        try:
            segment = self._index.segment(segment_id)
        except NotFoundError:
            return False  # retention was here meanwhile
        found_bytes = _size_bytes(segment)
        if found_bytes is None or found_bytes >= segment.size_bytes:
            return False
        if not self._doomed.lose(segment):
            return False
        log.error("recovery.file_gone", extra={"segment_id": segment.id, "path": str(segment.path)})
        if found_bytes > 0:
            self._read_back(segment.path)
        return True


def _size_bytes(segment: Segment) -> int | None:
    """Return how long a segment's file is, 0 where there is none, None where that is not known."""
    try:
        return segment.path.stat().st_size
    except FileNotFoundError:
        return 0
    except OSError:
        return None
