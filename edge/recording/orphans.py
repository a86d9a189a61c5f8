"""Files without a row: what a crash leaves (recording I5)."""

import logging
from enum import Enum, auto
from pathlib import Path

from edge.errors import MediaError, StorageError
from edge.recording.index import RecordingIndex
from edge.recording.salvage import salvage

log = logging.getLogger(__name__)


class Outcome(Enum):
    """What became of an orphan."""

    RECOVERED = auto()  # it has a row now
    REMOVED = auto()  # it held no picture
    LEFT = auto()  # it could be neither read nor removed; the next start tries again
    GONE = auto()  # somebody removed it meanwhile


def read_back(index: RecordingIndex, path: Path) -> Outcome:
    """Index an orphan, or remove it where it holds no picture.

    One that the disk or the index refuses must not keep the box from starting: it is left.
    """
    try:
        return _indexed(index, path)
    except FileNotFoundError:
        return Outcome.GONE
    except (OSError, StorageError) as error:
        log.warning("recovery.file_left", extra={"path": str(path), "error": str(error)})
        return Outcome.LEFT


def _indexed(index: RecordingIndex, path: Path) -> Outcome:
    try:
        file = salvage(path)
    except MediaError as error:
        log.warning("recovery.empty_file", extra={"path": str(path), "error": str(error)})
        path.unlink()
        return Outcome.REMOVED
    index.add(file)
    log.info(
        "recovery.file_read_back",
        extra={"path": str(path), "duration_90k": file.duration_90k, "bytes": file.size_bytes},
    )
    return Outcome.RECOVERED
