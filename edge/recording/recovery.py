"""What can't wait for the census: done at the start, before any recorder runs (recording I5)."""

import logging
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime

from edge.errors import StorageError
from edge.media.sample import GapReason
from edge.recording.day_folder import compare, day_folders, newest_of_each_stream
from edge.recording.doomed import Doomed
from edge.recording.index import RecordingIndex
from edge.recording.label import DiskState, Label
from edge.recording.orphans import Outcome, read_back
from protocol.relay import StreamName

log = logging.getLogger(__name__)

#: What goes on being the reason while the box does not run.
_WITH_THE_BOX_OFF = (GapReason.BOX_OFF, GapReason.OPERATOR, GapReason.CONFIG)


def recover(
    index: RecordingIndex,
    doomed: Doomed,
    label: Label,
    enabled: Collection[tuple[str, StreamName]],
    now: datetime,
    *,
    stopped: Collection[tuple[str, StreamName]] = (),
    reads_back: bool = True,
) -> Counter[Outcome]:
    """Finish what retention began, index the files that were open, and explain the time since.

    Afterwards each stream of ``enabled`` that was ever recorded has an open gap, which its recorder
    ends, and each other one a gap that says that a person ``stopped`` it, or that it is no longer
    configured. Returns what became of the files without a row in the newest folders of each stream.
    Without ``reads_back`` they are left to the census, and the time before now to whoever makes the
    index anew: most of its rows are still to come.

    What the disk refuses is logged and left, and so is what the database refuses to write: where
    the disk is full the janitor must get to work. Blocks for a listing of those folders and for
    reading the files that were open. Raises StorageError where the database can't be read.
    """
    try:
        index.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning("recovery.no_folder", extra={"path": str(index.root), "error": str(error)})
    _attempt("doomed", doomed.unlink_all)
    # Nothing was recorded yet: any disk will do. But of an index that is made anew the rows are
    # still to come, and they are of the disk that it knows.
    if index.newest_id() == 0 and (reads_back or label.expected() is None):
        _attempt("label", label.accept)
    outcomes: Counter[Outcome] = Counter()
    # What a disk of another box holds is not ours to index, and then to delete.
    ours = label.state() is not DiskState.OTHER and reads_back
    for folder in newest_of_each_stream(day_folders(index.root)) if ours else ():
        try:
            orphans = compare(index, doomed, folder).orphans
        except OSError as error:
            log.warning("recovery.folder_left", extra={"path": str(folder), "error": str(error)})
            continue
        outcomes.update(read_back(index, doomed, path) for path in orphans)
    _attempt("absence", lambda: _explain_absence(index, enabled, stopped, now, knows=reads_back))
    log.info("recovery.done", extra={each.name.lower(): outcomes[each] for each in Outcome})
    return outcomes


def _attempt(step: str, do: Callable[[], object]) -> None:
    try:
        do()
    except StorageError as error:
        log.warning("recovery.refused", extra={"step": step, "error": str(error)})


def _explain_absence(
    index: RecordingIndex,
    enabled: Collection[tuple[str, StreamName]],
    stopped: Collection[tuple[str, StreamName]],
    now: datetime,
    *,
    knows: bool,
) -> None:
    """Open the gaps of the absence: from the end of what is recorded, if the index ``knows`` it."""
    alive = index.last_alive()
    open_gaps = {(gap.camera_id, gap.stream): gap for gap in index.open_gaps()}
    for camera_id, stream in sorted(index.streams()):
        gap = open_gaps.get((camera_id, stream))
        if gap is None:
            known = _explained_until(index, camera_id, stream, now) if knows else None
            start = known or now
            index.open_gap(camera_id, stream, start, GapReason.BOX_OFF)
        elif alive is not None and gap.reason not in _WITH_THE_BOX_OFF:
            # The camera was away already; since the box was last known to run, so was the box.
            since = max(min(alive, now), gap.start)  # the clock may have been ahead then
            index.close_gap(camera_id, stream, since)
            index.open_gap(camera_id, stream, since, GapReason.BOX_OFF)
        if (camera_id, stream) in enabled:
            continue
        reason = GapReason.OPERATOR if (camera_id, stream) in stopped else GapReason.CONFIG
        if gap is None or gap.reason != reason:
            index.close_gap(camera_id, stream, now)
            index.open_gap(camera_id, stream, now, reason)


def _explained_until(
    index: RecordingIndex, camera_id: str, stream: StreamName, now: datetime
) -> datetime | None:
    """Return the end of what was recorded by ``now``, or of the gap after it."""
    latest = index.latest(camera_id, stream, now)
    if latest is None:
        return None
    later = index.gaps(camera_id, stream, latest, now)
    return max([latest, *(gap.end for gap in later if gap.end is not None)])
