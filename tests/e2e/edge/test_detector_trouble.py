"""The recorder never depends on the detector: real camera, real recorder, real detector process."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import continuity
from edge.config import EdgeConfig, load
from edge.detect import process
from edge.detect.launch import Launch
from edge.detect.process import DetectorState
from edge.media.sample import Sample, StreamItem
from edge.station import Station
from protocol.clock import SystemClock
from tests.support.detector import EAGER, Told, detector
from tests.support.edge_process import written
from tests.support.rtsp import TestCamera, make_clip
from tests.support.waiting import wait_until

FPS = 25
ROUNDS = 20
#: Every third time the process is stopped and not killed: it hangs, and its silence is noticed.
HANGS_EVERY = 3
#: Two beats of the detector and some more.
HANG_S = 2.5


class Received:
    """Counts what came from the camera, beside the recorder."""

    def __init__(self) -> None:
        self.dts_90k: list[int] = []
        self.runs: set[str] = set()

    def offer(self, item: StreamItem) -> None:
        if isinstance(item, Sample):
            self.dts_90k.append(item.dts_90k)
            self.runs.add(item.run.run_id)


@pytest.fixture
def config(tmp_path: Path) -> Iterator[EdgeConfig]:
    clip = make_clip(tmp_path / "main.h264", frames=2 * FPS, fps=FPS, gop=FPS)
    with TestCamera({"/main": (clip, FPS)}) as camera:
        path = written(
            tmp_path,
            f"""
[[cameras]]
id = "cam-01"
name = "村口主路"
grid_code = "533102105203001"
main_url = "{camera.url("/main")}"
""",
        )
        yield load(path)


def test_a_detector_that_is_killed_or_hangs_20_times_costs_the_recording_nothing(
    config: EdgeConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The detector looks at the very stream that is recorded, in both states of its process."""
    monkeypatch.setattr(process, "FIRST_WAIT_S", 0.05)
    monkeypatch.setattr(process, "LAST_WAIT_S", 0.05)
    told, received = Told(), Received()
    station = Station(config, SystemClock())
    watching = detector(told, Launch(hang_s=HANG_S))
    station.watch("cam-01", received)
    station.watch("cam-01", watching.feed("cam-01", EAGER))
    station.start()
    watching.start()
    try:
        for number in range(ROUNDS):
            told.wait(lambda: told.states[-1] is DetectorState.LIVE)
            pid, before = watching.pid, len(received.dts_90k)
            assert pid is not None
            is_hang = number % HANGS_EVERY == 0
            os.kill(pid, signal.SIGSTOP if is_hang else signal.SIGKILL)
            told.wait(lambda: told.states.count(DetectorState.DOWN) > number)  # noqa: B023
            wait_until(lambda: len(received.dts_90k) > before)  # noqa: B023
        seen = len(told.detections)
        told.wait(lambda: len(told.detections) > seen)
    finally:
        watching.close()
        station.close()
        station.database.close()
    assert watching.counters().starts == ROUNDS + 1
    database = station.database.path
    (recorded,) = continuity.read(database, config.recordings_folder())
    assert (recorded.runs, len(received.runs)) == (1, 1)
    assert (recorded.missing, continuity.missing_in(received.dts_90k)) == (0, 0)
    assert recorded.pictures == len(received.dts_90k)
    with sqlite3.connect(database) as connection:
        first_us, last_us = connection.execute(
            "select min(start_us), max(end_us) from segment"
        ).fetchone()
        between = connection.execute(
            "select * from gap where start_us < ? and coalesce(end_us, ?) > ?",
            (last_us, last_us, first_us),
        ).fetchall()
    assert between == []
