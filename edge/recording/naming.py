"""What the recorder's files are called and where they are: <camera>/<stream>/<day>/<time>-<id>.mp4.

Any other file is somebody else's and stays untouched.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

_OURS = re.compile(r"^\d{6}-[0-9a-f]{32}\.mp4$")


def is_ours(name: str) -> bool:
    """Return whether a file of this name is one of the recorder's."""
    return _OURS.match(name) is not None


def day_folders(root: Path) -> Iterator[Path]:
    """Yield every <camera>/<stream>/<day> folder below the root."""
    level = [str(root)]
    for _ in range(3):
        level = [
            entry.path
            for folder in level
            for entry in os.scandir(folder)
            if entry.is_dir(follow_symlinks=False)
        ]
    yield from map(Path, level)
