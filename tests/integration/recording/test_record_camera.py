"""A real camera onto a real disk, and what is left when things are killed."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from edge.ingest.fanout import Fanout
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.ingest.worker import StreamWorker
from edge.media.sample import Codec, GapReason
from edge.recording.export import cut
from protocol.clock import SystemClock
from tests.support.recordings import (
    FAR_AHEAD,
    LONG_AGO,
    MAIN,
    Archive,
    assert_sound,
    pictures,
    until,
)
from tests.support.rtsp import TestCamera, make_clip
from tests.support.tools import ROOT

CLOCK = SystemClock()


@pytest.fixture
def camera(tmp_path: Path) -> Iterator[TestCamera]:
    clip = make_clip(tmp_path / "cam.h264", frames=100, gop=25)
    with TestCamera({"/cam": (clip, 25)}) as running:
        yield running


class Station:
    """One camera pulled and recorded; closed in the order of the product."""

    def __init__(self, folder: Path, url: str) -> None:
        self.archive = Archive(folder, CLOCK)
        self.archive.recover("gate")
        self.recorder = self.archive.recorder(segment_s=2.0)
        self.reader = Reader(CLOCK)
        opener = OwnOpener(url, self.reader, CLOCK)
        self.worker = StreamWorker(
            "gate", MAIN, opener, Fanout("gate/main", self.recorder), (), CLOCK
        )
        self.recorder.start()
        self.started = CLOCK.now()
        self.worker.start()

    def close(self) -> None:
        self.worker.close()
        self.reader.close()
        self.recorder.close()


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_what_a_camera_sends_is_on_the_disk_picture_by_picture(tmp_path, codec):
    clip = make_clip(tmp_path / f"cam.{codec.value}", frames=100, gop=25)
    with TestCamera({"/cam": (clip, 25)}) as camera:
        station = Station(tmp_path / "box", camera.url("/cam"))
        until(lambda: station.recorder.segments >= 2, within_s=20)
        station.close()

    segments = station.archive.segments()
    times = []
    for segment in segments:
        assert_sound(segment)
        assert segment.codec is codec
        assert segment.recovered is False
        times += [pts for pts, _ in pictures(segment.path)]
    assert {3599, 3600, 3601} >= {b - a for a, b in pairwise(times)} - {times[1] - times[0]}
    assert all(a.end == b.start for a, b in pairwise(segments))
    # What was recorded is what the wall saw pass, to a frame or two.
    media = segments[-1].end - segments[0].start
    wall = timedelta(microseconds=sum(segment.wall_us for segment in segments))
    assert abs(media - wall) < timedelta(seconds=0.5)
    coverage = station.archive.coverage(station.started, CLOCK.now())
    assert coverage.unexplained == ()
    assert set(coverage.missing) <= {GapReason.CAMERA, GapReason.BOX_OFF}
    station.archive.close()


def test_a_clip_is_there_seconds_after_what_it_shows(tmp_path, camera):
    station = Station(tmp_path / "box", camera.url("/cam"))
    until(lambda: station.archive.index.growing("gate", MAIN))
    event = CLOCK.now()
    until(
        lambda: (
            (grows := station.archive.index.growing("gate", MAIN))
            and grows.end > event + timedelta(seconds=0.5)
        ),
        within_s=20,
    )
    start, end = event - timedelta(seconds=0.5), event + timedelta(seconds=0.5)
    footage = station.archive.index.footage("gate", MAIN, start, end)

    made = cut(footage, start, end, tmp_path / "clip.mp4")

    station.close()
    assert made.end >= end
    assert made.end - end < timedelta(seconds=0.1)
    seen = len(pictures(tmp_path / "clip.mp4"))
    assert seen == pytest.approx((made.end - made.start).total_seconds() * 25, abs=1)
    station.archive.close()


def test_a_camera_that_dies_and_returns_is_recorded_again_and_the_gap_says_network(
    tmp_path, camera
):
    station = Station(tmp_path / "box", camera.url("/cam"))
    until(lambda: station.recorder.segments >= 1, within_s=20)
    camera.kill()
    until(station.archive.index.open_gaps, within_s=20)
    camera.start()
    until(lambda: not station.archive.index.open_gaps(), within_s=20)
    station.close()

    closed = [gap for gap in station.archive.gaps() if gap[2] is GapReason.NETWORK]
    assert len(closed) == 1
    assert len({segment.run_id for segment in station.archive.segments()}) == 2
    assert station.archive.coverage(station.started, CLOCK.now()).unexplained == ()
    station.archive.close()


def test_kill_nine_costs_at_most_a_second_and_everything_else_reads_back(tmp_path, camera):
    folder = tmp_path / "box"
    command = [sys.executable, "-m", "tests.support.record_child", str(folder), camera.url("/cam")]
    received: list[tuple[str, int]] = []
    for _ in range(3):
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert child.stdout is not None
        for count, line in enumerate(child.stdout):
            run_id, dts_90k = line.split()
            received.append((run_id, int(dts_90k)))
            if count == 85:
                child.kill()
        child.wait()
        child.stdout.close()

    archive = Archive(folder, CLOCK)
    result = archive.recover("gate")

    # Each child but the last was recovered by the next one.
    assert result.recovered == 1
    segments = archive.segments()
    assert sum(segment.recovered for segment in segments) == 3
    shown = 0
    for segment in segments:
        assert_sound(segment)
        shown += len(pictures(segment.path))
    assert shown == sum(round(s.duration_90k / 3600) for s in segments)
    for run_id in {run_id for run_id, _ in received}:
        last_90k = max(dts_90k for each, dts_90k in received if each == run_id)
        kept = [s for s in segments if s.run_id == run_id]
        kept_to_90k = max(s.start_dts_90k + s.duration_90k for s in kept)
        assert last_90k + 3600 - kept_to_90k <= 90_000
        assert min(s.start_dts_90k for s in kept) == 0
    gaps = archive.index.gaps("gate", MAIN, LONG_AGO, FAR_AHEAD)
    assert [gap.reason for gap in gaps if gap.end is None] == [GapReason.BOX_OFF]
    assert archive.coverage(segments[0].start, CLOCK.now()).unexplained == ()
    assert archive.files() == sorted(segment.path for segment in segments)
    archive.close()
