"""A program of the box's that is given an order and ends by itself, in time, or when told to."""

import subprocess
import sys
import threading

import psutil
import pytest

from edge.offspring import Offspring
from tests.support.waiting import wait_until

ECHO = "import sys; sys.stdout.write(sys.stdin.read().upper())"
DEAF = "import os, time; os.close(1); time.sleep(60)"


def program(code: str, limit_s: float | None = 30.0) -> Offspring:
    return Offspring((sys.executable, "-c", code), limit_s)


def answer(offspring: Offspring, order: bytes) -> tuple[bytes, int]:
    with offspring.running(order) as process:
        assert process is not None
        said = process.stdout.read()
    return said, process.returncode


def test_it_is_told_its_order_and_heard_once_and_again():
    offspring = program(ECHO)
    assert answer(offspring, b"look") == (b"LOOK", 0)
    assert answer(offspring, b"again") == (b"AGAIN", 0)
    assert not offspring.overran


def test_it_is_told_whose_it_is():
    offspring = program("import sys, os; print(sys.argv[1:] == ['--parent', str(os.getppid())])")
    assert answer(offspring, b"") == (b"True\n", 0)


def test_one_that_reads_no_order_is_heard_all_the_same():
    assert answer(program("print('no')"), b"x" * 1_000_000) == (b"no\n", 0)


@pytest.mark.parametrize("code", [DEAF, "import time; time.sleep(60)"])
def test_one_that_takes_too_long_is_ended_also_where_it_has_said_all(code):
    offspring = program(code, 0.3)
    assert answer(offspring, b"") == (b"", -9)
    assert offspring.overran


def test_it_is_known_by_its_process_id_while_it_runs_and_ended_by_any_thread():
    offspring = program("import time; time.sleep(60)", None)
    assert offspring.pid is None
    ended = []
    thread = threading.Thread(target=lambda: ended.append(answer(offspring, b"")))
    thread.start()
    wait_until(lambda: offspring.pid)
    offspring.stop()
    thread.join(20)
    assert ended == [(b"", -9)]
    assert (offspring.pid, offspring.stopped, offspring.overran) == (None, True, False)


def test_after_it_was_told_to_stop_none_is_started():
    offspring = Offspring(("/nowhere/there",))
    offspring.stop()
    offspring.stop()
    with offspring.running(b"") as process:
        assert process is None


def test_one_that_cannot_be_started_is_an_error_of_the_system():
    with pytest.raises(FileNotFoundError), Offspring(("/nowhere/there",)).running(b""):
        pass


@pytest.mark.parametrize("module", ["cameras.errand", "enrolment.child", "exports.child"])
def test_each_of_ours_ends_with_the_box_that_is_killed(module):
    # It waits for an order from this test, which never comes.
    box = (
        "import os, subprocess, sys\n"
        f"command = [sys.executable, '-m', 'edge.{module}', '--parent', str(os.getpid())]\n"
        "child = subprocess.Popen(command)\n"
        "print(child.pid, flush=True)\n"
        "child.wait()"
    )
    pipe = subprocess.PIPE
    line = [sys.executable, "-c", box]
    with subprocess.Popen(line, stdin=pipe, stdout=pipe, text=True) as parent:
        child = psutil.Process(int(parent.stdout.readline()))
        wait_until(lambda: child.status() == psutil.STATUS_SLEEPING)
        parent.kill()
        wait_until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
