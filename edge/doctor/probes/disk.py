"""Reading what the system says of the disks under the box's folders."""

import json
import os
import secrets
import shutil
import subprocess
from pathlib import Path, PurePosixPath

from edge.db.mount import Mount, mount_of, parse
from edge.db.place import MOUNTS
from edge.doctor.disk import FolderFacts, Use, WriteTest
from protocol.clock import Clock

#: Of the test file: little enough for a full disk, enough to be past a drive's own memory.
WRITE_BYTES = 64 * 1024 * 1024
_WRITE_LIMIT_NS = 10_000_000_000
_BLOCK = b"\xa5" * (1024 * 1024)
_NS_PER_S = 1_000_000_000
_SMART_S = 5
#: Of JESD84-B51: 1 is the first tenth of its life, 11 means that it is over.
_LIFE_STEP_PERCENT = 10
_BLOCKS = Path("/sys/class/block")


def look_at(use: Use, folder: Path, clock: Clock, *, is_made: bool, write: bool) -> FolderFacts:
    """Return what is known of a folder.

    One that the box makes itself (``is_made``) and has not yet is judged by what it will be on.
    ``write`` also writes a test file of ``WRITE_BYTES`` for ten seconds at most, and deletes it.
    """
    there, is_there = _existing(folder), folder.is_dir()
    is_missing = not is_made and not is_there
    state = os.statvfs(there)
    mount = _mount(there)
    device = None if mount is None else _disk(mount.source)
    return FolderFacts(
        use=use,
        path=str(folder),
        is_there=is_there,
        is_missing=is_missing,
        device=there.stat().st_dev,
        network=mount.kind if mount is not None and mount.is_network else "",
        is_read_only=bool(state.f_flag & os.ST_RDONLY),
        is_writable=os.access(there, os.W_OK),
        total_bytes=state.f_blocks * state.f_frsize,
        free_bytes=state.f_bavail * state.f_frsize,
        inodes=state.f_files,
        free_inodes=state.f_favail,
        worn_percent=None if device is None else _worn_percent(device),
        failing=None if device is None else _failing(device),
        written=write_test(there, clock) if write and not is_missing else None,
    )


def write_test(folder: Path, clock: Clock) -> WriteTest:
    """Write a file, have it on the disk, delete it, and return how fast that was."""
    path = folder / f".doctor-{secrets.token_hex(4)}"
    began_ns = clock.monotonic_ns()
    written = 0
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            while written < WRITE_BYTES and clock.monotonic_ns() - began_ns < _WRITE_LIMIT_NS:
                written += os.write(descriptor, _BLOCK)
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
            path.unlink()
    except OSError as error:
        return WriteTest(None, error.strerror or type(error).__name__)
    return WriteTest(written / 1e6 / max(1, clock.monotonic_ns() - began_ns) * _NS_PER_S)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.resolve().parents) if path.is_dir())


def _mount(path: Path) -> Mount | None:
    try:
        text = MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return mount_of(PurePosixPath(path.resolve()), parse(text))


def _disk(source: str) -> str | None:
    """Return the kernel's name of the whole disk that a partition is of, such as ``mmcblk0``."""
    entry = _BLOCKS / Path(source).name
    try:
        place = entry.resolve(strict=True)
    except OSError:
        return None
    return place.parent.name if (place / "partition").exists() else place.name


def _worn_percent(disk: str) -> int | None:
    """Return how much of an eMMC's life is used, by the worse of its two kinds of cells."""
    try:
        text = (_BLOCKS / disk / "device" / "life_time").read_text(encoding="ascii")
        return max(int(word, 16) for word in text.split()) * _LIFE_STEP_PERCENT
    except (OSError, ValueError):
        return None


def _failing(disk: str) -> bool | None:
    """Return the disk's own word, where this user may ask for it (SMART)."""
    device, program = f"/dev/{disk}", shutil.which("smartctl")
    if program is None or not os.access(device, os.R_OK):
        return None
    try:
        asked = subprocess.run(  # noqa: S603 - a program of the system, a device of the kernel
            [program, "--json", "-H", device],
            capture_output=True,
            timeout=_SMART_S,
            check=False,
        )
        return not json.loads(asked.stdout)["smart_status"]["passed"]
    except (OSError, subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None
