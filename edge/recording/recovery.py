"""Putting files and index in step again at the start, before any recorder runs (recording I5)."""

import logging
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path

from edge.errors import MediaError, StorageError
from edge.media.sample import GapReason
from edge.recording.doomed import Doomed
from edge.recording.index import IndexedFile, RecordingIndex
from edge.recording.label import DiskState, Label
from edge.recording.salvage import salvage
from edge.recording.segment import Gap
from protocol.relay import StreamName

log = logging.getLogger(__name__)

#: What the recorder names its files; any other file is somebody else's and stays untouched.
_OURS = re.compile(r"^\d{6}-[0-9a-f]{32}\.mp4$")

#: Without a label: with more of the index than this missing, it is the disk that is missing.
_MOST_MISSING = 0.5
_FEW_ROWS = 20
_RECENT_FOLDERS = 2


@dataclass(frozen=True, slots=True)
class Recovery:
    """What recovery found: files read back, files without a picture, rows without their file.

    ``left`` files could be neither read nor removed; they stay for the next start.
    ``disk_looks_wrong``: it is not the disk that the index is about. Then no row was removed.
    """

    recovered: int
    removed: int
    left: int
    rows_dropped: int
    disk_looks_wrong: bool


class _Outcome(Enum):
    """What became of a file without a row."""

    RECOVERED = auto()
    REMOVED = auto()
    LEFT = auto()


class _Census:
    """Which files are on the disk and which are in the index, a folder at a time.

    A folder that can't be read is passed over: nothing is known of its files.
    """

    def __init__(self, index: RecordingIndex) -> None:
        self.orphans: list[Path] = []
        self.lost: list[int] = []
        self.rows = 0
        self.is_complete = True
        on_disk = {Path(folder) for folder in _day_folders(index.root)}
        # Sizes are checked only where a power cut can have reached: a stat a file is minutes on a
        # hard disk full of them.
        recent = set(_newest_of_each_stream(on_disk))
        for folder in sorted(on_disk | set(index.folders())):
            try:
                sizes = _sizes(folder, measure=folder in recent)
            except OSError as error:
                log.warning(
                    "recovery.folder_left", extra={"path": str(folder), "error": str(error)}
                )
                continue
            self._compare(sizes, index.files_in(folder), folder)

    def _compare(self, sizes: dict[str, int | None], rows: list[IndexedFile], folder: Path) -> None:
        self.rows += len(rows)
        self.orphans += [folder / name for name in sizes.keys() - {row.name for row in rows}]
        for row in rows:
            size = sizes.get(row.name, -1)
            if size is not None and size < row.size_bytes:
                self.lost.append(row.segment_id)


def recover(
    index: RecordingIndex,
    doomed: Doomed,
    label: Label,
    enabled: Collection[tuple[str, StreamName]],
    now: datetime,
) -> Recovery:
    """Index what a crash left, drop what is gone, and explain the time since.

    Afterwards every file of ours has a row and every row a file, and each stream of ``enabled``
    that was ever recorded has an open gap, which its recorder ends. What the disk refuses is
    logged and left. Blocks for a listing of the recordings folder and for reading the files that
    were open. Raises StorageError.
    """
    try:
        index.root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        log.warning("recovery.no_folder", extra={"path": str(index.root), "error": str(error)})
    doomed.unlink_all()
    census = _Census(index)
    wrong = _judge_disk(label, census)
    orphans = set(census.orphans) - doomed.paths()
    if not wrong:
        orphans |= _drop_lost(index, census.lost)
    outcomes = Counter(_read_back(index, path) for path in sorted(orphans))
    _explain_absence(index, enabled, now)
    result = Recovery(
        recovered=outcomes[_Outcome.RECOVERED],
        removed=outcomes[_Outcome.REMOVED],
        left=outcomes[_Outcome.LEFT],
        rows_dropped=0 if wrong else len(census.lost),
        disk_looks_wrong=wrong,
    )
    log.info("recovery.done", extra=asdict(result))
    return result


def _judge_disk(label: Label, census: _Census) -> bool:
    """Say whether the disk is not the one that the index is about; label it where it is."""
    state = label.state()
    if state is DiskState.UNKNOWN:
        wrong = census.rows > _FEW_ROWS and len(census.lost) > _MOST_MISSING * census.rows
    else:
        # A disk that has every file is the right one, whatever became of its label.
        wrong = state is DiskState.WRONG and bool(census.lost or not census.is_complete)
    if wrong:
        label.reject()
        extra = {"missing": len(census.lost), "expected": label.expected(), "file": str(label.path)}
        log.error("recovery.disk_looks_wrong", extra=extra)
    else:
        label.accept()
    return wrong


def _drop_lost(index: RecordingIndex, lost: list[int]) -> set[Path]:
    """Drop the rows of files that are missing or short; return the short files."""
    short = set()
    for segment_id in lost:
        row = index.segment(segment_id)
        index.forget(row)
        index.add_gap(Gap(row.camera_id, row.stream, row.start, row.end, GapReason.DISK))
        log.error("recovery.file_gone", extra={"segment_id": row.id, "path": str(row.path)})
        if row.path.exists():
            short.add(row.path)
    return short


def _read_back(index: RecordingIndex, path: Path) -> _Outcome:
    """Index a file without a row, or remove it where it holds no picture.

    One that the disk or the index refuses must not keep the box from starting: it is left.
    """
    try:
        return _indexed(index, path)
    except (OSError, StorageError) as error:
        log.warning("recovery.file_left", extra={"path": str(path), "error": str(error)})
        return _Outcome.LEFT


def _indexed(index: RecordingIndex, path: Path) -> _Outcome:
    try:
        file = salvage(path)
    except MediaError as error:
        log.warning("recovery.empty_file", extra={"path": str(path), "error": str(error)})
        path.unlink()
        return _Outcome.REMOVED
    index.add(file)
    index.uncover(file)
    log.info(
        "recovery.file_read_back",
        extra={"path": str(path), "duration_90k": file.duration_90k, "bytes": file.size_bytes},
    )
    return _Outcome.RECOVERED


def _explain_absence(
    index: RecordingIndex, enabled: Collection[tuple[str, StreamName]], now: datetime
) -> None:
    alive = index.last_alive()
    open_gaps = {(gap.camera_id, gap.stream): gap for gap in index.open_gaps()}
    for camera_id, stream in sorted(index.streams()):
        gap = open_gaps.get((camera_id, stream))
        if gap is None:
            start = _explained_until(index, camera_id, stream) or now
            index.open_gap(camera_id, stream, start, GapReason.BOX_OFF)
        elif alive is not None and gap.reason not in (GapReason.BOX_OFF, GapReason.CONFIG):
            # The camera was away already; since the box was last known to run, so was the box.
            index.close_gap(camera_id, stream, max(alive, gap.start))
            index.open_gap(camera_id, stream, max(alive, gap.start), GapReason.BOX_OFF)
        if (camera_id, stream) not in enabled and (gap is None or gap.reason != GapReason.CONFIG):
            index.close_gap(camera_id, stream, now)
            index.open_gap(camera_id, stream, now, GapReason.CONFIG)


def _explained_until(index: RecordingIndex, camera_id: str, stream: StreamName) -> datetime | None:
    """Return the end of what is recorded, or of the gap after it."""
    latest = index.latest(camera_id, stream)
    if latest is None:
        return None
    later = index.gaps(camera_id, stream, latest, datetime.max.replace(tzinfo=UTC))
    return max([latest, *(gap.end for gap in later if gap.end is not None)])


def _day_folders(root: Path) -> Iterator[str]:
    """Yield <camera>/<stream>/<day> below the root."""
    level = [str(root)]
    for _ in range(3):
        level = [path for folder in level for path in _folders_in(folder)]
    yield from level


def _folders_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        log.warning("recovery.folder_left", extra={"path": folder, "error": str(error)})
        return []


def _newest_of_each_stream(folders: set[Path]) -> Iterator[Path]:
    streams: dict[Path, list[Path]] = {}
    for folder in sorted(folders):
        streams.setdefault(folder.parent, []).append(folder)
    for days in streams.values():
        yield from days[-_RECENT_FOLDERS:]


def _sizes(folder: Path, *, measure: bool) -> dict[str, int | None]:
    """Return our files' names, and their sizes where they are to be measured.

    A folder that is not there has none. Raises OSError.
    """
    try:
        with os.scandir(folder) as entries:
            return {
                entry.name: entry.stat().st_size if measure else None
                for entry in entries
                if _OURS.match(entry.name)
            }
    except FileNotFoundError:
        return {}
