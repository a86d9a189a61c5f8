"""Whether every picture a camera sent is in its files, read back by FFmpeg and not by our code."""

import sqlite3
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import av


@dataclass(frozen=True, slots=True)
class Continuity:
    """What is in the files of one camera: pictures, and how many are missing between them.

    ``runs`` above 1 means that the camera's stream broke or jumped.
    """

    camera_id: str
    pictures: int
    missing: int
    runs: int


def missing_in(times: Sequence[int]) -> int:
    """Return how many steps are missing in decoding times of a constant rate: pure."""
    steps = [later - earlier for earlier, later in pairwise(times)]
    if not steps:
        return 0
    step = statistics.median_low(steps)
    return sum(max(0, round(each / step) - 1) for each in steps)


def read(database: Path, recordings: Path) -> tuple[Continuity, ...]:
    """Read every indexed file of a box that has stopped, camera by camera, in media time.

    The times go on from file to file of a run, so that a picture lost between two is seen.
    """
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        rows = connection.execute(
            "select camera_id, run_id, path from segment order by camera_id, run_id, start_dts"
        ).fetchall()
    runs: dict[str, dict[str, list[int]]] = {}
    for camera_id, run_id, path in rows:
        times = runs.setdefault(camera_id, {}).setdefault(run_id, [])
        times += _times(recordings / path)
    return tuple(
        Continuity(
            camera_id,
            sum(len(times) for times in of_camera.values()),
            sum(missing_in(times) for times in of_camera.values()),
            len(of_camera),
        )
        for camera_id, of_camera in runs.items()
    )


def _times(path: Path) -> list[int]:
    with av.open(str(path), "r") as container:
        packets = container.demux(container.streams.video[0])
        return [packet.dts for packet in packets if packet.dts is not None and packet.size > 0]
