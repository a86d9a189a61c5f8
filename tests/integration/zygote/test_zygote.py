"""A real zygote and its real forks, killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.tools import ROOT

WAIT_S = 20


class Family:
    """A zygote; ``next_box`` waits for its next fork."""

    def __init__(self) -> None:
        self.zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.support.zygote_child"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def next_box(self) -> int:
        assert self.zygote.stdout is not None
        return int(self.zygote.stdout.readline())

    def everyone_ended(self) -> bool:
        """Wait until no process holds the output any more, and say whether nothing was said."""
        assert self.zygote.stdout is not None
        return self.zygote.stdout.read() == ""

    def close(self) -> None:
        self.zygote.kill()
        self.zygote.communicate()


@pytest.fixture
def family() -> Iterator[Family]:
    family = Family()
    yield family
    family.close()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_box_that_is_killed_is_forked_again(family: Family, number: signal.Signals) -> None:
    first = family.next_box()
    os.kill(first, number)
    second = family.next_box()
    assert second not in (first, family.zygote.pid)
    assert family.zygote.poll() is None


def test_a_box_that_keeps_being_killed_comes_back_each_time(family: Family) -> None:
    boxes = []
    for _ in range(3):
        boxes.append(family.next_box())
        os.kill(boxes[-1], signal.SIGKILL)
    boxes.append(family.next_box())
    assert len(set(boxes)) == 4


def test_a_box_that_ends_by_itself_is_the_end_with_its_status(family: Family) -> None:
    os.kill(family.next_box(), signal.SIGUSR1)
    assert family.zygote.wait(WAIT_S) == 7
    assert family.everyone_ended()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_told_to_stop_is_passed_on_and_waited_for(
    family: Family, number: signal.Signals
) -> None:
    family.next_box()
    family.zygote.send_signal(number)
    assert family.zygote.wait(WAIT_S) == 0
    assert family.everyone_ended()


def test_a_zygote_that_is_killed_takes_its_box_with_it(family: Family) -> None:
    family.next_box()
    family.zygote.kill()
    assert family.everyone_ended()


def test_it_can_be_stopped_while_it_waits_to_fork_again(family: Family) -> None:
    for _ in range(2):
        os.kill(family.next_box(), signal.SIGKILL)
    # Now it waits half a second; told meanwhile or just after, it ends all the same.
    family.zygote.send_signal(signal.SIGTERM)
    family.zygote.wait(WAIT_S)
    family.everyone_ended()
