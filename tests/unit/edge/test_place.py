from pathlib import Path, PurePosixPath

import pytest

from edge.__main__ import main
from edge.config import load
from edge.db import place
from edge.db.database import Database
from edge.db.mount import Mount, mount_of, parse
from edge.errors import ConfigError, StorageError
from edge.station import Station
from protocol.clock import SystemClock

#: As Linux 5.10 to 6.8 print them: a Debian box with a NAS, a Windows share, sshfs and others.
MOUNTINFO = r"""22 28 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:5 - proc proc rw
28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw,errors=remount-ro
30 28 0:26 / /dev/shm rw,nosuid,nodev shared:3 - tmpfs tmpfs rw,inode64
41 28 8:17 / /data rw,noatime shared:9 - xfs /dev/sdb1 rw,attr2,inode64,noquota
88 28 0:50 / /mnt/nas rw,relatime shared:57 - nfs4 192.0.2.5:/export/cam rw,vers=4.2,hard,proto=tcp
89 28 0:51 / /mnt/nas3 rw,relatime shared:58 - nfs 192.0.2.5:/export rw,vers=3,mountvers=3
90 28 0:52 / /mnt/win\040share rw,relatime shared:59 - cifs //192.0.2.6/cam rw,vers=3.1.1,soft
91 28 0:53 / /mnt/ssh rw,nosuid,nodev,relatime shared:60 - fuse.sshfs li@192.0.2.7:/cam rw,user_id=0
92 28 0:54 / /mnt/c rw,noatime - 9p C:\134 rw,dirsync,aname=drvfs;path=C:\
93 88 0:55 / /mnt/nas/local rw,relatime shared:61 - ext4 /dev/sdc1 rw
94 28 8:33 / /media/usb rw,relatime shared:62 master:2 - fuseblk /dev/sdd1 rw,user_id=0
95 28 0:57 / /mnt/over rw,relatime - ext4 /dev/sde1 rw
96 28 0:58 / /mnt/over rw,relatime - nfs4 192.0.2.5:/over rw
97 28 0:59 / /mnt/gluster rw,relatime - fuse.glusterfs nas:/vol rw,user_id=0
"""


@pytest.mark.parametrize(
    ("path", "kind", "is_network"),
    [
        ("/var/lib/tanshao/box.db", "ext4", False),
        ("/data/tanshao/box.db", "xfs", False),
        ("/dev/shm/box.db", "tmpfs", False),
        ("/mnt/nas/tanshao/box.db", "nfs4", True),
        ("/mnt/nas", "nfs4", True),
        ("/mnt/nas3/box.db", "nfs", True),
        ("/mnt/nas33/box.db", "ext4", False),
        ("/mnt/win share/box.db", "cifs", True),
        ("/mnt/ssh/box.db", "fuse.sshfs", True),
        ("/mnt/c/box.db", "9p", True),
        ("/mnt/nas/local/box.db", "ext4", False),
        ("/media/usb/box.db", "fuseblk", False),
        ("/mnt/over/box.db", "nfs4", True),
        ("/mnt/gluster/box.db", "fuse.glusterfs", True),
    ],
)
def test_a_path_is_on_what_was_mounted_deepest_and_last(path, kind, is_network):
    mount = mount_of(PurePosixPath(path), parse(MOUNTINFO))
    assert mount is not None
    assert (mount.kind, mount.is_network) == (kind, is_network)


def test_a_line_that_can_not_be_is_left_out():
    text = "nonsense\n\n1 2 3 - ext4\n28 1 8:2 / / rw - ext4\n28 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
    assert list(parse(text)) == [Mount(PurePosixPath("/"), "ext4", "/dev/sda2")]
    assert mount_of(PurePosixPath("/a"), []) is None


def test_what_this_machine_has_mounted_can_be_read():
    mount = mount_of(PurePosixPath("/proc/self"), parse(place.MOUNTS.read_text()))
    assert mount is not None
    assert mount.kind == "proc"


@pytest.fixture
def on_nfs(tmp_path, monkeypatch):
    """Let the system say that ``nas`` is on NFS, and that the rest is not."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
        f"88 28 0:50 / {tmp_path.resolve()}/nas rw,relatime - nfs4 192.0.2.5:/export rw,vers=4.2\n"
    )
    monkeypatch.setattr(place, "MOUNTS", mounts)
    (tmp_path / "nas").mkdir()
    return tmp_path


def written(folder: Path, data_dir: str, recording: str = "") -> Path:
    path = folder / "edge.toml"
    path.write_text(
        f"""
[box]
id = "box-01"
name = "青石村"
region_code = "533102105203"
data_dir = "{data_dir}"
[recording]
{recording}
""",
        encoding="utf-8",
    )
    return path


def test_a_database_on_a_network_file_system_is_refused_before_anything_is_made(on_nfs, capsys):
    path = written(on_nfs, "nas/edge")
    assert main(["check-config", "--config", str(path)]) == 1
    assert "nfs4, 192.0.2.5:/export" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"put 'box.data_dir' on a disk of this machine"):
        Station(load(path), SystemClock())
    with pytest.raises(StorageError, match="network file system"):
        Database(on_nfs / "nas" / "box.db")
    assert list((on_nfs / "nas").iterdir()) == []


def test_a_link_to_a_network_file_system_is_followed(on_nfs):
    (on_nfs / "edge").symlink_to(on_nfs / "nas")
    assert place.refusal(on_nfs / "edge" / "box.db") is not None


def test_recordings_on_a_network_file_system_are_allowed(on_nfs, capsys):
    path = written(on_nfs, "edge", 'folder = "nas/recordings"')
    assert main(["check-config", "--config", str(path)]) == 0
    station = Station(load(path), SystemClock())
    station.start()
    station.close()
    station.database.close()
    assert (on_nfs / "nas" / "recordings" / "disk-id").exists()  # the label goes with them
    assert not (on_nfs / "edge" / "recordings").exists()
    assert main(["fsck", "--config", str(path)]) == 0


def test_a_system_that_does_not_tell_refuses_nothing(on_nfs, monkeypatch):
    monkeypatch.setattr(place, "MOUNTS", on_nfs / "none")
    assert place.refusal(on_nfs / "nas" / "box.db") is None


def test_without_a_folder_of_their_own_recordings_are_below_the_data(tmp_path):
    config = load(written(tmp_path, "edge"))
    assert config.recordings_folder() == tmp_path.resolve() / "edge" / "recordings"


@pytest.mark.parametrize("folder", ["edge", ".", "edge/evidence", "edge/deletions"])
def test_the_recordings_folder_is_for_recordings_alone(tmp_path, folder):
    with pytest.raises(ConfigError, match=r"'recording.folder': must be a folder for recordings"):
        load(written(tmp_path, "edge", f'folder = "{folder}"'))


@pytest.mark.parametrize("folder", ["edge/recordings", "edge/recordings/here", "elsewhere", "/nas"])
def test_any_other_folder_will_do(tmp_path, folder):
    config = load(written(tmp_path, "edge", f'folder = "{folder}"'))
    assert config.recordings_folder() == tmp_path.resolve() / folder
