import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import psutil
import pytest

from edge.detect.feed import Looks, Rates, Task
from edge.detect.launch import Launch
from edge.detect.process import DetectorState
from models.runtime import Runtime
from models.store import ModelStore, Selection
from protocol.messages import AlertKind
from tests.support import own_models
from tests.support.detector import EAGER, Player, Told, clip, clip_run, detector, fallback

ROOT = Path(__file__).resolve().parents[3]
OFF, STARTING, LIVE, DOWN = (
    DetectorState.OFF,
    DetectorState.STARTING,
    DetectorState.LIVE,
    DetectorState.DOWN,
)


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def running(told):
    """Start detectors with a playing feed, and stop all in the end."""
    stops = []

    def start(at=EAGER, **options):
        made = detector(told, **options)
        feed = made.feed("gate", at)
        player = Player([feed], clip(), fps=25)
        stops.append(made.close)
        stops.append(player.close)
        made.start()
        player.start()
        return made

    yield start
    for stop in reversed(stops):
        stop()


def is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_real_process_looks_at_real_h264(running, told):
    made = running()
    told.wait(lambda: len(told.detections) >= 3)
    first = told.detections[0]
    assert (first.camera_id, first.run_id, first.aspect) == ("gate", clip_run().run_id, 1.0)
    assert first.at == clip_run().utc_at(first.pts_90k)
    assert first.boxes == ()  # plain grey has nobody in it
    times = [each.pts_90k for each in told.detections]
    assert times == sorted(set(times))
    assert told.states == [STARTING, LIVE]
    counters = made.counters()
    assert (counters.starts, counters.stale_results) == (1, 0)
    pid = made.pid
    made.close()
    assert told.states == [STARTING, LIVE, OFF]
    assert is_gone(pid)


def test_a_killed_process_is_started_again_and_sees_again(running, told):
    made = running()
    told.wait(lambda: told.detections)
    pid = made.pid
    os.kill(pid, signal.SIGKILL)
    told.wait(lambda: DOWN in told.states, within_s=5)
    told.wait(lambda: told.states[-1] is LIVE)
    before = len(told.detections)
    told.wait(lambda: len(told.detections) >= before + 2)
    assert made.pid != pid
    assert made.counters().starts == 2
    assert made.reason is None


def test_a_process_that_hangs_is_noticed_killed_and_started_again(running, told):
    made = running(launch=Launch(hang_s=3.0))
    told.wait(lambda: told.detections)
    pid = made.pid
    os.kill(pid, signal.SIGSTOP)
    told.wait(lambda: DOWN in told.states, within_s=10)
    assert is_gone(pid)
    told.wait(lambda: told.states[-1] is LIVE)
    before = len(told.detections)
    told.wait(lambda: len(told.detections) > before)


def test_a_model_that_is_not_the_manifests_is_named_and_tried_again_later(running, told, tmp_path):
    chosen = fallback()
    altered = tmp_path / chosen.path.name
    altered.write_bytes(chosen.path.read_bytes()[:-1] + b"x")
    broken = Selection(chosen.entry, altered, fallback=False, reason="")
    made = running(selection=broken)
    told.wait(lambda: DOWN in told.states)
    assert "sha256 must be" in made.reason
    assert str(altered) in made.reason


#: A person in the middle of the input, and nothing else: centre, size, scores of person and dog.
SOMEBODY = own_models.network([[160], [160], [80], [160], [1], [0]])


def test_a_users_own_model_is_found_by_its_manifest_and_looks(running, told, tmp_path):
    own_models.put(tmp_path / "own", "my-yolo", SOMEBODY)
    running(selection=ModelStore([tmp_path / "own"], environ={}).select("my-yolo"))
    told.wait(lambda: told.detections)
    (box,) = told.detections[0].boxes
    # The middle of a square input is the middle of a square picture; of grey the score is below 1.
    assert (box.left, box.top) == pytest.approx((0.375, 0.25))
    assert (box.right, box.bottom) == pytest.approx((0.625, 0.75))
    assert 0.2 < box.score < 1


def test_a_users_own_fire_model_is_found_by_its_manifest_and_looks(running, told, tmp_path):
    weights = own_models.network([[160], [160], [80], [160], [0], [1]])
    text = own_models.entry_text("my-fire", weights, task="fire", classes=("dust", "smoke"))
    own_models.put(tmp_path / "own", "my-fire", weights, text)
    selection = ModelStore([tmp_path / "own"], environ={}).select("my-fire", "fire")
    running(at=Looks({Task.FIRE: Rates(25, 25)}), looks=False, fire=selection)
    told.wait(lambda: told.sightings)
    (sighting,) = told.sightings[0].seen
    assert sighting.kind is AlertKind.SMOKE
    assert (sighting.box[0], sighting.box[3]) == pytest.approx((0.375, 0.75))


def test_a_network_of_other_classes_than_its_manifest_says_is_named(running, told, tmp_path):
    classes = ("person", "dog", "cat")
    text = own_models.entry_text("my-yolo", SOMEBODY, classes=classes)
    own_models.put(tmp_path / "own", "my-yolo", SOMEBODY, text)
    made = running(selection=ModelStore([tmp_path / "own"], environ={}).select("my-yolo"))
    told.wait(lambda: DOWN in told.states)
    assert made.reason == (
        "model 'my-yolo': must answer [1, 7, N] for 3 classes, or [1, N, 6], not [1, 6, 1]"
    )


def test_a_manifest_that_was_spoilt_since_is_named(running, told, tmp_path):
    own = own_models.put(tmp_path / "own", "my-yolo", SOMEBODY)
    selection = ModelStore([tmp_path / "own"], environ={}).select("my-yolo")
    own.write_text("nonsense", encoding="utf-8")
    made = running(selection=selection)
    told.wait(lambda: DOWN in told.states)
    assert str(own) in made.reason


def test_a_runtime_that_is_not_installed_is_named(running, told):
    without = "import sys; sys.modules['openvino'] = None; import edge.detect.child as c; c.main()"
    launch = Launch(command=(sys.executable, "-c", without))
    made = running(launch=launch, runtime=Runtime.OPENVINO)
    told.wait(lambda: DOWN in told.states)
    assert "runtime 'openvino': the package openvino must be installed" in made.reason


def test_a_program_that_can_not_start_is_down_and_closes_at_once(running, told):
    made = running(launch=Launch(command=(sys.executable, "-c", "raise SystemExit(3)")))
    told.wait(lambda: DOWN in told.states)
    assert made.reason == "it ended with 3"
    made.close()
    assert told.states[-1] is OFF


def test_a_program_that_is_never_ready_is_given_up(running, told):
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    made = running(launch=Launch(command=command, start_s=0.5))
    told.wait(lambda: DOWN in told.states)
    assert made.reason == "not ready within 0.5 s"


def test_a_program_that_talks_nonsense_is_given_up(running, told):
    text = "import os, sys; os.write(int(sys.argv[2]), b'HTTP/1.1 200 OK\\r\\n\\r\\n'); input()"
    made = running(launch=Launch(command=(sys.executable, "-c", text)))
    told.wait(lambda: DOWN in told.states)
    assert "nonsense" in made.reason or "ended" in made.reason


def test_a_listener_that_fails_does_not_stop_the_looking(told, running):
    calls = []

    def fail(detections):
        calls.append(detections)
        told.seen(detections)
        raise RuntimeError("a rule's bug")

    made = detector(told)
    made._on_detections = fail
    player = Player([made.feed("gate", EAGER)], clip(), fps=25)
    try:
        made.start()
        player.start()
        told.wait(lambda: len(calls) >= 2)
        assert told.states == [STARTING, LIVE]
    finally:
        player.close()
        made.close()


def test_closing_twice_or_before_the_start_is_harmless(told):
    never = detector(told)
    never.close()
    never.close()
    assert told.states == []


def test_each_camera_gets_its_turn(told):
    made = detector(told)
    feeds = [made.feed(name, EAGER) for name in ("gate", "road", "square")]
    player = Player(feeds, clip(), fps=25)
    try:
        made.start()
        player.start()
        told.wait(lambda: len(told.detections) >= 12)
    finally:
        player.close()
        made.close()
    turns = Counter(each.camera_id for each in told.detections[:12])
    assert set(turns) == {"gate", "road", "square"}
    assert min(turns.values()) >= 3


def test_the_process_dies_with_the_box_however_that_dies():
    program = """
import sys, time
from tests.support.detector import Told, detector
told = Told()
made = detector(told)
made.start()
told.wait(lambda: made.state.value == "live")
print(made.pid, flush=True)
time.sleep(60)
"""
    box = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=ROOT)
    try:
        assert box.stdout is not None
        pid = int(box.stdout.readline())
        assert not is_gone(pid)
        box.kill()
        box.wait()
        psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=5)
        assert is_gone(pid)
    finally:
        box.kill()
        box.wait()
        assert box.stdout is not None
        box.stdout.close()


def test_the_process_is_light_and_the_box_loads_no_inference():
    def loaded(module):
        text = f"import {module}, sys, json; print(json.dumps(sorted(sys.modules)))"
        done = subprocess.run(
            [sys.executable, "-c", text], cwd=ROOT, capture_output=True, check=True
        )
        return set(json.loads(done.stdout))

    assert loaded("edge.detect.child").isdisjoint(
        {"fastapi", "pydantic", "sqlalchemy", "paho", "uvicorn", "edge.config", "httpx"}
    )
    assert loaded("edge.detect.process").isdisjoint({"onnxruntime", "cv2"})
