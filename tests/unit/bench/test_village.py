import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

from bench import process
from bench.kills import Victim
from bench.village import Login, Village, is_steady, turns_of
from tests.support.waiting import wait_until

LOG = """--- 2026-11-22T02:00:00 testcam started, pid 7
{"event": "ready", "server": "gst", "port": 1, "mono_ns": 1, "utc": "2026-11-22T02:00:00+00:00"}
{"event": "loop", "mount": "/cam-01/main", "loop": 0, "utc": "2026-11-22T02:00:00+00:00"}
{"event": "loop", "mount": "/cam-01/sub", "loop": 0, "utc": "2026-11-22T02:00:00+00:00"}
{"event": "loop", "mount": "/cam-01/main", "loop": 1, "utc": "2026-11-22T02:01:53.571428+00:00"}
"""
FIRST = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def test_turns_are_read_from_the_test_cameras_log():
    assert turns_of(LOG, "/cam-01/main") == (
        FIRST,
        FIRST + timedelta(seconds=113.571428),
    )
    assert turns_of(LOG, "/cam-02/main") == ()


def test_turns_are_steady_unless_one_is_left_out():
    turns = turns_of(LOG, "/cam-01/main")
    assert is_steady(turns, 113.5714)
    assert is_steady(turns[:1], 113.5714)
    assert not is_steady((turns[0], turns[1] + timedelta(seconds=113.6)), 113.5714)


def test_what_the_launcher_leaves_is_read(tmp_path):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "log").mkdir()
    (tmp_path / "secrets" / "password-wall").write_text("abc\n")
    (tmp_path / "secrets" / "pin-cadre-1").write_text("0042\n")
    (tmp_path / "broker").mkdir()
    (tmp_path / "broker" / "broker.pid").write_text("13")
    (tmp_path / "log" / "testcam.log").write_text(LOG)
    state = {
        "edge_url": "http://127.0.0.1:8610",
        "programs": [
            {"name": "edge", "pid": 11},
            {"name": "centre", "pid": 12},
            {"name": "consumer", "pid": None},
        ],
    }
    (tmp_path / "village.json").write_text(json.dumps(state))
    village = Village(tmp_path, "auto")
    assert village.login("wall") == Login("wall", "abc")
    assert village.pin("cadre-1") == "0042"
    assert len(village.turns("/cam-01/main")) == 2
    assert village.edge_url == "http://127.0.0.1:8610"
    assert village.pids(Victim.CENTRE) == (12,)
    assert village.pids(Victim.WHOLE_EDGE) == (11,)
    assert village.pids(Victim.BROKER) == (13,)


def test_a_village_that_has_said_nothing_yet_is_empty(tmp_path):
    village = Village(tmp_path, "auto")
    assert village.edge_url is None
    assert village.turns("/cam-01/main") == ()
    assert [village.pids(victim) for victim in Victim] == [()] * len(Victim)


def test_the_edge_at_work_is_the_child_of_its_program_and_the_detector_its_grandchild(tmp_path):
    family = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with subprocess.Popen([sys.executable, "-c", family], stdin=subprocess.PIPE) as edge:
        village = Village(tmp_path / "village", "auto")
        state = {"programs": [{"name": "edge", "pid": os.getpid()}]}
        village.folder.mkdir()
        (village.folder / "village.json").write_text(json.dumps(state))
        wait_until(lambda: len(process.tree([edge.pid])) == 2)
        assert edge.pid in village.pids(Victim.EDGE)
        assert set(process.children(edge.pid)) <= set(village.pids(Victim.DETECTOR))
        edge.communicate(b"\n")
