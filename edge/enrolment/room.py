"""What a camera that is added will find on the recordings' disk."""

import os
from pathlib import Path

from edge.config import EdgeConfig
from edge.enrolment.errand import Space

_GB = 1_000_000_000


def space_for_one_more(config: EdgeConfig, used_bytes: int) -> Space:
    """Return it for the configured cameras and one more; ``used_bytes`` is what recordings take.

    What is held for longer counts as room, as it will be. No room is known of a disk that is away.
    """
    recording = config.recording
    cameras = sum(camera.enabled for camera in config.cameras) + 1
    try:
        stat = os.statvfs(_standing(config.recordings_folder()))
    except OSError:
        return Space(room_bytes=None, cameras=cameras, days=recording.retention_days)
    total, free = stat.f_blocks * stat.f_frsize, stat.f_bavail * stat.f_frsize
    room = max(0, free + used_bytes - round(recording.min_free_fraction * total))
    if recording.quota_gb is not None:
        room = min(room, round(recording.quota_gb * _GB))
    return Space(room_bytes=room, cameras=cameras, days=recording.retention_days)


def _standing(folder: Path) -> Path:
    """Return the folder, or the nearest above it that is there already."""
    return next(each for each in (folder, *folder.parents) if each.exists())
