"""What is mounted where, as Linux tells it, and which of it is across a network. Pure."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

#: File systems whose locks, shared memory or flushes another machine has a hand in. SQLite keeps
#: its promises on none of them.
NETWORK_TYPES = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "fuse.ceph",
        "fuse.ceph-fuse",
        "fuse.curlftpfs",
        "fuse.davfs",
        "fuse.glusterfs",
        "fuse.gvfsd-fuse",
        "fuse.juicefs",
        "fuse.mfs",
        "fuse.rclone",
        "fuse.s3fs",
        "fuse.smbnetfs",
        "fuse.sshfs",
        "glusterfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "prl_fs",
        "smb3",
        "smbfs",
        "vboxsf",
    }
)

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system of ``kind`` from ``source`` that is at ``point``."""

    point: PurePosixPath
    kind: str
    source: str

    @property
    def is_network(self) -> bool:
        """Whether another machine has a hand in it."""
        return self.kind in NETWORK_TYPES


def parse(text: str) -> Iterator[Mount]:
    """Yield what ``/proc/self/mountinfo`` says, in its order; a line it can't be is left out."""
    for line in text.splitlines():
        # 36 35 98:0 /root /point options [tags …] - kind source super-options
        before, separator, after = line.partition(" - ")
        fields, rest = before.split(" "), after.split(" ")
        if separator and len(fields) > 4 and len(rest) > 1:  # noqa: PLR2004
            yield Mount(PurePosixPath(_plain(fields[4])), rest[0], _plain(rest[1]))


def mount_of(path: PurePosixPath, mounts: Iterable[Mount]) -> Mount | None:
    """Return what a path without links in it is on: of the deepest points the last mounted."""
    found: Mount | None = None
    for mount in mounts:
        if path.is_relative_to(mount.point) and (
            found is None or len(mount.point.parts) >= len(found.point.parts)
        ):
            found = mount
    return found


def _plain(text: str) -> str:
    """Undo the kernel's escapes of blanks and backslashes."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
