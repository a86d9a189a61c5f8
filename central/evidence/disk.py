"""The disk that evidence lies on."""

import os
import shutil
from pathlib import Path

from central.errors import EvidenceAwayError

#: So much of the disk is left alone. The database is often on the same one, and an alert without
#: its clip is better than a centre that takes no alerts. A village's database of a year is smaller.
FREE_FLOOR_BYTES = 2_000_000_000


def free_bytes(folder: Path) -> int:
    """Return how many bytes may be written to the disk of ``folder``. Raises OSError."""
    return shutil.disk_usage(folder).free


def require_room(folder: Path) -> None:
    """Raise EvidenceAwayError where the disk of ``folder`` is full, or nearly."""
    try:
        free = free_bytes(folder)
    except OSError as error:
        raise EvidenceAwayError(f"evidence: {error.strerror}") from error
    if free < FREE_FLOOR_BYTES:
        raise EvidenceAwayError(f"evidence: the disk has only {free} bytes left")


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
