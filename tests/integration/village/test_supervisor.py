"""Real processes, killed for real."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from protocol.clock import SystemClock
from village.child import ROOT, Child, Program
from village.logfile import LogFile
from village.supervisor import StopSignal, Supervisor

SLEEPER = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = f"import signal; signal.signal(15, signal.SIG_IGN); {SLEEPER}"


@pytest.fixture
def stage(tmp_path):
    stage = Stage(tmp_path)
    yield stage
    stage.supervisor.shut_down("")
    for log in stage.logs:
        log.close()


class Crowded(Child):
    """A program that the system has no room for, as often as ``refusals`` says."""

    refusals = 0

    def start(self):
        if self.refusals:
            self.refusals -= 1
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        super().start()


class Stage:
    def __init__(self, folder):
        self.clock = SystemClock()
        self.stop = StopSignal()
        self.ended = []
        self.supervisor = Supervisor(self.stop, self.clock, self.ended.append, lambda: None)
        self.folder = folder
        self.logs = []

    def child(self, name, code, stop_s=5.0):
        return self.program(Program(name, [sys.executable, "-c", code], stop_s=stop_s))

    def program(self, program, kind=Child):
        log = LogFile(self.folder / f"{program.name}.log")
        self.logs.append(log)
        return kind(program, log, self.clock)

    def crowded(self, name, code, refusals):
        child = self.program(Program(name, [sys.executable, "-c", code]), Crowded)
        child.refusals = refusals
        return child

    def log(self, child):
        return (self.folder / f"{child.name}.log").read_text()

    def pump_until(self, done):
        deadline = time.monotonic() + 20
        while not done():
            assert time.monotonic() < deadline
            self.supervisor.pump(0.05)


def test_a_killed_program_is_started_again_at_once(stage):
    child = stage.child("a", SLEEPER)
    stage.supervisor.add(child)
    first = child.pid
    os.kill(first, signal.SIGKILL)
    stage.pump_until(lambda: child.starts == 2)
    assert child.pid not in (None, first)
    assert [(e.name, e.why, e.pause_s) for e in stage.ended] == [("a", "signal SIGKILL", 0.0)]
    stage.supervisor.shut_down("")
    assert "a ended after" in stage.log(child)


def test_a_program_that_keeps_ending_is_started_more_and_more_seldom(stage):
    child = stage.child("a", "raise SystemExit(3)")
    stage.supervisor.add(child)
    stage.pump_until(lambda: len(stage.ended) == 3)
    assert [(e.why, e.pause_s) for e in stage.ended] == [
        ("exit status 3", 0.0),
        ("exit status 3", 0.5),
        ("exit status 3", 1.0),
    ]
    stage.supervisor.shut_down("")
    assert child.pid is None


NO_ROOM = "can't be started: Resource temporarily unavailable"


def test_a_program_that_the_system_has_no_room_for_is_told_and_tried_again(stage):
    child = stage.crowded("a", SLEEPER, refusals=3)
    stage.supervisor.add(child)
    stage.pump_until(lambda: child.pid is not None)
    assert [(e.why, e.pause_s) for e in stage.ended] == [
        (NO_ROOM, 0.0),
        (NO_ROOM, 0.5),
        (NO_ROOM, 1.0),
    ]


def test_a_program_that_ended_while_there_is_no_room_is_back_when_there_is(stage):
    child = stage.crowded("a", SLEEPER, refusals=0)
    stage.supervisor.add(child)
    child.refusals = 2
    os.kill(child.pid, signal.SIGKILL)
    stage.pump_until(lambda: child.starts == 2)
    assert sorted(e.why for e in stage.ended) == [NO_ROOM, NO_ROOM, "signal SIGKILL"]


def test_a_step_that_there_was_no_room_for_runs_to_its_end(stage):
    step = stage.crowded("b", "raise SystemExit(7)", refusals=2)
    assert stage.supervisor.complete(step) == 7


def test_a_stop_ends_the_wait_for_room(stage):
    stage.stop.set()
    step = stage.crowded("b", SLEEPER, refusals=10**6)
    assert stage.supervisor.complete(step) is None


@pytest.mark.parametrize("what", ["os.pidfd_open", "threading.Thread.start"])
def test_a_program_that_can_only_half_be_started_is_not_left_running(stage, monkeypatch, what):
    def refused(*_):
        raise OSError(errno.EMFILE, "Too many open files") if what[0] == "o" else RuntimeError

    child = stage.child("a", SLEEPER)
    before = set(psutil.Process().children())
    with monkeypatch.context() as broken:
        broken.setattr(what, refused)
        with pytest.raises(OSError, match=r"Too many open files|start new thread"):
            child.start()
    assert (child.pid, child.starts) == (None, 0)
    assert set(psutil.Process().children()) == before
    child.start()
    assert child.pid is not None
    child.tell_to_stop()
    child.stop()


def test_a_step_runs_to_its_end_while_the_others_are_watched(stage):
    lasting = stage.child("a", SLEEPER)
    stage.supervisor.add(lasting)
    os.kill(lasting.pid, signal.SIGKILL)
    step = stage.child("b", "import time; time.sleep(0.3); raise SystemExit(7)")
    assert stage.supervisor.complete(step) == 7
    assert lasting.starts == 2
    stage.supervisor.shut_down("")


def test_a_stop_ends_a_step_and_everything_that_waits(stage):
    stage.stop.set()
    step = stage.child("b", SLEEPER)
    assert stage.supervisor.complete(step) is None
    assert step.pid is None
    assert not stage.supervisor.until(lambda: False)


def test_the_first_ends_before_the_others_are_told(stage):
    told = (
        "import signal, sys, time\n"
        "def end(*_): time.sleep({pause}); sys.exit(0)\n"
        "signal.signal(15, end); print('up', flush=True); time.sleep(600)"
    )
    first, other = (
        stage.child("first", told.format(pause=0.5)),
        stage.child("other", told.format(pause=0)),
    )
    for child in (other, first):
        stage.supervisor.add(child)
        stage.pump_until(lambda child=child: "up" in stage.log(child))
    stage.supervisor.shut_down("first")
    ends = {
        child.name: next(
            line.split()[1] for line in stage.log(child).splitlines() if "ended" in line
        )
        for child in (first, other)
    }
    assert ends["first"] < ends["other"]


def test_a_program_that_will_not_end_is_killed_with_what_it_started(stage):
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])\n"
    child = stage.child("a", code + STUBBORN, stop_s=0.3)
    stage.supervisor.add(child)
    stage.pump_until(lambda: stage.log(child).count("up\n") == 2)
    (grandchild,) = psutil.Process(child.pid).children()
    stage.supervisor.shut_down("")
    assert child.pid is None
    grandchild.wait(timeout=5)
    assert "did not end within 0 s: killed" in stage.log(child)


def test_programs_end_when_their_launcher_is_killed(tmp_path):
    launcher = f"""
import json, sys, threading
from protocol.clock import SystemClock
from village.child import Child, Program
from village.logfile import LogFile
from pathlib import Path
program = Program("a", [sys.executable, "-c", {SLEEPER!r}])
child = Child(program, LogFile(Path(sys.argv[1])), SystemClock())
child.start()
print(json.dumps(child.pid), flush=True)
threading.Event().wait()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", launcher, str(tmp_path / "a.log")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        pid = json.loads(process.stdout.readline())
        child = psutil.Process(pid)
        log = Path(tmp_path / "a.log")
        deadline = time.monotonic() + 20
        while "up" not in log.read_text():
            assert time.monotonic() < deadline
        process.kill()
    child.wait(timeout=5)


def test_a_program_that_is_not_there_ends_with_words(stage):
    child = stage.program(Program("a", ["/no/such/program"]))
    assert stage.supervisor.complete(child) == 1
    assert "/no/such/program: No such file or directory" in stage.log(child)
