"""The whole edge as its user runs it, against a real camera."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.edge_process import EdgeProcess, written
from tests.support.rtsp import TestCamera, make_clip
from tests.support.waiting import wait_until

FPS = 25


@pytest.fixture
def camera(tmp_path: Path):
    clip = make_clip(tmp_path / "main.h264", frames=2 * FPS, fps=FPS, gop=FPS)
    with TestCamera({"/main": (clip, FPS), "/sub": (clip, FPS)}) as camera:
        yield camera


@pytest.fixture
def config(camera: TestCamera, tmp_path: Path) -> Path:
    return written(
        tmp_path,
        f"""
[[cameras]]
id = "cam-01"
name = "村口主路"
grid_code = "533102105203001"
main_url = "{camera.url("/main")}"
sub_url = "{camera.url("/sub")}"
""",
    )


def timeline(edge: EdgeProcess) -> dict[str, Any]:
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(hours=1)
    return edge.get(
        "/v1/cameras/cam-01/timeline", **{"from": start.isoformat(), "to": end.isoformat()}
    )


def recorded(edge: EdgeProcess, at_least: int) -> Callable[[], bool]:
    return lambda: len(timeline(edge)["segments"]) >= at_least


def growing_s(edge: EdgeProcess) -> float:
    growing = timeline(edge)["growing"]
    if growing is None:
        return 0.0
    start, end = (datetime.fromisoformat(growing[key]) for key in ("start", "end"))
    return (end - start).total_seconds()


def test_a_box_records_without_a_centre_and_stops_when_told(config: Path) -> None:
    with EdgeProcess(config) as edge:
        wait_until(recorded(edge, 2), 30)
        health = edge.get("/v1/health")
        status = edge.stop()
    assert (health["condition"], status) == ("ok", 0)


def test_a_killed_box_loses_at_most_a_second_and_says_when_it_was_off(
    config: Path, tmp_path: Path
) -> None:
    with EdgeProcess(config) as edge:
        wait_until(recorded(edge, 1), 30)
        wait_until(lambda: growing_s(edge) > 1.2, 10)
        killed_at = datetime.now(UTC)
        edge.kill()
        edge.start()
        known = len(timeline(edge)["segments"])
        wait_until(recorded(edge, known + 1), 30)
        found = timeline(edge)
    before = [s for s in found["segments"] if datetime.fromisoformat(s["start"]) < killed_at]
    last_end = datetime.fromisoformat(before[-1]["end"])
    off = [gap for gap in found["gaps"] if gap["reason"] == "box_off"]
    assert before[-1]["recovered"]
    # Fragments are of at most 1 s, and a demuxer holds one frame back.
    assert killed_at - last_end <= timedelta(seconds=1.1)
    assert len(off) >= 1
    assert datetime.fromisoformat(off[0]["start"]) == last_end


def test_every_second_is_recorded_or_explained(config: Path, camera: TestCamera) -> None:
    with EdgeProcess(config) as edge:
        wait_until(recorded(edge, 1), 30)
        known = len(timeline(edge)["segments"])
        camera.restart()
        wait_until(recorded(edge, known + 3), 40)
        found = timeline(edge)
    stretches = sorted(
        (datetime.fromisoformat(each["start"]), datetime.fromisoformat(each["end"]))
        for each in [*found["segments"], *found["gaps"]]
        if each["end"] is not None
    )
    holes = [(a[1], b[0]) for a, b in pairwise(stretches) if b[0] - a[1] > timedelta(seconds=0.1)]
    assert holes == []


def test_an_invalid_configuration_is_refused_before_anything_starts(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text("[box]\nid = 'B'\n", encoding="utf-8")
    for command in ("check-config", "run"):
        run = subprocess.run(
            [sys.executable, "-m", "edge", command, "--config", str(path)],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert run.returncode == 1
        assert "'box.id': String should match pattern" in run.stderr
    assert list(tmp_path.iterdir()) == [path]


def run_edge(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "edge", *arguments], capture_output=True, text=True, check=False
    )


def test_a_second_box_on_one_folder_is_refused_and_the_first_goes_on(config: Path) -> None:
    with EdgeProcess(config) as edge:
        wait_until(recorded(edge, 1), 30)
        second = run_edge("run", "--config", str(config))
        known = len(timeline(edge)["segments"])
        wait_until(recorded(edge, known + 1), 30)
    assert second.returncode == 1
    assert "in use by a box that runs" in second.stderr


def test_an_archive_is_sound_while_its_box_records_and_after_it_was_killed(config: Path) -> None:
    line = ("fsck", "--config", str(config), "--level", "bytes")
    with EdgeProcess(config) as edge:
        wait_until(recorded(edge, 2), 30)
        running = run_edge(*line)
        edge.kill()
        edge.start()
        wait_until(recorded(edge, 3), 30)
        edge.stop()
        stopped = run_edge(*line)
    for done in (running, stopped):
        assert (done.returncode, json.loads(done.stdout.splitlines()[-1])["findings"]) == (0, 0)
    assert "the box runs" in running.stdout


def test_a_box_that_crashes_is_back_by_itself(config: Path) -> None:
    """Only the process that works is hit, as a decoder's crash does; nobody starts it again."""
    with EdgeProcess(config) as edge:
        wait_until(recorded(edge, 1), 30)
        edge.crash()
        known = len(timeline(edge)["segments"])
        wait_until(recorded(edge, known + 2), 30)
        status = edge.stop()
    assert status == 0


def test_an_export_outlives_a_box_that_is_killed_in_the_middle_of_it(
    config: Path, tmp_path: Path
) -> None:
    with EdgeProcess(config) as edge:
        wait_until(recorded(edge, 5), 40)
        segments = timeline(edge)["segments"]
        asked = {
            "camera_id": "cam-01",
            "start": segments[0]["start"],
            "end": segments[-1]["end"],
            "kind": "marked",
            "reason": "演练",
        }
        job = edge.post("/v1/exports", asked)
        folder = tmp_path / "data" / "exports" / job["id"]
        wait_until(lambda: edge.children("edge.exports.child"), 30)
        (child,) = edge.children("edge.exports.child")
        wait_until(lambda: child.nice() == 19, 30)  # from then on the kernel ends it with its box
        child.suspend()  # so that it is not done before the box is killed
        edge.kill()
        psutil.wait_procs([child], timeout=10)
        assert not child.is_running()
        assert not (folder / "manifest.json").exists()
        edge.start()
        wait_until(lambda: edge.get(f"/v1/exports/{job['id']}")["state"] == "done", 60)
        done = edge.get(f"/v1/exports/{job['id']}")
        held = edge.get("/v1/health")["components"]["exports"]["figures"]
    assert (held["done"], held["failed"]) == (1, 0)
    subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, check=True)
    names = sorted(each.name for each in folder.iterdir())
    assert names == sorted([*(file["name"] for file in done["files"]), "job.json"])
    first, last = done["parts"][0], done["parts"][-1]
    assert first["start"] <= asked["start"] or first["start"][:19] == asked["start"][:19]
    assert last["end"][:19] == asked["end"][:19]
