"""Where a database may be: on a disk of this machine (recording I16)."""

from pathlib import Path, PurePosixPath

from edge.db.mount import mount_of, parse

#: What the kernel says is mounted where, as this process sees it.
MOUNTS = Path("/proc/self/mountinfo")


def refusal(path: Path) -> str | None:
    """Return why no database may be at ``path`` and what to do, or None where it may.

    ``path`` need not be there yet. Where the system does not tell what is mounted it may.
    """
    try:
        text = MOUNTS.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    mount = mount_of(PurePosixPath(path.resolve()), parse(text))
    if mount is None or not mount.is_network:
        return None
    return (
        f"{path} would be on a network file system ({mount.kind}, {mount.source} at {mount.point}),"
        " which can damage a database; put 'box.data_dir' on a disk of this machine: only"
        " 'recording.folder' may be on a network file system"
    )
