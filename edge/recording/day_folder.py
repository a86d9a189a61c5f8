"""The folders that recordings are in, <camera>/<stream>/<day>, held against the index."""

import logging
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from edge.recording.doomed import Doomed
from edge.recording.index import RecordingIndex

log = logging.getLogger(__name__)

_OURS = re.compile(r"^\d{6}-[0-9a-f]{32}\.mp4$")
_RECENT_FOLDERS = 2


@dataclass(frozen=True, slots=True)
class Comparison:
    """Files without a row, and ids of rows whose file is missing or short, of ``rows`` in all."""

    orphans: list[Path]
    lost: list[int]
    rows: int


def is_ours(name: str) -> bool:
    """Return whether a file is named as the recorder names its own; others stay untouched."""
    return _OURS.match(name) is not None


def day_folders(root: Path) -> set[Path]:
    """Return the folders that are on the disk; what can't be listed is logged and left out."""
    level = [str(root)]
    for _ in range(3):
        level = [path for folder in level for path in _folders_in(folder)]
    return {Path(path) for path in level}


def newest_of_each_stream(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the last two days of each stream: what a crash or a power cut can have reached."""
    streams: dict[Path, list[Path]] = {}
    for folder in sorted(folders):
        streams.setdefault(folder.parent, []).append(folder)
    for days in streams.values():
        yield from days[-_RECENT_FOLDERS:]


def compare(
    index: RecordingIndex, doomed: Doomed, folder: Path, *, measure: bool = False
) -> Comparison:
    """Hold a folder against its rows; with ``measure`` also the sizes of the files.

    Recorders and janitor may be at work. A file that one of them has in hand is no orphan, by the
    order of the questions: it was claimed before it was there, and is claimed until its row is; it
    is doomed before its row goes, and until it is gone. A row that is said to be lost may have come
    or gone since. Raises OSError where the folder can't be read, and StorageError.
    """
    sizes = _our_files(folder, measure=measure)
    claimed = index.claimed()
    rows = index.files_in(folder)
    orphans = {folder / name for name in sizes.keys() - {row.name for row in rows}} - claimed
    if orphans:
        orphans -= doomed.paths()
    lost = [row.segment_id for row in rows if _is_short(sizes.get(row.name, 0), row.size_bytes)]
    return Comparison(sorted(orphans), lost, len(rows))


def _is_short(found_bytes: int | None, size_bytes: int) -> bool:
    return found_bytes is not None and found_bytes < size_bytes


def _folders_in(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        log.warning("recovery.folder_left", extra={"path": folder, "error": str(error)})
        return []


def _our_files(folder: Path, *, measure: bool) -> dict[str, int | None]:
    """Return our files' names, and their sizes where they are to be measured.

    A folder that is not there has none.
    """
    try:
        with os.scandir(folder) as entries:
            ours = [entry for entry in entries if is_ours(entry.name)]
            return {entry.name: _size_bytes(entry) if measure else None for entry in ours}
    except FileNotFoundError:
        return {}


def _size_bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return 0
